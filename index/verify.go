package index

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/sys/unix"
)

// maxFaults bounds what Verify reports of one segment: one that is bad throughout
// would repeat itself a million times.
const maxFaults = 20

// The checks of Verify, as a Fault names them.
const (
	checkSection    = "segment.section"    // a section has its checksum; octets between sections are 0
	checkRecord     = "segment.record"     // a record has its checksum and ends where the next begins
	checkResponse   = "segment.response"   // a record gives back a response with the CertIDs, status, times and SHA-256 it claims
	checkLookup     = "segment.lookup"     // a look-up of each CertID of a record finds it or one that is not older
	checkSlots      = "segment.slots"      // no slot is taken but by these
	checkHeader     = "segment.header"     // counts, times and longest probe are those of the records
	checkUnreadable = "segment.unreadable" // every page of the file can be read
)

// A Fault is one contradiction between a segment and the format. errors.Is says
// that it is ErrCorrupt.
type Fault struct {
	Offset int64  // in the file
	Check  string // stable name of the check that failed
	Reason string
}

func (f *Fault) Error() string {
	return fmt.Sprintf("offset %d: %s (%s)", f.Offset, f.Reason, f.Check)
}

// Unwrap returns ErrCorrupt.
func (f *Fault) Unwrap() error { return ErrCorrupt }

// Verify checks everything that the format promises and that OpenBytes did not,
// and calls report for each of the first 20 faults:
//
//   - the checksum of each section, and that the octets between sections are 0;
//   - every record: its checksum; that it gives back an OCSPResponse whose CertIDs,
//     status, thisUpdate, nextUpdate, producedAt and SHA-256 are those it claims;
//   - that a look-up of each of its CertIDs finds it or, for some but not all of
//     them, one that is not older;
//   - that no slot is taken but by these, and that the longest probe is right;
//   - the counts and times in the header;
//   - that every page of the file can be read.
//
// It reports whether there was none. It reads the whole file once and takes some
// 1 µs a record.
func (s *Segment) Verify(report func(*Fault)) (ok bool) {
	v := verifier{Segment: s, report: report}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			if _, fault := r.(interface{ Addr() uintptr }); !fault {
				panic(r)
			}
			v.fault(0, checkUnreadable, "a page of the file cannot be read: the file was cut off while open, or the disk fails")
			ok = false
		}
	}()
	v.sections()
	v.records()
	v.slots()
	v.header()
	return v.faults == 0
}

type verifier struct {
	*Segment
	report func(*Fault)
	faults int

	released uint64 // the window before this offset is not in memory any more
	keep     bool   // in memory what was read

	// What the records turned out to hold.
	count, keys, tombstones uint64
	times                   timeRange
	longestProbe            uint32

	response []byte
	parsed   Response
	ids      []CertID
}

// release takes the window that ends at offset out of the process's memory, so that
// a file larger than memory can be verified. The page cache may keep it.
func (v *verifier) release(offset uint64) {
	v.released = offset
	if !v.mapped || v.keep {
		return
	}
	page := uint64(os.Getpagesize())
	begin := max(offset, 2*window) - 2*window // a window more, for what lay across
	end := min(offset, uint64(len(v.data))) &^ (page - 1)
	if begin &^= page - 1; begin < end {
		_ = unix.Madvise(v.data[begin:end], unix.MADV_DONTNEED) // advice that is not taken costs memory only
	}
}

func (v *verifier) fault(offset uint64, check, format string, args ...any) {
	if v.faults++; v.faults <= maxFaults {
		v.report(&Fault{int64(offset), check, fmt.Sprintf(format, args...)})
	}
}

func (v *verifier) sections() {
	names := [...]string{"records", "slots", "issuers", "shapes"}
	for i, sec := range v.head.sections() {
		if sum := v.checksum(*sec); sum != sec.sum {
			v.fault(sec.offset, checkSection, "%s of %d octets have checksum %016x, the header says %016x", names[i], sec.size, sum, sec.sum)
		}
	}
	end := v.head.recs.offset + v.head.recs.size
	for i, b := range v.octets(end, v.head.slots.offset-end) {
		if b != 0 {
			v.fault(end+uint64(i), checkSection, "octet %#x between the sections, want 0", b)
		}
	}
}

// window is how much of a mapping Verify holds in memory at a time.
const window = 64 << 20

func (v *verifier) checksum(sec section) uint64 {
	var d xxhash.Digest
	d.Reset()
	for at, end := sec.offset, sec.offset+sec.size; at < end; at += blockSize {
		d.Write(v.octets(at, min(blockSize, end-at)))
		if at-v.released >= window {
			v.release(at)
		}
		runtime.Gosched() // a server checks a new generation beside its requests
	}
	return d.Sum64()
}

