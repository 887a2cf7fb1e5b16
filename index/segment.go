package index

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"runtime"
	"slices"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/sys/unix"

	"lancre/internal/mapping"
)

// A Segment is one open segment file. Its methods are safe for concurrent use.
//
// Opened from a file, it is a mapping: reading a page that a failing disk or a
// truncated file cannot give raises a fault, which ends the process unless the
// goroutine has called debug.SetPanicOnFault.
type Segment struct {
	data    []byte // the file; what it holds is read through octets and table alone
	table   Slots
	head    *header
	recHead uint64 // size of a record's head
	issuers []issuer
	shapes  []shape
	cleanup runtime.Cleanup
	mapped  bool
}

// Info is what a segment's header says of its content.
type Info struct {
	Records    uint64 // responses and tombstones
	Keys       uint64 // CertIDs they are entered under
	Tombstones uint64
	Shapes     int
	Shard      Shard // of the certificates that the segment is for
	Size       int64 // of the file, octets
	Sections   Sections
	// Unix seconds over all responses; 0 if there is none.
	MinNextUpdate, MaxThisUpdate, MinProducedAt, MaxProducedAt int64
}

// Sections says how large each section of the file is, in octets. The header and
// the octets that align the slots are the rest.
type Sections struct {
	Records, Slots, Issuers, Shapes int64
}

