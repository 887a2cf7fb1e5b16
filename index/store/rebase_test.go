package store

import (
	"testing"

	"lancre/index"
)

// A base that was made from a snapshot, and has the tombstone of then on top of it, does
// not take the place of one that remembers a revocation which came since.
func TestRebaseKeepsWhatIsRemembered(t *testing.T) {
	dir := t.TempDir()
	good, revoked := response(t, 1, 0), revocation(t, 1, 1)
	begin(t, dir, good)
	grow(t, dir, good.buried())
	snapshot := open(t, dir)
	objects, err := OpenObjects(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer objects.Close()
	r, err := NewRebase(objects, snapshot, []SegmentLine{
		addSegment(t, objects, RoleDelta, index.Everything, []record{good.buried()}),
		addSegment(t, objects, RoleBase, index.Everything, []record{good}),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	grow(t, dir, revoked)
	grow(t, dir, revoked.buried())
	p, err := objects.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := r.Commit(p, named); err != nil {
		t.Fatal(err)
	}
	rec := lookUp(t, open(t, dir), &good.id)
	if !rec.Tombstone() || rec.StatusOf(&good.id) != index.Revoked {
		t.Errorf("answers a tombstone: %v, of what was %s; want one of what was revoked", rec.Tombstone(), rec.StatusOf(&good.id))
	}
	if got := faults(t, dir); len(got) > 0 {
		t.Errorf("reports %q", got)
	}
}
