package build

import (
	"context"

	"lancre/index"
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
	octets   []byte        // of all responses; never reallocated, for items alias it
	items    []item        // reused with what their entries hold
	warnings []tally       // by check
	checked  chan struct{} // receives once when a worker is done with the batch
}

// An item is one response, or something that was to be one.
type item struct {
	place  Place
	der    []byte  // aliases the batch
	broken finding // why it is rejected; passed if it is not
	serial string  // hex, set if broken and known
	issuer *issuer // set if it passed, as are the following

	expired bool // a tombstone takes its place
	older   bool // than what the previous generation has

	subjects []subject // reused, as is entry
	entry    index.Entry
}

// A tally counts the accepted inputs that a check warned of.
type tally struct {
	count  uint64
	place  Place // of the first, like serial and reason
	serial string
	reason string
}

// add counts what other counted, which comes after it in the inputs.
func (t *tally) add(other *tally) {
	if t.count == 0 {
		*t = *other
	} else {
		t.count += other.count
	}
}

func newBatch() *batch {
	return &batch{
		octets:   make([]byte, 0, batchOctets+maxResponse),
		items:    make([]item, 0, batchItems),
		warnings: make([]tally, len(checkTable)),
		checked:  make(chan struct{}, 1),
	}
}

func (b *batch) reset() {
	b.octets, b.items = b.octets[:0], b.items[:0]
	clear(b.warnings)
}

func (b *batch) full() bool { return len(b.items) == batchItems || len(b.octets) >= batchOctets }

// add appends an item at the given place and returns it. b must not be full.
func (b *batch) add(at Place) *item {
	b.items = b.items[:len(b.items)+1]
	it := &b.items[len(b.items)-1]
	*it = item{place: at, subjects: it.subjects[:0], entry: it.entry}
	return it
}

// copy keeps der, of at most maxResponse octets, in the batch.
func (b *batch) copy(der []byte) []byte {
	start := len(b.octets)
	b.octets = append(b.octets, der...)
	return b.octets[start:]
}

// warn counts the checks that it was warned of.
func (b *batch) warn(it *item, warned []check, reasons []string, serial func() string) {
	for _, c := range warned {
		w := &b.warnings[c]
		if w.count == 0 {
			w.place, w.serial, w.reason = it.place, serial(), reasons[c]
		}
		w.count++
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

func (f *feeder) response(at Place, der []byte) error {
	if err := f.ready(); err != nil {
		return err
	}
	it := f.batch.add(at)
	it.der = f.batch.copy(der)
	return nil
}

func (f *feeder) reject(at Place, c check, reason string) error {
	if err := f.ready(); err != nil {
		return err
	}
	f.batch.add(at).broken = finding{c, reason}
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
