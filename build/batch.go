package build

import (
	"context"

	"lancre/build/input"
	"lancre/build/ocsp"
	"lancre/build/rule"
)

const (
	// batchItems responses are handed from goroutine to goroutine at once: enough
	// that the handing over costs nothing, few enough to stay in the cache.
	batchItems = 256

	// batchOctets is when a batch is full before it has batchItems. Room for one
	// more response of the largest size is kept behind it.
	batchOctets = 128 << 10
)

// A batch is a run of items from the sources. It goes round: filled by the
// feeder, checked by a worker, packed by the merger, filled again.
type batch struct {
	octets  []byte        // of all responses; never reallocated, for items alias it
	items   []ocsp.Item   // reused with what their entries hold
	ledger  *rule.Ledger  // what was warned of
	checked chan struct{} // receives once when a worker is done with the batch
}

func newBatch(ledger *rule.Ledger) *batch {
	return &batch{
		octets:  make([]byte, 0, batchOctets+input.MaxResponse),
		items:   make([]ocsp.Item, 0, batchItems),
		ledger:  ledger,
		checked: make(chan struct{}, 1),
	}
}

func (b *batch) reset() {
	b.octets, b.items = b.octets[:0], b.items[:0]
	b.ledger.Reset()
}

func (b *batch) full() bool { return len(b.items) == batchItems || len(b.octets) >= batchOctets }

// add appends an item at the given place and returns it. b must not be full.
func (b *batch) add(at rule.Place) *ocsp.Item {
	b.items = b.items[:len(b.items)+1]
	it := &b.items[len(b.items)-1]
	it.Reset(at)
	return it
}

// copy keeps der, of at most input.MaxResponse octets, in the batch.
func (b *batch) copy(der []byte) []byte {
	start := len(b.octets)
	b.octets = append(b.octets, der...)
	return b.octets[start:]
}

// checkBatches has batches checked until there are no more.
func checkBatches(ctx context.Context, c *ocsp.Checker, work <-chan *batch) {
	for {
		select {
		case b, ok := <-work:
			if !ok {
				return
			}
			b.check(c)
			b.checked <- struct{}{}
		case <-ctx.Done():
			return
		}
	}
}

// check makes every item of b an entry or a rejection.
func (b *batch) check(c *ocsp.Checker) {
	for i := range b.items {
		if it := &b.items[i]; !it.Rejected() {
			c.Check(it, b.ledger)
		}
	}
}

// A feeder is the sink that fills batches. It sends each to order and to work,
// which have room for all batches there are; it waits only for free ones.
type feeder struct {
	ctx         context.Context
	free        <-chan *batch
	order, work chan<- *batch
	batch       *batch // being filled; nil before the first item and after flush
}

// Response implements input.Sink.
func (f *feeder) Response(at rule.Place, der []byte) error {
	if err := f.ready(); err != nil {
		return err
	}
	it := f.batch.add(at)
	it.DER = f.batch.copy(der)
	return nil
}

// Reject implements input.Sink.
func (f *feeder) Reject(at rule.Place, why *rule.Finding) error {
	if err := f.ready(); err != nil {
		return err
	}
	it := f.batch.add(at)
	it.Broken = *why
	it.Broken.Place = at
	return nil
}

// ready makes room for one more item.
func (f *feeder) ready() error {
	if f.batch != nil && !f.batch.full() {
		return nil
	}
	f.flush()
	select {
	case f.batch = <-f.free:
		f.batch.reset()
		return nil
	case <-f.ctx.Done():
		return context.Cause(f.ctx)
	}
}

// flush sends off the batch that is being filled, if there is one.
func (f *feeder) flush() {
	if f.batch != nil {
		f.order <- f.batch
		f.work <- f.batch
		f.batch = nil
	}
}
