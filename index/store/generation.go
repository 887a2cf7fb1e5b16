package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"lancre/index"
)

// A Generation is one open generation of a store: the content at one moment of
// everything that is served together. It is immutable; all methods but Close are
// safe for concurrent use.
type Generation struct {
	manifest *Manifest
	opened   []*openSegment   // of manifest.Segments, in its order
	segments []*index.Segment // those of opened
	stack    stack            // of them
	files    []File           // of manifest.Files, in its order
}

// An openSegment is a segment that any number of generations share.
type openSegment struct {
	*index.Segment
	file     os.FileInfo  // that it maps
	users    atomic.Int32 // generations that were not closed
	prepared atomic.Bool  // by Warm or ReadSparsely
}

// A File is a static object with its content.
type File struct {
	FileLine
	Body []byte // on the heap; must not be changed; places with one object share it
}

// maxReopen is how many newer manifests Open follows. Each time, a publication
// and a gc have ended while Open was at work, which takes milliseconds.
const maxReopen = 5

// Open opens the generation that the manifest of dir names. It maps the segments
// (see index.Open for what that checks), compares size, number of records and
// nextUpdate with the manifest, and reads the files into memory and checks their
// SHA-256. It does not read the segments through: Verify does.
//
// A publication and gc may run meanwhile: where an object vanished because there
// is a newer manifest, Open opens what that one names.
func Open(dir string) (*Generation, error) { return Reopen(dir, nil) }

// Reopen is Open beside old, an open generation of the same store. Segments and
// files that old has open are shared with it, by their SHA-256: they are not
// opened, mapped, read or prepared again, nor need they be in dir, unless a segment's
// file there is another one now. Either of the two can be closed first. old may be nil.
func Reopen(dir string, old *Generation) (*Generation, error) {
	return ReopenIf(dir, nil, old, func(*Manifest) error { return nil })
}

// ReopenIf is Reopen of a manifest that trust opens, but opens nothing if wanted, which is
// given the manifest, returns an error: that is the error then.
func ReopenIf(dir string, trust *Trust, old *Generation, wanted func(*Manifest) error) (*Generation, error) {
	return reopen(dir, trust, old, func(m *Manifest) (*Generation, error) {
		if err := wanted(m); err != nil {
			return nil, err
		}
		return openManifest(objectsOf(dir), m, old)
	})
}

// OpenAnswers is Reopen without the files, whose content is left alone: Files has
// none, the manifest names all of them.
func OpenAnswers(dir string, old *Generation) (*Generation, error) {
	return reopen(dir, nil, old, func(m *Manifest) (*Generation, error) {
		return openAnswers(objectsOf(dir), m, old)
	})
}

// OpenPart opens the segments that m names, whose objects are in dir, beside old if that
// is not nil, as OpenAnswers does. m may be a part of a manifest, with some of its
// segment lines in their order: what those have is what a look-up finds.
func OpenPart(dir string, m *Manifest, old *Generation) (*Generation, error) {
	return openAnswers(objectsOf(dir), m, old)
}

// reopen does open with the manifest of dir, if trust opens it, which shares the list of files with that
// of old, if not nil.
func reopen(dir string, trust *Trust, old *Generation, open func(*Manifest) (*Generation, error)) (*Generation, error) {
	var known *Manifest
	if old != nil {
		known = old.manifest
	}
	return follow(dir, func() (*Generation, error) {
		m, err := readManifest(dir, trust, known)
		if err != nil {
			return nil, err
		}
		return open(m)
	})
}

