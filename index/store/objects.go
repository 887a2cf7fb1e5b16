package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"lancre/index"
	"lancre/internal/durable"
)

// Objects are the objects that a generation in the making adds to a store. Making
// them needs no lock, however long it takes; Begin or Install take the store's lock
// to publish them. gc spares them.
//
// An object waits under a temporary name, its content on disk, and gets its own
// only when a manifest that names it is about to be published: what fails, or is
// given up, leaves nothing in objects/. The system calls of a publication are
//
//	mkdir("STORE"), fsync of its parent         unless it is there    OpenObjects
//	mkdir("STORE/objects"), fsync("STORE")      unless it is there
//	mkdir("STORE/objects/.tmp-1")
//	open("STORE/objects/.tmp-1") = 3
//	flock(3, LOCK_EX|LOCK_NB)                   so that gc spares it
//	open("STORE/objects/.tmp-1/2", O_CREAT|O_EXCL) = 4                AddObject
//	write(4)...
//	open("STORE/objects/<sha256>") = ENOENT     otherwise read, compared and linked
//	fchmod(4, 0444)
//	fsync(4)
//	open("STORE") = 5                                                 Begin
//	flock(5, LOCK_EX|LOCK_NB)                   until it is free
//	open("STORE/manifest"), read
//	rename("STORE/objects/.tmp-1/2", "STORE/objects/<sha256>")        Commit
//	fsync("STORE/objects")
//	link("STORE/manifest", "STORE/history/41")
//	fsync("STORE/history")
//	the manifest                                as package durable replaces it
//	rmdir("STORE/objects/.tmp-1")
//	close(3), close(5)
//
// Their methods are not safe for concurrent use, but several objects can be added at a
// time.
type Objects struct {
	dir     string
	temp    string
	claim   *os.File // of temp; nil when they are closed
	signing Signing

	adding sync.Mutex              // what is staged, while objects are added
	staged map[string]stagedObject // by SHA-256
}

// A stagedObject is one that has not got its name yet.
type stagedObject struct {
	path string
	size int64
}

// tempPrefix begins the name of everything in a store that is not finished. No
// object can have such a name. What a crash leaves behind, GC removes.
const tempPrefix = durable.TempPrefix

// OpenObjects prepares the store dir for new objects. It makes dir, but not its
// parents, if absent.
func OpenObjects(dir string) (*Objects, error) {
	if err := durable.MakeDir(dir); err != nil {
		return nil, err
	}
	objects := filepath.Join(dir, objectsName)
	if err := durable.MakeDir(objects); err != nil {
		return nil, err
	}
	for {
		temp, err := os.MkdirTemp(objects, tempPrefix)
		if err != nil {
			return nil, err
		}
		claimed, err := claim(temp)
		switch {
		case err == nil:
			return &Objects{dir: dir, temp: temp, claim: claimed, staged: make(map[string]stagedObject)}, nil
		case err != errTaken: // else gc came between, for which it was left behind
			os.RemoveAll(temp)
			return nil, err
		}
	}
}

// SignWith has the manifests be signed that are committed from now on. Without keys, it
// is an error where the store's manifest is signed.
func (o *Objects) SignWith(s Signing) error {
	o.signing = s
	previous, err := parseManifestAt(o.manifest(), nil)
	if err != nil {
		previous = nil // there is none yet, or one that whoever reads it next will report
	}
	return s.check(previous)
}

// Close removes what was added and no manifest names. After Commit, Install or Close
// it does nothing.
func (o *Objects) Close() {
	if o.claim == nil {
		return
	}
	os.RemoveAll(o.temp) // what stays, gc removes
	o.claim.Close()
	o.claim = nil
}

// TempDir is a directory on the file system of the objects, for files in the
// making. It goes with what is in it.
func (o *Objects) TempDir() string { return o.temp }

// AddSegment makes the finished segment at path, which must be in TempDir, an
// object, and returns the manifest's line for it; info is the segment's. The file
// must not be used after.
func (o *Objects) AddSegment(path, role string, shard index.Shard, info index.Info) (SegmentLine, error) {
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
		return line, fmt.Errorf("cannot read %s: %w", path, err)
	}
	return line, o.stage(f, line.SHA256, line.Size)
}

// AddObject makes the octets that r gives up to its end an object, and returns the
// object's name and its size in octets.
func (o *Objects) AddObject(r io.Reader) (sha256 string, size int64, err error) {
	f, err := os.CreateTemp(o.temp, "")
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	if sha256, size, err = digest(io.TeeReader(r, f)); err != nil {
		return "", 0, err
	}
	return sha256, size, o.stage(f, sha256, size)
}

