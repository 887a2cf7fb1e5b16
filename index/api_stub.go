package index

import "errors"

// STUB while the format is being written; the signatures stand.

// ErrCorrupt is what a segment's readers return for octets that contradict the format.
var ErrCorrupt = errors.New("segment is corrupt")

// A Segment is one open segment file. Safe for concurrent use.
type Segment struct{}

// Open maps the segment file at path and checks its header (O(1)), issuers and shapes.
func Open(path string) (*Segment, error) { panic("stub") }

// OpenBytes is Open over memory that the caller must leave unchanged.
func OpenBytes(data []byte) (*Segment, error) { panic("stub") }

// Close unmaps at once; without it the mapping goes when the garbage collector
// finds the Segment and all its Records unreachable.
func (s *Segment) Close() error { panic("stub") }

// Warm reads the whole mapping into the page cache and then advises random access.
func (s *Segment) Warm() error { panic("stub") }

// Info returns what the header says.
func (s *Segment) Info() Info { panic("stub") }

// Info is what a segment's header says of its content.
type Info struct {
	Records    uint64 // responses and tombstones
	Keys       uint64 // CertIDs they are reachable under
	Tombstones uint64
	Size       int64 // of the file, octets
	// Unix seconds over all responses; 0 if there is none.
	MinNextUpdate, MaxThisUpdate, MinProducedAt, MaxProducedAt int64
}

// Lookup finds the record reachable under id. key must be id.Key().
func (s *Segment) Lookup(key uint64, id *CertID) (rec Record, found bool, err error) { panic("stub") }

// Records calls yield for every record in file order until it returns false.
func (s *Segment) Records(yield func(Record) bool) error { panic("stub") }

// Verify checks everything.
func (s *Segment) Verify() error { panic("stub") }

// A Record is a view of one stored response; it keeps its Segment alive.
type Record struct{}

func (r Record) Status() Status    { panic("stub") }
func (r Record) Tombstone() bool   { panic("stub") }
func (r Record) ThisUpdate() int64 { panic("stub") }
func (r Record) NextUpdate() int64 { panic("stub") }
func (r Record) ProducedAt() int64 { panic("stub") }

// ETag is the first 8 octets of SHA-256 over the response, big-endian (so that %016x prints it).
func (r Record) ETag() uint64 { panic("stub") }

// CertIDs appends the CertIDs the record is reachable under; they alias the mapping.
func (r Record) CertIDs(dst []CertID) []CertID { panic("stub") }

// ResponseSize is how many octets AppendResponse appends: 0 for a tombstone.
func (r Record) ResponseSize() int { panic("stub") }

// AppendResponse appends the stored OCSPResponse to dst: nothing for a tombstone.
// It cannot fail: Lookup and Records check the record's checksum (and return
// ErrCorrupt) before they hand a Record out.
func (r Record) AppendResponse(dst []byte) []byte { panic("stub") }

// An Entry is a response made ready for a Writer: what can be done on any
// goroutine. Its memory is reused by the next Set.
type Entry struct{}

// Set makes e hold r, whose octets must stay unchanged until e was added.
func (e *Entry) Set(r *Response) error { panic("stub") }

// SetTombstone makes e hold the answer "ours, but no current response" for id.
// thisUpdate and producedAt (Unix seconds) decide between duplicates.
func (e *Entry) SetTombstone(id *CertID, thisUpdate, producedAt int64) error { panic("stub") }

// A Writer builds one segment file.
type Writer struct{}

// Stats counts what a Writer did.
type Stats struct {
	Info
	Shapes     int
	Whole      uint64 // responses stored whole, fitting no shape
	Superseded uint64 // keys for which a newer response was added as well
	Identical  uint64 // keys for which the same response was added again
}

// NewWriter begins a segment in a temporary file in dir.
func NewWriter(dir string) (*Writer, error) { panic("stub") }

// Add appends one entry. Not safe for concurrent use; the order of calls
// decides the octets of the file and nothing else.
func (w *Writer) Add(e *Entry) error { panic("stub") }

// Finish writes what is left, syncs the file and returns its path, which the
// caller renames or removes.
func (w *Writer) Finish() (path string, stats Stats, err error) { panic("stub") }

// Abort removes everything the Writer made.
func (w *Writer) Abort() { panic("stub") }
