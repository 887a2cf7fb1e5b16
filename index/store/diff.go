package store

import (
	"bytes"

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
// tombstones that remember otherwise, once, until yield returns false. It reads the segments that only one of the two has.
func Diff(before, after *Generation, yield func(Change) bool) error {
	more, err := diff(before, after, false, yield)
	if err == nil && more {
		_, err = diff(after, before, true, yield)
	}
	return err
}

// diff compares what a answers in lines that b has not with what b answers. Where
// back is set a is the later generation, and what both have was compared already
// if a line of the earlier one alone has it.
func diff(a, b *Generation, back bool, yield func(Change) bool) (more bool, err error) {
	own, shared := contentsOf(a.manifest.Segments), contentsOf(b.manifest.Segments)
	more = true
	for i := range a.manifest.Segments {
		if shared[contentOf(&a.manifest.Segments[i])] {
			continue
		}
		var failed error
		more, err = a.liveIn(i, func(r LiveRecord) bool {
			for n := range r.CertIDs {
				id := &r.CertIDs[n]
				other, at, err := b.stack.find(id.Key(), id, nil)
				if err != nil {
					failed = err
					return false
				}
				if at != nil && back && !own[contentOf(&b.manifest.Segments[at.line])] {
					continue // seen from there
				}
				if at != nil && sameAnswer(r.Record, other) {
					continue
				}
				c := Change{id, r.Record, other, true, at != nil}
				if back {
					c = Change{id, other, r.Record, at != nil, true}
				}
				if !yield(c) {
					return false
				}
			}
			return true
		})
		if err == nil {
			err = failed
		}
		if !more || err != nil {
			return false, err
		}
	}
	return true, nil
}

// contentOf is what a line is, whenever it was created.
func contentOf(line *SegmentLine) lineID { return lineID{line.Role, line.Shard, line.SHA256, 0} }

func contentsOf(lines []SegmentLine) map[lineID]bool {
	contents := make(map[lineID]bool, len(lines))
	for i := range lines {
		contents[contentOf(&lines[i])] = true
	}
	return contents
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
