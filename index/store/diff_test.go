package store

import (
	"maps"
	"slices"
	"testing"

	"lancre/index"
)

// changesOf is what Diff says, by CertID: what is answered before and after.
func changesOf(t *testing.T, before, after *Generation) map[string][2]string {
	t.Helper()
	changes := make(map[string][2]string)
	err := Diff(before, after, func(c Change) bool {
		said := func(rec index.Record, there bool) string {
			if !there {
				return ""
			}
			return rawAnswer(rec)
		}
		name := c.ID.String()
		if _, twice := changes[name]; twice {
			t.Errorf("%s comes twice", name)
		}
		changes[name] = [2]string{said(c.Before, c.Was), said(c.After, c.Is)}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

// TestDiffMatchesLookups compares Diff with a look-up of everything in both, over random
// stacks. The second has some lines of the first, new ones anywhere between them, and
// now and then one of the first again, on top.
func TestDiffMatchesLookups(t *testing.T) {
	for seed := range uint64(60) {
		s := newModel(seed)
		for range 1 + s.random.IntN(5) {
			s.add(t)
		}
		dir := t.TempDir()
		lines := s.publish(t, dir).Segments
		s.lines = nil
		for range s.random.IntN(4) {
			s.add(t)
		}
		publish(t, dir, func(p *Publication, m *Manifest) { m.Segments = s.rearrange(lines, addLines(t, p, s.lines)) })
		after := open(t, dir)
		before, err := OpenPast(dir, 1, after)
		if err != nil {
			t.Fatal(err)
		}
		defer before.Close()
		forth, back := make(map[string][2]string), make(map[string][2]string)
		for name, id := range s.ids {
			if was, is := rawLookup(t, before, &id), rawLookup(t, after, &id); was != is {
				forth[name], back[name] = [2]string{was, is}, [2]string{is, was}
			}
		}
		if got := changesOf(t, before, after); !maps.Equal(got, forth) {
			t.Fatalf("seed %d: %d changes, look-ups give %d", seed, len(got), len(forth))
		}
		if got := changesOf(t, after, before); !maps.Equal(got, back) {
			t.Fatalf("seed %d: %d changes back, look-ups give %d", seed, len(got), len(back))
		}
		if len(forth) > 0 {
			stop, count := 1+s.random.IntN(len(forth)), 0
			if err := Diff(before, after, func(Change) bool { count++; return count < stop }); err != nil || count != stop {
				t.Fatalf("seed %d: %d changes came, error %v; want %d of %d", seed, count, err, stop, len(forth))
			}
		}
	}
}

// A record that cannot be read is an error whichever generation has it, although others
// can be read after it.
func TestDiffOfWhatCannotBeRead(t *testing.T) {
	older, newer := responses(t, 1, 2, 0), responses(t, 1, 2, 1)
	for _, bad := range append(older, newer...) {
		dir := t.TempDir()
		base := begin(t, dir, older...)
		grown := grow(t, dir, newer...)
		again := publish(t, dir, func(_ *Publication, m *Manifest) { m.Segments = base.Segments })
		line := &base.Segments[0]
		if bad.day == 1 {
			line = &grown.Segments[0]
		}
		spoil(t, dir, line, bad)
		before, after := past(t, dir, grown.Generation), past(t, dir, again.Generation)
		if err := Diff(before, after, func(Change) bool { return true }); err == nil {
			t.Errorf("no error, where that of day %d for certificate %d cannot be read", bad.day, bad.id.Serial[0])
		}
	}
}

// past is a generation of the store, until the test ends.
func past(t *testing.T, dir string, generation uint64) *Generation {
	t.Helper()
	g, err := OpenPast(dir, generation, nil)
	check(t, err)
	t.Cleanup(func() { g.Close() })
	return g
}

// rearrange leaves out some lines and puts others, in any order, between what is left.
func (s *model) rearrange(lines, others []SegmentLine) []SegmentLine {
	kept := slices.DeleteFunc(slices.Clone(lines), func(SegmentLine) bool { return s.random.IntN(4) == 0 })
	for _, l := range others {
		kept = slices.Insert(kept, s.random.IntN(len(kept)+1), l)
	}
	if s.random.IntN(3) == 0 {
		kept = slices.Insert(kept, 0, lines[s.random.IntN(len(lines))])
	}
	return kept
}

// rawLookup is rawAnswer of what g has for id; "" for nothing.
func rawLookup(t *testing.T, g *Generation, id *index.CertID) string {
	t.Helper()
	rec, found, err := g.answer(id)
	if err != nil {
		t.Fatal(err)
	}
	if !found {
		return ""
	}
	return rawAnswer(rec)
}

// TestDiffCostsWhatChanged has a record in the base that both have which cannot be read:
// a walk through it would fail.
func TestDiffCostsWhatChanged(t *testing.T) {
	dir := t.TempDir()
	bad := response(t, 1, 0)
	m := begin(t, dir, bad, response(t, 2, 0))
	grow(t, dir, response(t, 3, 0))
	spoil(t, dir, &m.Segments[0], bad)
	after := open(t, dir)
	before, err := OpenPast(dir, 1, after)
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	if got := changesOf(t, before, after); len(got) != 1 {
		t.Errorf("%d changes, want 1", len(got))
	}
	if err := before.Live(func(LiveRecord) bool { return true }); err == nil {
		t.Error("the record can be read")
	}
}

// A line that is the same in both need not be read unless a base hides more of it in
// one: then what it lost, or showed again, is a change.
func TestLinesToRead(t *testing.T) {
	for _, test := range []struct{ a, b, want string }{
		{"d=1 b=1", "d=1 b=1", ""},
		{"d=1 b=1", "d=2 d=1 b=1", ""},
		{"d=2 d=1 b=1", "d=1 b=1", "d=2"},
		{"d=1 d=2 d=1 b=1", "d=2 d=1 b=1", "d=1"}, // the upper one
		{"d=1 b0/2=1 b1/2=1", "b0/2=2 d=1 b1/2=1", "d=1 b0/2=1"},
		{"b0/2=2 d=1 b1/2=1", "d=1 b0/2=1 b1/2=1", "b0/2=2"}, // d=1 shows no less
		{"d1/2=1 b0/2=1 b1/2=1", "b0/2=2 d1/2=1 b1/2=1", "b0/2=1"},
		{"d0/4=1 d1/4=1 b=1", "b1/4=2 d0/4=1 d1/4=1 b=1", "d1/4=1 b=1"},
		{"b0/2=2 d=1 b1/2=1", "d=2 b0/2=2 d=1 b1/2=1", ""}, // hidden in both
		{"b=1", "b=2", "b=1"},
		{"d=1", "", "d=1"},
		{"", "d=1", ""},
	} {
		a, b := linesOf(t, test.a), linesOf(t, test.b)
		var list []SegmentLine
		for i, read := range linesToRead(a, b, pairLines(a, b)) {
			if read {
				list = append(list, a[i])
			}
		}
		if got := words(list); got != test.want {
			t.Errorf("of %q beside %q, %q are read, want %q", test.a, test.b, got, test.want)
		}
	}
}
