package index

import (
	"fmt"
	"os"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/sys/unix"

	"lancre/internal/sigbus"
)

// maxFaults bounds what Verify reports of one segment: one that is bad throughout
// would repeat itself a million times.
const maxFaults = 20

// The checks of Verify, as a Fault names them.
const (
	checkSection    = "segment.section"    // a section has its checksum; octets between sections are 0
	checkRecord     = "segment.record"     // a record has its checksum and ends where the next begins
	checkResponse   = "segment.response"   // a record gives back a response with the CertIDs, status and times it claims
	checkLookup     = "segment.lookup"     // a look-up of each CertID of a record finds it
	checkShard      = "segment.shard"      // a CertID of a record is in the segment's shard
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
// and calls report, from the caller's goroutine, for each of the first 20 faults:
//
//   - the checksum of each section, and that the octets between sections are 0;
//   - every record: its checksum; that it gives back an OCSPResponse whose CertIDs,
//     status, thisUpdate, nextUpdate and producedAt are those it claims, which one
//     response can prove for all of its shape;
//   - that each of its CertIDs is in the segment's shard, and that a look-up of it finds
//     the record or, in versions 1 and 2, for some but not all of them, one that is
//     not older;
//   - that no slot is taken but by these, and that the longest probe is right;
//   - the counts and times in the header;
//   - that every page of the file can be read.
//
// It reports whether there was none. It reads the whole file, and takes some 0.2 µs
// a record shared by all processors.
func (s *Segment) Verify(report func(*Fault)) (ok bool) {
	v := verifier{Segment: s, report: report, pause: func() {}}
	err := sigbus.Guard(func() error {
		v.sections()
		v.records()
		v.slots()
		v.header()
		return nil
	})
	if err != nil {
		v.fault(0, checkUnreadable, "%v", err)
	}
	return v.faults == 0
}

type verifier struct {
	*Segment
	report func(*Fault)
	faults int

	pause    func() // between steps of reading
	released uint64 // the window before this offset is not in memory any more
	keep     bool   // in memory what was read

	proofs []proof // by number of the shape

	total tally // over all records
}

// release takes the window that ends at offset out of the process's memory, so that
// a file larger than memory can be verified. The page cache may keep it.
func (v *verifier) release(offset uint64) {
	v.released = offset
	if !v.keep {
		v.Segment.release(offset)
	}
}

// release takes the window that ends at offset out of the process's memory.
func (s *Segment) release(offset uint64) {
	if s.mapped {
		begin, end := pagesBefore(offset, uint64(os.Getpagesize()))
		_ = unix.Madvise(s.data[begin:end], unix.MADV_DONTNEED) // advice that is not taken costs memory only
	}
}

// pagesBefore is where the whole pages of the window that ends at offset lie, and
// those of the window before it, for what lay across.
func pagesBefore(offset, page uint64) (begin, end uint64) {
	begin = max(offset, 2*window) - 2*window
	return begin / page * page, offset / page * page
}

func (v *verifier) fault(offset uint64, check, format string, args ...any) {
	v.take(&Fault{int64(offset), check, fmt.Sprintf(format, args...)})
}

func (v *verifier) take(f *Fault) {
	if v.faults++; v.faults <= maxFaults {
		v.report(f)
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
		v.pause()
	}
	return d.Sum64()
}

// slots counts the taken ones: every record found accounts for one a key.
func (v *verifier) slots() {
	var taken uint64
	for i := range v.head.slots.size / slotSize {
		if v.table.at(i) != 0 {
			taken++
		}
	}
	if taken != v.total.keys {
		v.fault(v.head.slots.offset, checkSlots, "%d slots are taken, %d lead to a record", taken, v.total.keys)
	}
}

func (v *verifier) header() {
	h := v.head
	for _, c := range [...]struct {
		offset    uint64
		what      string
		head, got uint64
	}{
		{12, "longest probe", uint64(h.longestProbe), uint64(v.total.longestProbe)},
		{24, "records", h.records, v.total.count},
		{32, "keys", h.keys, v.total.keys},
		{40, "tombstones", h.tombstones, v.total.tombstones},
		{64, "earliest nextUpdate", uint64(h.times.minNextUpdate), uint64(v.total.times.minNextUpdate)},
		{68, "latest thisUpdate", uint64(h.times.maxThisUpdate), uint64(v.total.times.maxThisUpdate)},
		{72, "earliest producedAt", uint64(h.times.minProducedAt), uint64(v.total.times.minProducedAt)},
		{76, "latest producedAt", uint64(h.times.maxProducedAt), uint64(v.total.times.maxProducedAt)},
	} {
		if c.head != c.got {
			v.fault(c.offset, checkHeader, "header: %s is %d, the records give %d", c.what, c.head, c.got)
		}
	}
}