func (v *verifier) records() {
	err := v.Records(func(rec Record) bool {
		if v.count++; rec.offset-v.released >= window {
			v.release(rec.offset)
		}
		v.reachable(rec)
		if rec.Tombstone() {
			v.tombstones++
			return true
		}
		v.times.widen(uint32(rec.ThisUpdate()), uint32(rec.NextUpdate()), uint32(rec.ProducedAt()), v.count-v.tombstones == 1)
		v.content(rec)
		return true
	})
	if fault, ok := err.(*Fault); ok {
		v.fault(uint64(fault.Offset), fault.Check, "%s", fault.Reason)
	}
}

// reachable looks up each CertID of rec.
func (v *verifier) reachable(rec Record) {
	v.ids = rec.CertIDs(v.ids[:0])
	reached := false
	for i := range v.ids {
		id := &v.ids[i]
		if contains(v.ids[:i], id) {
			continue
		}
		got, slots, found, err := v.probe(id.Key(), id)
		switch {
		case err != nil || !found:
			v.fault(rec.offset, checkLookup, "a look-up of the record's own %s finds nothing", id)
		case got.offset == rec.offset:
			reached = true
			v.keys++
			v.longestProbe = max(v.longestProbe, slots)
		case rec.newer(got):
			v.fault(rec.offset, checkLookup, "a look-up of %s finds the older record at offset %d", id, got.offset)
		}
	}
	if !reached {
		v.fault(rec.offset, checkLookup, "no look-up finds the record of %s", &v.ids[0])
	}
}

func contains(list []CertID, id *CertID) bool {
	for i := range list {
		if list[i].Equal(id) {
			return true
		}
	}
	return false
}

// content compares the record with the response that it stands for.
func (v *verifier) content(rec Record) {
	v.response = rec.AppendResponse(v.response[:0])
	r := &v.parsed
	if err := r.Parse(v.response); err != nil {
		v.fault(rec.offset, checkResponse, "the record's response: %v", err)
		return
	}
	if len(r.Singles) != len(v.ids) {
		v.fault(rec.offset, checkResponse, "the record has %d CertIDs, its response %d", len(v.ids), len(r.Singles))
		return
	}
	for i := range v.ids {
		if !v.ids[i].Equal(&r.Singles[i].CertID) {
			v.fault(rec.offset, checkResponse, "the record is for %s, its response for %s", &v.ids[i], &r.Singles[i].CertID)
		}
	}
	if r.Status != rec.Status() {
		v.fault(rec.offset, checkResponse, "the record's status is %s, its response's %s", rec.Status(), r.Status)
	}
	if r.ThisUpdate != rec.ThisUpdate() || r.NextUpdate != rec.NextUpdate() || r.ProducedAt != rec.ProducedAt() {
		v.fault(rec.offset, checkResponse, "the record's thisUpdate, nextUpdate and producedAt are %d, %d and %d, its response's %d, %d and %d",
			rec.ThisUpdate(), rec.NextUpdate(), rec.ProducedAt(), r.ThisUpdate, r.NextUpdate, r.ProducedAt)
	}
	if etag := etagOf(v.response); etag != rec.ETag() {
		v.fault(rec.offset, checkResponse, "the record's ETag is %016x, its response's %016x", rec.ETag(), etag)
	}
}

// slots counts the taken ones: every record found accounts for one a key.
func (v *verifier) slots() {
	var taken uint64
	for i := range v.head.slots.size / slotSize {
		if v.slot(i) != 0 {
			taken++
		}
	}
	if taken != v.keys {
		v.fault(v.head.slots.offset, checkSlots, "%d slots are taken, %d lead to a record", taken, v.keys)
	}
}

func (v *verifier) header() {
	h := v.head
	for _, c := range [...]struct {
		offset    uint64
		what      string
		head, got uint64
	}{
		{12, "longest probe", uint64(h.longestProbe), uint64(v.longestProbe)},
		{24, "records", h.records, v.count},
		{32, "keys", h.keys, v.keys},
		{40, "tombstones", h.tombstones, v.tombstones},
		{64, "earliest nextUpdate", uint64(h.times.minNextUpdate), uint64(v.times.minNextUpdate)},
		{68, "latest thisUpdate", uint64(h.times.maxThisUpdate), uint64(v.times.maxThisUpdate)},
		{72, "earliest producedAt", uint64(h.times.minProducedAt), uint64(v.times.minProducedAt)},
		{76, "latest producedAt", uint64(h.times.maxProducedAt), uint64(v.times.maxProducedAt)},
	} {
		if c.head != c.got {
			v.fault(c.offset, checkHeader, "header: %s is %d, the records give %d", c.what, c.head, c.got)
		}
	}
}
