package index

import (
	"bufio"
	"container/heap"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
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

// spill writes the entries held as a run. The file has no name from the start,
// so that it is gone however the process ends.
func (s *sorter) spill() error {
	f, err := os.CreateTemp(s.dir, ".tmp-run-*")
	if err != nil {
		return err
	}
	s.runs = append(s.runs, f)
	if err := os.Remove(f.Name()); err != nil {
		return err
	}
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
	var runs runHeap
	for _, f := range s.runs {
		r := &run{in: bufio.NewReaderSize(f, 256<<10)}
		if ok, err := r.next(); err != nil {
			return err
		} else if ok {
			runs = append(runs, r)
		}
	}
	heap.Init(&runs)
	for len(runs) > 0 {
		if err := yield(runs[0].head); err != nil {
			return err
		}
		ok, err := runs[0].next()
		if err != nil {
			return err
		}
		if ok {
			heap.Fix(&runs, 0)
		} else {
			heap.Pop(&runs)
		}
	}
	return nil
}

func (s *sorter) close() {
	for _, f := range s.runs {
		f.Close()
	}
	s.runs, s.entries, s.spare, s.buf = nil, nil, nil, nil
}

// A run is a sorted sequence of entries being read.
type run struct {
	in   *bufio.Reader
	head indexEntry
}

// next reads the next entry into head and reports whether there was one.
func (r *run) next() (bool, error) {
	var b [indexEntrySize]byte
	if _, err := io.ReadFull(r.in, b[:]); err != nil {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return false, err
	}
	r.head = indexEntry{binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:])}
	return true, nil
}

// runHeap orders runs by their heads, for container/heap.
type runHeap []*run

func (h runHeap) Len() int           { return len(h) }
func (h runHeap) Less(i, j int) bool { return compareEntries(h[i].head, h[j].head) < 0 }
func (h runHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *runHeap) Push(x any)        { *h = append(*h, x.(*run)) }
func (h *runHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
