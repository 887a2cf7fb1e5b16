package bench

import (
	"encoding/binary"
	"math/bits"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"lancre/index/store"
)

// BenchmarkFloor is what no look-up can be below: one word of the slot where the
// probe for a key begins, then one word of the record that it leads to, for the
// keys of BenchmarkLookup in its segment, each read waiting for the one before.
// Of a look-up it leaves out the hash, the checksum and every comparison. Compare
// with hit/chained.
func BenchmarkFloor(b *testing.B) {
	segment := mapSegment(b)
	// The header says where the slots are: see the package comment of index.
	le := binary.LittleEndian
	homeSlots, slots := le.Uint64(segment[48:]), segment[le.Uint64(segment[120:]):]
	const offset = 1<<40 - 1
	var keys []uint64
	for _, id := range unsigned().sample(sampled) {
		keys = append(keys, id.Key())
	}
	var last uint64
	for i := uint64(0); b.Loop(); i++ {
		at, _ := bits.Mul64(keys[(i+last&1)%uint64(len(keys))], homeSlots)
		slot := le.Uint64(slots[8*at:])
		for slot == 0 { // the sample's keys are there, but not all in their home slots
			at++
			slot = le.Uint64(slots[8*at:])
		}
		last = uint64(le.Uint32(segment[slot&offset:])) // the record's checksum
	}
}

// mapSegment maps the segment of the corpus as Segment.Warm leaves it.
func mapSegment(b *testing.B) []byte {
	b.Helper()
	f, size := segmentFile(b)
	data, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { unix.Munmap(data) })
	for _, advice := range []int{unix.MADV_POPULATE_READ, unix.MADV_RANDOM} {
		if err := unix.Madvise(data, advice); err != nil {
			b.Fatal(err)
		}
	}
	return data
}

// segmentFile opens the one segment of the corpus.
func segmentFile(b *testing.B) (f *os.File, size int) {
	b.Helper()
	m, err := store.ReadManifest(unsigned().store)
	if err != nil {
		b.Fatal(err)
	}
	if f, err = os.Open(filepath.Join(unsigned().store, "objects", m.Segments[0].SHA256)); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	return f, int(m.Segments[0].Size)
}
