package store

import (
	"bytes"
	"errors"

	"lancre/index"
)

// A Change is one CertID that two generations answer otherwise. Records are valid
// until the next Change, and while their generations are open.
type Change struct {
	ID            *index.CertID
	Before, After index.Record
	Was, Is       bool // whether there is an answer before, and after
}

// Diff calls yield for every CertID that before and after answer otherwise, or by
// tombstones that remember otherwise, once, until yield returns false. It reads the
// segments that only one of the two has, and those of which a base hides more in one.
func Diff(before, after *Generation, yield func(Change) bool) error {
	forth := pairLines(before.manifest.Segments, after.manifest.Segments)
	read := linesToRead(before.manifest.Segments, after.manifest.Segments, forth)
	more, err := before.compareLines(read, after, func(id *index.CertID, was, is index.Record, at *layer) bool {
		return yield(Change{id, was, is, true, at != nil})
	})
	if err != nil || !more {
		return err
	}
	back := pairLines(after.manifest.Segments, before.manifest.Segments)
	_, err = after.compareLines(linesToRead(after.manifest.Segments, before.manifest.Segments, back), before,
		func(id *index.CertID, is, was index.Record, at *layer) bool {
			if at != nil && read[at.line] {
				return true // seen from there
			}
			return yield(Change{id, was, is, at != nil, true})
		})
	return err
}

// compareLines calls yield for every CertID that g answers in one of the lines to be
// read and other answers otherwise: by the record at that layer, or not.
func (g *Generation) compareLines(read []bool, other *Generation, yield func(id *index.CertID, own, others index.Record, at *layer) bool) (more bool, err error) {
	for i := range read {
		if !read[i] {
			continue
		}
		var failed error
		more, err := g.liveIn(i, everything, func(r LiveRecord) bool {
			for n := range r.CertIDs {
				id := &r.CertIDs[n]
				var rec index.Record
				at, err := other.stack.find(id.Key(), id, &rec, nil)
				if failed = err; err != nil {
					return false
				}
				if !(at != nil && sameAnswer(r.Record, rec)) && !yield(id, r.Record, rec, at) {
					return false
				}
			}
			return true
		})
		if err = errors.Join(err, failed); err != nil || !more {
			return false, err
		}
	}
	return true, nil
}

// pairLines tells, for each line of a, which line of b is the same segment for the same
// shard, whenever they were created; -1 for none. Pairs do not cross. So a certificate
// that is answered in both by lines that have a pair is answered by the same record: if
// one of the two lines lay above the other's pair, it would answer there, too.
func pairLines(a, b []SegmentLine) []int {
	pairs := make([]int, len(a))
	free := len(b) // lines of b above it
	for i := len(a) - 1; i >= 0; i-- {
		pairs[i] = -1
		for j := free - 1; j >= 0; j-- {
			if a[i].Role == b[j].Role && a[i].Shard == b[j].Shard && a[i].SHA256 == b[j].SHA256 {
				pairs[i], free = j, j
				break
			}
		}
	}
	return pairs
}

// linesToRead are the lines of a that can answer what b does not answer the same: those
// without a pair, and those whose pair a base in b hides where nothing hides them in a.
func linesToRead(a, b []SegmentLine, pairs []int) []bool {
	read := make([]bool, len(a))
	var aboveA, aboveB coverage
	next := 0 // line of b that is not in aboveB
	for i := range a {
		if pairs[i] < 0 {
			read[i] = true
		} else {
			for ; next < pairs[i]; next++ {
				aboveB.add(&b[next])
			}
			from, to := a[i].Shard.Span()
			for n := from; n < to; n++ {
				read[i] = read[i] || aboveB[n] && !aboveA[n]
			}
		}
		aboveA.add(&a[i])
	}
	return read
}

// sameAnswer reports whether clients are answered the same by both, and, of two
// tombstones, whether they remember the same: who did not see that a revocation was
// withdrawn meanwhile would forget it.
func sameAnswer(a, b index.Record) bool {
	if a.Tombstone() || b.Tombstone() {
		return a.Tombstone() == b.Tombstone() && a.Moment() == b.Moment() && a.Status() == b.Status()
	}
	return a.Moment() == b.Moment() && bytes.Equal(a.AppendResponse(nil), b.AppendResponse(nil))
}
