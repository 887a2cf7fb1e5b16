package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"lancre/index"
)

// A Publication is a new generation in the making. It holds the store's lock from
// Begin to Commit or Abort. Its methods are not safe for concurrent use.
//
// Objects go to objects/ as they are added; nothing names them before Commit
// replaces the manifest, so that the old generation stays whole whatever happens.
// The system calls of a publication of one object are
//
//	mkdir("STORE"), fsync of its parent         unless it is there
//	open("STORE") = 3
//	flock(3, LOCK_EX|LOCK_NB)
//	mkdir("STORE/objects"), fsync("STORE")      unless it is there
//	open("STORE/manifest"), read                Previous
//	mkdir("STORE/objects/.tmp-1")
//	open("STORE/objects/.tmp-1/2", O_CREAT|O_EXCL) = 4
//	write(4)...
//	open("STORE/objects/<sha256>") = ENOENT     otherwise read and compared
//	fchmod(4, 0444)
//	fsync(4)
//	rename("STORE/objects/.tmp-1/2", "STORE/objects/<sha256>")
//	open("STORE/objects/<sha256>"), fstat       Commit begins
//	fsync("STORE/objects")
//	open("STORE/.tmp-3", O_CREAT|O_EXCL) = 4
//	write(4)
//	fchmod(4, 0644)
//	fsync(4)
//	rename("STORE/.tmp-3", "STORE/manifest")
//	fsync("STORE")
//	rmdir("STORE/objects/.tmp-1")
//	close(3)
type Publication struct {
	dir      string
	lock     *os.File // nil when the publication is over
	previous *Manifest
	temp     string
}

// tempPrefix begins the name of everything in a store that is not finished. No
// object can have such a name. What a crash leaves behind, GC removes.
const tempPrefix = ".tmp-"

// Begin prepares dir for a new generation and locks it against other publications
// and gc: where one is under way, Begin fails at once. It makes dir, but not its
// parents, if absent. The caller ends the Publication by Commit or Abort.
func Begin(dir string) (*Publication, error) {
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	l, err := lock(dir)
	if err != nil {
		return nil, err
	}
	p := &Publication{dir: dir, lock: l}
	if err := p.begin(); err != nil {
		p.Abort()
		return nil, err
	}
	return p, nil
}

func (p *Publication) begin() (err error) {
	objects := filepath.Join(p.dir, objectsName)
	if err := makeDir(objects); err != nil {
		return err
	}
	p.previous, err = ReadManifest(p.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	p.temp, err = os.MkdirTemp(objects, tempPrefix)
	return err
}

// Previous is the manifest that is being replaced; nil in a new store.
func (p *Publication) Previous() *Manifest { return p.previous }

// TempDir is a directory on the file system of the objects, for files in the
// making. It goes, with what is in it, when the publication ends.
func (p *Publication) TempDir() string { return p.temp }

// AddSegment makes the finished segment at path, which must be in TempDir, an
// object, and returns the manifest's line for it; info is the segment's. The file is
// gone then. Its content is on disk when AddSegment returns, its name when Commit
// does.
func (p *Publication) AddSegment(path, role string, shard Shard, info index.Info) (SegmentLine, error) {
	line := SegmentLine{Role: role, Shard: shard, Records: info.Records}
	if info.MinNextUpdate > 0 { // not tombstones alone
		line.NextUpdate = time.Unix(info.MinNextUpdate, 0).UTC()
	}
	f, err := os.Open(path)
	if err != nil {
		return line, err
	}
	defer f.Close()
	if line.SHA256, line.Size, err = digest(f); err != nil {
		return line, err
	}
	return line, p.install(f, line.SHA256, line.Size)
}

// AddObject makes the octets that r gives up to its end an object, and returns the
// object's name and its size in octets. As AddSegment says, they are on disk then.
func (p *Publication) AddObject(r io.Reader) (sha256 string, size int64, err error) {
	f, err := os.CreateTemp(p.temp, "")
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	if sha256, size, err = digest(io.TeeReader(r, f)); err != nil {
		return "", 0, err
	}
	return sha256, size, p.install(f, sha256, size)
}

// install gives the temporary file f its name as an object. If that object is
// already there and sound it stays, for its pages are in the page cache, and f
// goes.
func (p *Publication) install(f *os.File, sum string, size int64) error {
	path := objectPath(p.dir, sum)
	if sound(path, sum, size) {
		return os.Remove(f.Name())
	}
	if err := finish(f, 0o444); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// sound reports whether path is on disk with the content that its name says.
func sound(path, sum string, size int64) bool {
	f, info, err := openRegular(path)
	if err != nil {
		return false
	}
	defer f.Close()
	if info.Size() != size {
		return false
	}
	got, _, err := digest(f)
	return err == nil && got == sum && f.Sync() == nil
}

// Commit publishes m: it sets m.Generation to the one after Previous (1 in a new
// store), sorts m.Files, replaces the manifest durably and ends the publication.
// Every object that m names must be there, from this publication or an earlier
// one. After an error the old generation stands and the publication is still to be
// ended by Abort; only if the very last step failed, the sync of the directory, m
// is already visible.
func (p *Publication) Commit(m *Manifest) error {
	if p.lock == nil {
		return errors.New("this publication is over: begin another one")
	}
	m.Generation = 1
	if p.previous != nil {
		m.Generation = p.previous.Generation + 1
	}
	slices.SortFunc(m.Files, compareFiles)
	if err := m.check(); err != nil {
		return fmt.Errorf("new manifest: %w", err)
	}
	for ref := range m.references {
		f, err := ref.openObject(p.dir)
		if err != nil {
			return fmt.Errorf("new %w", err)
		}
		f.Close()
	}
	if err := syncDir(filepath.Join(p.dir, objectsName)); err != nil {
		return err
	}
	if err := p.writeManifest(m.Encode()); err != nil {
		return err
	}
	p.end()
	return nil
}

func (p *Publication) writeManifest(text []byte) error {
	if len(text) > maxManifestSize {
		return fmt.Errorf("new manifest has %d octets, more than the %d that are read", len(text), maxManifestSize)
	}
	f, err := os.CreateTemp(p.dir, tempPrefix)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.Write(text)
	if err == nil {
		err = finish(f, 0o644)
	}
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(p.dir, manifestName))
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	return syncDir(p.dir)
}

// Abort removes what is half made and unlocks the store; after Commit or Abort it
// does nothing. Objects that were added stay, for the next publication or gc.
func (p *Publication) Abort() {
	if p.lock != nil {
		p.end()
	}
}

func (p *Publication) end() {
	if p.temp != "" {
		os.RemoveAll(p.temp) // what stays, gc removes
	}
	p.lock.Close()
	p.lock = nil
}

// makeDir makes the directory path, durably, unless something of that name exists.
func makeDir(path string) error {
	err := os.Mkdir(path, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// finish gives f its mode and waits until content and mode are on disk.
func finish(f *os.File, mode fs.FileMode) error {
	if err := f.Chmod(mode); err != nil {
		return err
	}
	return f.Sync()
}

// syncDir waits until the names in dir are on disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
