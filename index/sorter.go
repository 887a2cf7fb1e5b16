package index

import (
	"io"
	"os"
	"slices"

	"lancre/internal/spill"
)

// An indexEntry says that the record at offset is reachable under key.
type indexEntry struct{ key, offset uint64 }

const indexEntrySize = 16

// sortMemory is how many entries are held before they are written out as a
// sorted run: 64 MiB of them, as much to sort them, and as much to write them. 500
// million records make 120 runs.
const sortMemory = 64 << 20 / indexEntrySize

// A sorter sorts any number of entries in bounded memory: runs of limit entries
// go to temporary files in dir, which are merged at the end.
type sorter struct {
	dir     string
	limit   int
	count   uint64 // entries added
	entries []indexEntry
	spare   []indexEntry // to sort into
	runs    []*os.File
	buf     []byte
}

func (s *sorter) add(e indexEntry) error {
	if len(s.entries) == s.limit {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.entries = append(s.entries, e)
	s.count++
	return nil
}

// sort sorts the entries held.
func (s *sorter) sort() {
	s.spare = slices.Grow(s.spare[:0], len(s.entries))[:len(s.entries)]
	sortEntries(s.spare, s.entries)
	s.entries, s.spare = s.spare, s.entries
}

// spill writes the entries held as a run.
func (s *sorter) spill() error {
	f, err := spill.Create(s.dir)
	if err != nil {
		return err
	}
	s.runs = append(s.runs, f)
	s.sort()
	s.buf = s.buf[:0]
	for _, e := range s.entries {
		s.buf = le.AppendUint64(le.AppendUint64(s.buf, e.key), e.offset)
	}
	s.entries = s.entries[:0]
	if _, err := f.Write(s.buf); err != nil {
		return err
	}
	_, err = f.Seek(0, io.SeekStart)
	return err
}

// each calls yield for every entry, in order, and stops at its first error.
func (s *sorter) each(yield func(indexEntry) error) error {
	if len(s.runs) == 0 {
		s.sort()
		for _, e := range s.entries {
			if err := yield(e); err != nil {
				return err
			}
		}
		return nil
	}
	if err := s.spill(); err != nil {
		return err
	}
	s.entries, s.spare, s.buf = nil, nil, nil
	return spill.Merge(runForm, s.runs, func(e *indexEntry) error { return yield(*e) })
}

// runForm is how entries lie in runs.
var runForm = spill.Form[indexEntry]{
	Size: indexEntrySize, Buffer: 256 << 10,
	Decode:  func(b []byte) indexEntry { return indexEntry{le.Uint64(b), le.Uint64(b[8:])} },
	Compare: func(a, b *indexEntry) int { return compareEntries(*a, *b) },
}

func (s *sorter) close() {
	for _, f := range s.runs {
		f.Close()
	}
	s.runs, s.entries, s.spare, s.buf = nil, nil, nil, nil
}
