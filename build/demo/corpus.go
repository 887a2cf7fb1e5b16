package demo

import (
	"context"
	"fmt"
	"io"
	"runtime"

	"lancre/sign/ocsp"
)

// batchSize is how many certificates a goroutine signs for at a time: some
// milliseconds of P-256, so that handing batches over costs nothing beside it.
const batchSize = 256

// A batch is the responses for some consecutive certificates, concatenated.
type batch struct {
	der []byte
	err error
}

// WriteResponses signs the responses for certificates 0 to n−1, on all cores,
// and writes them to w one after another: by certificate, then by hash
// algorithm. It holds a few batches in memory, whatever n is. After each write
// it calls progress, unless that is nil, with the number of responses written.
//
// An error of w ends it, as does ctx.
func (ca *CA) WriteResponses(ctx context.Context, w io.Writer, n uint64, progress func(written uint64)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var written uint64
	for pending := range ca.batches(ctx, n) {
		b := <-pending
		if b.err != nil {
			return b.err
		}
		if _, err := w.Write(b.der); err != nil {
			return fmt.Errorf("responses, after %d: %w", written, err)
		}
		written = min(written+batchSize*uint64(len(ca.Hashes)), n*uint64(len(ca.Hashes)))
		if progress != nil {
			progress(written)
		}
	}
	return ctx.Err()
}

// batches starts signing and returns the batches in order, each as a channel
// that will hold it. The capacity bounds how many are in the making.
func (ca *CA) batches(ctx context.Context, n uint64) <-chan chan batch {
	all := make(chan chan batch, 2*runtime.GOMAXPROCS(0))
	go func() {
		defer close(all)
		for first := uint64(0); first < n; first += batchSize {
			one := make(chan batch, 1)
			select {
			case all <- one:
				go func() { one <- ca.signBatch(first, min(first+batchSize, n)) }()
			case <-ctx.Done():
				return
			}
		}
	}()
	return all
}

// signBatch signs the responses for certificates first to end−1.
func (ca *CA) signBatch(first, end uint64) batch {
	var b batch
	e := ocsp.NewEncoder(ca.responder)
	for i := first; i < end && b.err == nil; i++ {
		c := ca.Certificate(i)
		for _, alg := range ca.Hashes {
			if b.der, b.err = ca.sign(e, b.der, c, alg); b.err != nil {
				break
			}
		}
	}
	return b
}
