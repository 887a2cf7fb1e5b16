package index

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// zeros are n octets that take no memory.
func zeros(t *testing.T, n int) []byte {
	t.Helper()
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(b) })
	return b
}

// However much is wrong, the first 20 faults are reported.
func TestVerifyReportsTwentyFaults(t *testing.T) {
	w := newWriter(t)
	for i := range byte(30) {
		add(t, w, simple(testID(SHA1, 1, 0x20, i)).build())
	}
	file := octets(t, w)
	s, err := OpenBytes(file)
	if err != nil {
		t.Fatal(err)
	}
	clear(s.octets(s.head.slots.offset, s.head.slots.size)) // no record is found
	var got []*Fault
	if s.Verify(func(f *Fault) { got = append(got, f) }) || len(got) != maxFaults {
		t.Errorf("%d faults are reported, want %d", len(got), maxFaults)
	}
	var one tally
	for i := range uint64(2 * maxFaults) {
		one.fault(i, checkRecord, "fault")
	}
	if len(one.faults) != maxFaults || one.faults[maxFaults-1].Offset != maxFaults-1 {
		t.Errorf("%d faults of a run of records are kept, want the first %d", len(one.faults), maxFaults)
	}
}

// An octet between the sections is reported where it is.
func TestVerifyNamesTheOctetBetweenTheSections(t *testing.T) {
	between := 0
	for n := range slotSize { // records of all sizes, modulo that of slots
		w := newWriter(t)
		bury(t, w, testID(SHA1, 1, bytes.Repeat([]byte{0x11}, 1+n)...), 0, 0)
		file := octets(t, w)
		s, err := OpenBytes(file)
		if err != nil {
			t.Fatal(err)
		}
		for at := s.head.recs.offset + s.head.recs.size; at < s.head.slots.offset; at++ {
			between++
			file[at] = 7
			if got, want := fmt.Sprint(verify(s)), fmt.Sprintf("offset %d: octet 0x7 between the sections, want 0 (segment.section)", at); got != want {
				t.Errorf("Verify says %s, want %s", got, want)
			}
			file[at] = 0
		}
	}
	if want := 1 + 2 + 3 + 4 + 5 + 6 + 7; between != want {
		t.Errorf("%d octets lie between sections, want %d", between, want)
	}
}

// Tombstones have no part in a header's times, wherever they lie.
func TestVerifyOfManyTombstones(t *testing.T) {
	w := newWriter(t)
	buryMany := func(first byte) { // several spans of them
		for i := range 20_000 {
			bury(t, w, testID(SHA1, 1, first, byte(i>>8), byte(i)), 1<<32-1, 1<<32-1)
		}
	}
	buryMany(1)
	der := simple(testID(SHA1, 1, 2)).build()
	add(t, w, der)
	buryMany(3)
	s, _ := finish(t, w) // verifies
	r, info := parse(t, der), s.Info()
	if info.MinNextUpdate != r.NextUpdate || info.MaxThisUpdate != r.ThisUpdate || info.MinProducedAt != r.ProducedAt || info.MaxProducedAt != r.ProducedAt {
		t.Errorf("info %+v, want the times of %+v", info, r)
	}
}

// Records are verified in spans of some 64 KiB, and those in windows of 64 MiB.
func TestSpans(t *testing.T) {
	const size = 16 << 10
	for name, c := range map[string]struct {
		records uint64
		more    uint64 // octets behind them, too few for a record
		want    func(begin, end uint64) []uint64
	}{
		"one":             {1, 0, func(b, e uint64) []uint64 { return []uint64{b, e} }},
		"a span":          {span / size, 0, func(b, e uint64) []uint64 { return []uint64{b, e} }},
		"a span and more": {span/size + 1, 0, func(b, e uint64) []uint64 { return []uint64{b, b + span, e} }},
		"cut off":         {span/size + 1, 100, func(b, e uint64) []uint64 { return []uint64{b, b + span, e} }},
		"a window": {window / size, 0, func(b, e uint64) []uint64 {
			var want []uint64
			for ; b <= e; b += span {
				want = append(want, b)
			}
			return want
		}},
		"a window and more": {window/size + 9, 0, func(b, e uint64) []uint64 {
			var want []uint64
			for end := b + window; b <= end; b += span {
				want = append(want, b)
			}
			return want
		}},
	} {
		for _, begin := range []uint64{headerSize, headerSize + window} { // of the file's records, and of a later window
			end := begin + c.records*size + c.more
			v := verifier{Segment: &Segment{
				recHead: recordHeadSize,
				data:    zeros(t, int(end)), head: &header{recs: section{offset: headerSize, size: end - headerSize}},
				shapes: []shape{{payload: size - recordHeadSize}},
			}}
			if got, want := v.spans(begin, end), c.want(begin, end); !slices.Equal(got, want) {
				t.Errorf("%s, from %d on: bounds %d, want %d", name, begin, got, want)
			}
		}
	}
}

