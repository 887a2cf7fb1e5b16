package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"lancre/index"
)

// lossesOf lists what going back to a generation of dir would lose at the start, as
// "lost 3" for that serial.
func lossesOf(t *testing.T, dir string, generation uint64) (list []string) {
	t.Helper()
	current := open(t, dir)
	earlier, err := OpenPast(dir, generation, current)
	if err != nil {
		t.Fatal(err)
	}
	defer earlier.Close()
	err = Losses(current, earlier, start, func(l Loss) bool {
		list = append(list, fmt.Sprintf("%s %d", l.What, l.ID.Serial[0]))
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

func TestLosses(t *testing.T) {
	good, revoked := response(t, 1, 0), revocation(t, 1, 1)
	for _, test := range []struct {
		name        string
		before, now record
		want        string
	}{
		{"the same", good, good, ""},
		{"a newer one, when the older is current", good, response(t, 1, 1), ""},
		{"a newer one, when the older has expired", response(t, 1, -7), good, "expired 1"},
		{"both have expired", response(t, 1, -9), response(t, 1, -8), ""},
		{"revoked since", good, revoked, "unrevoked 1"},
		{"revoked and withdrawn since", good, revoked.buried(), "unrevoked 1"},
		{"revoked since, and withdrawn before", good.buried(), revoked.buried(), "unrevoked 1"},
		{"revoked before, too", revocation(t, 1, 0), revoked, ""},
		{"revoked before, too, and withdrawn then", revocation(t, 1, 0).buried(), revoked, ""},
		{"revoked only before", revoked, response(t, 1, 2), ""},
		{"withdrawn since", good, good.buried(), ""},
		{"withdrawn before", good.buried(), good, ""}, // tryLater is no loss that lasts
		{"came since", response(t, 2, 0), good, "lost 1"},
		{"came since, and was withdrawn", response(t, 2, 0), good.buried(), "lost 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			begin(t, dir, test.before)
			grow(t, dir, test.now)
			if got := strings.Join(lossesOf(t, dir, 1), ", "); got != test.want {
				t.Errorf("losses are %q, want %q", got, test.want)
			}
		})
	}
}

// One loss is found among changes that are none, wherever it is.
func TestLossesAmongChanges(t *testing.T) {
	for serial := range int64(4) {
		dir := t.TempDir()
		begin(t, dir, responses(t, 0, 4, 0)...)
		now := responses(t, 0, 4, 1)
		now[serial] = revocation(t, serial, 1)
		grow(t, dir, now...)
		if got, want := lossesOf(t, dir, 1), fmt.Sprint("unrevoked ", serial); !slices.Equal(got, []string{want}) {
			t.Errorf("losses are %q, want %s alone", got, want)
		}
	}
}

// A revocation that was forced away and came again, by the same segment, is in both
// generations: above the good response in the current one, and below it in the earlier.
func TestLossesByPosition(t *testing.T) {
	dir := t.TempDir()
	good, revoked := response(t, 1, 0), revocation(t, 1, 1)
	begin(t, dir)
	for _, r := range []record{revoked, good, revoked} {
		grow(t, dir, r)
	}
	if got := lossesOf(t, dir, 3); !slices.Equal(got, []string{"unrevoked 1"}) {
		t.Errorf("losses are %q, want one revocation", got)
	}
	if got := lossesOf(t, dir, 2); len(got) > 0 {
		t.Errorf("losses are %q, want none", got)
	}
}

// A certificate that a delta has goes when a base without it covers its shard, although
// the delta stays for another one.
func TestLossesByABase(t *testing.T) {
	dir := t.TempDir()
	r := response(t, 1, 0)
	shard := index.ShardOf(r.id.SerialHash(), 2)
	begin(t, dir)
	grow(t, dir, r)
	publish(t, dir, func(p *Publication, m *Manifest) {
		m.Segments = Push(p.Previous().Segments, addSegment(t, p.Objects, RoleBase, shard, nil))
	})
	if _, err := Rollback(dir, 2, 3, Signing{}, start); err != nil {
		t.Fatal(err)
	}
	if got := lossesOf(t, dir, 3); !slices.Equal(got, []string{"lost 1"}) {
		t.Errorf("losses are %q, want the certificate", got)
	}
}

func TestLossesStop(t *testing.T) {
	dir := t.TempDir()
	begin(t, dir)
	grow(t, dir, responses(t, 1, 5, 0)...)
	earlier, err := OpenPast(dir, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer earlier.Close()
	count := 0
	if err := Losses(open(t, dir), earlier, start, func(Loss) bool { count++; return count < 3 }); err != nil || count != 3 {
		t.Errorf("%d losses came, error %v; want 3", count, err)
	}
}

// A rollback answers as then, with the files and marks of then, under a number and with
// lines that are new. What is held is held still.
func TestRollback(t *testing.T) {
	dir := t.TempDir()
	old := response(t, 1, 0)
	first := publish(t, dir, func(p *Publication, m *Manifest) {
		m.Segments = []SegmentLine{addSegment(t, p.Objects, RoleBase, index.Everything, []record{old})}
		m.Files = []FileLine{addFile(t, p, "_", "/a", "then")}
		m.Marks, m.Checked, m.Held = []Mark{{"database", "41"}}, start, 5
	})
	second := publish(t, dir, func(p *Publication, m *Manifest) {
		m.Segments = Push(first.Segments, addSegment(t, p.Objects, RoleDelta, index.Everything, []record{response(t, 1, 1)}))
		m.Files = []FileLine{addFile(t, p, "_", "/b", "now")}
		m.Marks, m.Held, m.Origin = []Mark{{"database", "42"}}, 2, "renamed"
	})
	later := start.Add(time.Hour)
	m, err := Rollback(dir, 1, 2, Signing{}, later)
	if err != nil {
		t.Fatal(err)
	}
	g := open(t, dir)
	if got := answer(t, g, &old.id); got != old.answer() {
		t.Errorf("answers %.40q, want what generation 1 did", got)
	}
	if got := g.Files(); len(got) != 1 || string(got[0].Body) != "then" {
		t.Errorf("files are %v, want that of generation 1", got)
	}
	if now := g.Manifest(); string(now.Encode()) != string(m.Encode()) || m.Generation != uint64(later.Unix()) || m.Parent != second.Digest() {
		t.Errorf("manifest is\n%s\nwant a generation with the time as its number, and the one that was returned:\n%s", now.Encode(), m.Encode())
	}
	if !slices.Equal(m.Marks, first.Marks) || !m.Checked.Equal(first.Checked) || !slices.EqualFunc(m.Live, first.Live, func(a, b LiveCount) bool { return a == b }) {
		t.Errorf("marks %v, checked %s, counts %v: want those of generation 1", m.Marks, m.Checked, m.Live)
	}
	if m.Held != 2 || m.Origin != "renamed" || !m.Created.Equal(later) || !m.Segments[0].Created.Equal(later) {
		t.Errorf("held %d, origin %s, created %s with a line of %s: want those of now", m.Held, m.Origin, m.Created, m.Segments[0].Created)
	}
	if got := faults(t, dir); len(got) > 0 {
		t.Errorf("reports %q", got)
	}
	if back, err := Rollback(dir, 2, m.Generation, Signing{}, later); err != nil || back.Generation != m.Generation+1 || back.Marks[0].Value != "42" {
		t.Errorf("forth again: %+v, %v", back, err)
	}
}

// What nobody has compared, or is not there, is not gone back to: the store stays.
func TestRollbackRefuses(t *testing.T) {
	dir := t.TempDir()
	begin(t, dir, response(t, 1, 0))
	grow(t, dir, response(t, 2, 0))
	before := string(read(t, dir+"/manifest"))
	for _, test := range []struct {
		n, compared uint64
		want        string
	}{
		{1, 1, "generation 1 is not the current one any more: compare again"},
		{1, 3, "generation 3 is not the current one any more: compare again"},
		{7, 2, "generation 7 is not in the history: "},
	} {
		if _, err := Rollback(dir, test.n, test.compared, Signing{}, start); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("to %d, compared with %d: %v, want %s", test.n, test.compared, err, test.want)
		}
	}
	if _, err := Rollback(t.TempDir(), 1, 1, Signing{}, start); err == nil {
		t.Error("a new store goes back")
	}
	if now := string(read(t, dir+"/manifest")); now != before {
		t.Errorf("the manifest is now\n%s", now)
	}
	if names := objectsIn(t, dir); len(names) != 2 {
		t.Errorf("objects are %v", names)
	}
}

// A generation of version 1 counted nothing; when it comes back it is counted.
func TestRollbackToVersion1(t *testing.T) {
	dir := t.TempDir()
	first := publishVersion1(t, dir)
	begin(t, dir, response(t, 1, 0))
	m, err := Rollback(dir, 1, 2, Signing{}, start)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Live) != 1 || m.Live[0] != first.Live[0] || m.List.Count != 2 {
		t.Errorf("counts are %v, the list of files %v; want %v and two", m.Live, m.List, first.Live)
	}
	if got := faults(t, dir); len(got) > 0 {
		t.Errorf("reports %q", got)
	}
}
