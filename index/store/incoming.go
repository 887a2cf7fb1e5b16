package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"lancre/internal/durable"
)

// Incoming takes into a store what was made elsewhere: objects, octet by octet, and
// then the manifest that names them, as it came. What has come of an object waits under
// its name in a directory that gc spares while somebody has it open, and outlives the
// process: it is gone on with. The system calls are
//
//	flock("STORE", LOCK_EX)                    gc waits, until the next   OpenIncoming
//	mkdir("STORE/objects/.tmp-incoming")       unless it is there
//	open("STORE/objects/.tmp-incoming") = 3
//	flock(3, LOCK_EX|LOCK_NB)                  one at a time
//	open("STORE/objects/.tmp-incoming/<sha256>", O_CREAT) = 4         Part
//	read(4)...                                 what is there, to go on hashing
//	fallocate(4, KEEP_SIZE)                    so that a full disk shows now
//	write(4)...
//	fchmod(4, 0444)                                                   Finish
//	fsync(4)
//	rename("STORE/objects/.tmp-incoming/<sha256>", "STORE/objects/<sha256>")
//	                                           and so on, as Objects  Install
//
// Its methods are safe for concurrent use, but no two Parts of one object are.
type Incoming struct {
	dir   string
	parts string
	claim *os.File
}

const incomingName = tempPrefix + "incoming"

// OpenIncoming prepares the store dir, which it makes, but not its parents, if absent.
// There can be one Incoming of a store at a time.
func OpenIncoming(dir string) (*Incoming, error) {
	in := &Incoming{dir: dir, parts: filepath.Join(dir, objectsName, incomingName)}
	if err := durable.MakeDir(dir); err != nil {
		return nil, err
	}
	l, err := lock(dir, patience)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	for _, d := range []string{filepath.Join(dir, objectsName), in.parts} {
		if err := durable.MakeDir(d); err != nil {
			return nil, err
		}
	}
	f, err := os.Open(in.parts)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		by := holder(f)
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s: somebody fetches objects into it already%s: one at a time can", dir, by)
		}
		return nil, fmt.Errorf("%s: flock: %w", in.parts, err)
	}
	in.claim = f
	return in, nil
}

// Close lets others have the store. What came of objects stays for them.
func (in *Incoming) Close() error { return in.claim.Close() }

// Keep removes what came of all objects but those.
func (in *Incoming) Keep(objects map[string]bool) error {
	entries, err := os.ReadDir(in.parts)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !objects[e.Name()] {
			if err := os.Remove(filepath.Join(in.parts, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// Reserved is how many octets of the disk have been set aside for object, or are taken by
// what came of it.
func (in *Incoming) Reserved(object Object) int64 {
	var st unix.Stat_t
	if err := unix.Lstat(filepath.Join(in.parts, object.SHA256), &st); err != nil {
		return 0
	}
	return min(st.Blocks*512, object.Size)
}

// Install makes text, whose objects have come, the manifest of the store: see
// Objects.Install.
func (in *Incoming) Install(text []byte) (*Manifest, error) {
	o, err := OpenObjects(in.dir)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	return o.Install(text)
}

// A Part is an object of which octets come in.
type Part struct {
	in     *Incoming
	object Object
	f      *os.File
	sum    hash.Hash // of what has come
	have   int64     // octets that have come
}

// Part opens what has come of object, which is nothing at first, and has the disk set
// aside what is to come.
func (in *Incoming) Part(object Object) (*Part, error) {
	f, err := os.OpenFile(filepath.Join(in.parts, object.SHA256), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o644)
	if err != nil {
		return nil, err
	}
	p := &Part{in: in, object: object, f: f, sum: sha256.New()}
	if err := p.open(); err != nil {
		f.Close()
		return nil, err
	}
	return p, nil
}

func (p *Part) open() (err error) {
	if p.have, err = io.Copy(p.sum, p.f); err != nil {
		return err
	}
	if p.have > p.object.Size { // another file, or the disk
		return p.Restart()
	}
	return p.reserve()
}

// reserve sets octets aside. A file system that cannot is no error: a full disk shows
// later then.
func (p *Part) reserve() error {
	if p.have == p.object.Size {
		return nil
	}
	err := unix.Fallocate(int(p.f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, p.object.Size)
	if err == nil || errors.Is(err, unix.EOPNOTSUPP) {
		return nil
	}
	return &fs.PathError{Op: "fallocate", Path: p.f.Name(), Err: err}
}

// Have is how many octets have come.
func (p *Part) Have() int64 { return p.have }

// Write implements io.Writer. More than the object has is not taken.
func (p *Part) Write(b []byte) (n int, err error) {
	if int64(len(b)) > p.object.Size-p.have {
		return 0, &WrongObjectError{fmt.Sprintf("more than the %d octets of object %s", p.object.Size, p.object.SHA256)}
	}
	n, err = p.f.Write(b)
	p.sum.Write(b[:n])
	p.have += int64(n)
	return n, err
}

// Restart forgets what has come.
func (p *Part) Restart() error {
	p.sum.Reset()
	p.have = 0
	if err := p.f.Truncate(0); err != nil {
		return err
	}
	if _, err := p.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return p.reserve()
}

// Finish gives the object its name, in place of one that has it and is damaged. It is on
// disk then, but for the name, which Install sees to. If what came is not the object,
// that is a WrongObjectError, and what came is forgotten.
func (p *Part) Finish() error {
	if got := hex.EncodeToString(p.sum.Sum(nil)); p.have == p.object.Size && got != p.object.SHA256 {
		return errors.Join(&WrongObjectError{fmt.Sprintf("%d octets with sha256 %s, want %s", p.have, got, p.object.SHA256)}, p.Restart())
	}
	if p.have < p.object.Size {
		return fmt.Errorf("%d octets of the %d of object %s: %w", p.have, p.object.Size, p.object.SHA256, io.ErrUnexpectedEOF)
	}
	if err := durable.Finish(p.f, 0o444); err != nil {
		return err
	}
	return os.Rename(p.f.Name(), ObjectPath(p.in.dir, p.object.SHA256))
}

// Close ends the work on p. What has come stays, unless it is nothing.
func (p *Part) Close() error {
	if p.have == 0 && p.object.Size > 0 {
		os.Remove(p.f.Name()) // and what was set aside for it
	}
	return p.f.Close()
}

// A WrongObjectError says that what came is not the object that it should be.
type WrongObjectError struct{ Reason string }

func (e *WrongObjectError) Error() string { return e.Reason }
