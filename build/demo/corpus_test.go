package demo

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"lancre/index"
)

var errFull = errors.New("no space left")

// fullDisk takes room octets and fails then.
type fullDisk struct{ room int }

func (d *fullDisk) Write(p []byte) (int, error) {
	if len(p) > d.room {
		return 0, errFull
	}
	d.room -= len(p)
	return len(p), nil
}

// What many goroutines write must be what a plain loop writes. Unsigned, so that
// the octets can be compared.
func TestCorpusIsInOrder(t *testing.T) {
	ca := newCA(t, Options{Unsigned: true})
	for _, n := range []uint64{0, 1, batchSize - 1, batchSize, batchSize + 1, 20*batchSize + 7} {
		var want []byte
		for i := range n {
			for _, alg := range []index.HashAlg{index.SHA1, index.SHA256} {
				der, err := ca.Sign(ca.Certificate(i), alg)
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, der...)
			}
		}
		var got bytes.Buffer
		var progress []uint64
		err := ca.WriteResponses(t.Context(), &got, n, func(written uint64) { progress = append(progress, written) })
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%d certificates: %d octets, want %d other ones", n, got.Len(), len(want))
		}
		if !slices.IsSorted(progress) || (n > 0 && progress[len(progress)-1] != 2*n) {
			t.Errorf("%d certificates: progress %v, want up to %d", n, progress, 2*n)
		}
	}
}

func TestCorpusStopsWhenTheDiskIsFull(t *testing.T) {
	ca := newCA(t, Options{Unsigned: true})
	err := ca.WriteResponses(t.Context(), &fullDisk{room: 200_000}, 1<<62, nil) // would never end
	if !errors.Is(err, errFull) {
		t.Errorf("error %v, want %v", err, errFull)
	}
}

func TestCorpusStopsWhenCancelled(t *testing.T) {
	ca := newCA(t, Options{Unsigned: true})
	ctx, cancel := context.WithCancel(t.Context())
	err := ca.WriteResponses(ctx, &bytes.Buffer{}, 1<<62, func(uint64) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

func TestCorpusReportsASignerThatFails(t *testing.T) {
	ca := newCA(t, Options{})
	ca.Hashes = append(ca.Hashes, index.SHA512) // which it has no issuer hashes for
	if err := ca.WriteResponses(t.Context(), &bytes.Buffer{}, 1, nil); err == nil {
		t.Error("no error")
	}
}

func BenchmarkUnsigned(b *testing.B) {
	ca, err := New(Options{Unsigned: true})
	if err != nil {
		b.Fatal(err)
	}
	for i := range uint64(b.N) {
		if _, err := ca.Sign(ca.Certificate(i), index.SHA1); err != nil {
			b.Fatal(err)
		}
	}
}
