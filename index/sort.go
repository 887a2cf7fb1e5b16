package index

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

func compareEntries(a, b indexEntry) int {
	if a.key != b.key {
		return cmp.Compare(a.key, b.key)
	}
	return cmp.Compare(a.offset, b.offset)
}

// sortParts is into how many parts entries are cut: a million fall into parts that
// fit a processor's first cache.
const sortParts = 1024

// sortEntries sorts from, on all processors. The result is in to, of the same
// length; from is in no order then. Keys are hashes, so that their first bits cut
// the entries into parts of about one size.
func sortEntries(to, from []indexEntry) {
	part := func(key uint64) int { return int(home(key, sortParts)) }
	var ends [sortParts]int // of the parts in to
	for i := range from {
		ends[part(from[i].key)]++
	}
	for i := 1; i < sortParts; i++ {
		ends[i] += ends[i-1]
	}
	begins := ends
	for i := len(from) - 1; i >= 0; i-- {
		p := part(from[i].key)
		begins[p]--
		to[begins[p]] = from[i]
	}
	var taken atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := taken.Add(1) - 1; i < sortParts; i = taken.Add(1) - 1 {
				slices.SortFunc(to[begins[i]:ends[i]], compareEntries)
			}
		})
	}
	workers.Wait()
}
