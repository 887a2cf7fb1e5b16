package index

import (
	"errors"

	"lancre/internal/parallel"
)

// span is about how much of the records one goroutine reads at a time: enough that
// handing it out costs nothing, little enough that all have some.
const span = 64 << 10

// spans cuts the window of records from at on into spans of whole records. It
// returns where each begins and, at last, where the window ends.
func (s *Segment) spans(at, end uint64) (bounds []uint64) {
	begin := at
	bounds = append(bounds, at)
	for at < end && at-begin < window {
		_, size, ok := s.frame(at)
		if !ok { // as whoever reads the span will find
			at = end
			break
		}
		at += size
		if at-bounds[len(bounds)-1] >= span {
			bounds = append(bounds, at)
		}
	}
	if bounds[len(bounds)-1] < at {
		bounds = append(bounds, at)
	}
	return bounds
}

// A Span is records of a segment that follow each other.
type Span struct {
	segment    *Segment
	begin, end uint64
}

// Spans calls yield for spans of all records, in the order of the file, until yield returns
// false. What they have of the file leaves the memory some time after yield was called for
// them, and comes again where it is needed.
func (s *Segment) Spans(yield func(Span) bool) {
	for at, end := s.head.recs.offset, s.head.recs.offset+s.head.recs.size; at < end; s.release(at) {
		bounds := s.spans(at, end)
		for i := range len(bounds) - 1 {
			if !yield(Span{s, bounds[i], bounds[i+1]}) {
				return
			}
		}
		at = bounds[len(bounds)-1]
	}
}

// Offset is where in the file the span begins.
func (s Span) Offset() int64 { return int64(s.begin) }

// Records calls read for every record of the span in the order of the file, until it
// returns an error. The error is that of read, or a *Fault that names a record that cannot
// be read.
func (s Span) Records(read func(Record) error) error {
	return s.segment.recordsIn(s.begin, s.end, read)
}

// Gather has all records read on all processors, in no order: reader is called for functions
// of which each is called by one goroutine. Of the file a window is in memory, as with
// Records. The error is that of a function, or a *Fault that names a record that cannot be
// read.
func (s *Segment) Gather(reader func() (read func(Record) error)) error {
	for at, end := s.head.recs.offset, s.head.recs.offset+s.head.recs.size; at < end; {
		bounds := s.spans(at, end)
		errs := make([]error, len(bounds)-1)
		parallel.Each(len(errs), func() func(int) {
			read := reader()
			return func(i int) { errs[i] = s.recordsIn(bounds[i], bounds[i+1], read) }
		})
		if err := errors.Join(errs...); err != nil {
			return err
		}
		at = bounds[len(bounds)-1]
		s.release(at)
	}
	return nil
}

func (s *Segment) recordsIn(at, end uint64, read func(Record) error) error {
	for at < end {
		var rec Record
		if !s.record(at, &rec, nil) {
			return unreadable(at)
		}
		if err := read(rec); err != nil {
			return err
		}
		at += uint64(len(rec.octets))
	}
	return nil
}

// unreadable is the fault of the record at an offset, behind which nobody knows where the
// next begins.
func unreadable(offset uint64) *Fault {
	return &Fault{int64(offset), checkRecord, "a record fails its checksum or bounds"}
}