// Open maps the segment file at path and checks it as OpenBytes does. The
// mapping goes with Close, or when the Segment cannot be reached any more.
func Open(path string) (*Segment, error) {
	data, err := mapping.Open(path, "segment", headerSize)
	if err != nil {
		return nil, err
	}
	s, err := OpenBytes(data)
	if err != nil {
		unix.Munmap(data)
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s.mapped = true
	s.cleanup = runtime.AddCleanup(s, func(data []byte) { unix.Munmap(data) }, data)
	return s, nil
}

// OpenBytes opens a segment held in memory, which must stay unchanged. It checks
// the header, the bounds of the sections, and the issuers and shapes, which are
// copied out of data: work that does not grow with the number of records.
// Records and slots are checked when they are read; Verify checks all of them.
func OpenBytes(data []byte) (*Segment, error) {
	head, err := decodeHeader(data[:min(len(data), headerSize)], uint64(len(data)))
	if err != nil {
		return nil, err
	}
	s := &Segment{data: data, head: head, recHead: head.recordHead()}
	s.table = Slots{s.octets(head.slots.offset, head.slots.size), head.homeSlots, uint64(head.longestProbe)}
	if last := head.slots.size/slotSize - 1; s.table.at(last) != 0 {
		return nil, fmt.Errorf("slot %d, the last, is taken: %w", last, ErrCorrupt)
	}
	issuers, err := s.checkedCopy(head.issuers, "issuers")
	if err != nil {
		return nil, err
	}
	if s.issuers, err = decodeIssuers(issuers, head.numIssuers); err != nil {
		return nil, err
	}
	shapes, err := s.checkedCopy(head.shapeSec, "shapes")
	if err != nil {
		return nil, err
	}
	s.shapes, err = decodeShapes(shapes, head, len(s.issuers))
	return s, err
}

func (s *Segment) checkedCopy(sec section, name string) ([]byte, error) {
	b := bytes.Clone(s.octets(sec.offset, sec.size))
	if sum := xxhash.Sum64(b); sum != sec.sum {
		return nil, fmt.Errorf("%s at offset %d: checksum is %016x, the octets give %016x: the file was changed or damaged; copy it again: %w",
			name, sec.offset, sec.sum, sum, ErrCorrupt)
	}
	return b, nil
}

// Close unmaps the file at once. No Record of s may be used any more.
func (s *Segment) Close() error {
	if !s.mapped {
		return nil
	}
	s.cleanup.Stop()
	s.mapped = false
	data := s.data
	s.data, s.table = nil, Slots{}
	return unix.Munmap(data)
}

// Warm reads the whole file into the page cache and then advises the kernel that
// accesses will be random. The order matters: populated first, the kernel maps
// large pages; advised first, it reads 4 KiB at a time, some twenty times slower.
//
// It calls pause after every 2 MiB: a server that answers meanwhile sleeps there.
func (s *Segment) Warm(pause func()) error {
	if !s.mapped {
		return nil
	}
	for at := 0; at < len(s.data); at += blockSize {
		if err := populate(s.data[at:min(at+blockSize, len(s.data))]); err != nil {
			return fmt.Errorf("reading %d mapped octets at offset %d: %w", len(s.data), at, err)
		}
		pause()
	}
	return s.ReadSparsely()
}

// ReadSparsely advises the kernel that accesses will be random: that a page which
// is missing is to be read without its neighbours. It is for a segment that does
// not fit into memory; Warm includes it.
func (s *Segment) ReadSparsely() error {
	if !s.mapped {
		return nil
	}
	return unix.Madvise(s.data, unix.MADV_RANDOM)
}

func populate(pages []byte) error {
	err := unix.Madvise(pages, unix.MADV_POPULATE_READ)
	if errors.Is(err, unix.EINVAL) { // a kernel before 5.14
		err = unix.Madvise(pages, unix.MADV_WILLNEED)
	}
	return err
}

// Info returns what the header says of the content.
func (s *Segment) Info() Info {
	h := s.head
	return Info{
		Records: h.records, Keys: h.keys, Tombstones: h.tombstones, Shapes: int(h.numShapes), Shard: h.shard, Size: int64(h.size),
		Sections:      Sections{int64(h.recs.size), int64(h.slots.size), int64(h.issuers.size), int64(h.shapeSec.size)},
		MinNextUpdate: int64(h.times.minNextUpdate), MaxThisUpdate: int64(h.times.maxThisUpdate),
		MinProducedAt: int64(h.times.minProducedAt), MaxProducedAt: int64(h.times.maxProducedAt),
	}
}

// octets is the one way to the octets of the file: n of them from offset on, or
// nil where the file has none.
func (s *Segment) octets(offset, n uint64) []byte {
	if end := offset + n; offset <= end && end <= uint64(len(s.data)) {
		return s.data[offset:end:end]
	}
	return nil
}

// Lookup finds the record that is entered under id; key must be id.Key(). The
// error is ErrCorrupt where a record on the way fails its checks. It does not
// allocate.
func (s *Segment) Lookup(key uint64, id *CertID) (rec Record, found bool, err error) {
	found, err = s.LookupInto(key, id, &rec, nil)
	return rec, found, err
}

// LookupInto is Lookup with the result in *rec, the zero Record where none is found. Unless
// buf is nil, the record is a copy in *buf: the octets of a mapping can change after their
// checksum was compared, where a disk fails or somebody writes to the file. *buf grows if
// need be; the record is valid until it is used again.
func (s *Segment) LookupInto(key uint64, id *CertID, rec *Record, buf *[]byte) (found bool, err error) {
	for offset, n := s.table.next(key, 0); offset != 0; offset, n = s.table.next(key, n) {
		if !s.record(offset, rec, buf) {
			err = ErrCorrupt
			break
		}
		if rec.has(id) {
			return true, nil
		}
	}
	*rec = Record{}
	return false, err
}

// record reads and checks the record at offset or, if buf is not nil, a copy of it in
// *buf. It reports whether *rec is that.
func (s *Segment) record(offset uint64, rec *Record, buf *[]byte) bool {
	number, size, ok := s.frame(offset)
	if !ok {
		return false
	}
	octets := s.octets(offset, size)
	if buf != nil {
		octets = append((*buf)[:0], octets...)
		*buf = octets
	}
	// Field by field: a whole Record is made elsewhere and copied, for which the processor waits.
	rec.segment, rec.shape, rec.octets, rec.offset = s, &s.shapes[number], octets, offset
	return crc32.Checksum(octets[4:], castagnoli) == le.Uint32(octets) && rec.Tombstone() == rec.shape.tombstone() &&
		rec.bits()&(maxShapes-1) == number // again, for the copy may have another
}

// frame finds out the number of the shape and the size of the record at offset,
// without its checksum; ok is false if there can be no record.
func (s *Segment) frame(offset uint64) (number uint32, size uint64, ok bool) {
	begin, end := s.head.recs.offset, s.head.recs.offset+s.head.recs.size
	if offset < begin || offset+s.recHead > end {
		return 0, 0, false
	}
	bits := le.Uint32(s.octets(offset+4, 4))
	number = bits & (maxShapes - 1)
	if bits&^knownBits != 0 || bits&statusMask > uint32(Unknown)<<statusShift || int(number) >= len(s.shapes) {
		return 0, 0, false
	}
	sh := &s.shapes[number]
	size = s.recHead + uint64(sh.payload)
	if offset+size > end {
		return 0, 0, false
	}
	if sh.whole {
		rest := uint64(le.Uint32(s.octets(offset+size-4, 4)))
		size += rest
		if rest > MaxResponse || offset+size > end {
			return 0, 0, false
		}
	}
	return number, size, true
}

// EntersOnce reports whether the format promises that no two records are entered under
// one CertID: it does since version 3.
func (s *Segment) EntersOnce() bool { return s.head.version > 2 }

// Records calls yield for every record in the order of the file until yield
// returns false. It holds a window of the file in memory, as Verify does. The error, a
// *Fault, names the record that cannot be read.
func (s *Segment) Records(yield func(Record) bool) error {
	at, end := s.head.recs.offset, s.head.recs.offset+s.head.recs.size
	for released := at; at < end; {
		var rec Record
		if !s.record(at, &rec, nil) {
			return unreadable(at)
		}
		if !yield(rec) {
			return nil
		}
		if at += uint64(len(rec.octets)); at-released >= window {
			s.release(at)
			released = at
		}
	}
	return nil
}

// A Record is a view of one stored response, or of a tombstone, that has passed
// its checksum. It is valid while its Segment is open and reachable: a user whose
// last mention of the Segment comes before the last use of the Record needs
// runtime.KeepAlive. Safe for concurrent use.
type Record struct {
	segment *Segment
	shape   *shape
	octets  []byte
	offset  uint64
}

// Status is the gravest certStatus that the response gives one of r's CertIDs, or that
// a tombstone hides: revoked, unknown, good.
func (r *Record) Status() Status { return Status(r.bits() & statusMask >> statusShift) }

// StatusOf is the certStatus that the response gives id, one of r's CertIDs, or that
// a tombstone hides. It allocates only where r has several and not all of them are
// good.
func (r *Record) StatusOf(id *CertID) Status {
	if len(r.shape.ids) > 1 && r.Status() != Good {
		if s, ok := r.Single(id); ok {
			return s.Status
		}
	}
	return r.Status()
}

// Single returns the first SingleResponse for id; ok is false if there is none, as in
// a tombstone. It parses the response, and allocates.
func (r *Record) Single(id *CertID) (s Single, ok bool) {
	var parsed Response
	if parsed.Parse(r.AppendResponse(nil)) != nil {
		return Single{}, false
	}
	for _, s := range parsed.Singles {
		if s.CertID.Equal(id) {
			return s, true
		}
	}
	return Single{}, false
}

// Tombstone reports whether the record says "ours, but no current response".
func (r *Record) Tombstone() bool { return r.bits()&tombstoneBit != 0 }

// ThisUpdate is the latest thisUpdate of the response, Unix seconds.
func (r *Record) ThisUpdate() int64 { return int64(le.Uint32(r.octets[8:])) }

// NextUpdate is the earliest nextUpdate of the response, Unix seconds; 0 for a tombstone.
func (r *Record) NextUpdate() int64 { return int64(le.Uint32(r.octets[12:])) }

// ProducedAt is the producedAt of the response, Unix seconds.
func (r *Record) ProducedAt() int64 { return int64(le.Uint32(r.octets[16:])) }

// Shape is a number that r shares with responses of its segment that differ from
// it in serial numbers, times and signatures only; ok is false where a response
// shares nothing with others, and where there is none.
func (r *Record) Shape() (number int, ok bool) {
	return int(r.bits() & (maxShapes - 1)), !r.shape.whole && !r.Tombstone()
}

// Offset is where in its file the record begins.
func (r *Record) Offset() int64 { return int64(r.offset) }

// Size is the length of the record in its file.
func (r *Record) Size() int { return len(r.octets) }

func (r *Record) bits() uint32 { return le.Uint32(r.octets[4:]) }

func (r *Record) payload() []byte { return r.octets[r.segment.recHead:] }

// ResponseSize is how many octets AppendResponse appends: 0 for a tombstone.
func (r *Record) ResponseSize() int {
	return r.shape.size + len(r.payload()) - r.shape.payload
}

// AppendResponse appends the stored OCSPResponse to dst, octet for octet as it
// was added: nothing for a tombstone. It does not allocate if dst has room.
func (r *Record) AppendResponse(dst []byte) []byte {
	return r.shape.appendResponse(slices.Grow(dst, r.ResponseSize()), r.octets, r.payload())
}

// NumCertIDs is how many CertIDs appends.
func (r *Record) NumCertIDs() int { return len(r.shape.ids) }

// CertIDs appends the CertIDs that the record is entered under: all or some of those
// of its response. The serials alias the mapping: they are valid as long as r is.
func (r *Record) CertIDs(dst []CertID) []CertID {
	for i := range r.shape.ids {
		dst = append(dst, r.certID(&r.shape.ids[i]))
	}
	return dst
}

func (r *Record) certID(id *shapeID) CertID {
	is := &r.segment.issuers[id.issuer]
	return CertID{is.alg, is.nameHash, is.keyHash, r.serial(id)}
}

func (r *Record) serial(id *shapeID) []byte { return r.payload()[id.offset:][:id.size:id.size] }

// has reports whether the record is entered under want. It is on the path of every
// request, and makes no CertID.
func (r *Record) has(want *CertID) bool {
	for i := range r.shape.ids {
		id := &r.shape.ids[i]
		if bytes.Equal(r.serial(id), want.Serial) && r.segment.issuers[id.issuer].names(want) {
			return true
		}
	}
	return false
}
