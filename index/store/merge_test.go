package store

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"lancre/index"
)

// By a clock that is behind nothing is merged. Where the clock of another host is a
// little ahead, a merge that was prepared before does not set the store back.
func TestMergeByAnotherClock(t *testing.T) {
	dir := t.TempDir()
	begin(t, dir, responses(t, 1, 3, 0)...)
	grow(t, dir, response(t, 4, 0))
	policy := MergePolicy{IntoBase: true}
	_, err := Merge(dir, policy, start.Add(-time.Second))
	if want := "it is 2026-11-23T13:59:59Z by the clock of this host or --at, but generation 2 was created 2026-11-23T14:00:00Z: set the clock"; err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
	if m, err := ReadManifest(dir); err != nil || m.Generation != 2 {
		t.Fatalf("generation %d, %v; want 2 as before", m.Generation, err)
	}
	later, came := start.Add(time.Minute), false
	policy.prepared = func(*Objects) error {
		if came {
			return nil
		}
		came = true
		publish(t, dir, func(p *Publication, m *Manifest) {
			m.Segments = Push(p.Previous().Segments, addSegment(t, p.Objects, RoleDelta, index.Everything, []record{response(t, 5, 0)}))
			m.Created = later
		})
		return nil
	}
	if _, err := Merge(dir, policy, start); err != nil {
		t.Fatal(err)
	}
	if m, err := ReadManifest(dir); err != nil || m.Generation < 4 || !m.Created.Equal(later) {
		t.Errorf("generation %d is of %s, %v; want a newer one, of %s", m.Generation, m.Created, err, later)
	}
	if got := faults(t, dir); len(got) > 0 {
		t.Errorf("reports %q", got)
	}
}

// What changes under every step is given up in the end, and left as it is.
func TestMergeGivesUp(t *testing.T) {
	dir := t.TempDir()
	begin(t, dir, responses(t, 1, 3, 0)...)
	grow(t, dir, response(t, 4, 0))
	tries := 0
	policy := MergePolicy{IntoBase: true, prepared: func(*Objects) error {
		tries++
		begin(t, dir, responses(t, int64(tries), 3, 0)...)
		grow(t, dir, response(t, 4, 0))
		return nil
	}}
	if _, err := Merge(dir, policy, start); !errors.Is(err, ErrMoved) || !strings.HasSuffix(err.Error(), "run this again") || tries != maxMoved+1 {
		t.Errorf("after %d tries: %v, want ErrMoved after %d", tries, err, maxMoved+1)
	}
	if got := faults(t, dir); len(got) > 0 {
		t.Errorf("reports %q", got)
	}
}

// An expired response becomes a tombstone, which goes a while after the response was
// produced: of what was revoked only if that is to be forgotten. Clients are answered
// the same until then. producedAt is that of this run.
func TestMergeForgets(t *testing.T) {
	const day = 24 * time.Hour
	now := time.Now()
	today := int(now.Sub(start) / day)
	good, revoked, current, withdrawn := response(t, 1, today), revocation(t, 2, today), response(t, 3, today+40), response(t, 4, today+40)
	dir := t.TempDir()
	begin(t, dir, good, revoked, current, withdrawn.buried())
	const was, gone = "tombstone", ""
	for i, step := range []struct {
		after            time.Duration
		forget           bool
		expired, dropped uint64
		want             []string // of good, revoked, withdrawn
	}{
		{5 * day, true, 0, 0, []string{good.answer(), revoked.answer(), was}},
		{29 * day, true, 2, 0, []string{was, was, was}},
		{31 * day, false, 0, 2, []string{gone, was, gone}},
		{40 * day, false, 0, 0, []string{gone, was, gone}},
		{41 * day, true, 0, 1, []string{gone, gone, gone}},
	} {
		grow(t, dir, response(t, 10+int64(i), today+40)) // for there to be something to absorb
		policy := MergePolicy{IntoBase: true, ExpiredAfter: 30 * 24 * 3600, Forget: step.forget}
		r, err := Merge(dir, policy, now.Add(step.after))
		if err != nil || r.Expired != step.expired || r.Dropped != step.dropped {
			t.Errorf("after %s: %+v, %v; want %d expired and %d dropped", step.after, r, err, step.expired, step.dropped)
		}
		g := open(t, dir)
		for i, r := range []record{good, revoked, withdrawn} {
			if got := answer(t, g, &r.id); got != step.want[i] {
				t.Errorf("after %s, serial %d is answered %.40q, want %.40q", step.after, r.id.Serial, got, step.want[i])
			}
		}
		if got := answer(t, g, &current.id); got != current.answer() {
			t.Errorf("after %s, what has not expired is answered %.40q", step.after, got)
		}
		if got := faults(t, dir); len(got) > 0 {
			t.Errorf("reports %q", got)
		}
	}
}

// A call begins no step when it has written as much as it may.
func TestMergeWritesSoMuch(t *testing.T) {
	grown := t.TempDir()
	publish(t, grown, func(p *Publication, m *Manifest) {
		for i := range uint32(2) {
			m.Segments = append(m.Segments, addSegment(t, p.Objects, RoleBase, index.Shard{Index: i, Of: 2}, nil))
		}
	})
	grow(t, grown, responses(t, 1, 20, 0)...) // of both shards
	again := func() string {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(grown)); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	policy := MergePolicy{IntoBase: true, ExpiredAfter: 1 << 40, MaxWrite: 1}
	first, err := Merge(again(), policy, start)
	if err != nil || first.Absorbed != 1 {
		t.Fatalf("%+v, %v; want one step", first, err)
	}
	for more, want := range map[int64]int{0: 1, 1: 2} {
		policy.MaxWrite = first.Written + more
		if r, err := Merge(again(), policy, start); err != nil || r.Absorbed != want {
			t.Errorf("with %d octets more than one step writes: %+v, %v; want %d steps", more, r, err, want)
		}
	}
}
