package spill

import (
	"bufio"
	"container/heap"
	"errors"
	"io"
	"os"
)

// merge calls yield for every record of runs, which are sorted, in order, and ends with its
// first error. A record is valid during the call. The runs are read from where they are.
func merge(runs []*os.File, yield func(*Record) error) error {
	m := new(merging)
	for _, file := range runs {
		r := &run{in: bufio.NewReaderSize(file, runSize)}
		if more, err := r.next(); err != nil {
			return err
		} else if more {
			*m = append(*m, r)
		}
	}
	heap.Init(m)
	for m.Len() > 0 {
		first := (*m)[0]
		if err := yield(&first.head); err != nil {
			return err
		}
		if more, err := first.next(); err != nil {
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

// merging orders runs by their heads, for container/heap.
type merging []*run

func (m merging) Len() int           { return len(m) }
func (m merging) Less(i, j int) bool { return compare(&m[i].head, &m[j].head) < 0 }
func (m merging) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }
func (m *merging) Push(x any)        { *m = append(*m, x.(*run)) }
func (m *merging) Pop() any {
	last := (*m)[len(*m)-1]
	*m = (*m)[:len(*m)-1]
	return last
}
