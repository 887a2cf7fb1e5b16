package index

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
)

// A Writer builds one segment file, front to back, in memory that does not grow
// with the number of responses. The format is described in the package comment.
// It is not safe for concurrent use; Entries are made ready concurrently.
type Writer struct {
	*blockWriter
	head    header
	keys    sorter
	issuers map[string]uint32 // encoded issuer to number
	list    []issuer
	shapes  shapeTable
	known   map[*shape]uint32 // numbers of shapes that entries share, each equal to the table's by that number
	merging bool              // no two entries have a CertID in common
	record  []byte            // scratch
	check   []byte            // scratch

	whole, superseded, identical, conflicts uint64

	conflict CertID // of the first of conflicts
}

// Stats counts what a Writer did.
type Stats struct {
	Info
	Whole      uint64 // responses that share their shape with no other, stored whole
	Superseded uint64 // entries left out of a key because a newer one was added
	Identical  uint64 // entries left out of a key because the same one was added

	// Conflicts counts the entries of which one was left out although nothing
	// says that the other is newer, and their statuses differ. Conflict is a
	// CertID of the first.
	Conflicts uint64
	Conflict  CertID
}

// NewWriter begins a segment of the certificates in shard, in a temporary file in
// dir. Its name begins with ".tmp-"; Finish and Abort decide what becomes of it.
func NewWriter(dir string, shard Shard) (*Writer, error) {
	if !shard.Valid() {
		return nil, fmt.Errorf("shard %s: want I/N with a power of two up to %d for N and I below it", shard, MaxShards)
	}
	f, err := os.CreateTemp(dir, ".tmp-segment-*")
	if err != nil {
		return nil, err
	}
	w := &Writer{
		blockWriter: newBlockWriter(f),
		keys:        newSorter(dir, shard.Of),
		issuers:     make(map[string]uint32),
		shapes:      newShapeTable(),
		known:       make(map[*shape]uint32),
		head:        header{version: version, shard: shard},
	}
	if err := w.write(make([]byte, headerSize)); err != nil { // its place, for now
		w.Abort()
		return nil, err
	}
	w.cut()
	return w, nil
}

// NewMergeWriter is NewWriter for entries between which was decided before: where two
// have a CertID in common, Finish fails.
func NewMergeWriter(dir string, shard Shard) (*Writer, error) {
	w, err := NewWriter(dir, shard)
	if err == nil {
		w.merging = true
	}
	return w, err
}

// Add appends one entry, under those of its CertIDs that are in the shard; one that
// has none there is an error. The order of calls decides the octets of the file and
// nothing else: of several entries for one CertID the newest is kept, by
// thisUpdate, then by producedAt. After an error the Writer can only be aborted.
func (w *Writer) Add(e *Entry) error {
	e, err := e.within(w.head.shard)
	if err == nil {
		err = w.checkSize()
	}
	if err != nil {
		return err
	}
	number, known := w.known[e.shape]
	if !known {
		if number, err = w.shapeFor(e); err != nil {
			return err
		}
	}
	w.record = e.appendRecord(w.record[:0], number)
	switch {
	case known:
	case !w.reproduces(e, number):
		// Another shape has the same 64-bit sum: as good as impossible, but then harmless.
		if e.shape.whole || e.tombstone {
			return fmt.Errorf("two sets of issuers have the same checksum %016x", e.sum)
		}
		e.makeWhole(nil)
		return w.Add(e)
	case e.shared():
		w.known[e.shape] = number
	}
	return w.enter(e)
}

// enter writes the record of e, and counts it.
func (w *Writer) enter(e *Entry) error {
	for _, key := range e.keys {
		if err := w.keys.add(indexEntry{key, w.at}); err != nil {
			return err
		}
	}
	t := e.times
	if e.tombstone {
		w.head.tombstones++
	} else {
		w.head.times.widen(t.thisUpdate, t.nextUpdate, t.producedAt, w.head.records == w.head.tombstones)
	}
	w.head.records++
	if e.shape.whole {
		w.whole++
	}
	return w.write(w.record)
}

// shapeFor returns the number of e's shape. If that is not worth its octets, e becomes
// a response stored whole.
func (w *Writer) shapeFor(e *Entry) (uint32, error) {
	if e.shared() {
		e.sum = e.cutter.sum()
	}
	if number, ok := w.shapes.find(e.sum); ok {
		return number, nil
	}
	if !e.shape.whole && !e.tombstone && !w.shapes.worth(e) {
		e.makeWhole(w.shapes.sharedTail(e))
		return w.shapeFor(e)
	}
	number, err := w.shapes.add(e.sum, e.shape)
	if err == nil {
		for i := range e.certIDs {
			w.shapes.list[number].ids[i].issuer = w.issuer(&e.certIDs[i])
		}
	}
	return number, err
}

func (w *Writer) issuer(id *CertID) uint32 {
	is := issuer{id.Alg, id.NameHash, id.KeyHash}
	var buf [1 + 2*64]byte
	octets := is.append(buf[:0])
	number, ok := w.issuers[string(octets)]
	if !ok {
		number = uint32(len(w.list))
		w.issuers[string(octets)] = number
		own := bytes.Clone(octets)
		size := id.Alg.Size()
		w.list = append(w.list, issuer{id.Alg, own[1 : 1+size], own[1+size:]})
	}
	return number
}

