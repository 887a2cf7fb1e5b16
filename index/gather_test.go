package index

import (
	"errors"
	"slices"
	"sync"
	"testing"
)

// gathered are the offsets of the records that Gather has read.
func gathered(s *Segment, fail error) (offsets []uint64, err error) {
	var mu sync.Mutex
	var parts []*[]uint64
	err = s.Gather(func() func(Record) error {
		part := new([]uint64)
		mu.Lock()
		parts = append(parts, part)
		mu.Unlock()
		return func(rec Record) error {
			*part = append(*part, rec.offset)
			return fail
		}
	})
	for _, part := range parts {
		offsets = append(offsets, *part...)
	}
	slices.Sort(offsets)
	return offsets, err
}

// several makes a segment of so many responses.
func several(t *testing.T, n int) (file []byte, s *Segment) {
	t.Helper()
	w := newWriter(t)
	for i := range n {
		add(t, w, simple(testID(SHA1, 1, 0x20, byte(i>>8), byte(i))).build())
	}
	file = octets(t, w)
	s, err := OpenBytes(file)
	if err != nil {
		t.Fatal(err)
	}
	return file, s
}

// Gather reads every record once, as Records does, and reports what that reports.
func TestGather(t *testing.T) {
	for _, n := range []int{0, 1, 20_000} { // the last are several spans
		file, s := several(t, n)
		var want []uint64
		if err := s.Records(func(rec Record) bool { want = append(want, rec.offset); return true }); err != nil {
			t.Fatal(err)
		}
		if got, err := gathered(s, nil); err != nil || !slices.Equal(got, want) || len(got) != n {
			t.Errorf("%d of %d records are gathered, or others, error %v", len(got), n, err)
		}
		if n == 0 {
			continue
		}
		enough := errors.New("enough")
		if _, err := gathered(s, enough); !errors.Is(err, enough) {
			t.Errorf("error %v, want that of whoever reads", err)
		}
		bad := want[n/2]
		file[bad] ^= 1
		var fault *Fault
		if _, err := gathered(s, nil); !errors.As(err, &fault) || fault.Offset != int64(bad) {
			t.Errorf("error %v, want one about the record at offset %d", err, bad)
		}
	}
}

// Spans have every record once, in the order of the file, as Records does, and the faults
// that it finds.
func TestSpansHaveAllRecords(t *testing.T) {
	for _, n := range []int{0, 1, 20_000} {
		file, s := several(t, n)
		read := func() (offsets []uint64, spans int, err error) {
			for span := range s.Spans {
				first := len(offsets)
				spans++
				if err := span.Records(func(rec Record) error { offsets = append(offsets, rec.offset); return nil }); err != nil {
					return offsets, spans, err
				}
				if int64(offsets[first]) != span.Offset() {
					t.Errorf("a span at offset %d begins with the record at %d", span.Offset(), offsets[first])
				}
			}
			return offsets, spans, nil
		}
		var want []uint64
		if err := s.Records(func(rec Record) bool { want = append(want, rec.offset); return true }); err != nil {
			t.Fatal(err)
		}
		got, spans, err := read()
		if err != nil || !slices.Equal(got, want) || n > 1 && spans < 2 {
			t.Errorf("%d records in %d spans, %v; want %d", len(got), spans, err, len(want))
		}
		for range s.Spans {
			break
		}
		if n > 0 {
			file[want[n/2]+8]++
			var fault *Fault
			if got, _, err := read(); !errors.As(err, &fault) || uint64(fault.Offset) != want[n/2] || len(got) != n/2 {
				t.Errorf("%d records, and %v; want the fault of the one at offset %d", len(got), err, want[n/2])
			}
		}
	}
}
