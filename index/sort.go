package index

import (
	"cmp"
	"slices"

	"lancre/internal/parallel"
)

func compareEntries(a, b indexEntry) int {
	if a.key != b.key {
		return cmp.Compare(a.key, b.key)
	}
	return cmp.Compare(a.offset, b.offset)
}

// Entries are cut into parts by the first partBits of their keys. Keys are hashes, so
// that parts are of about one size: of a million entries each fits a processor's first
// cache.
const (
	partBits  = 10
	sortParts = 1 << partBits
)

// cutEntries brings from into to, of the same length, part after part, and returns where
// each ends. All keys begin with the same bits, as many as shared says, which are passed
// over.
func cutEntries(to, from []indexEntry, shared int) (ends [sortParts]int) {
	part := func(key uint64) uint64 { return key << shared >> (64 - partBits) }
	for i := range from {
		ends[part(from[i].key)]++
	}
	for i := 1; i < sortParts; i++ {
		ends[i] += ends[i-1]
	}
	next := ends
	for i := len(from) - 1; i >= 0; i-- {
		p := part(from[i].key)
		next[p]--
		to[next[p]] = from[i]
	}
	return ends
}

// sortEntries sorts from, on all processors, and uses it up. The result is in to, of the
// same length; shared is as cutEntries has it.
func sortEntries(to, from []indexEntry, shared int) {
	ends := cutEntries(to, from, shared)
	parallel.Each(sortParts, func() func(int) {
		return func(i int) {
			begin, end := partBegin(&ends, i), ends[i]
			sortPart(to[begin:end], from[begin:end], shared+partBits)
		}
	})
}

// fewEntries are those that are sorted in less time than it takes to count them by parts.
const fewEntries = 128

// sortPart sorts a part. More than a few entries are cut into parts once more, of one
// entry or two each, where there are many; spare, of the same length, is used up.
func sortPart(part, spare []indexEntry, shared int) {
	if len(part) < fewEntries {
		slices.SortFunc(part, compareEntries)
		return
	}
	ends := cutEntries(spare, part, shared)
	for i := range sortParts {
		if begin, end := partBegin(&ends, i), ends[i]; end-begin > 1 {
			slices.SortFunc(spare[begin:end], compareEntries)
		}
	}
	copy(part, spare)
}

// partBegin is where part i begins: where the one before it ends.
func partBegin(ends *[sortParts]int, i int) int {
	if i == 0 {
		return 0
	}
	return ends[i-1]
}
