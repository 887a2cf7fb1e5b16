package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Removed is one thing that GC removed.
type Removed struct {
	Name   string // path below the store's directory
	SHA256 string // the object; empty if it was something temporary
	Size   int64  // octets
}

// Keep says which generations GC spares, beside the one being served.
type Keep struct {
	Generations int           // so many before it
	Since       time.Duration // and all that were published in so long
}

// DefaultKeep is enough to go back by a day, and some way where nothing was published
// for longer.
var DefaultKeep = Keep{3, 24 * time.Hour}

// GC removes what generations that keep does not spare at the time now have to
// themselves, their manifests, and what publications that were cut short left behind.
// It leaves alone whatever it does not recognise. It holds the store's lock, so
// nothing can be published meanwhile; objects in the making are spared. It refuses a
// directory without a manifest, in which it could only guess. Open generations keep
// what they have mapped. With an error it returns what it removed before.
func GC(dir string, keep Keep, now time.Time) ([]Removed, error) {
	l, err := lock(dir, patience)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	m, err := ReadManifest(dir)
	if err != nil {
		return nil, fmt.Errorf("nothing removed, for what is in use is not known: %w", err)
	}
	c := collector{dir: dir, named: make(map[string]bool), kept: make(map[string]bool)}
	c.spare(m)
	if err := c.spareHistory(keep, now); err != nil {
		return nil, fmt.Errorf("nothing removed, for what is in use is not known: %w", err)
	}
	err = c.collect(".", isTemporary)
	if err == nil {
		err = c.collect(historyName, func(e fs.DirEntry) bool { return isTemporary(e) || isNumber(e.Name()) && !c.kept[e.Name()] })
	}
	if err == nil {
		err = c.collect(objectsName, func(e fs.DirEntry) bool {
			return isTemporary(e) && !claimed(filepath.Join(dir, objectsName, e.Name())) || isObject(e) && !c.named[e.Name()]
		})
	}
	return c.removed, err
}

// spare spares what m names.
func (c *collector) spare(m *Manifest) {
	for ref := range m.references {
		c.named[ref.sum] = true
	}
}

// spareHistory spares the generations that keep says. Those before them are not read.
func (c *collector) spareHistory(keep Keep, now time.Time) error {
	past, err := History(c.dir)
	if err != nil {
		return err
	}
	for i, n := range past {
		m, err := readManifestAt(c.dir, historyPath(c.dir, n), nil)
		if err != nil {
			return err
		}
		if i >= keep.Generations && (keep.Since == 0 || now.Sub(m.Created) > keep.Since) {
			break
		}
		c.kept[strconv.FormatUint(n, 10)] = true
		c.spare(m)
	}
	return nil
}

func isNumber(name string) bool { return consistsOf(name, "0123456789") }

func isTemporary(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), tempPrefix) }

func isObject(e fs.DirEntry) bool { return e.Type().IsRegular() && isSHA256(e.Name()) }

type collector struct {
	dir     string
	named   map[string]bool // objects that are in use
	kept    map[string]bool // generations in the history, by their file's name
	removed []Removed
}

// collect removes the entries of the directory sub that are garbage.
func (c *collector) collect(sub string, garbage func(fs.DirEntry) bool) error {
	entries, err := os.ReadDir(filepath.Join(c.dir, sub))
	if errors.Is(err, fs.ErrNotExist) && sub == historyName {
		return nil
	}
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
