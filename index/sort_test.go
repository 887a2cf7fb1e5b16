package index

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSortEntries(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for name, key := range map[string]func() uint64{
		"hashes":       rng.Uint64,
		"few keys":     func() uint64 { return rng.Uint64N(3) << 62 },
		"one part":     func() uint64 { return rng.Uint64() >> 20 },
		"the last one": func() uint64 { return ^uint64(0) },
	} {
		for _, n := range []int{0, 1, 2, 1000, 20_000, 200_000} {
			entries := make([]indexEntry, n)
			for i := range entries {
				entries[i] = indexEntry{key(), rng.Uint64N(1 << 40)}
			}
			for shared := range partBits {
				prefix := uint64(0x5555555555555555) &^ (1<<(64-shared) - 1)
				for i := range entries {
					entries[i].key = prefix | entries[i].key>>shared
				}
				want := slices.Clone(entries)
				slices.SortFunc(want, compareEntries)
				got := make([]indexEntry, n)
				sortEntries(got, slices.Clone(entries), shared)
				if !slices.Equal(got, want) {
					t.Errorf("%s: %d entries that share %d bits are not sorted", name, n, shared)
				}
			}
		}
	}
}

func BenchmarkSortEntries(b *testing.B) {
	entries, spare, sorted := make([]indexEntry, 1_000_000), make([]indexEntry, 1_000_000), make([]indexEntry, 1_000_000)
	for i := range entries {
		entries[i] = indexEntry{rand.Uint64(), uint64(i)}
	}
	b.Run("parts", func(b *testing.B) {
		for b.Loop() {
			copy(spare, entries)
			sortEntries(sorted, spare, 0)
		}
	})
	b.Run("whole", func(b *testing.B) {
		for b.Loop() {
			copy(sorted, entries)
			slices.SortFunc(sorted, compareEntries)
		}
	})
}