// reproduces checks that the record just encoded gives back what went in.
func (w *Writer) reproduces(e *Entry, number uint32) bool {
	sh := &w.shapes.list[number]
	if sh.payload != e.shape.payload || len(sh.ids) != len(e.certIDs) {
		return false
	}
	for i, id := range sh.ids {
		if !w.list[id.issuer].names(&e.certIDs[i]) {
			return false
		}
	}
	if e.tombstone || e.copied {
		return sh.sameOctets(e.shape)
	}
	w.check = sh.appendResponse(w.check[:0], w.record, w.record[recordHeadSize:])
	return bytes.Equal(w.check, e.der)
}

// Finish writes the rest of the segment and returns its path in the directory given to
// NewWriter. The caller syncs and renames the file, or removes it. On an error nothing
// is left behind.
func (w *Writer) Finish() (path string, stats Stats, err error) {
	path, stats, err = w.finish()
	if err != nil {
		w.Abort()
	}
	return path, stats, err
}

func (w *Writer) finish() (string, Stats, error) {
	w.head.recs = w.section(headerSize)
	if err := w.write(make([]byte, align(w.at)-w.at)); err != nil {
		return "", Stats{}, err
	}
	w.cut()
	if err := w.writeTable(); err != nil {
		return "", Stats{}, err
	}
	if err := w.writeShared(); err != nil {
		return "", Stats{}, err
	}
	if err := w.writeHeader(); err != nil {
		return "", Stats{}, err
	}
	if w.superseded+w.identical > 0 {
		return w.compact()
	}
	w.keys.close()
	stats := w.stats()
	return w.file.Name(), stats, w.file.Close()
}

func (w *Writer) stats() Stats {
	seg := Segment{head: &w.head}
	return Stats{
		Info: seg.Info(), Whole: w.whole, Superseded: w.superseded, Identical: w.identical,
		Conflicts: w.conflicts, Conflict: w.conflict,
	}
}

// section is the section that began at start and ends here.
func (w *Writer) section(start uint64) section {
	return section{start, w.at - start, w.cut()}
}

// writeShared writes the issuers and the shapes.
func (w *Writer) writeShared() error {
	start := w.at
	for i := range w.list {
		if err := w.write(w.list[i].append(nil)); err != nil {
			return err
		}
	}
	w.head.issuers = w.section(start)
	start = w.at
	for i := range w.shapes.list {
		if err := w.write(w.shapes.list[i].append(nil, uint32(i))); err != nil {
			return err
		}
	}
	w.head.shapeSec = w.section(start)
	w.head.numIssuers, w.head.numShapes = uint32(len(w.list)), uint32(len(w.shapes.list))
	return nil
}

func (w *Writer) checkSize() error {
	if w.at > slotOffsetMask {
		return fmt.Errorf("segment has %d octets by now, the format ends at %d: build one segment a shard", w.at, uint64(slotOffsetMask))
	}
	return nil
}

func (w *Writer) writeHeader() error {
	w.head.size = w.at
	if err := w.checkSize(); err != nil {
		return err
	}
	if err := w.flush(); err != nil {
		return err
	}
	_, err := w.file.WriteAt(w.head.encode(), 0)
	return err
}

// compact copies the records that are still reachable under some CertID into a
// new segment, and enters them under no other. It is needed only where the input held several responses for one
// certificate, which keeps the usual build one sequential write.
func (w *Writer) compact() (string, Stats, error) {
	seg, err := Open(w.file.Name())
	if err != nil {
		return "", Stats{}, err
	}
	defer seg.Close()
	to, err := NewMergeWriter(w.keys.dir, w.head.shard)
	if err != nil {
		return "", Stats{}, err
	}
	if err := seg.copyLive(to); err != nil {
		to.Abort()
		return "", Stats{}, err
	}
	path, stats, err := to.Finish()
	stats.Superseded, stats.Identical = w.superseded, w.identical
	stats.Conflicts, stats.Conflict = w.conflicts, w.conflict
	w.Abort()
	return path, stats, err
}

// copyLive adds to w every record that a look-up can still reach.
func (s *Segment) copyLive(w *Writer) error {
	var (
		e      Entry
		ids    []CertID
		failed error
	)
	err := s.Records(func(rec Record) bool {
		ids = slices.DeleteFunc(rec.CertIDs(ids[:0]), func(id CertID) bool { return !s.leadsTo(&id, rec) })
		if len(ids) == 0 {
			return true
		}
		if failed = e.SetRecord(rec, ids); failed == nil {
			failed = w.Add(&e)
		}
		return failed == nil
	})
	return errors.Join(err, failed)
}

// leadsTo reports whether a look-up of id finds rec.
func (s *Segment) leadsTo(id *CertID, rec Record) bool {
	got, found, err := s.Lookup(id.Key(), id)
	return err == nil && found && got.offset == rec.offset
}

// Abort removes everything that the Writer has made.
func (w *Writer) Abort() {
	w.keys.close()
	w.wait()
	w.file.Close()
	os.Remove(w.file.Name())
}
