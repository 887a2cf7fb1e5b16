package spill

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// Whatever records are, and however many processors sort them, they come out as
// slices.SortFunc has them.
func TestSort(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	some := func(n, values int) []Record {
		records := make([]Record, n)
		for i := range records {
			value := random.IntN(values)
			records[i] = Record{0: byte(value >> 8), Size - 1: byte(value)}
		}
		return records
	}
	ordered := some(5*alone, 1<<16)
	sort(ordered, 1)
	reversed := slices.Clone(ordered)
	slices.Reverse(reversed)
	for name, records := range map[string][]Record{
		"none": nil, "few": some(alone-1, 3), "at random": some(5*alone, 1<<16), "many of each": some(5*alone, 2),
		"the same": some(5*alone, 1), "in order": ordered, "the other way round": reversed,
	} {
		want := slices.Clone(records)
		slices.SortFunc(want, func(a, b Record) int { return bytes.Compare(a[:], b[:]) })
		for _, processors := range []int{1, 2, 3, 16} {
			t.Run(fmt.Sprint(name, " by ", processors), func(t *testing.T) {
				got := slices.Clone(records)
				if sort(got, processors); !slices.Equal(got, want) {
					t.Error("they come out in another order, or others")
				}
			})
		}
	}
}

func TestDivideHalves(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	records := make([]Record, alone)
	for i := range records {
		for j := range records[i] {
			records[i][j] = byte(random.Uint32())
		}
	}
	cut := divide(records)
	lesser, greater := slices.MaxFunc(records[:cut], order), slices.MinFunc(records[cut:], order)
	if order(lesser, greater) > 0 {
		t.Errorf("%x is in front of %x", lesser, greater)
	}
	if cut < alone/4 || cut > alone*3/4 {
		t.Errorf("%d of %d are in front", cut, alone)
	}

	slices.SortFunc(records, order)
	ordered := slices.Clone(records)
	if divide(records); !slices.Equal(records, ordered) {
		t.Error("records that were in order are not any more")
	}
}
