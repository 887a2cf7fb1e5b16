package spill

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// Whatever fits into memory, records come out as slices.SortFunc has them, each as often
// as it went in, and no file is left.
func TestSorter(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct{ n, limit int }{
		{0, 8}, {1, 8}, {7, 8}, {8, 8}, {9, 8}, {100, 8}, {1000, 8}, {5*few + 1, 5 * few}, {5 * few, held},
	} {
		n, dir := c.n, t.TempDir()
		s := New(dir)
		s.limit = c.limit
		var want []Record
		for range n {
			r := Record{byte(random.IntN(4)), Size - 1: byte(random.IntN(50))}
			want = append(want, r)
			if err := s.Add(&r); err != nil {
				t.Fatal(err)
			}
		}
		slices.SortFunc(want, func(a, b Record) int { return bytes.Compare(a[:], b[:]) })
		var got []Record
		if err := s.Each(func(r *Record) error { got = append(got, *r); return nil }); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) || s.Len() != uint64(n) {
			t.Errorf("%d records: %d come back, or in another order; Len is %d", n, len(got), s.Len())
		}
		if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
			t.Errorf("%d records: %v is left in the directory, error %v", n, files, err)
		}
		s.Close()
	}
}

func TestEachEndsWithAnError(t *testing.T) {
	enough := errors.New("enough")
	for _, limit := range []int{2, 100} {
		s := New(t.TempDir())
		s.limit = limit
		for i := range 10 {
			if err := s.Add(&Record{byte(i)}); err != nil {
				t.Fatal(err)
			}
		}
		seen := 0
		err := s.Each(func(*Record) error {
			if seen++; seen == 3 {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) || seen != 3 {
			t.Errorf("%d records, error %v; want 3, %v", seen, err, enough)
		}
		s.Close()
	}
}

func TestAddReportsThatThereIsNoDirectory(t *testing.T) {
	s := New(t.TempDir() + "/absent")
	s.limit = 1
	s.Add(&Record{})
	if err := s.Add(&Record{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want one of the directory", err)
	}
}
