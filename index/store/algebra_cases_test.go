package store

import (
	"slices"
	"testing"

	"lancre/index"
)

// What TestAlgebra and its model have found, each as few steps as it takes.

// A making is bases that are prepared from a snapshot, and not committed yet.
type making struct {
	t       *testing.T
	objects *Objects
	rebase  *Rebase
}

// prepare makes a base of everything from the current generation of dir.
func prepare(t *testing.T, dir string, records ...record) *making {
	t.Helper()
	objects, err := OpenObjects(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(objects.Close)
	r, err := NewRebase(objects, open(t, dir), []SegmentLine{addSegment(t, objects, RoleBase, index.Everything, records)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return &making{t, objects, r}
}

func (m *making) commit() {
	m.t.Helper()
	p, err := m.objects.Begin()
	if err != nil {
		m.t.Fatal(err)
	}
	defer p.Close()
	if _, err := m.rebase.Commit(p, named); err != nil {
		m.t.Fatal(err)
	}
}

// mustAnswer compares what dir answers, and has the store verified, counts included.
func mustAnswer(t *testing.T, dir string, want ...record) {
	t.Helper()
	g := open(t, dir)
	for _, r := range want {
		if got := answer(t, g, &r.id); got != r.answer() {
			t.Errorf("serial %x is answered %.40q, want %.40q", r.id.Serial, got, r.answer())
		}
	}
	if got := faults(t, dir); len(got) > 0 {
		t.Errorf("reports %q", got)
	}
}

// join joins the given lines of dir, whatever a policy would.
func join(t *testing.T, dir string, deltas ...int) {
	t.Helper()
	m := merging{dir: dir, g: open(t, dir), policy: new(MergePolicy), now: start, result: new(MergeResult)}
	if err := m.do(mergeStep{deltas: deltas}); err != nil {
		t.Fatal(err)
	}
}

// What came while a base was in the making, beside what its input has: the newer of the
// two, and at a tie what is answered already.
func TestBaseBesideWhatCame(t *testing.T) {
	before, other := response(t, 1, 0), response(t, 2, 0)
	for _, test := range []struct {
		name        string
		input, came record
		want        func(input, came record) record
	}{
		{"the input is newer", response(t, 1, 2), revocation(t, 1, 1), func(input, _ record) record { return input }},
		{"what came is newer", response(t, 1, 1), revocation(t, 1, 2), func(_, came record) record { return came }},
		{"neither", response(t, 1, 1), revocation(t, 1, 1), func(_, came record) record { return came }},
		{"the input has what was there, and something older came by force", before, revocation(t, 1, -1), func(_, came record) record { return came }},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			begin(t, dir, before, other)
			base := prepare(t, dir, test.input, other)
			grow(t, dir, test.came)
			base.commit()
			mustAnswer(t, dir, test.want(test.input, test.came), other)
		})
	}
}

// Deltas of the snapshot that are joined while a base is in the making come as a new line
// above it: what they say the base has decided about, also where it has nothing.
func TestJoinedBesideABase(t *testing.T) {
	old, gone, stays := response(t, 1, 0), response(t, 2, 0), response(t, 3, 0)
	dir := t.TempDir()
	begin(t, dir, stays)
	grow(t, dir, old)
	grow(t, dir, gone)
	input := response(t, 1, 1)
	base := prepare(t, dir, input, stays)
	join(t, dir, 0, 1)
	base.commit()
	mustAnswer(t, dir, input, stays)
	if got := answer(t, open(t, dir), &gone.id); got != "" {
		t.Errorf("what the base lacks is answered %.40q", got)
	}
}

// Of deltas with the base of a shard between them the lower one is hidden in that shard:
// what it has there does not come back when they are joined.
func TestJoinAcrossABase(t *testing.T) {
	var inside, outside record // of shard 0/2, and not
	for serial := int64(1); inside.der == nil || outside.der == nil; serial++ {
		if r := response(t, serial, 0); (index.Shard{Index: 0, Of: 2}).Covers(r.id.SerialHash()) {
			inside = r
		} else {
			outside = r
		}
	}
	top := response(t, 1000, 0)
	dir := t.TempDir()
	publish(t, dir, func(p *Publication, m *Manifest) {
		m.Segments = addLines(t, p, []testLine{
			{RoleDelta, index.Everything, []record{top}},
			{RoleBase, index.Shard{Index: 0, Of: 2}, nil},
			{RoleDelta, index.Everything, []record{inside, outside}},
			{RoleBase, index.Shard{Index: 1, Of: 2}, nil},
		})
	})
	join(t, dir, 0, 2)
	mustAnswer(t, dir, top, outside)
	if got := answer(t, open(t, dir), &inside.id); got != "" {
		t.Errorf("what the base hides is answered %.40q", got)
	}
	if n := len(open(t, dir).Manifest().Segments); n != 3 {
		t.Errorf("there are %d lines, want the joined one and two bases", n)
	}
}

// An object that is there from an earlier generation goes with that, and is named all the
// same by who had it staged before.
func TestStagedObjectOfAGenerationThatGoes(t *testing.T) {
	first, again := response(t, 1, 0), response(t, 2, 0)
	dir := t.TempDir()
	begin(t, dir, first)
	was := grow(t, dir, again).Segments[0].SHA256
	begin(t, dir, first)
	objects, err := OpenObjects(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer objects.Close()
	d := Delta{Snapshot: open(t, dir), Line: addSegment(t, objects, RoleDelta, index.Everything, []record{again})}
	if d.Line.SHA256 != was {
		t.Fatalf("the object is %s, want %s again", d.Line.SHA256, was)
	}
	if removed, err := GC(dir, Keep{}, start); err != nil || !slices.ContainsFunc(removed, func(r Removed) bool { return r.SHA256 == was }) {
		t.Fatalf("removed %v, %v; want the object of the generation that went", removed, err)
	}
	p, err := objects.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := d.Commit(p, named); err != nil {
		t.Fatal(err)
	}
	mustAnswer(t, dir, first, again)
}

// A merge that comes to the very base that was there before a rollback is another line,
// and what was prepared from the first is to be made again.
func TestTheSameBaseAgain(t *testing.T) {
	first, second := response(t, 1, 0), response(t, 1, 1)
	dir := t.TempDir()
	begin(t, dir, first)
	absorb := func() {
		t.Helper()
		grow(t, dir, second)
		if _, err := Merge(dir, MergePolicy{IntoBase: true, ExpiredAfter: 1 << 40}, start); err != nil {
			t.Fatal(err)
		}
	}
	absorb()
	base := prepare(t, dir, response(t, 1, 2))
	if _, err := Rollback(dir, 1, open(t, dir).Manifest().Generation, Signing{}, start); err != nil {
		t.Fatal(err)
	}
	absorb()
	p, err := base.objects.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := base.rebase.Commit(p, named); err != ErrMoved {
		t.Errorf("error is %v, want ErrMoved", err)
	}
	mustAnswer(t, dir, second)
}

// What comes while a base absorbs what has expired is counted once.
func TestCountsBesideExpiry(t *testing.T) {
	expires, other := response(t, 1, 0), response(t, 2, 40)
	newer := response(t, 1, 40)
	dir := t.TempDir()
	begin(t, dir, expires, other)
	grow(t, dir, response(t, 3, 40))
	policy, came := MergePolicy{IntoBase: true, ExpiredAfter: 1 << 40}, false
	policy.prepared = func(*Objects) error {
		if !came {
			came = true
			grow(t, dir, newer)
		}
		return nil
	}
	if _, err := Merge(dir, policy, start.AddDate(0, 0, 20)); err != nil {
		t.Fatal(err)
	}
	mustAnswer(t, dir, newer, other)
}

// A base that absorbs what has expired can be, octet for octet, the one that was there. It
// is another line all the same: what was prepared beside it is made again, not counted
// twice.
func TestAbsorbedToTheSameBase(t *testing.T) {
	expires, other := response(t, 1, 0), response(t, 2, 40)
	dir, at := t.TempDir(), start.AddDate(0, 0, 20)
	policy := MergePolicy{IntoBase: true, ExpiredAfter: 1 << 40}
	absorb := func(policy MergePolicy) SegmentLine {
		t.Helper()
		if _, err := Merge(dir, policy, at); err != nil {
			t.Fatal(err)
		}
		return open(t, dir).Manifest().Segments[0]
	}
	begin(t, dir, expires, other)
	grow(t, dir, expires)
	before := absorb(policy)
	grow(t, dir, expires)
	beside, moved := policy, 0
	beside.prepared = func(*Objects) error {
		moved++
		if after := absorb(policy); moved == 1 && (after.SHA256 != before.SHA256 || after.id() == before.id()) {
			t.Errorf("the base was %+v and is %+v, want the same octets as another line", before, after)
		}
		return nil
	}
	absorb(beside)
	expires.tombstone = true
	mustAnswer(t, dir, expires, other)
}
