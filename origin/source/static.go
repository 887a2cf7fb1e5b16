package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"syscall"
	"time"
)

// A Static is a tree DIR/HOST/PATH of CRLs, certificates and pages. What changes in it
// is published, checks included. A file is left alone while somebody has it open for
// writing, and passed over, when it is refused, until it changes:
// what was published at its place stays, and so does what is removed from the tree, which
// lancre add --unpublish takes back.
type Static struct {
	Common
	Dir string `toml:"dir"`

	watch     *watch
	changes   <-chan struct{}
	published map[string]stamp // of the tree as it was published last; nil for never
	refused   map[string]stamp // files that were, as they were then
}

// A stamp changes with a file.
type stamp struct {
	inode    uint64
	size     int64
	modified time.Time
	changed  syscall.Timespec
}

// Prepare checks what the configuration says of it, whose paths are relative to base.
func (s *Static) Prepare(base string) error {
	if s.Dir == "" {
		return errors.New("no dir, of which HOST/PATH is published")
	}
	s.Dir, s.watch, s.refused = within(base, s.Dir), newWatch(), make(map[string]stamp)
	s.changes = s.watch.subscribe()
	return s.Common.check()
}

// Settings implements Source.
func (s *Static) Settings() Settings {
	set := s.Common.settings("static", time.Minute)
	set.Changes = s.changes
	return set
}

// String says what is read.
func (s *Static) String() string { return "files below " + s.Dir }

// Rewind implements Source: the tree is compared with what the store has now.
func (s *Static) Rewind(Position) error {
	s.published = nil
	return nil
}

// Close implements Source.
func (s *Static) Close() { s.watch.close() }

// Read implements Source.
func (s *Static) Read(ctx context.Context, to Publisher) error {
	_ = s.watch.addTree(s.Dir) // without it, a round comes soon enough
	s.watch.forget()
	now, err := s.stamps()
	if err != nil {
		return err
	}
	if len(now) == 0 || maps.Equal(now, s.published) {
		return nil
	}
	except := make(map[string]bool)
	for name, is := range now {
		if s.published[name] != is && beingWritten(name) {
			except[name] = true
			delete(now, name) // its change is seen again when it is closed
		}
	}
	for name, was := range s.refused {
		if now[name] == was {
			except[name] = true
		} else {
			delete(s.refused, name)
		}
	}
	if err := s.publish(ctx, to, now, except); err != nil {
		return err
	}
	s.published = now
	return nil
}

// publish publishes the tree but for what is refused of it.
func (s *Static) publish(ctx context.Context, to Publisher, now map[string]stamp, except map[string]bool) error {
	for {
		outcome, err := to.Publish(ctx, Change{Static: s.Dir, Except: except})
		if err != nil || len(outcome.Refused) == 0 {
			return err
		}
		more := false
		for _, x := range outcome.Refused {
			name := x.Place.Source
			if was, ours := now[name]; ours && !except[name] {
				s.refused[name], except[name], more = was, true, true
			}
		}
		if !more {
			return fmt.Errorf("the tree as a whole is refused; the first fault: %s", outcome.Refused[0])
		}
	}
}

// stamps are those of all files in the tree.
func (s *Static) stamps() (map[string]stamp, error) {
	list := make(map[string]stamp)
	err := filepath.WalkDir(s.Dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return gone(err)
		}
		info, err := e.Info()
		if err != nil {
			return gone(err)
		}
		st := info.Sys().(*syscall.Stat_t)
		list[path] = stamp{st.Ino, info.Size(), info.ModTime(), st.Ctim}
		return nil
	})
	if err == nil && len(list) == 0 && !exists(s.Dir) {
		err = &fs.PathError{Op: "open", Path: s.Dir, Err: fs.ErrNotExist}
	}
	return list, err
}
