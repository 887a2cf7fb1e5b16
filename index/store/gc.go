package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Removed is one thing that GC removed.
type Removed struct {
	Name   string // path below the store's directory
	SHA256 string // the object; empty if it was none
	Size   int64  // octets
}

// Keep says what GC spares, beside the generation being served.
type Keep struct {
	Generations int             // so many before it
	Since       time.Duration   // and all that were published in so long
	Arriving    time.Duration   // and what came in so long and no manifest here names: that may be on its way
	Objects     map[string]bool // and these, by name
}

// DefaultKeep is enough to go back by a day, and some way where nothing was published
// for longer. Whoever copies a store sends the manifest last: an hour is ample where the
// base of a large shard, 234 MB, takes a minute and a half at 20 Mbit/s.
var DefaultKeep = Keep{Generations: 3, Since: 24 * time.Hour, Arriving: time.Hour}

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
	c := collector{
		dir: dir, keep: keep, now: now,
		named: make(map[string]bool), past: make(map[string]bool), kept: make(map[string]bool),
	}
	for sum := range m.named {
		c.named[sum] = true
	}
	if err := c.readHistory(); err != nil {
		return nil, fmt.Errorf("nothing removed, for what is in use is not known: %w", err)
	}
	err = c.collectAll()
	for _, f := range c.claimed {
		f.Close()
	}
	return c.removed, err
}

type collector struct {
	dir     string
	keep    Keep
	now     time.Time
	named   map[string]bool // objects that are in use
	past    map[string]bool // objects of generations that go
	kept    map[string]bool // generations in the history, by their file's name
	claimed []*os.File      // what was in the making when somebody was cut short
	removed []Removed
}

// eachObject enters the objects of m.
func (m *Manifest) eachObject(into map[string]bool) {
	for ref := range m.references {
		into[ref.sum] = true
	}
}

// readHistory tells what is kept of the history and what goes.
func (c *collector) readHistory() error {
	past, err := History(c.dir)
	if err != nil {
		return err
	}
	goes := false // and so do all before that
	for i, n := range past {
		m, err := readManifestAt(c.dir, historyPath(c.dir, n), nil, nil)
		switch {
		case err != nil && goes:
			continue // its objects go when they are no longer young
		case err != nil:
			return err
		}
		goes = goes || i >= c.keep.Generations && (c.keep.Since == 0 || c.now.Sub(m.Created) > c.keep.Since)
		if goes {
			m.eachObject(c.past)
			continue
		}
		c.kept[strconv.FormatUint(n, 10)] = true
		m.eachObject(c.named)
	}
	return nil
}

// Directories in which package build keeps what it can make again, or sees to itself.
const (
	heldName    = "held"    // responses put aside
	serialsName = "serials" // what CRLs list, by the name of their object
)

// collectAll removes what is garbage from each directory of the store. In held and
// serials things are made without the lock, but within the hour.
func (c *collector) collectAll() error {
	for _, d := range []struct {
		name    string
		garbage func(fs.DirEntry) bool
	}{
		{".", isTemporary},
		{historyName, func(e fs.DirEntry) bool { return isTemporary(e) || isNumber(e.Name()) && !c.kept[e.Name()] }},
		{heldName, func(e fs.DirEntry) bool { return isTemporary(e) && !c.arriving(e) }},
		{serialsName, func(e fs.DirEntry) bool {
			return isTemporary(e) && !c.arriving(e) || isObject(e) && !c.named[e.Name()]
		}},
		{objectsName, func(e fs.DirEntry) bool {
			return isTemporary(e) && c.claims(filepath.Join(c.dir, objectsName, e.Name())) || isObject(e) && c.unused(e)
		}},
	} {
		if err := c.collect(d.name, d.garbage); err != nil {
			return err
		}
	}
	return nil
}

// claims reports whether nobody makes objects in path, and sees to it that nobody begins
// before it is removed.
func (c *collector) claims(path string) bool {
	f, err := claim(path)
	if err == nil {
		c.claimed = append(c.claimed, f)
	}
	return err != errTaken
}

// unused reports whether no generation has the object e, nor is about to.
func (c *collector) unused(e fs.DirEntry) bool {
	return !c.named[e.Name()] && !c.keep.Objects[e.Name()] && (c.past[e.Name()] || !c.arriving(e))
}

// arriving reports whether e came into the store so lately that something may still
// become of it. The time of its inode tells: tools that copy files, as rsync -a, give
// them the time at which the original was made.
func (c *collector) arriving(e fs.DirEntry) bool {
	if c.keep.Arriving == 0 {
		return false
	}
	info, err := e.Info()
	if err != nil {
		return true // it has just gone
	}
	changed := info.Sys().(*syscall.Stat_t).Ctim
	return c.now.Sub(time.Unix(changed.Unix())) < c.keep.Arriving
}

func isNumber(name string) bool { return consistsOf(name, "0123456789") }

func isTemporary(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), tempPrefix) }

func isObject(e fs.DirEntry) bool { return e.Type().IsRegular() && isSHA256(e.Name()) }

// collect removes the entries of the directory sub that are garbage.
func (c *collector) collect(sub string, garbage func(fs.DirEntry) bool) error {
	entries, err := os.ReadDir(filepath.Join(c.dir, sub))
	if errors.Is(err, fs.ErrNotExist) && sub != objectsName {
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
		if sub == objectsName && isObject(e) {
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
