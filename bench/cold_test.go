package bench

import (
	"encoding/binary"
	"io"
	"math/bits"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// BenchmarkCold reads a random slot and the record it leads to when neither is in
// memory, by each way of reading a file. The file is evicted again before so much
// of it has come back that a read could find its page there.
func BenchmarkCold(b *testing.B) {
	b.Run("mmap", func(b *testing.B) { readCold(b, mapFile(unix.MADV_NORMAL)) })
	b.Run("mmap-random", func(b *testing.B) { readCold(b, mapFile(unix.MADV_RANDOM)) })
	b.Run("pread", func(b *testing.B) {
		readCold(b, func(_ *testing.B, f *os.File, _ int) io.ReaderAt { return f })
	})
}

// coldReads between evictions touch one page in some hundreds of 100 MB.
const coldReads = 100

func readCold(b *testing.B, open func(b *testing.B, f *os.File, size int) io.ReaderAt) {
	f, size := segmentFile(b)
	file := open(b, f, size)
	head := make([]byte, 200)
	if _, err := file.ReadAt(head, 0); err != nil {
		b.Fatal(err)
	}
	le := binary.LittleEndian
	slotsAt, homeSlots := le.Uint64(head[120:]), le.Uint64(head[48:])
	const offset = 1<<40 - 1
	state := uint64(1)
	buf := make([]byte, 128) // a slot and what may follow it; a record
	for i := 0; b.Loop(); i++ {
		if i%coldReads == 0 {
			b.StopTimer()
			evict(b, f, file)
			b.StartTimer()
		}
		state = state*6364136223846793005 + 1442695040888963407 // Knuth's MMIX generator
		at, _ := bits.Mul64(state, homeSlots)
		if _, err := file.ReadAt(buf[:8], int64(slotsAt+8*at)); err != nil {
			b.Fatal(err)
		}
		if record := le.Uint64(buf) & offset; record > 0 { // four slots of five
			if _, err := file.ReadAt(buf, int64(record)); err != nil && err != io.EOF {
				b.Fatal(err)
			}
		}
	}
}

// mapping is a file read through a mapping.
type mapping []byte

func (m mapping) ReadAt(p []byte, at int64) (int, error) { return copy(p, m[at:]), nil }

func mapFile(advice int) func(*testing.B, *os.File, int) io.ReaderAt {
	return func(b *testing.B, f *os.File, size int) io.ReaderAt {
		data, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { unix.Munmap(data) })
		if err := unix.Madvise(data, advice); err != nil {
			b.Fatal(err)
		}
		return mapping(data)
	}
}

// evict drops f's pages: first from the mapping, if there is one, for pages that
// are mapped stay.
func evict(b *testing.B, f *os.File, file io.ReaderAt) {
	b.Helper()
	if m, mapped := file.(mapping); mapped {
		if err := unix.Madvise(m, unix.MADV_DONTNEED); err != nil {
			b.Fatal(err)
		}
	}
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		b.Fatal(err)
	}
}
