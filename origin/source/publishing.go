package source

import (
	"context"

	"lancre/build/input"
	"lancre/build/rule"
)

// newScanner reads files as a build does.
func newScanner() *input.Scanner { return &input.Scanner{MaxUnpacked: input.DefaultMaxUnpacked} }

// A publishing is a sink of one round, which publishes as soon as there is enough, and by
// flush.
type publishing struct {
	ctx   context.Context
	to    Publisher
	batch *input.Batch

	settle func(*input.Batch, Outcome) error // called for what was published; nil for nothing to do
}

// Response implements input.Sink.
func (p *publishing) Response(at rule.Place, der []byte) error {
	_ = p.batch.Response(at, der) // it never fails
	return p.flushFull()
}

// Reject implements input.Sink.
func (p *publishing) Reject(at rule.Place, why *rule.Finding) error {
	_ = p.batch.Reject(at, why)
	return p.flushFull()
}

func (p *publishing) flushFull() error {
	if !full(p.batch) {
		return nil
	}
	return p.flush()
}

// flush publishes what there is.
func (p *publishing) flush() error {
	if p.batch.Len() == 0 {
		return nil
	}
	batch := p.batch
	p.batch = new(input.Batch)
	outcome, err := p.to.Publish(p.ctx, Change{Batch: batch})
	if err != nil || p.settle == nil {
		return err
	}
	return p.settle(batch, outcome)
}
