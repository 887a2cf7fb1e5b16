package index

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// A tableWriter writes the slots. Its entries come sorted by key, so the slots
// they belong into follow each other and are written in one pass.
type tableWriter struct {
	*Writer
	records *Segment // the records written so far; slots and checksums are still missing
	key     uint64   // of the group
	group   []uint64 // offsets of the records to be reachable under key: one for each CertID that has it
	next    uint64   // the first slot not written
}

func (w *Writer) writeTable() error {
	records, err := w.writtenRecords()
	if err != nil {
		return err
	}
	defer unix.Munmap(records.data)
	start := w.at
	// Entries that turn out to be superseded are counted too: they only make
	// the table a little emptier.
	w.head.homeSlots = homeSlots(w.keys.count)
	t := tableWriter{Writer: w, records: records}
	if err := w.keys.each(t.add); err != nil {
		return err
	}
	if err := t.endGroup(); err != nil {
		return err
	}
	// At least one free slot ends the last probe.
	if err := t.freeSlots(max(w.head.homeSlots, t.next) + 1); err != nil {
		return err
	}
	w.head.slots = w.section(start)
	return nil
}

// writtenRecords is a view of the file in which only records can be read.
func (w *Writer) writtenRecords() (*Segment, error) {
	if err := w.flush(); err != nil {
		return nil, err
	}
	data, err := unix.Mmap(int(w.file.Fd()), 0, int(w.at), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("cannot map %d octets of %s: %w", w.at, w.file.Name(), err)
	}
	return &Segment{data: data, head: &w.head, recHead: recordHeadSize, issuers: w.list, shapes: w.shapes.list}, nil
}

func (t *tableWriter) add(e indexEntry) error {
	if e.key != t.key || len(t.group) == 0 {
		if err := t.endGroup(); err != nil {
			return err
		}
		t.key, t.group = e.key, append(t.group[:0], e.offset)
		return nil
	}
	var rec, other Record
	if !t.records.record(e.offset, &rec, nil) {
		return t.notKept(e.offset)
	}
	for i, offset := range t.group {
		if !t.records.record(offset, &other, nil) {
			return t.notKept(offset)
		}
		id, ok := rec.commonCertID(&other, t.key)
		if !ok {
			continue // two CertIDs with one key
		}
		if t.merging {
			return fmt.Errorf("two entries for %s, at offsets %d and %d of the segment: a merge must have decided between them", &id, offset, e.offset)
		}
		order := rec.compare(&other)
		if order > 0 {
			t.group[i] = e.offset
		}
		if order == 0 {
			t.identical++
		} else {
			t.superseded++
			t.noteConflict(&rec, &other, &id)
		}
		return nil
	}
	t.group = append(t.group, e.offset)
	return nil
}

// notKept is the error about a record that was written a moment ago.
func (t *tableWriter) notKept(offset uint64) error {
	return fmt.Errorf("the record at offset %d of %s is not what was written there: does the disk fail? %w", offset, t.file.Name(), ErrCorrupt)
}

// noteConflict counts if rec and other, two responses of one moment, say different
// things of id, which both have.
func (t *tableWriter) noteConflict(rec, other *Record, id *CertID) {
	if rec.Moment() != other.Moment() || rec.Tombstone() || other.Tombstone() || rec.StatusOf(id) == other.StatusOf(id) {
		return
	}
	if t.conflicts++; t.conflicts == 1 {
		t.conflict = id.Clone()
	}
}

// endGroup writes the slots of the group.
func (t *tableWriter) endGroup() error {
	for _, offset := range t.group {
		first := home(t.key, t.head.homeSlots)
		at := max(first, t.next)
		if err := t.freeSlots(at); err != nil {
			return err
		}
		if err := t.writeSlot(t.key&fingerprintMask<<slotOffsetBits | offset); err != nil {
			return err
		}
		t.head.keys++
		t.head.longestProbe = max(t.head.longestProbe, uint32(t.next-first))
	}
	return nil
}

// freeSlots writes free slots up to slot end.
func (t *tableWriter) freeSlots(end uint64) error {
	for t.next < end {
		if err := t.writeSlot(0); err != nil {
			return err
		}
	}
	return nil
}

func (t *tableWriter) writeSlot(slot uint64) error {
	t.next++
	var b [slotSize]byte
	le.PutUint64(b[:], slot)
	return t.write(b[:])
}

// commonCertID is a CertID with the given key that both records have.
func (r *Record) commonCertID(other *Record, key uint64) (id CertID, ok bool) {
	for i := range r.shape.ids {
		if id := r.certID(&r.shape.ids[i]); id.Key() == key && other.has(&id) {
			return id, true
		}
	}
	return CertID{}, false
}
