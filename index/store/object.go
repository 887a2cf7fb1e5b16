package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const objectsName = "objects"

func objectPath(dir, sum string) string { return filepath.Join(dir, objectsName, sum) }

// goodCopy is the remedy for an object that is not what the manifest says.
const goodCopy = "put a good copy of the object in place, then the manifest"

// A reference is an object as one line of a manifest names it.
type reference struct {
	line int
	sum  string
	size int64
}

// fault is err with the place of the reference.
func (r reference) fault(err error) error {
	return fmt.Errorf("manifest line %d: %w", r.line, err)
}

// references calls yield for every object that m names, as often as it names it.
func (m *Manifest) references(yield func(reference) bool) {
	for i, s := range m.Segments {
		if !yield(reference{m.segmentLineNumber(i), s.SHA256, s.Size}) {
			return
		}
	}
	for i, f := range m.Files {
		if !yield(reference{m.fileLineNumber(i), f.SHA256, f.Size}) {
			return
		}
	}
}

// openObject opens the object that r names and compares its size.
func (r reference) openObject(dir string) (*os.File, error) {
	path := objectPath(dir, r.sum)
	f, info, err := openRegular(path)
	if err != nil {
		return nil, r.fault(fmt.Errorf("%w; %s", err, goodCopy))
	}
	if info.Size() != r.size {
		f.Close()
		return nil, r.fault(fmt.Errorf("%s has %d octets, the manifest says %d; %s", path, info.Size(), r.size, goodCopy))
	}
	return f, nil
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