// What was read is released window by window, and with the window before it.
func TestVerifyReleasesWhatWasRead(t *testing.T) {
	const size = 3 * window
	var at uint64
	v := verifier{Segment: &Segment{data: zeros(t, size)}}
	v.pause = func() {
		if want := at / window * window; v.released != want {
			t.Errorf("at %d, octets before %d are released, want %d", at, v.released, want)
		}
		at += blockSize
	}
	if v.checksum(section{size: size}); at != size {
		t.Errorf("%d octets were read, want %d", at, size)
	}
	for _, c := range []struct{ offset, begin, end uint64 }{
		{0, 0, 0}, {4095, 0, 0}, {4096, 0, 4096}, {2 * window, 0, 2 * window},
		{2*window + 4095, 0, 2 * window}, {2*window + 4096, 4096, 2*window + 4096}, {5*window + 1, 3 * window, 5 * window},
	} {
		if begin, end := pagesBefore(c.offset, 4096); begin != c.begin || end != c.end {
			t.Errorf("before %d: pages from %d to %d, want %d to %d", c.offset, begin, end, c.begin, c.end)
		}
	}
}

// Warm and CheckSections pause after every 2 MiB and at the end of what they read.
func TestPauses(t *testing.T) {
	pauses := 0
	pause := func() { pauses++ }
	for size, want := range map[int]int{1: 1, blockSize: 1, blockSize + 1: 2, 3 * blockSize: 3} {
		s := &Segment{data: zeros(t, size), mapped: true}
		if pauses = 0; s.Warm(pause) != nil || pauses != want {
			t.Errorf("Warm pauses %d times for %d octets, want %d", pauses, size, want)
		}
	}
	head := laidOut(blockSize+1, blockSize, 0, 100)
	s := &Segment{data: zeros(t, int(head.size)), head: &head}
	if pauses = 0; s.CheckSections(pause) == nil || pauses != 2+1+0+1 {
		t.Errorf("CheckSections pauses %d times, want 4", pauses)
	}
}

// A record that is whole in itself and contradicts its response is reported, with
// both values.
func TestVerifyComparesRecordsWithResponses(t *testing.T) {
	der, id := simple(testID(SHA1, 1, 1)).build(), testID(SHA1, 1, 2)
	r := parse(t, der)
	for _, c := range []struct {
		change func(e *Entry)
		want   string
	}{
		{func(e *Entry) {}, ""},
		{func(e *Entry) { e.status = Revoked }, "the record's status is revoked, its response's good"},
		{func(e *Entry) { e.times.thisUpdate++ }, fmt.Sprintf("are %d, %d and %d, its response's %d, ", r.ThisUpdate+1, r.NextUpdate, r.ProducedAt, r.ThisUpdate)},
		{func(e *Entry) { e.times.nextUpdate++ }, fmt.Sprintf("are %d, %d and %d, its response's %d, ", r.ThisUpdate, r.NextUpdate+1, r.ProducedAt, r.ThisUpdate)},
		{func(e *Entry) { e.times.producedAt++ }, fmt.Sprintf("are %d, %d and %d, its response's %d, ", r.ThisUpdate, r.NextUpdate, r.ProducedAt+1, r.ThisUpdate)},
		{func(e *Entry) { e.keepWhole(der, nil, []CertID{id}); e.finish() }, "the record is for " + id.String() + ", its response is not"},
		{func(e *Entry) { e.keepWhole(der, nil, []CertID{r.Singles[0].CertID, id}); e.finish() }, "the record is for " + id.String() + ", its response is not"},
		{func(e *Entry) { e.der = der[1:]; e.makeWhole(nil) }, "the record's response: not a DER SEQUENCE"},
	} {
		w := newWriter(t)
		var e Entry
		if err := e.Set(r); err != nil {
			t.Fatal(err)
		}
		e.makeWhole(nil)
		c.change(&e)
		if err := w.Add(&e); err != nil {
			t.Fatal(err)
		}
		s, err := OpenBytes(octets(t, w))
		if err != nil {
			t.Fatal(err)
		}
		if got := verify(s); (got == nil) != (c.want == "") || !strings.Contains(fmt.Sprint(got), c.want) {
			t.Errorf("Verify says %v, want %q", got, c.want)
		}
	}
}

// A page that cannot be read is a fault at the record that lies there.
func TestUnreadablePages(t *testing.T) {
	w := newWriter(t)
	for i := range byte(100) {
		add(t, w, simple(testID(SHA1, 1, 1, i)).build())
	}
	path, _, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	page := int64(os.Getpagesize())
	if err := os.Truncate(path, page); err != nil {
		t.Fatal(err)
	}
	end := s.head.recs.offset + s.head.recs.size
	v := recordVerifier{Segment: s, proofs: s.proofs()}
	got := v.span(s.head.recs.offset, end)
	if last := got.faults[len(got.faults)-1]; !got.cut || last.Check != checkUnreadable || last.Offset > page {
		t.Errorf("cut is %t, and the last fault is %v, want the record that ends behind the first page", got.cut, last)
	}
}
