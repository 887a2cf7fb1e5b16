package input

import (
	"bytes"

	"lancre/build/rule"
)

// A Batch is responses that were read, and what was found to be none, in memory and in
// their order. It is a Sink. The zero value is empty.
type Batch struct {
	items []batchItem
	size  int
}

type batchItem struct {
	at  rule.Place
	der []byte        // of a response, or
	why *rule.Finding // it is none
}

// Response implements Sink. It copies der.
func (b *Batch) Response(at rule.Place, der []byte) error {
	b.items = append(b.items, batchItem{at: at, der: bytes.Clone(der)})
	b.size += len(der)
	return nil
}

// Reject implements Sink.
func (b *Batch) Reject(at rule.Place, why *rule.Finding) error {
	b.items = append(b.items, batchItem{at: at, why: why})
	return nil
}

// Len is how many there are, of both.
func (b *Batch) Len() int { return len(b.items) }

// Size is how many octets the responses have.
func (b *Batch) Size() int { return b.size }

// Play passes everything on.
func (b *Batch) Play(to Sink) (err error) {
	for i := 0; i < len(b.items) && err == nil; i++ {
		if it := &b.items[i]; it.why != nil {
			err = to.Reject(it.at, it.why)
		} else {
			err = to.Response(it.at, it.der)
		}
	}
	return err
}

// At is the response that was read at a place, nil if there is none. The octets are
// those of the batch.
func (b *Batch) At(place rule.Place) []byte {
	for i := range b.items {
		if b.items[i].at == place {
			return b.items[i].der
		}
	}
	return nil
}

// Places are those of everything in it.
func (b *Batch) Places() []rule.Place {
	list := make([]rule.Place, len(b.items))
	for i := range b.items {
		list[i] = b.items[i].at
	}
	return list
}

// Halves are the first and the second half. They share the memory of b, which is not
// to be added to any more.
func (b *Batch) Halves() (first, second *Batch) {
	middle := len(b.items) / 2
	return batchOf(b.items[:middle:middle]), batchOf(b.items[middle:])
}

func batchOf(items []batchItem) *Batch {
	b := &Batch{items: items}
	for i := range items {
		b.size += len(items[i].der)
	}
	return b
}
