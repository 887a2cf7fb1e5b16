package store

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Removed is one thing that GC removed.
type Removed struct {
	Name   string // path below the store's directory
	SHA256 string // the object; empty if it was something temporary
	Size   int64  // octets
}

// GC removes the objects that the manifest of dir does not name, and what
// publications that were cut short left behind. It leaves alone whatever it does
// not recognise. It holds the store's lock, so no publication can be under way,
// and refuses a directory without a manifest, in which it could only guess. Open
// generations keep what they have mapped. With an error it returns what it
// removed before.
func GC(dir string) ([]Removed, error) {
	l, err := lock(dir)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	m, err := ReadManifest(dir)
	if err != nil {
		return nil, fmt.Errorf("nothing removed, for what is in use is not known: %w", err)
	}
	named := make(map[string]bool)
	for ref := range m.references {
		named[ref.sum] = true
	}
	c := collector{dir: dir}
	err = c.collect(".", isTemporary)
	if err == nil {
		err = c.collect(objectsName, func(e fs.DirEntry) bool {
			return isTemporary(e) || isObject(e) && !named[e.Name()]
		})
	}
	return c.removed, err
}

func isTemporary(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), tempPrefix) }

func isObject(e fs.DirEntry) bool { return e.Type().IsRegular() && isSHA256(e.Name()) }

type collector struct {
	dir     string
	removed []Removed
}

// collect removes the entries of the directory sub that are garbage.
func (c *collector) collect(sub string, garbage func(fs.DirEntry) bool) error {
	entries, err := os.ReadDir(filepath.Join(c.dir, sub))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !garbage(e) {
			continue
		}
		r := Removed{Name: filepath.Join(sub, e.Name())}
		if isObject(e) {
			r.SHA256 = e.Name()
		}
		path := filepath.Join(c.dir, r.Name)
		r.Size = treeSize(path)
		if err := os.RemoveAll(path); err != nil {
			return err
		}
		c.removed = append(c.removed, r)
	}
	return nil
}

// treeSize is the size of the regular files at and below path, as far as they can
// be seen.
func treeSize(path string) (size int64) {
	filepath.WalkDir(path, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil
		}
		if info, err := e.Info(); err == nil {
			size += info.Size()
		}
		return nil
	})
	return size
}