// follow does open again if it failed and the manifest of dir changed meanwhile.
func follow(dir string, open func() (*Generation, error)) (*Generation, error) {
	for range maxReopen {
		before := manifestText(dir)
		g, err := open()
		if err == nil {
			return g, nil
		}
		if now := manifestText(dir); now == nil || bytes.Equal(now, before) { // no newer one
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s: the manifest changed %d times while its objects were opened", dir, maxReopen)
}

// A finder tells where the object with a name is.
type finder func(sum string) (path string)

func objectsOf(dir string) finder {
	return func(sum string) string { return ObjectPath(dir, sum) }
}

func openManifest(find finder, m *Manifest, old *Generation) (*Generation, error) {
	g, err := openAnswers(find, m, old)
	if err != nil {
		return nil, err
	}
	if err := g.readFiles(find, old); err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

// openAnswers opens what m names but the files.
func openAnswers(find finder, m *Manifest, old *Generation) (*Generation, error) {
	g := &Generation{manifest: m}
	if err := g.openSegments(find, old); err != nil {
		g.Close()
		return nil, err
	}
	g.stack = newStack(m.Segments, g.segments)
	return g, nil
}

// openSegments opens those segments that old, if not nil, has not open.
func (g *Generation) openSegments(find finder, old *Generation) error {
	open := make(map[string]*openSegment)
	if old != nil {
		for i, s := range old.opened {
			open[old.manifest.Segments[i].SHA256] = s
		}
	}
	for i, line := range g.manifest.Segments {
		s := open[line.SHA256]
		if s == nil || s.replaced(find(line.SHA256)) {
			opened, err := g.manifest.openSegment(find, i)
			if err != nil {
				return err
			}
			s = opened
			open[line.SHA256] = s
		} else if err := line.compare(s.Info()); err != nil {
			return g.manifest.segmentReference(i).fault(fmt.Errorf("%s, which is open: %w", line.SHA256, err))
		}
		s.users.Add(1)
		g.opened = append(g.opened, s)
		g.segments = append(g.segments, s.Segment)
	}
	return nil
}

// openSegment opens segment i of m and compares it with its line.
func (m *Manifest) openSegment(find finder, i int) (*openSegment, error) {
	line := &m.Segments[i]
	ref := m.segmentReference(i)
	path := find(line.SHA256)
	f, err := ref.openFile(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	f.Close()
	if err != nil {
		return nil, ref.fault(err)
	}
	s, err := index.Open(path)
	if err != nil {
		return nil, ref.fault(err)
	}
	if err := line.compare(s.Info()); err != nil {
		s.Close()
		return nil, ref.fault(fmt.Errorf("%s: %w; %s", path, err, goodCopy))
	}
	return &openSegment{Segment: s, file: info}, nil
}

// replaced reports whether another file is at path than s maps: one that was put in the
// place of a damaged one.
func (s *openSegment) replaced(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !os.SameFile(info, s.file)
}

// Replaced reports whether other files than those that g has open have taken the places of
// segments in dir: what was damaged and is whole again is not in use until Reopen.
func (g *Generation) Replaced(dir string) bool {
	for i, s := range g.opened {
		if s.replaced(ObjectPath(dir, g.manifest.Segments[i].SHA256)) {
			return true
		}
	}
	return false
}

// compare reports where the segment's header and its manifest line disagree.
func (s *SegmentLine) compare(info index.Info) error {
	if info.Records != s.Records {
		return fmt.Errorf("the segment has %d records, the manifest says %d", info.Records, s.Records)
	}
	var next time.Time
	if info.MinNextUpdate != 0 {
		next = time.Unix(info.MinNextUpdate, 0)
	}
	if got, want := formatTime(next), formatTime(s.NextUpdate); got != want {
		return fmt.Errorf("the segment's earliest nextUpdate is %s, the manifest says %s", got, want)
	}
	return nil
}

// readFiles reads every object that a file line names, each once, and none that
// old, if not nil, has.
func (g *Generation) readFiles(find finder, old *Generation) error {
	bodies := make(map[string][]byte)
	if old != nil {
		for _, f := range old.files {
			bodies[f.SHA256] = f.Body
		}
	}
	for i, line := range g.manifest.Files {
		body, ok := bodies[line.SHA256]
		if !ok || int64(len(body)) != line.Size {
			var err error
			if body, err = g.manifest.fileReference(i).read(find); err != nil {
				return err
			}
			bodies[line.SHA256] = body
		}
		g.files = append(g.files, File{FileLine: line, Body: body})
	}
	return nil
}

// Manifest returns the manifest of g, which must not be changed.
func (g *Generation) Manifest() *Manifest { return g.manifest }

// Segments returns the open segments in look-up order, one for each segment line
// of the manifest. The slice must not be changed.
func (g *Generation) Segments() []*index.Segment { return g.segments }

// Files returns the files, one for each file line of the manifest. The slice must
// not be changed.
func (g *Generation) Files() []File { return g.files }

// Lookup searches the segments that can have an answer for id, newest first: the
// deltas above the base of its shard, then that base. The first one that has id
// decides, also by a tombstone, and an error in it is final. key must be id.Key().
// Lookup does not allocate unless it returns an error.
func (g *Generation) Lookup(key uint64, id *index.CertID) (rec index.Record, found bool, err error) {
	found, err = g.LookupInto(key, id, &rec, nil)
	return rec, found, err
}

// LookupInto is Lookup with the result in *rec, as index.Segment.LookupInto has it.
func (g *Generation) LookupInto(key uint64, id *index.CertID, rec *index.Record, buf *[]byte) (found bool, err error) {
	at, err := g.stack.find(key, id, rec, buf)
	if err != nil {
		return false, fmt.Errorf("object %s: %w", g.manifest.Segments[at.line].SHA256, err)
	}
	return at != nil, nil
}

// Warm reads the segments that were not prepared yet into the page cache and
// compares their checksums there. It calls pause after every 2 MiB of each: a server
// that answers meanwhile sleeps there.
func (g *Generation) Warm(pause func()) error {
	return g.prepare(func(s *index.Segment) error {
		if err := s.Warm(pause); err != nil {
			return err
		}
		return s.CheckSections(pause)
	})
}

// ReadSparsely prepares segments that do not fit into memory: what is read is read
// without its neighbours.
func (g *Generation) ReadSparsely() error {
	return g.prepare((*index.Segment).ReadSparsely)
}

// prepare does do to each segment to which it, or its like, was not done.
func (g *Generation) prepare(do func(*index.Segment) error) error {
	for i, s := range g.opened {
		if s.prepared.Load() {
			continue
		}
		if err := do(s.Segment); err != nil {
			return fmt.Errorf("object %s: %w", g.manifest.Segments[i].SHA256, err)
		}
		s.prepared.Store(true)
	}
	return nil
}

// Close unmaps at once the segments that no other generation shares: no Record of
// them may be in use any more. Without Close, each mapping goes when no Generation
// and no Record refers to it.
func (g *Generation) Close() error {
	var errs []error
	for _, s := range g.opened {
		if s.users.Add(-1) == 0 {
			errs = append(errs, s.Close())
		}
	}
	g.opened, g.segments, g.stack = nil, nil, stack{}
	return errors.Join(errs...)
}