// stage has the temporary file f wait for its name as an object. If that object is
// already there and sound it waits in f's place, for its pages are in the page cache: by
// a link, since gc may remove it before a manifest names it.
func (o *Objects) stage(f *os.File, sum string, size int64) error {
	if o.isStaged(sum) {
		return os.Remove(f.Name())
	}
	if there := ObjectPath(o.dir, sum); sound(there, sum, size) {
		link := f.Name() + linkSuffix
		if os.Link(there, link) == nil { // else the file system has no links, or it has just gone
			o.enter(sum, stagedObject{link, size})
			return os.Remove(f.Name())
		}
	}
	if err := durable.Finish(f, 0o444); err != nil {
		return err
	}
	o.enter(sum, stagedObject{f.Name(), size})
	return nil
}

func (o *Objects) isStaged(sum string) bool {
	o.adding.Lock()
	defer o.adding.Unlock()
	_, ok := o.staged[sum]
	return ok
}

func (o *Objects) enter(sum string, made stagedObject) {
	o.adding.Lock()
	defer o.adding.Unlock()
	o.staged[sum] = made
}

// linkSuffix ends the temporary name of an object that was there before.
const linkSuffix = "-there"

// find is where an object is, staged or published.
func (o *Objects) find(sum string) string {
	if s, ok := o.staged[sum]; ok {
		return s.path
	}
	return ObjectPath(o.dir, sum)
}

// Open opens the generation that m would be if it were published, beside old if that
// is not nil, as Reopen does. It must be closed before Commit or Close is called.
func (o *Objects) Open(m *Manifest, old *Generation) (*Generation, error) {
	return openManifest(o.find, m, old)
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

// publish gives the staged objects their names and replaces the manifest by text,
// the form of m. Every object that m names must be staged or there; those that
// before, if not nil, names as well are taken to be.
func (o *Objects) publish(m *Manifest, text []byte, before *Manifest) error {
	if o.claim == nil {
		return errors.New("these objects are closed: begin another publication")
	}
	if len(text) > MaxManifestSize {
		return fmt.Errorf("new manifest has %d octets, more than the %d that are read", len(text), MaxManifestSize)
	}
	if err := o.checkNew(m, before); err != nil {
		return err
	}
	named, err := o.nameStaged(m)
	if err == nil {
		err = keepManifest(o.dir)
	}
	if err == nil {
		err = durable.WriteBytes(o.manifest(), text)
	}
	if err != nil {
		o.unname(named, text)
		return err
	}
	o.Close()
	return nil
}

func (o *Objects) manifest() string { return filepath.Join(o.dir, manifestName) }

// checkNew checks that what m names and before does not is there, with the size
// that m says.
func (o *Objects) checkNew(m, before *Manifest) error {
	known := make(map[string]int64)
	if before != nil {
		for ref := range before.references {
			known[ref.sum] = ref.size
		}
	}
	for sum, s := range o.staged {
		known[sum] = s.size
	}
	for ref := range m.references {
		if size, ok := known[ref.sum]; ok && size == ref.size {
			continue
		} else if ok {
			return fmt.Errorf("new %w", ref.fault(fmt.Errorf("object %s has %d octets, the manifest says %d", ref.sum, size, ref.size)))
		}
		f, err := ref.openObject(o.dir)
		if err != nil {
			return fmt.Errorf("new %w", err)
		}
		f.Close()
	}
	return nil
}

// nameStaged gives the staged objects that m names their names, and returns the paths
// they have then, also with an error.
func (o *Objects) nameStaged(m *Manifest) (named []string, err error) {
	for sum := range m.named {
		s, ok := o.staged[sum]
		if !ok {
			continue
		}
		delete(o.staged, sum)
		path := ObjectPath(o.dir, sum)
		if _, err := os.Lstat(path); err == nil && strings.HasSuffix(s.path, linkSuffix) {
			continue // it is there still
		}
		if err := os.Rename(s.path, path); err != nil {
			return named, err
		}
		named = append(named, path)
	}
	return named, durable.SyncDir(filepath.Join(o.dir, objectsName))
}

// unname removes objects for which no manifest came, unless text became it and
// what failed came after.
func (o *Objects) unname(named []string, text []byte) {
	if now, err := os.ReadFile(o.manifest()); err == nil && bytes.Equal(now, text) {
		return
	}
	for _, path := range named {
		os.Remove(path)
	}
}
