package index

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/cespare/xxhash/v2"
)

// maxFaults bounds what Verify reports: a file that is bad throughout would
// repeat itself a million times.
const maxFaults = 20

// Verify checks everything that the format promises and that OpenBytes did not:
//
//   - the checksum of each section, and that the octets between sections are 0;
//   - every record: its checksum; that it gives back an OCSPResponse whose CertIDs,
//     status, thisUpdate, nextUpdate, producedAt and SHA-256 are those it claims;
//   - that a look-up of each of its CertIDs finds it or, for some but not all of
//     them, one that is not older;
//   - that no slot is taken but by these, and that the longest probe is right;
//   - the counts and times in the header.
//
// It returns the faults found, each with its offset in the file, at most 20 of
// them, joined. A page that cannot be read is a fault like others. It reads the
// whole file and takes some 2 µs a record.
func (s *Segment) Verify() (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("a page of the file cannot be read (%v): the file was cut off while open, or the disk fails: %w", fault, ErrCorrupt)
		}
	}()
	v := verifier{Segment: s}
	v.sections()
	v.records()
	v.slots()
	v.header()
	return errors.Join(v.faults...)
}

type verifier struct {
	*Segment
	faults []error

	// What the records turned out to hold.
	count, keys, tombstones uint64
	times                   timeRange
	longestProbe            uint32

	response []byte
	parsed   Response
	ids      []CertID
}

func (v *verifier) fault(offset uint64, format string, args ...any) {
	if len(v.faults) < maxFaults {
		err := fmt.Errorf(format, args...)
		v.faults = append(v.faults, fmt.Errorf("offset %d: %w: %w", offset, err, ErrCorrupt))
	}
}

func (v *verifier) sections() {
	names := [...]string{"records", "slots", "issuers", "shapes"}
	for i, sec := range v.head.sections() {
		if sum := xxhash.Sum64(v.octets(sec.offset, sec.size)); sum != sec.sum {
			v.fault(sec.offset, "%s of %d octets have checksum %016x, the header says %016x", names[i], sec.size, sum, sec.sum)
		}
	}
	end := v.head.recs.offset + v.head.recs.size
	for i, b := range v.octets(end, v.head.slots.offset-end) {
		if b != 0 {
			v.fault(end+uint64(i), "octet %#x between the sections, want 0", b)
		}
	}
}

func (v *verifier) records() {
	err := v.Records(func(rec Record) bool {
		v.count++
		v.reachable(rec)
		if rec.Tombstone() {
			v.tombstones++
			return true
		}
		v.times.widen(uint32(rec.ThisUpdate()), uint32(rec.NextUpdate()), uint32(rec.ProducedAt()), v.count-v.tombstones == 1)
		v.content(rec)
		return true
	})
	if err != nil {
		v.faults = append(v.faults, err)
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
			v.fault(rec.offset, "a look-up of the record's own %s finds nothing", id)
		case got.offset == rec.offset:
			reached = true
			v.keys++
			v.longestProbe = max(v.longestProbe, slots)
		case rec.newer(got):
			v.fault(rec.offset, "a look-up of %s finds the older record at offset %d", id, got.offset)
		}
	}
	if !reached {
		v.fault(rec.offset, "no look-up finds the record of %s", &v.ids[0])
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
		v.fault(rec.offset, "the record's response: %v", err)
		return
	}
	if len(r.Singles) != len(v.ids) {
		v.fault(rec.offset, "the record has %d CertIDs, its response %d", len(v.ids), len(r.Singles))
		return
	}
	for i := range v.ids {
		if !v.ids[i].Equal(&r.Singles[i].CertID) {
			v.fault(rec.offset, "the record is for %s, its response for %s", &v.ids[i], &r.Singles[i].CertID)
		}
	}
	if r.Status != rec.Status() {
		v.fault(rec.offset, "the record's status is %s, its response's %s", rec.Status(), r.Status)
	}
	if r.ThisUpdate != rec.ThisUpdate() || r.NextUpdate != rec.NextUpdate() || r.ProducedAt != rec.ProducedAt() {
		v.fault(rec.offset, "the record's thisUpdate, nextUpdate and producedAt are %d, %d and %d, its response's %d, %d and %d",
			rec.ThisUpdate(), rec.NextUpdate(), rec.ProducedAt(), r.ThisUpdate, r.NextUpdate, r.ProducedAt)
	}
	if etag := etagOf(v.response); etag != rec.ETag() {
		v.fault(rec.offset, "the record's ETag is %016x, its response's %016x", rec.ETag(), etag)
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
		v.fault(v.head.slots.offset, "%d slots are taken, %d lead to a record", taken, v.keys)
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
			v.fault(c.offset, "header: %s is %d, the records give %d", c.what, c.head, c.got)
		}
	}
}
