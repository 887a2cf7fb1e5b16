// Package spill sorts records of one size, any number of them, in bounded memory: what
// memory does not hold goes to temporary files as sorted runs, which are merged at the
// end.
package spill

import (
	"bufio"
	"io"
	"os"
	"runtime"
)

// Size is how many octets a record has.
const Size = 48

// A Record is sorted as a string of octets.
type Record [Size]byte

// held is how many records are held before they are written out: 12 MiB of them. 500
// million records make 2,000 runs, of which each is read through a buffer of 64 KiB.
// Memory for few is taken first, and then for four times as many: by the time that so many
// are held, at most four thirds of them were copied, where append, which takes a quarter
// more at a time, copies four times as many.
const (
	held    = 1 << 18
	few     = 1 << 10
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
	if n := len(s.records); n == cap(s.records) {
		s.records = append(make([]Record, 0, min(s.limit, max(few, 4*n))), s.records...)
	}
	s.records = append(s.records, *r)
	s.count++
	return nil
}

// spill writes the records held as a run.
func (s *Sorter) spill() error {
	f, err := Create(s.dir)
	if err != nil {
		return err
	}
	s.runs = append(s.runs, f)
	sort(s.records, runtime.GOMAXPROCS(0))
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
		sort(s.records, runtime.GOMAXPROCS(0))
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
	return merge(s.runs, yield)
}

// Create makes a temporary file in dir. It has no name from the start, so that it is gone
// however the process ends.
func Create(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, ".tmp-run-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Close frees what s holds.
func (s *Sorter) Close() {
	for _, f := range s.runs {
		f.Close()
	}
	s.runs, s.records = nil, nil
}
