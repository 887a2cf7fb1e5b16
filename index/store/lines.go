package store

import (
	"slices"
	"time"

	"lancre/index"
)

// A lineID tells one segment line from the others of its stack and of those before and
// after it. A line that comes back, by a rollback or for it was made again, is another
// one: it was created when it came back, so that nothing that was prepared before is taken
// to hold still.
type lineID struct {
	role    string
	shard   index.Shard
	sum     string
	created int64
}

func (s *SegmentLine) id() lineID { return lineID{s.Role, s.Shard, s.SHA256, s.Created.Unix()} }

func idsOf(lines []SegmentLine) map[lineID]bool {
	ids := make(map[lineID]bool, len(lines))
	for i := range lines {
		ids[lines[i].id()] = true
	}
	return ids
}

// Push puts line on top of lines, where a delta goes: it is newer than all that is
// there.
func Push(lines []SegmentLine, line SegmentLine) []SegmentLine {
	return prune(slices.Insert(slices.Clone(lines), 0, line))
}

// prune leaves out what no look-up reaches: lines whose shard bases above them cover.
func prune(lines []SegmentLine) []SegmentLine {
	var above coverage
	return slices.DeleteFunc(lines, func(l SegmentLine) bool {
		hidden := above.all(l.Shard)
		above.add(&l)
		return hidden
	})
}

// A coverage says which certificates base lines cover, by their finest shard.
type coverage [index.MaxShards]bool

// add enters line, if it is a base.
func (c *coverage) add(line *SegmentLine) {
	if line.Role == RoleBase {
		from, to := line.Shard.Span()
		for n := from; n < to; n++ {
			c[n] = true
		}
	}
}

// all reports whether all of shard is covered.
func (c *coverage) all(shard index.Shard) bool {
	from, to := shard.Span()
	return !slices.Contains(c[from:to], false)
}

// placeBases puts bases that were made from a snapshot, and deltas that stand on top
// of them, into lines: above all lines of
// the snapshot and below those that came since, which are returned as their number.
// What was merged of lines of the snapshot came since, too.
func placeBases(lines, snapshot, made []SegmentLine) (placed []SegmentLine, since int) {
	seen := idsOf(snapshot)
	for since < len(lines) && !seen[lines[since].id()] {
		since++
	}
	return prune(slices.Insert(slices.Clone(lines), since, made...)), since
}

// newestOf is when the newest of lines came into the stack: what is made of them is
// as old as what is newest in it, for whoever asks what came after some time.
func newestOf(lines []SegmentLine) (at time.Time) {
	for i := range lines {
		if lines[i].Created.After(at) {
			at = lines[i].Created
		}
	}
	return at
}
