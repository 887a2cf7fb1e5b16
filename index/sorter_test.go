package index

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A sorter gives back what was added, sorted, in however many runs it was written
// out, and leaves no file.
func TestSorter(t *testing.T) {
	for _, n := range []int{0, 1, 9, 10, 11, 20, 21, 200} {
		for _, limit := range []int{1, 10, 1 << 20} {
			s := sorter{dir: t.TempDir(), limit: limit, memory: 1 + n/4}
			rng := rand.New(rand.NewPCG(uint64(n), uint64(limit)))
			var want []indexEntry
			for i := range n {
				e := indexEntry{rng.Uint64N(20)<<59 | rng.Uint64N(2), uint64(i)}
				want = append(want, e)
				if err := s.add(e); err != nil {
					t.Fatal(err)
				}
			}
			slices.SortFunc(want, compareEntries)
			var got []indexEntry
			if err := s.each(func(e indexEntry) error { got = append(got, e); return nil }); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) || s.count != uint64(n) {
				t.Errorf("%d entries in runs of %d: %d counted, and these come out\n%v\nwant\n%v", n, limit, s.count, got, want)
			}
			if left, err := os.ReadDir(s.dir); err != nil || len(left) > 0 {
				t.Errorf("files in the way of runs: %v, %v", left, err)
			}
			s.close()
		}
	}
}

// What goes wrong with a run, or with whom entries are for, ends the sorting.
func TestSorterReportsErrors(t *testing.T) {
	stop := errors.New("stop")
	filled := func(limit int) *sorter {
		s := &sorter{dir: t.TempDir(), limit: limit, memory: limit}
		t.Cleanup(s.close)
		for i := range uint64(30) {
			if err := s.add(indexEntry{i << 60, i}); err != nil {
				t.Fatal(err)
			}
		}
		return s
	}
	for _, limit := range []int{10, 100} {
		for _, last := range []int{1, 2, 29, 30} {
			calls := 0
			err := filled(limit).each(func(indexEntry) error {
				if calls++; calls == last {
					return stop
				}
				return nil
			})
			if err != stop || calls != last {
				t.Errorf("runs of %d: error %v after %d calls, want that of call %d", limit, err, calls, last)
			}
		}
	}
	cut := filled(10)
	if err := errors.Join(cut.spill(), cut.file.Truncate(indexEntrySize*14+1)); err != nil {
		t.Fatal(err)
	}
	if err := cut.each(func(indexEntry) error { return nil }); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file cut off: %v", err)
	}
	closed := filled(10)
	closed.file.Close()
	if err := closed.each(func(indexEntry) error { return nil }); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a file closed: %v", err)
	}
	nowhere := sorter{dir: filepath.Join(t.TempDir(), "nowhere"), limit: 1}
	if err := errors.Join(nowhere.add(indexEntry{}), nowhere.add(indexEntry{})); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file in no directory: %v", err)
	}
}
