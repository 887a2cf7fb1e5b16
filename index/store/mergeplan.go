package store

import (
	"math/bits"
	"slices"

	"lancre/index"
)

// A MergePolicy says what Merge does.
type MergePolicy struct {
	MaxWrite     int64 // octets that a call writes at most, but for the last step; 0 for no limit
	IntoBase     bool  // everything becomes base
	ExpiredAfter int64 // seconds after which the tombstone of an expired response goes,
	Forget       bool  // also that of a certificate that was revoked

	Signing Signing

	prepared func(*Objects) error // for tests: called when a step is about to take the lock
}

// DefaultMergePolicy bounds a call to what a disk writes in about a second, and keeps
// tombstones for 30 days.
var DefaultMergePolicy = MergePolicy{MaxWrite: 512 << 20, ExpiredAfter: 720 * 3600}

const (
	// fanout is how many deltas of a size become one of the next. With eight, each
	// octet is written once for each of some six sizes, and a look-up passes seven
	// lines of each at most.
	fanout = 8

	// smallest is the size, in octets, up to which a delta is of the first tier: what
	// a second brings to a store of 500 M certificates, 64 new ones.
	smallest = 8 << 10

	// baseShare is how much of the octets of all bases deltas may have before bases
	// absorb them: a quarter, so that a base is written again when a quarter of it has
	// changed.
	baseShare = 4
)

// tier is 0 up to smallest octets, and one more for each fanout times that.
func tier(size int64) int {
	return (bits.Len64(uint64(size/smallest)) + 2) / 3 // 8 is 2³
}

// A mergeStep is one thing that Merge does: join deltas, or have a base absorb what
// lies above it.
type mergeStep struct {
	deltas []int        // lines, newest first, neighbours but for bases; or
	shard  *index.Shard // of the base that absorbs
}

// nextStep is what policy wants done next to lines; ok is false if that is nothing.
func nextStep(lines []SegmentLine, policy *MergePolicy) (s mergeStep, ok bool) {
	if !policy.IntoBase {
		if run := fullTier(lines); run != nil {
			return mergeStep{deltas: run}, true
		}
		if deltas, bases := octetsOf(lines); deltas*baseShare <= bases || bases == 0 {
			return s, false
		}
	}
	shard, ok := oldestBase(lines)
	return mergeStep{shard: &shard}, ok
}

// fullTier is the run of deltas to be joined, of the lowest tier that has fanout of
// them next to each other, with smaller ones between them; nil if there is none. Of
// several it is the oldest: what is left over are the newest, which the next ones join.
// Were it the newest, what it makes would cut off the older ones from those to come.
func fullTier(lines []SegmentLine) []int {
	var deltas []int // oldest first
	highest := 0
	for i := range slices.Backward(lines) {
		if lines[i].Role == RoleDelta {
			deltas = append(deltas, i)
			highest = max(highest, tier(lines[i].Size))
		}
	}
	for t := 0; t <= highest; t++ {
		var run []int // from the first of tier t to the last
		count, last := 0, 0
		for _, i := range deltas {
			switch of := tier(lines[i].Size); {
			case of > t:
				run, count, last = nil, 0, 0
				continue
			case of == t:
				count++
			case count == 0:
				continue // smaller ones below the first
			}
			if run = append(run, i); tier(lines[i].Size) == t {
				last = len(run)
			}
			if count == fanout {
				slices.Reverse(run[:last])
				return run[:last]
			}
		}
	}
	return nil
}

// octetsOf is how many octets deltas and bases have.
func octetsOf(lines []SegmentLine) (deltas, bases int64) {
	for i := range lines {
		if lines[i].Role == RoleBase {
			bases += lines[i].Size
		} else {
			deltas += lines[i].Size
		}
	}
	return deltas, bases
}

// oldestBase is the shard of the base that was made first, of those with deltas above
// them that they can absorb. A store without bases gets one of everything.
func oldestBase(lines []SegmentLine) (oldest index.Shard, ok bool) {
	var at *SegmentLine
	deltas := make([]index.Shard, 0, len(lines))
	bases := 0
	for i := range lines {
		l := &lines[i]
		if l.Role == RoleDelta {
			deltas = append(deltas, l.Shard)
			continue
		}
		bases++
		if slices.ContainsFunc(deltas, l.Shard.Overlaps) && (at == nil || l.Created.Before(at.Created)) {
			at = l
		}
	}
	switch {
	case at != nil:
		return at.Shard, true
	case bases == 0 && len(deltas) > 0:
		return index.Everything, true
	}
	return oldest, false
}
