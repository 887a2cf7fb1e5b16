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

// Gather reads every record once, as Records does, and reports what that reports.
func TestGather(t *testing.T) {
	for _, n := range []int{0, 1, 20_000} { // the last are several spans
		w := newWriter(t)
		for i := range n {
			add(t, w, simple(testID(SHA1, 1, 0x20, byte(i>>8), byte(i))).build())
		}
		file := octets(t, w)
		s, err := OpenBytes(file)
		if err != nil {
			t.Fatal(err)
		}
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
