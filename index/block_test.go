package index

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/cespare/xxhash/v2"
)

// Whatever is written in whatever pieces comes to the file in order, in whole blocks
// until it is flushed, and each section has the sum of its octets.
func TestBlockWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := newBlockWriter(f)
	rng := rand.New(rand.NewPCG(5, 5))
	source := rand.NewChaCha8([32]byte{5})
	var want []byte
	for n, size := range []int{0, 1, blockSize - 1, 0, 1, blockSize, 2*blockSize + 7, rng.IntN(blockSize), 3 * blockSize, 5} {
		section := make([]byte, size)
		source.Read(section)
		for rest := section; len(rest) > 0; {
			piece := rest[:1+rng.IntN(len(rest))]
			if err := w.write(piece); err != nil {
				t.Fatal(err)
			}
			rest = rest[len(piece):]
		}
		want = append(want, section...)
		if w.at != uint64(len(want)) {
			t.Errorf("section %d: %d octets written, want %d", n, w.at, len(want))
		}
		if err := w.wait(); err != nil {
			t.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		if onDisk := len(want) / blockSize * blockSize; info.Size() != int64(onDisk) || cap(w.buf) != blockSize {
			t.Errorf("section %d: %d of %d octets in the file and room for %d more, want %d and %d", n, info.Size(), len(want), cap(w.buf), onDisk, blockSize)
		}
		if got, want := w.cut(), xxhash.Sum64(section); got != want {
			t.Errorf("section %d of %d octets: sum %016x, want %016x", n, size, got, want)
		}
	}
	if err := w.flush(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d octets in the file (%v) are not the %d written", len(got), err, len(want))
	}
	f.Close()
	w.write(make([]byte, blockSize)) // begins to
	for _, err := range []error{w.wait(), w.write(make([]byte, blockSize)), w.flush(), w.flush()} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("after a block was written to a closed file: %v", err)
		}
	}
}
