// Package spill sorts records of one size, any number of them, in bounded memory: what
// memory does not hold goes to temporary files as sorted runs, which are merged at the
// end.
package spill

import (
	"bufio"
	"bytes"
	"container/heap"
	"errors"
	"io"
	"os"
	"slices"
)

// Size is how many octets a record has.
const Size = 48

// A Record is sorted as a string of octets.
type Record [Size]byte

// held is how many records are held before they are written out: 12 MiB of them. 500
// million records make 2,000 runs, of which each is read through a buffer of 64 KiB.
const (
	held    = 1 << 18
	runSize = 64 << 10
)

// A Sorter sorts records. Not safe for concurrent use.
type Sorter struct {
	dir     string
	limit   int
	count   uint64
	records []Record
	runs    []*os.File
}

// New makes a sorter whose temporary files are in dir. They have no names: they are gone
// however the process ends.
func New(dir string) *Sorter { return &Sorter{dir: dir, limit: held} }

// Len is how many records were added.
func (s *Sorter) Len() uint64 { return s.count }

// Add adds one record.
func (s *Sorter) Add(r *Record) error {
	if len(s.records) == s.limit {
		if err := s.spill(); err != nil {
			return err
		}
	}
	s.records = append(s.records, *r)
	s.count++
	return nil
}

func (s *Sorter) sort() {
	slices.SortFunc(s.records, func(a, b Record) int { return bytes.Compare(a[:], b[:]) })
}

// spill writes the records held as a run.
func (s *Sorter) spill() error {
	f, err := os.CreateTemp(s.dir, ".tmp-run-*")
	if err != nil {
		return err
	}
	s.runs = append(s.runs, f)
	if err := os.Remove(f.Name()); err != nil {
		return err
	}
	s.sort()
	out := bufio.NewWriterSize(f, runSize)
	for i := range s.records {
		out.Write(s.records[i][:]) // Flush has the error
	}
	s.records = s.records[:0]
	if err := out.Flush(); err != nil {
		return err
	}
	_, err = f.Seek(0, io.SeekStart)
	return err
}

// Each calls yield for every record, in order, each valid during the call, and ends with
// its first error. Nothing can be added afterwards.
func (s *Sorter) Each(yield func(*Record) error) error {
	if len(s.runs) == 0 {
		s.sort()
		for i := range s.records {
			if err := yield(&s.records[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if err := s.spill(); err != nil {
		return err
	}
	s.records = nil
	var runs runHeap
	for _, f := range s.runs {
		r := &run{in: bufio.NewReaderSize(f, runSize)}
		if more, err := r.next(); err != nil {
			return err
		} else if more {
			runs = append(runs, r)
		}
	}
	heap.Init(&runs)
	for len(runs) > 0 {
		if err := yield(&runs[0].head); err != nil {
			return err
		}
		if more, err := runs[0].next(); err != nil {
			return err
		} else if more {
			heap.Fix(&runs, 0)
		} else {
			heap.Pop(&runs)
		}
	}
	return nil
}

// Close frees what s holds.
func (s *Sorter) Close() {
	for _, f := range s.runs {
		f.Close()
	}
	s.runs, s.records = nil, nil
}

// A run is a sorted file being read.
type run struct {
	in   *bufio.Reader
	head Record
}

// next reads the next record into head and reports whether there was one.
func (r *run) next() (bool, error) {
	_, err := io.ReadFull(r.in, r.head[:])
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	return err == nil, err
}

// runHeap orders runs by their heads, for container/heap.
type runHeap []*run

func (h runHeap) Len() int           { return len(h) }
func (h runHeap) Less(i, j int) bool { return bytes.Compare(h[i].head[:], h[j].head[:]) < 0 }
func (h runHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *runHeap) Push(x any)        { *h = append(*h, x.(*run)) }
func (h *runHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
