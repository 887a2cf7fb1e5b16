package store

import (
	"testing"

	"lancre/index"
)

// grow puts records on top of dir as a delta, whatever is there.
func grow(t *testing.T, dir string, records ...record) *Manifest {
	t.Helper()
	return publish(t, dir, func(p *Publication, m *Manifest) {
		m.Segments = Push(p.Previous().Segments, addSegment(t, p.Objects, RoleDelta, index.Everything, records))
		m.Files = p.Previous().Files
	})
}

// begin makes a store whose base has records.
func begin(t *testing.T, dir string, records ...record) *Manifest {
	t.Helper()
	return publish(t, dir, func(p *Publication, m *Manifest) {
		m.Segments = []SegmentLine{addSegment(t, p.Objects, RoleBase, index.Everything, records)}
	})
}

func (r record) buried() record {
	r.tombstone = true
	return r
}

// named is the fill of a commit that changes nothing else.
func named(next *Manifest) error {
	next.Origin, next.Created = "test", start
	return nil
}

// TestDeltaOvertaken commits a good response and another certificate's after something
// else was published for the first: whoever adds is asked about that, and what does not
// stand is left out.
func TestDeltaOvertaken(t *testing.T) {
	good, other, revoked := response(t, 1, 2), response(t, 2, 0), revocation(t, 1, 1)
	older := response(t, 1, 0)
	for _, test := range []struct {
		name      string
		before    record
		meanwhile []record
		asked     bool
	}{
		{"nothing", older, nil, false},
		{"something else", older, []record{response(t, 3, 0)}, false},
		{"another response", older, []record{revoked}, true},
		{"a withdrawal", older, []record{older.buried()}, true},
		{"the same once more", older, []record{older}, false},
		{"the same withdrawal once more", older.buried(), []record{older.buried()}, false},
		{"the withdrawal of a revocation in place of that of a good one", older.buried(), []record{revoked.buried()}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			begin(t, dir, test.before)
			objects, err := OpenObjects(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer objects.Close()
			d := Delta{Snapshot: open(t, dir), Line: addSegment(t, objects, RoleDelta, index.Everything, []record{good, other})}
			asked := 0
			d.Stands = func(rec, now index.Record, found bool, id *index.CertID) bool {
				if asked++; !id.Equal(&good.id) || !found {
					t.Errorf("asked about %v, found %v", id, found)
				}
				return false
			}
			for _, r := range test.meanwhile {
				grow(t, dir, r)
			}
			p, err := objects.Begin()
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			if _, err := d.Commit(p, named); err != nil {
				t.Fatal(err)
			}
			overtaken := 0
			want := good.answer()
			if test.asked {
				overtaken, want = 1, test.meanwhile[len(test.meanwhile)-1].answer()
			}
			if asked != overtaken || d.Overtaken != uint64(overtaken) {
				t.Errorf("asked %d times, overtaken: %d; want %d", asked, d.Overtaken, overtaken)
			}
			g := open(t, dir)
			if got := answer(t, g, &good.id); got != want {
				t.Errorf("answers %.40q, want %.40q", got, want)
			}
			if got := answer(t, g, &other.id); got != other.answer() {
				t.Errorf("the other one is answered %.40q", got)
			}
			if got := faults(t, dir); len(got) > 0 {
				t.Errorf("reports %q", got)
			}
		})
	}
}

// commitDelta commits a delta of records, made from the current generation of dir, that
// stand against nothing; meanwhile is published before.
func commitDelta(t *testing.T, dir string, fill func(*Manifest) error, records []record, meanwhile ...record) (*Delta, *Manifest) {
	t.Helper()
	objects, err := OpenObjects(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer objects.Close()
	d := &Delta{Stands: func(index.Record, index.Record, bool, *index.CertID) bool { return false }}
	if _, err := ReadManifest(dir); err == nil {
		d.Snapshot = open(t, dir)
	}
	if records != nil {
		d.Line = addSegment(t, objects, RoleDelta, index.Everything, records)
	}
	if meanwhile != nil {
		grow(t, dir, meanwhile...)
	}
	p, err := objects.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	m, err := d.Commit(p, fill)
	if err != nil {
		t.Fatal(err)
	}
	return d, m
}

// A delta of which nothing stands, and one that has nothing, leave the lines as they are:
// a generation of other files, or of none.
func TestDeltaOfNothing(t *testing.T) {
	dir := t.TempDir()
	begin(t, dir, response(t, 1, 0))
	came := revocation(t, 1, 1)
	d, m := commitDelta(t, dir, named, []record{response(t, 1, 2)}, came)
	if d.Overtaken != 1 || len(m.Segments) != 2 || m.Generation != 3 {
		t.Errorf("overtaken: %d, generation %d has %d lines; want 1, and 3 with the 2 of before", d.Overtaken, m.Generation, len(m.Segments))
	}
	_, m = commitDelta(t, dir, func(next *Manifest) error {
		next.Origin = "another"
		return named(next)
	}, nil)
	if len(m.Segments) != 2 || m.Generation != 4 {
		t.Errorf("generation %d has %d lines, want 4 with 2", m.Generation, len(m.Segments))
	}
	mustAnswer(t, dir, came)
}

// In a new store a delta is all there is.
func TestDeltaInANewStore(t *testing.T) {
	dir := t.TempDir()
	only := response(t, 1, 0)
	_, m := commitDelta(t, dir, named, []record{only})
	if m.Generation != 1 || len(m.Segments) != 1 {
		t.Errorf("generation %d has %d lines, want 1 with 1", m.Generation, len(m.Segments))
	}
	mustAnswer(t, dir, only)
}
