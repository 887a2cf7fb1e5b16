package index

import (
	"bytes"
	"errors"
	"testing"
)

// What changes in a mapping before a look-up is found, and what changes after it is
// not in the copy.
func TestLookupIntoCopiesSoundly(t *testing.T) {
	file, responses := sample(t)
	s, err := OpenBytes(file)
	if err != nil {
		t.Fatal(err)
	}
	var (
		buf []byte
		rec Record
	)
	for n, der := range responses {
		id := parse(t, der).Singles[0].CertID
		found, err := s.LookupInto(id.Key(), &id, &rec, &buf)
		if err != nil || !found {
			t.Fatalf("response %d: found %t, %v", n, found, err)
		}
		octets := file[rec.Offset():][:rec.Size()]
		was := bytes.Clone(octets)
		clear(octets)
		if got := rec.AppendResponse(nil); !bytes.Equal(got, der) {
			t.Errorf("response %d: the copy gives\n%x, want\n%x", n, got, der)
		}
		copy(octets, was)
		for i := range octets {
			octets[i] ^= 1
			if _, err := s.LookupInto(id.Key(), &id, new(Record), &buf); !errors.Is(err, ErrCorrupt) {
				t.Errorf("response %d: octet %d changed: error %v, want ErrCorrupt", n, i, err)
			}
			octets[i] ^= 1
		}
		if allocs := testing.AllocsPerRun(10, func() { s.LookupInto(id.Key(), &id, &rec, &buf) }); allocs > 0 {
			t.Errorf("response %d: %v allocations with room", n, allocs)
		}
	}
}
