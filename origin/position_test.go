package origin

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"lancre/index/store"
)

// A generation is what a model of a store has: marks, and what we have published in it.
type generation struct {
	marks []store.Mark
	has   []uint64 // publications of ours, by sequence number
}

// TestPosition has a store go forward, by publications of ours of which some fail and
// by others, and back: where it lacks what we have published, the next publication
// notices, and it notices nothing where the store never went anywhere.
func TestPosition(t *testing.T) {
	for seed := range uint64(1000) {
		rnd := rand.New(rand.NewPCG(seed, 14))
		names, number := map[string]bool{"ca": true}, uint64(1)
		history := []generation{{marks: []store.Mark{{Source: "other", Value: "x"}}}}
		now := history[0]
		p := newPosition(&store.Manifest{Marks: now.marks, Generation: number}, names)
		believed := now.has
		moved := false
		for step := range 100 {
			switch n := rnd.IntN(12); {
			case n == 0: // a rollback
				now, moved = history[rnd.IntN(len(history))], true
			case n == 1: // somebody else's, which carries the marks
			case n == 2: // a build that replaces everything
				now, moved = generation{}, true
			case n == 3: // a restart
				p = newPosition(&store.Manifest{Marks: now.marks, Generation: number}, names)
				believed, moved = now.has, false
			default:
				p.mark("ca", fmt.Sprint(step), p.rewinds)
				next := store.Manifest{Marks: now.marks, Generation: number + 1}
				sequence, back := p.amend(&next)
				lacks := slices.ContainsFunc(believed, func(n uint64) bool { return !slices.Contains(now.has, n) })
				if lacks && !back || back && !moved {
					t.Fatalf("seed %d, step %d: noticed that the store went back: %v; it lacks something: %v, it was moved: %v", seed, step, back, lacks, moved)
				}
				if back {
					believed, moved = now.has, false
				}
				if slices.Contains(now.has, sequence) {
					t.Fatalf("seed %d, step %d: the number %d is used twice", seed, step, sequence)
				}
				failed := rnd.IntN(4) == 0
				if failed && rnd.IntN(2) == 0 {
					continue
				}
				now = generation{next.Marks, append(slices.Clone(now.has), sequence)}
				if !failed { // else it is visible, but may not have been durable
					p.committed(sequence)
					believed = now.has
				}
			}
			history = append(history, now)
			number++
		}
	}
}

// A source reads on from its own mark; one that has none, after what was published last.
func TestPositionOfASource(t *testing.T) {
	m := store.Manifest{Generation: 9, Marks: []store.Mark{{Source: "ca", Value: "5"}, {Source: "follow", Value: "7"}, {Source: "raw", Value: "6"}}}
	p := newPosition(&m, map[string]bool{"ca": true, "raw": true})
	for name, want := range map[string]string{"ca": "5", "raw": "6", "new": "", "": ""} {
		if at, rewinds := p.current(name); at.Mark != want || at.Sequence != 7 || rewinds != 0 {
			t.Errorf("%q is to be read from %+v after %d rewinds, want from %q after publication 7, and none", name, at, rewinds, want)
		}
	}
}

// A mark that a source gives before it was told that the store went back says what the
// store does not have.
func TestPositionTakesNoMarkFromBefore(t *testing.T) {
	p := newPosition(&store.Manifest{Generation: 1}, map[string]bool{"ca": true})
	_, rewinds := p.current("ca")
	sequence, _ := p.amend(&store.Manifest{Generation: 2})
	p.committed(sequence)
	p.mark("ca", "5", rewinds)
	if _, back := p.amend(&store.Manifest{Generation: 3}); !back {
		t.Fatal("it did not notice that the store went back")
	}
	p.mark("ca", "6", rewinds)
	next := store.Manifest{Generation: 4}
	p.amend(&next)
	for _, m := range next.Marks {
		if m.Source == "ca" {
			t.Errorf("the mark is %s, want none", m.Value)
		}
	}
}
