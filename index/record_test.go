package index

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

// A record is inside its section, with a shape that there is, or there is none: each
// number at its limit, and one beyond.
func TestFrame(t *testing.T) {
	const cut, whole, shapes = 0, 1, 2 // numbers of the shapes, and how many there are
	const at = headerSize + 100
	list := []shape{cut: {payload: 8}, whole: {payload: 6, whole: true}}
	data := make([]byte, headerSize+MaxResponse+1000)
	for _, c := range []struct {
		name       string
		bits, rest uint32
		room       uint64 // octets of the section from the record on
		size       uint64 // 0 if there is no record
	}{
		{"a record", cut, 0, 1000, recordHeadSize + 8},
		{"at the end", cut, 0, recordHeadSize + 8, recordHeadSize + 8},
		{"beyond the end", cut, 0, recordHeadSize + 7, 0},
		{"a head alone", cut, 0, recordHeadSize, 0},
		{"less than a head", cut, 0, recordHeadSize - 1, 0},
		{"nothing", cut, 0, 0, 0},
		{"unknown", uint32(Unknown) << statusShift, 0, 1000, recordHeadSize + 8},
		{"status 3", 3 << statusShift, 0, 1000, 0},
		{"tombstone", tombstoneBit, 0, 1000, recordHeadSize + 8},
		{"an unknown bit", tombstoneBit << 1, 0, 1000, 0},
		{"a shape that there is not", shapes, 0, 1000, 0},
		{"the last of all shapes", maxShapes - 1, 0, 1000, 0},

		{"whole, nothing", whole, 0, recordHeadSize + 6, recordHeadSize + 6},
		{"whole, no room for its length", whole, 0, recordHeadSize + 5, 0},
		{"whole, at the end", whole, 10, recordHeadSize + 16, recordHeadSize + 16},
		{"whole, beyond the end", whole, 11, recordHeadSize + 16, 0},
		{"whole, longest", whole, MaxResponse, recordHeadSize + 6 + MaxResponse, recordHeadSize + 6 + MaxResponse},
		{"whole, longer", whole, MaxResponse + 1, recordHeadSize + 7 + MaxResponse, 0},
		{"whole, as long as a number can say", whole, 1<<32 - 1, 1000, 0},
	} {
		le.PutUint32(data[at+4:], c.bits)
		le.PutUint32(data[at+recordHeadSize+6-4:], c.rest)
		s := &Segment{data: data[:at+c.room], head: &header{recs: section{offset: headerSize, size: at - headerSize + c.room}}, shapes: list, recHead: recordHeadSize}
		number, size, ok := s.frame(at)
		if size != c.size || ok != (c.size > 0) || ok && number != c.bits&(maxShapes-1) {
			t.Errorf("%s: shape %d, %d octets, %t; want shape %d, %d octets", c.name, number, size, ok, c.bits&(maxShapes-1), c.size)
		}
	}
	s := &Segment{data: make([]byte, len(data)), head: &header{recs: section{offset: at, size: 1000}}, shapes: list, recHead: recordHeadSize}
	for offset, want := range map[uint64]bool{0: false, at - 1: false, at: true, at + 1000: false, slotOffsetMask: false} {
		if _, _, ok := s.frame(offset); ok != want {
			t.Errorf("a record at %d of a section from %d to %d: %t, want %t", offset, at, at+1000, ok, want)
		}
	}
}

// Nothing of a file is read but what it has.
func TestOctets(t *testing.T) {
	s := &Segment{data: []byte("0123456789")}
	for _, c := range []struct {
		offset, n uint64
		want      string
		ok        bool
	}{
		{0, 10, "0123456789", true}, {9, 1, "9", true}, {10, 0, "", true}, {3, 0, "", true},
		{0, 11, "", false}, {10, 1, "", false}, {11, 0, "", false}, {1 << 63, 1 << 63, "", false}, {5, ^uint64(0), "", false},
	} {
		got := s.octets(c.offset, c.n)
		if string(got) != c.want || (got != nil) != c.ok || cap(got) != len(got) {
			t.Errorf("%d octets from %d on: %q with room for %d, want %q, %t", c.n, c.offset, got, cap(got), c.want, c.ok)
		}
	}
}

// A slot that the table does not have is free, and the last one must be.
func TestSlotsEnd(t *testing.T) {
	file, _ := sample(t)
	s, err := OpenBytes(file)
	if err != nil {
		t.Fatal(err)
	}
	first, slots := s.head.slots.offset, s.head.slots.size/slotSize
	taken := 0
	for i := range slots {
		if want := le.Uint64(file[first+i*slotSize:]); s.table.at(i) != want {
			t.Errorf("slot %d is %x, want %x", i, s.table.at(i), want)
		} else if want != 0 {
			taken++
		}
	}
	if taken != 7 {
		t.Errorf("%d slots are taken, want one for each of 7 CertIDs", taken)
	}
	for _, beyond := range []uint64{slots, slots + 1, 8 * slots, slots * slotSize, 1 << 60} {
		if got := s.table.at(beyond); got != 0 {
			t.Errorf("slot %d of %d is %x, want a free one", beyond, slots, got)
		}
	}
	bad := bytes.Clone(file)
	bad[first+(slots-1)*slotSize] = 1
	if _, err := OpenBytes(mendChecksums(bad)); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "the last, is taken") {
		t.Errorf("with the last slot taken: %v", err)
	}
}

