package index

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
)

// sample is a segment's octets with the responses in it: shared and whole
// shapes, two CertIDs, a tombstone.
func sample(t testing.TB) (file []byte, responses [][]byte) {
	t.Helper()
	w := newWriter(t)
	for i := range 4 {
		d := simple(testID(SHA1, 1, 0x20, byte(i)))
		d.signature = bytes.Repeat([]byte{byte(i)}, 64)
		responses = append(responses, d.build())
	}
	dual := simple(testID(SHA1, 1, 0x30))
	dual.singles = append(dual.singles, dual.singles[0])
	dual.singles[1].id = testID(SHA256, 1, 0x30)
	responses = append(responses, dual.build())
	add(t, w, responses...)
	bury(t, w, testID(SHA1, 1, 0x40), 1000, 1000)
	return octets(t, w), responses
}

// Whatever octet of a segment changes, Verify sees it, and until then no
// look-up gives an octet that was not put in.
func TestEveryChangedOctetIsFound(t *testing.T) {
	file, responses := sample(t)
	for at := range file {
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			bad := bytes.Clone(file)
			bad[at] ^= flip
			s, err := OpenBytes(bad)
			if err != nil {
				continue
			}
			if err := verify(s); !errors.Is(err, ErrCorrupt) {
				t.Errorf("octet %d changed by %#x: Verify says %v", at, flip, err)
			}
			checkNothingWrong(t, s, responses)
		}
	}
}

func TestEveryTruncationIsRefused(t *testing.T) {
	file, _ := sample(t)
	for n := range file {
		if _, err := OpenBytes(file[:n]); err == nil {
			t.Errorf("a segment cut to %d of %d octets opens", n, len(file))
		}
	}
	if _, err := OpenBytes(append(bytes.Clone(file), 0)); err == nil {
		t.Error("a segment with an octet too many opens")
	}
}

// verify returns the faults that Verify reports, joined.
func verify(s *Segment) error {
	var faults []error
	if ok := s.Verify(func(f *Fault) { faults = append(faults, f) }); ok != (len(faults) == 0) {
		panic("Verify contradicts itself")
	}
	return errors.Join(faults...)
}

// checkNothingWrong looks up every CertID of the responses: each gives its own
// response, nothing, or an error.
func checkNothingWrong(t *testing.T, s *Segment, responses [][]byte) {
	t.Helper()
	for _, der := range responses {
		r := parse(t, der)
		for i := range r.Singles {
			id := r.Singles[i].CertID
			if rec, found, err := s.Lookup(id.Key(), &id); err == nil && found {
				if got := rec.AppendResponse(nil); !bytes.Equal(got, der) {
					t.Errorf("%s: look-up gives other octets", &id)
				}
			}
		}
	}
}

// A segment whose checksums are right and whose content is not: Verify compares
// the parts with each other.
func TestVerifyComparesTheParts(t *testing.T) {
	file, _ := sample(t)
	s, err := OpenBytes(file)
	if err != nil {
		t.Fatal(err)
	}
	h := s.head
	for _, c := range []struct {
		name, want string
		change     func(file []byte, h *header)
	}{
		{"a slot cleared", "finds nothing", func(f []byte, h *header) { clearFirstSlot(f, h) }},
		{"a slot added", "slots are taken", func(f []byte, h *header) {
			f[h.slots.offset+h.slots.size-2*slotSize] = 1
		}},
		{"longer probe", "longest probe", func(f []byte, h *header) { h.longestProbe++ }},
		{"keys", "keys", func(f []byte, h *header) { h.keys-- }},
		{"tombstones", "tombstones", func(f []byte, h *header) { h.tombstones++ }},
		{"records", "records", func(f []byte, h *header) { h.records-- }},
		{"times", "earliest nextUpdate", func(f []byte, h *header) { h.times.minNextUpdate++ }},
		{"padding", "between the sections", func(f []byte, h *header) { f[h.recs.offset+h.recs.size] = 1 }},
		{"a shard", "the segment is for 1/2 (segment.shard)", func(f []byte, h *header) { h.shard = Shard{1, 2} }},
		{"a serial that another record has", "a look-up of the record's sha1 serial 2002", func(f []byte, h *header) { repeatSerial(f, h) }},
		{"an issuer", "finds nothing", func(f []byte, h *header) { f[h.issuers.offset+1] ^= 1 }},
	} {
		bad, head := bytes.Clone(file), *h
		c.change(bad, &head)
		for _, sec := range head.sections() {
			sec.sum = xxhash.Sum64(bad[sec.offset : sec.offset+sec.size])
		}
		copy(bad, head.encode())
		s, err := OpenBytes(bad)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if err := verify(s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Verify says %v, want %q", c.name, err, c.want)
		}
	}
}

