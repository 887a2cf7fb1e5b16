package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"lancre/internal/durable"
)

// A Spool is a directory in which files of responses appear, in any form that package
// input reads:
//
//	DIR/NAME              to be published; a name that begins with a dot is in the making
//	DIR/done/SEQ-NAME     published, by the publication of that sequence number
//	DIR/rejected/NAME     no response, or not all of it
//	DIR/rejected/NAME.pem what was refused of NAME, and why
//
// A file is taken at once when it was renamed into DIR or closed by who wrote it; one of
// which that was not seen, when it has not changed for a second and nobody has it open
// for writing. Other directories in DIR are left alone.
type Spool struct {
	Common
	Dir string `toml:"dir"`

	// DoneFor is how long files stay in done, from which they come back when the store
	// goes back to a generation before them. Default: a week.
	DoneFor Duration `toml:"done_for"`

	watch   *watch
	changes <-chan struct{}
	large   *largeFiles
	cleaned bool // of what a crash left
}

const (
	doneName     = "done"
	rejectedName = "rejected"

	// unchanged is for how long a file of which nothing was seen must have been as it is.
	unchanged = time.Second

	defaultDoneFor = 7 * 24 * time.Hour
)

// Prepare checks what the configuration says of it, whose paths are relative to base.
func (s *Spool) Prepare(base string) error {
	if s.Dir == "" {
		return errors.New("no dir, in which files appear")
	}
	if s.DoneFor < 0 {
		return fmt.Errorf("done_for = %s: it cannot be negative", s.DoneFor)
	}
	s.Dir, s.watch = within(base, s.Dir), newWatch()
	s.changes, s.large = s.watch.subscribe(), &largeFiles{s, s.watch.subscribe()}
	return s.Common.check()
}

// within is path, which is relative to base.
func within(base, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(base, path)
}

// addressIn is the address of a database, whose file, if it is SQLite's, is relative to
// base.
func addressIn(base, address string) string {
	if file, ok := strings.CutPrefix(address, "sqlite:"); ok {
		return "sqlite:" + within(base, file)
	}
	return address
}

// Settings implements Source.
func (s *Spool) Settings() Settings {
	set := s.Common.settings("spool", 5*time.Second)
	set.Changes = s.changes
	return set
}

// String says what is read.
func (s *Spool) String() string { return "files that appear in " + s.Dir }

// Close implements Source.
func (s *Spool) Close() { s.watch.close() }

// Rewind implements Source: files that are done, but by a publication that the store
// does not have, come back.
func (s *Spool) Rewind(to Position) error {
	if err := s.makeDirs(); err != nil {
		return err
	}
	entries, err := os.ReadDir(s.path(doneName))
	if err != nil {
		return err
	}
	for _, e := range entries {
		number, name, _ := strings.Cut(e.Name(), "-")
		number, _, _ = strings.Cut(number, ".")
		sequence, err := strconv.ParseUint(number, 10, 64)
		if err != nil || sequence <= to.Sequence {
			continue
		}
		if _, err := os.Lstat(s.path(name)); err == nil {
			name = e.Name()
		}
		if err := os.Rename(s.path(doneName, e.Name()), s.path(name)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Spool) path(name ...string) string {
	return filepath.Join(s.Dir, filepath.Join(name...))
}

func (s *Spool) makeDirs() error {
	for _, dir := range []string{s.path(doneName), s.path(rejectedName)} {
		if err := durable.MakeDir(dir); err != nil {
			return err
		}
	}
	return nil
}

// Read implements Source, for files that are not large.
func (s *Spool) Read(ctx context.Context, to Publisher) error {
	if err := s.makeDirs(); err != nil {
		return err
	}
	_ = s.watch.add(s.Dir) // without it, a round comes soon enough
	if err := s.clean(); err != nil {
		return err
	}
	return s.read(ctx, to, func(size int64) bool { return size <= maxOctets })
}

// Large is the source that reads large files, beside the rounds of s: what is urgent is
// small, and does not wait for them.
func (s *Spool) Large() Source { return s.large }

type largeFiles struct {
	*Spool
	changes <-chan struct{}
}

// Settings implements Source.
func (l *largeFiles) Settings() Settings {
	set := l.Spool.Settings()
	set.Name, set.Changes = set.Name+"-large", l.changes
	return set
}

// String says what is read.
func (l *largeFiles) String() string {
	return fmt.Sprintf("files of more than %d octets in %s, beside the others", maxOctets, l.Dir)
}

// Rewind implements Source: the spool does so.
func (l *largeFiles) Rewind(Position) error { return nil }

// Close implements Source.
func (l *largeFiles) Close() {}

// Read implements Source.
func (l *largeFiles) Read(ctx context.Context, to Publisher) error {
	return l.read(ctx, to, func(size int64) bool { return size > maxOctets })
}

// read publishes the files that are complete, of the sizes that are wanted.
func (s *Spool) read(ctx context.Context, to Publisher, wanted func(size int64) bool) error {
	files, err := s.ready(wanted)
	if err != nil {
		return err
	}
	r := newSpoolRound(ctx, s, to)
	defer r.abandon()
	for _, name := range files {
		if err := r.read(name); err != nil {
			return err
		}
	}
	return r.flush()
}

// ready lists the files that are complete, the smallest first.
func (s *Spool) ready(wanted func(size int64) bool) ([]string, error) {
	entries, err := os.ReadDir(s.Dir)
	if err != nil {
		return nil, err
	}
	sizes := make(map[string]int64)
	var names []string
	for _, e := range entries {
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !wanted(info.Size()) {
			continue
		}
		if s.watch.isComplete(s.path(e.Name())) || s.atRest(info) {
			names, sizes[e.Name()] = append(names, e.Name()), info.Size()
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(sizes[a], sizes[b]) })
	return names, nil
}

// atRest reports whether a file has not changed for a while, and nobody writes it.
func (s *Spool) atRest(info fs.FileInfo) bool {
	if !info.Mode().IsRegular() {
		return true // it will not become one
	}
	if age := time.Since(info.ModTime()); age >= 0 && age < unchanged {
		return false
	}
	return !beingWritten(s.path(info.Name()))
}

// clean removes what has been done for long, and what a crash left of a round.
func (s *Spool) clean() error {
	entries, err := os.ReadDir(s.path(doneName))
	if err != nil {
		return err
	}
	oldest := time.Now().Add(-s.DoneFor.Or(defaultDoneFor))
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue // it has just gone
		}
		// The time of the last change of the inode is when it was moved there.
		if changed := info.Sys().(*syscall.Stat_t).Ctim; time.Unix(changed.Unix()).Before(oldest) {
			if err := os.Remove(s.path(doneName, e.Name())); err != nil {
				return err
			}
		}
	}
	if s.cleaned {
		return nil
	}
	s.cleaned = true
	left, err := filepath.Glob(s.path(rejectedName, durable.TempPrefix+"*"))
	for _, path := range left {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}
