package store

import (
	"fmt"
	"math/bits"

	"lancre/index"
)

// A stack is the order in which a look-up visits segments: the deltas above the base
// of its certificate's shard, newest first, then that base. Other bases are not
// visited, however many there are.
type stack struct {
	deltas []layer
	bases  []layer // by shard, as many as the finest of all bases
	shift  int     // from a SerialHash to the number of a shard in bases
	whole  bool    // no line is for a shard: then no SerialHash need be made
}

// A layer is a segment at its place in a stack.
type layer struct {
	line    int // among the segment lines; below all of them where a shard has no base
	shard   index.Shard
	segment *index.Segment // nil where a shard has no base
	slots   index.Slots    // of the segment
}

// newStack is that of lines, whose segments are given in the same order.
func newStack(lines []SegmentLine, segments []*index.Segment) stack {
	finest := uint32(1)
	for i := range lines {
		if lines[i].Role == RoleBase {
			finest = max(finest, lines[i].Shard.Of)
		}
	}
	s := stack{bases: make([]layer, finest), shift: 64 - bits.TrailingZeros32(finest), whole: true}
	for i := range s.bases {
		s.bases[i].line = len(lines)
	}
	for i := range lines {
		l := layer{i, lines[i].Shard, segments[i], segments[i].Slots()}
		s.whole = s.whole && l.shard == index.Everything
		if lines[i].Role != RoleBase {
			s.deltas = append(s.deltas, l)
			continue
		}
		width := finest / l.shard.Of
		for n := l.shard.Index * width; n < (l.shard.Index+1)*width; n++ {
			if s.bases[n].segment == nil { // else a newer one hides this
				s.bases[n] = l
			}
		}
	}
	return s
}

// base is that of the certificates with serialHash.
func (s *stack) base(serialHash uint64) *layer { return &s.bases[serialHash>>s.shift] }

// find returns the layer that answers for id, and in *rec its record, the zero Record
// where none does. An error is final: an older layer could have an answer that is out of
// date. The record is a copy in *buf, unless buf is nil.
func (s *stack) find(key uint64, id *index.CertID, rec *index.Record, buf *[]byte) (at *layer, err error) {
	var serial uint64
	if !s.whole {
		serial = id.SerialHash()
	}
	base := s.base(serial)
	for i := range s.deltas {
		d := &s.deltas[i]
		if d.line > base.line {
			break
		}
		if !d.shard.Covers(serial) || !d.slots.Lead(key) {
			continue
		}
		if found, err := d.segment.LookupInto(key, id, rec, buf); found || err != nil {
			return d, err
		}
	}
	if base.segment == nil {
		*rec = index.Record{}
		return nil, nil
	}
	found, err := base.segment.LookupInto(key, id, rec, buf)
	if !found && err == nil {
		return nil, nil
	}
	return base, err
}

// A Trace is a record for a CertID in one line of a stack.
type Trace struct {
	Line   int // counted from 0
	Record index.Record
	Answer bool // a look-up ends here; else another line, or a base above, hides it
}

// Traces are all records for id, newest first: also those that no look-up reaches.
func (g *Generation) Traces(id *index.CertID) (list []Trace, err error) {
	at, err := g.stack.find(id.Key(), id, new(index.Record), nil)
	if err != nil {
		return nil, fmt.Errorf("object %s: %w", g.manifest.Segments[at.line].SHA256, err)
	}
	for i, s := range g.segments {
		rec, found, err := s.Lookup(id.Key(), id)
		if err != nil {
			return nil, fmt.Errorf("object %s: %w", g.manifest.Segments[i].SHA256, err)
		}
		if found {
			list = append(list, Trace{i, rec, at != nil && at.line == i})
		}
	}
	return list, nil
}
