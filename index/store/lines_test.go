package store

import (
	"slices"
	"testing"
)

func TestPush(t *testing.T) {
	for _, test := range []struct{ lines, line, want string }{
		{"", "d", "d"},
		{"", "b", "b"},
		{"d0/2 b", "d", "d d0/2 b"},
		{"d0/2 b", "d1/2", "d1/2 d0/2 b"},
		{"d0/2 b", "b", "b"},                         // it hides all
		{"d b1/2 b0/2", "b0/2", "b0/2 d b1/2"},       // the base of its shard, and not the delta
		{"d0/2 d0/4 b1/2 b0/2", "b0/2", "b0/2 b1/2"}, // whose shards it covers
		{"b0/4 d0/2 b1/4 b", "b1/4", "b1/4 b0/4 b"},  // both together cover the delta's
		{"b0/4 b1/4 b1/2", "b0/2", "b0/2 b1/2"},      // the halves of it
		{"b1/2 b", "b0/4", "b0/4 b1/2 b"},            // a quarter is left to reach
		{"b1/2 b0/4 b", "b1/4", "b1/4 b1/2 b0/4"},    // and now none
	} {
		lines := linesOf(t, test.lines)
		before := slices.Clone(lines)
		if got := words(Push(lines, linesOf(t, test.line)[0])); got != test.want {
			t.Errorf("%s on %q gives %q, want %q", test.line, test.lines, got, test.want)
		}
		if !slices.Equal(lines, before) {
			t.Errorf("%s on %q: the lines given are %q now", test.line, test.lines, words(lines))
		}
	}
}

// What was made from a snapshot stands above it and below what came since, whatever of
// the snapshot is still there.
func TestPlaceBases(t *testing.T) {
	for _, test := range []struct {
		name, now, snapshot, made, want string
		since                           int
	}{
		{"in a new store", "", "", "b=1", "b=1", 0},
		{"nothing came since", "d=1 b=1", "d=1 b=1", "b=2", "b=2", 0},
		{"in place of one of two", "d=1 b0/2=1 b1/2=1", "d=1 b0/2=1 b1/2=1", "b0/2=2", "b0/2=2 d=1 b1/2=1", 0},
		{"deltas came since", "d=3 d=2 d=1 b=1", "d=1 b=1", "b=2", "d=3 d=2 b=2", 2},
		{"with what is carried over", "d=2 b=1", "b=1", "d=9 b=3", "d=2 d=9 b=3", 1},
		{"what was merged of the snapshot came since", "d=9 b=1", "d=2 d=1 b=1", "b=2", "d=9 b=2", 1},
		{"another base came since", "b1/2=9 b0/2=1", "b0/2=1 b1/2=1", "b0/2=2", "b1/2=9 b0/2=2", 1},
	} {
		placed, since := placeBases(linesOf(t, test.now), linesOf(t, test.snapshot), linesOf(t, test.made))
		if got := words(placed); got != test.want || since != test.since {
			t.Errorf("%s: %q, %d since, want %q and %d", test.name, got, since, test.want, test.since)
		}
	}
}

// A line that came back is another one, although its segment is the same.
func TestLineThatComesBackIsAnother(t *testing.T) {
	lines := linesOf(t, "d=1 b=1")
	back := comingBack(lines, lines, start)
	if placed, since := placeBases(back, lines, linesOf(t, "b=2")); words(placed) != "d=1 b=1" || since != 2 {
		t.Errorf("%q, %d since, want what came back above all that was made before", words(placed), since)
	}
	for i := range back {
		if !back[i].Created.Equal(start) || !lines[i].Created.IsZero() {
			t.Errorf("line %d was created %s, and its original %s", i, back[i].Created, lines[i].Created)
		}
	}
	later := start.AddDate(0, 0, 1)
	if again := comingBack(lines, []SegmentLine{{Created: later}}, start); !again[0].Created.After(later) {
		t.Errorf("by a clock that is behind, created %s, want after %s", again[0].Created, later)
	}
}
