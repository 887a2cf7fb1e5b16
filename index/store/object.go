package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const objectsName = "objects"

// ObjectPath is where the object of that name lies in the store dir.
func ObjectPath(dir, sum string) string { return filepath.Join(dir, objectsName, sum) }

// goodCopy is the remedy for an object that is not what the manifest says.
const goodCopy = "put a good copy of the object in place, then the manifest"

// A reference is an object as one line of a manifest, or of its list of files, names
// it.
type reference struct {
	place string // "manifest line 7"
	sum   string
	size  int64
}

// fault is err with the place of the reference.
func (r reference) fault(err error) error {
	return fmt.Errorf("%s: %w", r.place, err)
}

func (m *Manifest) segmentReference(i int) reference {
	s := &m.Segments[i]
	return reference{fmt.Sprintf("manifest line %d", m.segmentLineNumber(i)), s.SHA256, s.Size}
}

func (m *Manifest) listReference() reference {
	return reference{fmt.Sprintf("manifest line %d", m.listLineNumber()), m.List.SHA256, m.List.Size}
}

func (m *Manifest) fileReference(i int) reference {
	f := &m.Files[i]
	place := fmt.Sprintf("list of files, line %d", firstFileLine+i)
	if m.version1 != "" {
		place = fmt.Sprintf("manifest line %d", m.segmentLineNumber(len(m.Segments)+i))
	}
	return reference{place, f.SHA256, f.Size}
}

// references calls yield for every object that m needs, as often as it names it.
// Those that are coming are not needed yet.
func (m *Manifest) references(yield func(reference) bool) {
	for i := range m.Segments {
		if !yield(m.segmentReference(i)) {
			return
		}
	}
	if m.List.Count > 0 && !yield(m.listReference()) {
		return
	}
	for i := range m.Files {
		if !yield(m.fileReference(i)) {
			return
		}
	}
}

// named calls yield for the SHA-256 of every object that m names, those that are coming
// included.
func (m *Manifest) named(yield func(sum string) bool) {
	for ref := range m.references {
		if !yield(ref.sum) {
			return
		}
	}
	for i := range m.Coming {
		if !yield(m.Coming[i].SHA256) {
			return
		}
	}
}

// Objects are the objects that m needs, each once: its segments from the newest, the
// list of files and the files. Those of the list are there if m.Files are.
func (m *Manifest) Objects() (objects []Object) {
	seen := make(map[string]bool)
	for ref := range m.references {
		if !seen[ref.sum] {
			objects = append(objects, Object{ref.size, ref.sum})
		}
		seen[ref.sum] = true
	}
	return objects
}

// A MissingError says that a store does not have an object that its manifest names, or
// not all of it: it may be on its way. It is no fs.ErrNotExist, which stands for a store
// without a manifest.
type MissingError struct{ text string }

func (e *MissingError) Error() string { return e.text }

// openObject opens the object that r names and compares its size.
func (r reference) openObject(dir string) (*os.File, error) {
	return r.openFile(ObjectPath(dir, r.sum))
}

// openFile is openObject of the file at path.
func (r reference) openFile(path string) (*os.File, error) {
	f, info, err := openRegular(path)
	missing := errors.Is(err, fs.ErrNotExist)
	if err == nil && info.Size() != r.size {
		f.Close()
		missing = info.Size() < r.size
		err = fmt.Errorf("%s has %d octets, the manifest says %d", path, info.Size(), r.size)
	}
	switch {
	case missing:
		return nil, r.fault(&MissingError{fmt.Sprintf("%v; %s", err, goodCopy)})
	case err != nil:
		return nil, r.fault(fmt.Errorf("%w; %s", err, goodCopy))
	}
	return f, nil
}

// read returns the content of the object that r names.
func (r reference) read(find finder) ([]byte, error) {
	f, err := r.openFile(find(r.sum))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	body := make([]byte, r.size)
	if _, err := io.ReadFull(f, body); err != nil {
		return nil, r.fault(fmt.Errorf("reading %s: %w", f.Name(), err))
	}
	sum, _, _ := digest(bytes.NewReader(body)) // reading memory cannot fail
	if sum != r.sum {
		return nil, r.fault(fmt.Errorf("%s has sha256 %s: it was changed or damaged; %s", f.Name(), sum, goodCopy))
	}
	return body, nil
}

// ReadFile returns the content that f names, of the store dir, if it is sound.
func ReadFile(dir string, f *FileLine) ([]byte, error) {
	return reference{"file " + f.Host + f.Path, f.SHA256, f.Size}.read(objectsOf(dir))
}

// openRegular opens a regular file for reading. It does not wait where path is a
// FIFO.
func openRegular(path string) (*os.File, fs.FileInfo, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file: %s", path, info.Mode())
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// digest reads r to its end and returns the name that its content has as an
// object, and how many octets it was.
func digest(r io.Reader) (sum string, size int64, err error) {
	h := sha256.New()
	size, err = io.Copy(h, r)
	return hex.EncodeToString(h.Sum(nil)), size, err
}
