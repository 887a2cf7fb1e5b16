package store

import (
	"bytes"
	"cmp"
	"crypto"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"testing"

	"golang.org/x/crypto/ocsp"

	"lancre/index"
)

// A model is lines made at random, oldest first, with the map that says what they
// must answer: whatever is assigned last stands, and a base takes away all of its
// shard.
type model struct {
	random *rand.Rand
	answer map[string]string // by CertID
	ids    map[string]index.CertID
	lines  []testLine // newest first
}

func newModel(seed uint64) *model {
	return &model{rand.New(rand.NewPCG(seed, 7)), make(map[string]string), make(map[string]index.CertID), nil}
}

// statuses are what the CA says of a serial in one moment: ties between them are
// broken by content, and by position between segments.
var statuses = []int{ocsp.Good, ocsp.Revoked, ocsp.Unknown}

// candidate is a record for one of a few serials and moments, so that both repeat.
func (s *model) candidate(t *testing.T) record {
	serial, day := 1+s.random.Int64N(40), s.random.IntN(3)
	if s.random.IntN(5) == 0 {
		return tombstone(t, serial, day)
	}
	der := testCA.Sign(ocsp.Response{
		Status: statuses[s.random.IntN(len(statuses))], SerialNumber: big.NewInt(serial), RevokedAt: start,
		IssuerHash: []crypto.Hash{crypto.SHA1, crypto.SHA256}[s.random.IntN(2)],
		ThisUpdate: start.AddDate(0, 0, day), NextUpdate: start.AddDate(0, 0, day+7),
	})
	var parsed index.Response
	if err := parsed.Parse(der); err != nil {
		t.Fatal(err)
	}
	return record{der: der, id: parsed.Singles[0].CertID, day: day, produced: parsed.ProducedAt}
}

// randomLine has no records yet. Its shard is everything, a half or a quarter.
func randomLine(random *rand.Rand) testLine {
	of := uint32(1) << random.IntN(3)
	role := []string{RoleDelta, RoleDelta, RoleBase}[random.IntN(3)]
	return testLine{role, index.Shard{Index: random.Uint32N(of), Of: of}, nil}
}

// add puts a line on top. Records outside of its shard are in the file, and no
// look-up finds them there.
func (s *model) add(t *testing.T) {
	line := randomLine(s.random)
	if line.role == RoleBase {
		maps.DeleteFunc(s.answer, func(name, _ string) bool {
			id := s.ids[name]
			return line.shard.Covers(id.SerialHash())
		})
	}
	best := make(map[string]record) // in this segment
	for range 1 + s.random.IntN(15) {
		r := s.candidate(t)
		line.records = append(line.records, r)
		if name := r.id.String(); line.shard.Covers(r.id.SerialHash()) {
			s.ids[name] = r.id
			if old, ok := best[name]; !ok || wins(r, old) {
				best[name] = r
			}
		}
	}
	for name, r := range best {
		s.answer[name] = r.answer()
	}
	s.lines = append([]testLine{line}, s.lines...)
}

// wins reports whether, of two records for one certificate in one segment, r is
// what a look-up finds: the newer one, or the one whose octets come later.
func wins(r, old record) bool {
	if order := cmp.Or(cmp.Compare(r.day, old.day), cmp.Compare(r.produced, old.produced)); order != 0 {
		return order > 0
	}
	if r.tombstone || old.tombstone {
		return !r.tombstone && old.tombstone
	}
	return bytes.Compare(r.der, old.der) > 0
}

// publish makes the lines a generation of dir.
func (s *model) publish(t *testing.T, dir string) *Manifest {
	return publish(t, dir, func(p *Publication, m *Manifest) { m.Segments = addLines(t, p, s.lines) })
}

// addLines makes the segments of lines objects of p.
func addLines(t *testing.T, p *Publication, lines []testLine) (added []SegmentLine) {
	for _, l := range lines {
		added = append(added, addSegment(t, p.Objects, l.role, l.shard, l.records))
	}
	return added
}

