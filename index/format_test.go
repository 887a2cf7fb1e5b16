package index

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

// laidOut is a header with sections of the given sizes where they must be.
func laidOut(recs, slots, issuers, shapes uint64) header {
	h := header{version: version, homeSlots: 1, shard: Everything}
	at := uint64(headerSize)
	for i, size := range []uint64{recs, slots, issuers, shapes} {
		if i == 1 {
			at = align(at)
		}
		*h.sections()[i] = section{offset: at, size: size}
		at += size
	}
	h.size = at
	return h
}

// What a header says fits into its sections, or the segment does not open: each
// number at its limit, and one beyond.
func TestCheckLayout(t *testing.T) {
	const room = slotOffsetMask - headerSize // of a file as long as can be
	for _, c := range []struct {
		name, want string // no error if empty
		head       header
		change     func(h *header)
	}{
		{"empty", "", laidOut(0, 2*slotSize, 0, 0), func(h *header) {}},
		{"longest file", "", laidOut(0, 2*slotSize, 0, room-2*slotSize), func(h *header) {}},
		{"longer file", "sections end at 1099511627776", laidOut(0, 2*slotSize, 0, room-2*slotSize+1), func(h *header) {}},
		{"octets behind the sections", "sections end at 216 in a file of 217", laidOut(0, 2*slotSize, 0, 0), func(h *header) { h.size++ }},
		{"records before their place", "section 1 lies at 199 with 100 octets, want it at 200", laidOut(100, 2*slotSize, 0, 0), func(h *header) { h.recs.offset-- }},
		{"slots not aligned", "section 2 lies at 300 with 16 octets, want it at 304", laidOut(100, 2*slotSize, 0, 0), func(h *header) { h.slots.offset = 300 }},
		{"issuers behind a gap", "section 3 lies at", laidOut(100, 2*slotSize, 41, 0), func(h *header) { h.issuers.offset++ }},
		{"shapes beyond the file", "section 4 lies at", laidOut(100, 2*slotSize, 41, 50), func(h *header) { h.size-- }},
		{"a section that wraps around", "section 4 lies at", laidOut(100, 2*slotSize, 41, 50), func(h *header) { h.shapeSec.size = math.MaxUint64 }},

		{"half a slot", "20 octets of slots", laidOut(0, 2*slotSize+4, 0, 0), func(h *header) {}},
		{"no slot but the home slots", "8 octets of slots", laidOut(0, slotSize, 0, 0), func(h *header) {}},
		{"home slots for the keys", "", laidOut(400, 7*slotSize, 0, 0), func(h *header) { h.records, h.keys, h.homeSlots = 4, 4, 6 }},
		{"too few home slots for the keys", "slots for 4 keys", laidOut(400, 7*slotSize, 0, 0), func(h *header) { h.records, h.keys, h.homeSlots = 4, 4, 5 }},
		{"no slot beyond the home slots", "slots for 4 keys", laidOut(400, 7*slotSize, 0, 0), func(h *header) { h.records, h.keys, h.homeSlots = 4, 4, 7 }},

		{"records of no payload", "", laidOut(3*recordHeadSize, 2*slotSize, 0, 0), func(h *header) { h.records = 3 }},
		{"a record too many", "4 records", laidOut(3*recordHeadSize, 2*slotSize, 0, 0), func(h *header) { h.records = 4 }},
		{"tombstones only", "", laidOut(3*recordHeadSize, 2*slotSize, 0, 0), func(h *header) { h.records, h.tombstones = 3, 3 }},
		{"a tombstone too many", "4 tombstones", laidOut(3*recordHeadSize, 2*slotSize, 0, 0), func(h *header) { h.records, h.tombstones = 3, 4 }},
		{"16 CertIDs a record", "", laidOut(3*recordHeadSize, 100*slotSize, 0, 0), func(h *header) { h.records, h.keys, h.homeSlots = 3, 48, 61 }},
		{"a CertID too many", "with 49 keys", laidOut(3*recordHeadSize, 100*slotSize, 0, 0), func(h *header) { h.records, h.keys, h.homeSlots = 3, 49, 62 }},

		{"issuers under SHA-1", "", laidOut(0, 2*slotSize, 2*41, 0), func(h *header) { h.numIssuers = 2 }},
		{"an issuer too many", "3 issuers in 82 octets", laidOut(0, 2*slotSize, 2*41, 0), func(h *header) { h.numIssuers = 3 }},
		{"most shapes", "", laidOut(0, 2*slotSize, 0, maxShapes*firstHeadSize), func(h *header) { h.numShapes = maxShapes }},
		{"a shape too many for the octets", "16777216 shapes in", laidOut(0, 2*slotSize, 0, maxShapes*firstHeadSize-1), func(h *header) { h.numShapes = maxShapes }},
		{"a shape too many for a record", "16777217 shapes in", laidOut(0, 2*slotSize, 0, room/2), func(h *header) { h.numShapes = maxShapes + 1 }},
	} {
		c.change(&c.head)
		err := c.head.checkLayout()
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (!errors.Is(err, ErrCorrupt) || !strings.Contains(fmt.Sprint(err), c.want)):
			t.Errorf("%s: error %v, want ErrCorrupt with %q", c.name, err, c.want)
		}
	}
}

