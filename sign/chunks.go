package sign

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"lancre/index"
	"lancre/internal/spill"
)

// A chunk ends after so many responses, some 30 MB, or after so long: with a slow key,
// too, what is signed is soon answered. A class begins one: no revocation waits for what
// is merely due.
const (
	chunkSize = 100_000
	chunkTime = 10 * time.Second
)

// batchSize is how many certificates a worker signs for at a time: so few that a handful
// of revocations is signed in parallel, too.
const batchSize = 16

// A batch is some items of one class, and what became of them.
type batch struct {
	items []item
	done  chan struct{} // closed when what follows is set
	der   []byte        // the responses, one after another
	count tally
	err   error
}

// A tally is what was signed.
type tally struct {
	responses, good, revoked uint64
	first, last              []byte // serial numbers
	thisUpdate, producedAt   int64  // the latest
}

// add adds what comes behind.
func (t *tally) add(more *tally) {
	t.responses += more.responses
	t.good += more.good
	t.revoked += more.revoked
	if t.first == nil {
		t.first = more.first
	}
	t.last = more.last
	t.thisUpdate, t.producedAt = max(t.thisUpdate, more.thisUpdate), max(t.producedAt, more.producedAt)
}

// sign signs what is planned, a chunk after another. What is signed when something fails
// is output all the same.
func (r *run) sign(ctx context.Context, p *plan) error {
	ctx, cancel := context.WithCancelCause(ctx)
	ordered := make(chan *batch, 2*r.Parallel)
	var failed error // of reading the plan; set when ordered is closed
	go func() {
		defer close(ordered)
		failed = r.hand(ctx, p, ordered)
	}()
	var err error
	for next := <-ordered; next != nil && err == nil; {
		next, err = r.chunk(next, ordered)
	}
	cancel(errEnough)
	for b := range ordered { // wait for who reads the plan, and for the workers
		<-b.done
	}
	if err == nil && failed != errEnough {
		err = failed
	}
	return err
}

// hand hands the items out to workers, in batches that come to ordered in their order.
func (r *run) hand(ctx context.Context, p *plan, ordered chan<- *batch) error {
	work := make(chan *batch)
	defer close(work)
	for range r.Parallel {
		go r.work(ctx, work)
	}
	var b *batch
	flush := func() error {
		if b == nil {
			return nil
		}
		full := b
		b = nil
		select {
		case ordered <- full:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		work <- full
		return nil
	}
	var handed uint64
	err := p.items.Each(func(rec *spill.Record) error {
		it := item{*rec}
		if r.Max > 0 && handed >= r.Max {
			return errEnough
		}
		if b != nil && (len(b.items) == batchSize || b.items[0].class() != it.class()) {
			if err := flush(); err != nil {
				return err
			}
		}
		if b == nil {
			b = &batch{done: make(chan struct{})}
		}
		b.items = append(b.items, it)
		handed += it.responses(r.Hashes)
		return nil
	})
	if err == nil || errors.Is(err, errEnough) {
		err = flush()
	}
	return err
}

// errEnough says that as much was signed as was wanted.
var errEnough = errors.New("enough")

// responses is how many an item stands for.
func (i *item) responses(hashes []index.HashAlg) (n uint64) {
	for _, alg := range hashes {
		if i.has(alg) {
			n++
		}
	}
	return n
}

// chunk writes one chunk, which begins with b, and returns the batch that the next one
// begins with; nil if there is none.
func (r *run) chunk(b *batch, ordered <-chan *batch) (next *batch, err error) {
	if err := r.checkClock(); err != nil {
		return nil, err
	}
	class, began := b.items[0].class(), time.Now()
	var all tally
	var failed error
	name, err := r.out.write(func(w io.Writer) error {
		for next = b; next != nil && next.items[0].class() == class && all.responses < chunkSize && time.Since(began) < chunkTime; next = <-ordered {
			<-next.done
			if failed = next.err; failed != nil {
				break
			}
			if _, err := w.Write(next.der); err != nil {
				return err
			}
			all.add(&next.count)
		}
		if all.responses == 0 {
			return errEmpty
		}
		return nil
	})
	if errors.Is(err, errEmpty) {
		return nil, failed
	}
	if err != nil {
		return nil, err
	}
	r.report.signed(name, &all)
	r.audit(name, &all)
	if r.Chunk != nil {
		if more, err := r.Chunk(name); err != nil || !more {
			return nil, errors.Join(failed, err)
		}
	}
	return next, failed
}

// audit logs what a chunk is. Nothing in it is secret.
func (r *run) audit(name string, all *tally) {
	if r.Log == nil {
		return
	}
	r.Log.Info("signed", "file", name, "responses", all.responses, "good", all.good, "revoked", all.revoked,
		"first", fmt.Sprintf("%x", all.first), "last", fmt.Sprintf("%x", all.last),
		"signer", r.responder.Cert.Subject.String(), "key", r.responder.KeyID(),
		"this_update", utc(all.thisUpdate), "produced_at", utc(all.producedAt))
}

// keep is a copy of a serial number.
func keep(serial []byte) []byte { return bytes.Clone(serial) }