// TestLiveMatchesModel compares look-ups and Live, over random stacks with ties,
// tombstones, shards and bases, with a map, and so with each other.
func TestLiveMatchesModel(t *testing.T) {
	each, overlaid := 0, 0 // how lines below others were walked
	for seed := range uint64(60) {
		s := newModel(seed)
		for range 1 + s.random.IntN(8) {
			s.add(t)
		}
		dir := t.TempDir()
		s.publish(t, dir)
		g := open(t, dir)
		lookups := make(map[string]string)
		for name, id := range s.ids {
			if got := answer(t, g, &id); got != "" {
				lookups[name] = got
			}
		}
		if !maps.Equal(lookups, s.answer) {
			t.Fatalf("seed %d: look-ups differ from the map: %s", seed, difference(lookups, s.answer))
		}
		if live := liveAnswers(t, g); !maps.Equal(live, s.answer) {
			t.Fatalf("seed %d: Live differs from the map: %s", seed, difference(live, s.answer))
		}
		for line := range g.segments {
			switch o, err := g.overlay(line); {
			case err != nil:
				t.Fatal(err)
			case o.each:
				each++
			case len(o.offsets) > 0:
				overlaid++
			}
		}
	}
	if each < 10 || overlaid < 10 {
		t.Errorf("%d lines were looked up in those above, and into %d those above were: too few to tell", each, overlaid)
	}
}

// liveAnswers is what Live says that g answers, by CertID.
func liveAnswers(t *testing.T, g *Generation) map[string]string {
	t.Helper()
	got := make(map[string]string)
	seen := make(map[string]bool) // records
	err := g.Live(func(r LiveRecord) bool {
		if place := fmt.Sprint(r.Line, r.Offset()); seen[place] {
			t.Errorf("the record at %s of line %d comes twice", place, r.Line)
		} else {
			seen[place] = true
		}
		for i := range r.CertIDs {
			name := r.CertIDs[i].String()
			if _, twice := got[name]; twice {
				t.Errorf("%s comes twice", name)
			}
			got[name] = "tombstone"
			if !r.Tombstone() {
				got[name] = string(r.AppendResponse(nil))
			}
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func difference(got, want map[string]string) string {
	for name := range want {
		if got[name] != want[name] {
			return fmt.Sprintf("%s is %.60q, want %.60q", name, got[name], want[name])
		}
	}
	return fmt.Sprintf("%d answers, want %d", len(got), len(want))
}

func TestLiveStops(t *testing.T) {
	dir := t.TempDir()
	publish(t, dir, func(p *Publication, m *Manifest) {
		for range 2 {
			m.Segments = append(m.Segments, addSegment(t, p.Objects, RoleDelta, index.Everything, responses(t, int64(10*len(m.Segments)), 3, 0)))
		}
	})
	g := open(t, dir)
	for want := 1; want <= 6; want++ {
		count := 0
		if err := g.Live(func(LiveRecord) bool { count++; return count < want }); err != nil || count != want {
			t.Errorf("%d records came, error %v; want %d", count, err, want)
		}
	}
}

// A record that cannot be read ends the walk: nobody can say what it hides.
func TestLiveReportsDamage(t *testing.T) {
	dir := t.TempDir()
	records := responses(t, 1, 3, 0)
	m := publish(t, dir, func(p *Publication, m *Manifest) {
		m.Segments = []SegmentLine{addSegment(t, p.Objects, RoleBase, index.Everything, records)}
	})
	path := ObjectPath(dir, m.Segments[0].SHA256)
	content := read(t, path)
	content[bytes.Index(content, records[1].der[len(records[1].der)-8:])]++
	overwrite(t, path, content)
	want := "object " + m.Segments[0].SHA256 + ": "
	if err := open(t, dir).Live(func(LiveRecord) bool { return true }); err == nil || err.Error()[:len(want)] != want {
		t.Errorf("error is %v, want %s...", err, want)
	}
}