// A look-up examines as many slots as the longest probe says, and no more.
func TestLookupKeepsToTheLongestProbe(t *testing.T) {
	file, responses := sample(t)
	good, err := OpenBytes(file)
	if err != nil {
		t.Fatal(err)
	}
	for probe := range good.head.longestProbe + 1 {
		table := good.table
		table.longest = uint64(probe)
		s := &Segment{data: file, table: table, head: good.head, issuers: good.issuers, shapes: good.shapes, recHead: good.recHead}
		for n, der := range responses {
			id := parse(t, der).Singles[0].CertID
			rec, _, err := good.Lookup(id.Key(), &id)
			if err != nil {
				t.Fatal(err)
			}
			slots := good.table.countTo(id.Key(), rec.offset)
			offset, examined := s.table.next(id.Key(), 0)
			for offset != 0 {
				offset, examined = s.table.next(id.Key(), examined)
			}
			if _, found, err := s.Lookup(id.Key(), &id); err != nil || found != (slots <= probe) || examined > uint64(probe) {
				t.Errorf("response %d in slot %d of its probe: found %t in %d slots of at most %d, %v", n, slots, found, examined, probe, err)
			}
		}
	}
}

// Where a slot leads to the record of another certificate, or to one that is damaged, a look-up
// leaves neither behind, nor what it was given.
func TestLookupOfNothingLeavesNoRecord(t *testing.T) {
	file, responses := sample(t)
	s, err := OpenBytes(file)
	if err != nil {
		t.Fatal(err)
	}
	first := parse(t, responses[0]).Singles[0].CertID
	rec, found, err := s.Lookup(first.Key(), &first)
	if err != nil || !found {
		t.Fatalf("%s: found %t, %v", &first, found, err)
	}
	other := parse(t, responses[1]).Singles[0].CertID
	offset, n := s.table.next(other.Key(), 0)
	slot := s.table.octets[(home(other.Key(), s.table.home)+n-1)*slotSize:]
	le.PutUint64(slot, le.Uint64(slot)-offset+rec.offset)
	for _, want := range []error{nil, ErrCorrupt} {
		got := rec
		if found, err := s.LookupInto(other.Key(), &other, &got, nil); found || err != want {
			t.Errorf("%s in the slot of %s: found %t, error %v, want %v", &first, &other, found, err, want)
		}
		if got.segment != nil || got.octets != nil {
			t.Errorf("with error %v the record at offset %d is left", want, got.offset)
		}
		file[rec.offset] ^= 1
	}
}

// A record that the first slot of its key leads to is what a look-up finds, and what a look-up
// finds has a slot that counts: whatever the slots lead to.
func TestFirstSlotIsWhatALookupFinds(t *testing.T) {
	file, _ := sample(t)
	rng := rand.New(rand.NewPCG(6, 6))
	direct, behind := 0, 0 // records that are found first, and behind another with their fingerprint
	for round := range 2_000 {
		s, err := OpenBytes(bytes.Clone(file))
		if err != nil {
			t.Fatal(err)
		}
		if slots := s.octets(s.head.slots.offset, s.head.slots.size-slotSize); round > 0 {
			from, to := slots[rng.IntN(len(slots)/slotSize)*slotSize:], slots[rng.IntN(len(slots)/slotSize)*slotSize:]
			le.PutUint64(to, le.Uint64(from)) // free or taken, by another record or this
			le.PutUint64(to, le.Uint64(to)&slotOffsetMask|le.Uint64(slots[rng.IntN(len(slots)/slotSize)*slotSize:])&^slotOffsetMask)
		}
		if err := s.Records(func(rec Record) bool {
			for _, id := range rec.CertIDs(nil) {
				first, examined := s.table.next(id.Key(), 0)
				slots := uint64(s.table.countTo(id.Key(), rec.offset))
				got, found, err := s.Lookup(id.Key(), &id)
				reached := err == nil && found && got.offset == rec.offset
				sound := true
				switch {
				case first == rec.offset:
					direct++
					sound = reached && slots == examined
				case reached:
					behind++
					sound = slots > examined
				}
				if !sound || round == 0 && !reached {
					t.Errorf("round %d, %s: the first of its slots, %d, leads to offset %d, the %d. to the record's, %d; a look-up finds %t, offset %d, %v",
						round, &id, examined, first, slots, rec.offset, found, got.offset, err)
				}
			}
			return true
		}); err != nil {
			t.Fatal(err)
		}
	}
	if direct < 1000 || behind == 0 {
		t.Errorf("%d records are found by slots alone, and %d behind another with their fingerprint: too few to tell", direct, behind)
	}
}

// What a response for one certificate says of it is what its record says.
func TestStatusOfDoesNotAllocate(t *testing.T) {
	revoked := simple(testID(SHA1, 1, 1))
	revoked.singles[0].status, revoked.singles[0].revoked = Revoked, "20260910111213Z"
	good := simple(testID(SHA1, 1, 2))
	good.singles = append(good.singles, draftSingle{id: testID(SHA256, 1, 2), this: "20261101060000Z", next: "20261105060000Z", reason: -1})
	s, _ := write(t, revoked.build(), good.build())
	for want, id := range map[Status]CertID{Revoked: revoked.singles[0].id, Good: good.singles[1].id} {
		rec, found, err := s.Lookup(id.Key(), &id)
		if err != nil || !found {
			t.Fatalf("%s: found %t, %v", &id, found, err)
		}
		if got := rec.StatusOf(&id); got != want {
			t.Errorf("%s: %s, want %s", &id, got, want)
		}
		if allocs := testing.AllocsPerRun(10, func() { rec.StatusOf(&id) }); allocs != 0 {
			t.Errorf("%s: %v allocations", &id, allocs)
		}
	}
}
