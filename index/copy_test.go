package index

import (
	"bytes"
	"testing"
)

// What changes in a mapping after a look-up is not in a copy, or the copy says so.
func TestCopyIsSound(t *testing.T) {
	file, responses := sample(t)
	s, err := OpenBytes(file)
	if err != nil {
		t.Fatal(err)
	}
	var buf []byte
	for n, der := range responses {
		id := parse(t, der).Singles[0].CertID
		rec, found, err := s.Lookup(id.Key(), &id)
		if err != nil || !found {
			t.Fatalf("response %d: found %t, %v", n, found, err)
		}
		octets := file[rec.Offset():][:rec.Size()]
		for i := range octets {
			octets[i] ^= 1
			if _, ok := rec.Copy(&buf); ok {
				t.Errorf("response %d: octet %d changed and the copy is said to be sound", n, i)
			}
			octets[i] ^= 1
		}
		copied, ok := rec.Copy(&buf)
		clear(octets[4:])
		if got := copied.AppendResponse(nil); !ok || !bytes.Equal(got, der) {
			t.Errorf("response %d: sound: %t; the copy gives\n%x, want\n%x", n, ok, got, der)
		}
		if allocs := testing.AllocsPerRun(10, func() { rec.Copy(&buf) }); allocs > 0 {
			t.Errorf("response %d: %v allocations with room", n, allocs)
		}
	}
}