// A header is read as it was written, with every number at its largest.
func TestHeaderComesBack(t *testing.T) {
	h := laidOut(1000, 80*slotSize, 500, 600)
	h.longestProbe, h.records, h.keys, h.tombstones, h.homeSlots, h.numIssuers, h.numShapes = math.MaxUint32, 20, 60, 5, 76, 9, 10
	h.times = timeRange{1, math.MaxUint32, 3, 4}
	h.recs.sum, h.slots.sum, h.issuers.sum, h.shapeSec.sum = 1, 2, math.MaxUint64, 4
	got, err := decodeHeader(h.encode(), h.size)
	if err != nil {
		t.Fatal(err)
	}
	if *got != h {
		t.Errorf("read %+v, want %+v", *got, h)
	}
}

func TestDecodeIssuers(t *testing.T) {
	var b []byte
	ends := map[int]uint32{0: 0} // of the issuers, with how many there are until then
	for i, alg := range HashAlgs() {
		id := testID(alg, byte(i))
		is := issuer{alg, id.NameHash, id.KeyHash}
		b = is.append(b)
		ends[len(b)] = uint32(i + 1)
	}
	for n := range len(b) + 1 {
		number, whole := ends[n]
		if !whole {
			number = 4 // as many as a header could say
		}
		list, err := decodeIssuers(b[:n], number)
		if whole != (err == nil) || whole && len(list) != int(number) {
			t.Errorf("%d of %d octets: %d issuers, %v; want %d, an error: %t", n, len(b), len(list), err, number, !whole)
		}
		if _, err := decodeIssuers(b[:n], number+1); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%d of %d octets: %v with one issuer less than the header says", n, len(b), err)
		}
	}
	for _, alg := range []byte{0, byte(SHA512) + 1, 255} {
		if _, err := decodeIssuers(append([]byte{alg}, make([]byte, 300)...), 1); !errors.Is(err, ErrCorrupt) {
			t.Errorf("algorithm %d: %v", alg, err)
		}
	}
}

func TestStorable(t *testing.T) {
	for unix, want := range map[int64]bool{
		NoTime: false, -1: false, 0: true, 1: true, math.MaxUint32: true, math.MaxUint32 + 1: false, math.MaxInt64: false,
	} {
		if got, ok := storable(unix); ok != want || ok && int64(got) != unix {
			t.Errorf("%d is %d, %t; want %t", unix, got, ok, want)
		}
	}
}

// The header's times are those of all responses, whichever comes first.
func TestTimeRangeWidens(t *testing.T) {
	times := [][3]uint32{{20, 40, 30}, {10, 50, 31}, {21, 39, 29}, {0, math.MaxUint32, 30}} // thisUpdate, nextUpdate, producedAt
	want := timeRange{minNextUpdate: 39, maxThisUpdate: 21, minProducedAt: 29, maxProducedAt: 31}
	for first := range times {
		var got timeRange
		for i := range times {
			of := times[(first+i)%len(times)]
			got.widen(of[0], of[1], of[2], i == 0)
		}
		if got != want {
			t.Errorf("from %v on: %+v, want %+v", times[first], got, want)
		}
	}
}