// repeatSerial gives the fourth record of sample the serial of the third, which has
// the same shape.
func repeatSerial(f []byte, h *header) {
	s := Segment{data: f, head: h, recHead: h.recordHead()}
	at := h.recs.offset
	size := func(payload int) uint64 { return s.recHead + uint64(payload) }
	whole := uint64(le.Uint32(f[at+size(2):]))
	fourth := f[at+size(2+4)+whole+2*size(2+64):][:size(2+64)]
	fourth[s.recHead+1] = 2
	le.PutUint32(fourth, crc32.Checksum(fourth[4:], castagnoli))
}

func clearFirstSlot(f []byte, h *header) {
	for at := h.slots.offset; ; at += slotSize {
		if le.Uint64(f[at:]) != 0 {
			le.PutUint64(f[at:], 0)
			return
		}
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	file, _ := sample(t)
	change := func(at int, b ...byte) []byte {
		bad := bytes.Clone(file)
		copy(bad[at:], b)
		return bad
	}
	for want, bad := range map[string][]byte{
		"too few for a segment's header":                file[:100],
		"another kind of file":                          change(0, 'P', 'K'),
		"version 7, this program reads versions 1 to 3": change(8, 7),
		"header checksum":                               change(24, 99),
		"its header says":                               file[:len(file)-1],
		"shapes at offset":                              change(len(file)-1, file[len(file)-1]^1),
	} {
		if _, err := OpenBytes(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// A file cut off while it is mapped is a fault that Verify reports; the process lives.
func TestVerifyOfATruncatedMapping(t *testing.T) {
	var responses [][]byte
	for i := range 200 {
		responses = append(responses, simple(testID(SHA1, 1, 0x20, byte(i))).build())
	}
	path := writtenFile(t, responses...)
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := os.Truncate(path, headerSize); err != nil {
		t.Fatal(err)
	}
	if err := verify(s); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("Verify says %v", err)
	}
}

// FuzzSegment opens, searches and verifies arbitrary octets: errors, never a
// panic. With its checksums mended, the input gets past Open.
func FuzzSegment(f *testing.F) {
	file, responses := sample(f)
	f.Add(file, false)
	f.Add(file, true)
	f.Add([]byte(golden), true)
	f.Add([]byte(goldenOfVersion2), true)
	f.Add(goldenOfVersion1(), true)
	f.Add(octets(f, newWriter(f)), true)
	all := forms(f)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		w := newWriter(f)
		add(f, w, all[name])
		if file := octets(f, w); len(file) < 4096 {
			f.Add(file, true)
		}
	}
	id := parse(f, responses[0]).Singles[0].CertID
	f.Fuzz(func(t *testing.T, data []byte, mend bool) {
		if mend {
			data = mendChecksums(data)
		}
		s, err := OpenBytes(data)
		if err != nil {
			return
		}
		s.Info()
		verifyErr := verify(s)
		if rec, found, err := s.Lookup(id.Key(), &id); err == nil && found {
			if got := rec.AppendResponse(nil); len(got) != rec.ResponseSize() {
				t.Errorf("%d octets of response, want %d", len(got), rec.ResponseSize())
			}
		}
		if verifyErr == nil {
			s.Records(func(rec Record) bool {
				var e Entry
				ids := rec.CertIDs(nil)
				for _, id := range ids {
					if _, found, err := s.Lookup(id.Key(), &id); !found || err != nil {
						t.Errorf("verified, but %s is not found: %v", &id, err)
					}
					if err := e.SetRecord(rec, []CertID{id}); err != nil {
						t.Errorf("verified, but %s cannot be copied: %v", &id, err)
					}
				}
				if err := e.SetRecord(rec, ids); err != nil {
					t.Errorf("verified, but cannot be copied: %v", err)
				}
				return true
			})
		}
	})
}

func mendChecksums(data []byte) []byte {
	if len(data) < headerSize {
		return data
	}
	data = bytes.Clone(data)
	for at := 96; at < 192; at += 24 {
		offset, size := le.Uint64(data[at:]), le.Uint64(data[at+8:])
		if end := offset + size; offset <= end && end <= uint64(len(data)) {
			le.PutUint64(data[at+16:], xxhash.Sum64(data[offset:end]))
		}
	}
	le.PutUint64(data[192:], xxhash.Sum64(data[:192]))
	return data
}

// Mutations of a real segment with its checksums mended reach the code behind
// them: the seeds of FuzzSegment, many times over.
func TestMutatedSegmentsDoNotPanic(t *testing.T) {
	file, _ := sample(t)
	rng := rand.New(rand.NewPCG(7, 7))
	for range 3000 {
		bad := bytes.Clone(file)
		for range 1 + rng.IntN(3) {
			bad[8+rng.IntN(len(bad)-8)] = byte(rng.Uint32())
		}
		if s, err := OpenBytes(mendChecksums(bad)); err == nil {
			verify(s)
		}
	}
}

// A section's checksum finds every octet that changes in it; the header's found
// those of the header when the file was opened.
func TestCheckSectionsFindsEveryChangedOctet(t *testing.T) {
	file, _ := sample(t)
	s, err := OpenBytes(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := headerSize; i < len(file); i++ {
		file[i] ^= 0x10
		if err := s.CheckSections(func() {}); !errors.Is(err, ErrCorrupt) {
			t.Errorf("octet %d changed: %v", i, err)
		}
		file[i] ^= 0x10
	}
	if err := s.CheckSections(func() {}); err != nil {
		t.Errorf("nothing changed: %v", err)
	}
}

// Records are verified on all processors, and reported as if one after another: in
// the order of the file, up to the first that cannot be read.
func TestVerifyReportsInTheOrderOfTheFile(t *testing.T) {
	w := newWriter(t)
	for i := range 20_000 { // several spans
		add(t, w, simple(testID(SHA1, 1, 0x20, byte(i>>8), byte(i))).build())
	}
	file := octets(t, w)
	good, err := OpenBytes(file)
	if err != nil {
		t.Fatal(err)
	}
	bad := bytes.Clone(file)
	var want []string
	n := 0
	if err := good.Records(func(rec Record) bool {
		switch n++; n {
		case 100, 9_000, 19_000: // a wrong status, in a record with a right checksum
			r := bad[rec.offset:][:rec.Size()]
			r[7] = byte(Revoked)
			le.PutUint32(r, crc32.Checksum(r[4:], castagnoli))
			if n < 15_000 {
				want = append(want, fmt.Sprint(rec.offset, " ", checkResponse))
			}
		case 15_000:
			bad[rec.offset+20]++
			want = append(want, fmt.Sprint(rec.offset, " ", checkRecord))
		}
		return true
	}); err != nil {
		t.Fatal(err)
	}
	s, err := OpenBytes(bad)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	s.Verify(func(f *Fault) {
		if f.Check == checkResponse || f.Check == checkRecord {
			got = append(got, fmt.Sprint(f.Offset, " ", f.Check))
		}
	})
	if !slices.Equal(got, want) {
		t.Errorf("reported %q, want %q", got, want)
	}
}
