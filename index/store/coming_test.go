package store

import (
	"slices"
	"testing"
	"time"

	"lancre/index"
)

// What is announced is in the store, spared by gc and named by what others publish, and
// changes no answer; it is no more coming when it has come.
func TestAnnounce(t *testing.T) {
	dir := t.TempDir()
	old, newer, other := response(t, 1, 0), response(t, 1, 1), revocation(t, 2, 0)
	begin(t, dir, old)
	snapshot := open(t, dir)
	objects, err := OpenObjects(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer objects.Close()
	line := addSegment(t, objects, RoleBase, index.Everything, []record{newer})
	if err := objects.Announce(start.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	want := []Object{{line.Size, line.SHA256}}
	if m := open(t, dir).Manifest(); !slices.Equal(m.Coming, want) || !m.Created.Equal(start.Add(time.Minute)) {
		t.Errorf("created %v, coming %v; want %v", m.Created, m.Coming, want)
	}
	commitDelta(t, dir, named, []record{other})
	if m := open(t, dir).Manifest(); !slices.Equal(m.Coming, want) {
		t.Errorf("after another publication, coming are %v, want %v", m.Coming, want)
	}
	if rec, was := lookUp(t, open(t, dir), &old.id), lookUp(t, snapshot, &old.id); rec.ThisUpdate() != was.ThisUpdate() {
		t.Error("what is coming answers already")
	}
	if _, err := GC(dir, Keep{}, start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	r, err := NewRebase(objects, snapshot, []SegmentLine{line})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p, err := objects.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := r.Commit(p, named); err != nil {
		t.Fatal(err)
	}
	g := open(t, dir)
	if rec, was := lookUp(t, g, &old.id), lookUp(t, snapshot, &old.id); rec.ThisUpdate() == was.ThisUpdate() {
		t.Error("what came does not answer")
	}
	if rec := lookUp(t, g, &other.id); rec.StatusOf(&other.id) != index.Revoked {
		t.Error("what was published meanwhile is gone")
	}
	if len(g.Manifest().Coming) > 0 {
		t.Errorf("has come, and is coming: %v", g.Manifest().Coming)
	}
	if got := faults(t, dir); len(got) > 0 {
		t.Errorf("reports %q", got)
	}
}
