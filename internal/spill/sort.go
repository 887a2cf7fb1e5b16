package spill

import (
	"bytes"
	"slices"
	"sync"
)

func compare(a, b *Record) int { return bytes.Compare(a[:], b[:]) }

// order is compare for package slices.
func order(a, b Record) int { return compare(&a, &b) }

// alone is how many records one processor sorts in 0.6 ms (two of an Intel Xeon): fewer
// are not worth being shared out.
const alone = 4 << 10

// sort sorts records in place, on so many processors: it puts the lesser half in front of
// the greater, and both are sorted at a time.
func sort(records []Record, processors int) {
	if processors < 2 || len(records) < alone {
		slices.SortFunc(records, order)
		return
	}
	cut := divide(records)
	var lesser sync.WaitGroup
	lesser.Go(func() { sort(records[:cut], processors/2) })
	sort(records[cut:], processors-processors/2)
	lesser.Wait()
}

// samples is of how many records the middle one is what divides them: halves of records at
// random differ by a tenth of all.
const samples = 63

// divide puts records in an order in which none before the cut is greater than any behind
// it. Records that are in order stay so. There must be samples of them, at least.
func divide(records []Record) (cut int) {
	var some [samples]Record
	for i := range some {
		some[i] = records[i*len(records)/samples]
	}
	slices.SortFunc(some[:], order)
	middle := &some[samples/2]
	for i, j := 0, len(records)-1; ; i, j = i+1, j-1 {
		for compare(&records[i], middle) < 0 {
			i++
		}
		for compare(&records[j], middle) > 0 {
			j--
		}
		if i >= j {
			return i
		}
		records[i], records[j] = records[j], records[i]
	}
}
