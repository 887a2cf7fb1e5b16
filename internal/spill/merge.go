package spill

import (
	"bufio"
	"container/heap"
	"errors"
	"io"
	"os"
)

// Create makes a file for a run in dir. It has no name from the start, so that it is gone
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

// A Form is how records of a kind lie in a run.
type Form[R any] struct {
	Size    int               // octets of each
	Buffer  int               // octets that are read of a run at a time
	Decode  func(b []byte) R  // b has Size octets, and is valid during the call
	Compare func(a, b *R) int // the order of runs
}

// Merge calls yield for every record of runs, which are sorted, in order, and ends with its
// first error. A record is valid during the call. The runs are read from where they are.
func Merge[R any](f Form[R], runs []*os.File, yield func(*R) error) error {
	m := &merging[R]{form: f}
	for _, file := range runs {
		r := &run[R]{in: bufio.NewReaderSize(file, f.Buffer), octets: make([]byte, f.Size)}
		if more, err := r.next(f.Decode); err != nil {
			return err
		} else if more {
			m.runs = append(m.runs, r)
		}
	}
	heap.Init(m)
	for len(m.runs) > 0 {
		if err := yield(&m.runs[0].head); err != nil {
			return err
		}
		if more, err := m.runs[0].next(f.Decode); err != nil {
			return err
		} else if more {
			heap.Fix(m, 0)
		} else {
			heap.Pop(m)
		}
	}
	return nil
}

// A run is a sorted sequence of records being read.
type run[R any] struct {
	in     *bufio.Reader
	octets []byte // scratch
	head   R
}

// next reads the next record into head and reports whether there was one.
func (r *run[R]) next(decode func([]byte) R) (bool, error) {
	_, err := io.ReadFull(r.in, r.octets)
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	r.head = decode(r.octets)
	return true, nil
}

// merging orders runs by their heads, for container/heap.
type merging[R any] struct {
	form Form[R]
	runs []*run[R]
}

func (m *merging[R]) Len() int { return len(m.runs) }
func (m *merging[R]) Less(i, j int) bool {
	return m.form.Compare(&m.runs[i].head, &m.runs[j].head) < 0
}
func (m *merging[R]) Swap(i, j int) { m.runs[i], m.runs[j] = m.runs[j], m.runs[i] }
func (m *merging[R]) Push(x any)    { m.runs = append(m.runs, x.(*run[R])) }
func (m *merging[R]) Pop() any {
	last := m.runs[len(m.runs)-1]
	m.runs = m.runs[:len(m.runs)-1]
	return last
}
