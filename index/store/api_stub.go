// Package store: STUB while it is being written; the signatures stand.
package store

import (
	"io"
	"time"

	"lancre/index"
)

// A Manifest names everything one generation consists of.
type Manifest struct {
	Origin     string // name of who publishes, for people and logs
	Generation uint64 // grows by one with every publication
	Created    time.Time
	Segments   []SegmentLine // newest first: the order of look-up
	Files      []FileLine    // sorted by host, then path
}

// A SegmentLine names one segment object.
type SegmentLine struct {
	Role       string // "base" for what lancre build makes
	Shard      Shard
	Records    uint64
	Size       int64
	SHA256     string    // 64 lower-case hex digits: the object's name
	NextUpdate time.Time // the earliest in it; zero if it has none
}

// A Shard is the part of the key space a segment covers: keys whose top
// log2(Of) bits are Index. Of is a power of two; {0, 1} is all of it.
type Shard struct{ Index, Of uint32 }

// A FileLine publishes one object at an exact host and path.
type FileLine struct {
	Host         string // lower case, no port; "_" for any host
	Path         string // begins with "/"; the raw request target
	ContentType  string
	Size         int64
	SHA256       string
	LastModified time.Time
	Expires      time.Time // zero if it has none (certificates, pages)
}

// ParseManifest reads the text form. It refuses a text that was cut or changed.
func ParseManifest(text []byte) (*Manifest, error) { panic("stub") }

// Encode is the text form; ParseManifest is its inverse.
func (m *Manifest) Encode() []byte { panic("stub") }

// ReadManifest reads and parses DIR/manifest.
func ReadManifest(dir string) (*Manifest, error) { panic("stub") }

// A Generation is one open generation of a store: immutable, safe for concurrent use.
type Generation struct{}

// Open opens the generation that dir's manifest names: segments mapped and
// O(1)-checked, files read into memory and checked against their sha256.
func Open(dir string) (*Generation, error) { panic("stub") }

func (g *Generation) Manifest() *Manifest { panic("stub") }

// Segments returns the open segments in look-up order.
func (g *Generation) Segments() []*index.Segment { panic("stub") }

// Files returns the files; Body is on the heap and must not be changed.
func (g *Generation) Files() []File { panic("stub") }

// A File is a static object with its content.
type File struct {
	FileLine
	Body []byte
}

// Lookup searches the segments, newest first; the first that has id decides,
// also by a tombstone. key must be id.Key(). It does not allocate.
func (g *Generation) Lookup(key uint64, id *index.CertID) (rec index.Record, found bool, err error) {
	panic("stub")
}

// Warm reads all segments into the page cache.
func (g *Generation) Warm() error { panic("stub") }

// Close unmaps at once. Without it the mappings go when nothing refers to them.
func (g *Generation) Close() error { panic("stub") }

// Verify checks the manifest, every object's sha256 and every record, and calls
// report for each fault; it goes on after a fault where it can.
func Verify(dir string, report func(error)) error { panic("stub") }

// A Publication is a new generation in the making. One at a time per store.
type Publication struct{}

// Begin prepares dir (made if absent) for a new generation and locks it against
// other publications and gc.
func Begin(dir string) (*Publication, error) { panic("stub") }

// Previous is the manifest that is being replaced; nil in a new store.
func (p *Publication) Previous() *Manifest { panic("stub") }

// TempDir is a directory on the store's file system for files in the making.
func (p *Publication) TempDir() string { panic("stub") }

// AddFile moves the finished file at path (in TempDir) into objects/, durably.
func (p *Publication) AddFile(path string) (sha256 string, size int64, err error) { panic("stub") }

// AddObject writes r as an object, durably.
func (p *Publication) AddObject(r io.Reader) (sha256 string, size int64, err error) { panic("stub") }

// Commit fills in m.Generation, writes the manifest durably and unlocks.
func (p *Publication) Commit(m *Manifest) error { panic("stub") }

// Abort removes what is half made and unlocks; after Commit it does nothing.
func (p *Publication) Abort() { panic("stub") }

// Removed is one object that GC removed.
type Removed struct {
	SHA256 string
	Size   int64
}

// GC removes the objects that the manifest does not name, and stale temporary files.
func GC(dir string) ([]Removed, error) { panic("stub") }
