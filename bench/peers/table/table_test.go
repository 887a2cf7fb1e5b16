package table

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"testing"

	"lancre/bench/corpus"
	"lancre/build/demo"
)

// asked is how many keys a benchmark goes through: the records of so many are
// more than processors cache.
const asked = 1 << 18

// BenchmarkTable looks CertIDs up in random order, each look-up waiting for the
// one before: hits, hits whose response is copied out, and misses. Size is what the table takes on disk,
// or on the heap; overhead is that less keys and values, and negative for a table
// that stores once what responses share.
func BenchmarkTable(b *testing.B) {
	kinds, entries := contenders(b)
	hits := shuffled(entries)
	misses := absent(hits)
	var payload int
	for _, e := range entries {
		payload += len(e.Key) + len(e.Value)
	}
	for _, kind := range kinds {
		b.Run(kind.Name, func(b *testing.B) {
			dir := b.TempDir()
			heap := heapInUse()
			t, err := kind.Make(dir, entries)
			if errors.Is(err, errTooLarge) {
				b.Skip(err)
			}
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { t.Close() })
			warm(t, hits, misses)
			size := sizeOf(b, dir)
			if size == 0 {
				// The values are those of entries, but a server would hold them.
				size = heapInUse() - heap + int64(payload)
			}
			b.Run("hit", func(b *testing.B) {
				find(b, t, hits, true)
				b.ReportMetric(float64(size)/float64(len(entries)), "octets/entry")
				b.ReportMetric(float64(size-int64(payload))/float64(len(entries)), "overhead/entry")
			})
			b.Run("response", func(b *testing.B) { copyOut(b, t, hits) })
			b.Run("miss", func(b *testing.B) { find(b, t, misses, false) })
			runtime.KeepAlive(entries)
		})
	}
}

// warm has pages mapped and caches filled before anything is measured: some
// tables do that by themselves.
func warm(t Table, lists ...[][]byte) {
	for _, keys := range lists {
		for _, key := range keys {
			t.Find(key)
		}
	}
}

func find(b *testing.B, t Table, keys [][]byte, want bool) {
	b.ReportAllocs()
	var last byte
	for i := uint(0); b.Loop(); i++ {
		octet, found := t.Find(keys[(i+uint(last&1))%uint(len(keys))])
		if found != want {
			b.Fatalf("key %d: found %v", i, found)
		}
		last = octet
	}
}

func copyOut(b *testing.B, t Table, keys [][]byte) {
	b.ReportAllocs()
	buf := make([]byte, 0, 4096)
	var last byte
	for i := uint(0); b.Loop(); i++ {
		value, found := t.AppendValue(buf, keys[(i+uint(last&1))%uint(len(keys))])
		if !found {
			b.Fatalf("key %d is not found", i)
		}
		last = lastOctet(value)
	}
}

// TestTablesAgree has every table give every value.
func TestTablesAgree(t *testing.T) {
	kinds, entries := contenders(t)
	for _, kind := range kinds {
		table, err := kind.Make(t.TempDir(), entries)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if value, found := table.AppendValue(nil, e.Key); !found || string(value) != string(e.Value) {
				t.Fatalf("%s: %x gives %x, %v, want %x", kind.Name, e.Key, value, found, e.Value)
			}
		}
		for _, key := range absent(shuffled(entries[:100])) {
			if _, found := table.AppendValue(nil, key); found {
				t.Errorf("%s: %x is found", kind.Name, key)
			}
		}
		if err := table.Close(); err != nil {
			t.Error(err)
		}
	}
}

// contenders makes LANCRE_BENCH_RECORDS responses, 1,000,000 in a benchmark and 1,000
// in a test if that is not set.
func contenders(tb testing.TB) ([]Kind, []Entry) {
	tb.Helper()
	n := uint64(1_000_000)
	if _, test := tb.(*testing.T); test {
		n = 1000
	} else if set, err := strconv.ParseUint(os.Getenv("LANCRE_BENCH_RECORDS"), 10, 64); err == nil {
		n = set
	}
	// Less often: of what signing leaves nearly all is garbage.
	defer debug.SetGCPercent(debug.SetGCPercent(1000))
	c, err := corpus.Make(tb.Context(), filepath.Join(tb.TempDir(), "corpus"), demo.Options{Unsigned: true}, n)
	if err != nil {
		tb.Fatal(err)
	}
	entries, err := ReadEntries(c.Responses)
	if err != nil {
		tb.Fatal(err)
	}
	return []Kind{Lancre(c), CDB, GoMap, LMDB, Bolt, Pebble}, entries
}

// shuffled are keys of entries in random order, one after another in memory.
func shuffled(entries []Entry) [][]byte {
	keys := make([][]byte, min(asked, len(entries)))
	var state uint64 = 1
	for i := range keys {
		state = state*6364136223846793005 + 1442695040888963407 // Knuth's MMIX generator
		keys[i] = append([]byte(nil), entries[(state>>33)%uint64(len(entries))].Key...)
	}
	return keys
}

// absent are keys that no table has: serials are random, and the last octet of these
// differs.
func absent(keys [][]byte) [][]byte {
	missing := make([][]byte, len(keys))
	for i := range missing {
		missing[i] = slices.Clone(keys[i])
		missing[i][len(missing[i])-1] ^= 0x55
	}
	return missing
}

func sizeOf(tb testing.TB, dir string) (size int64) {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		size += info.Size()
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return size
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}
