package build

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"lancre/build/crl"
	"lancre/build/input"
	"lancre/build/inventory"
	"lancre/build/ocsp"
	"lancre/build/rule"
	"lancre/index"
)

// rejectionMargin is how many rejections beyond MaxRejects are collected before
// the reading stops: enough to see what is wrong, and whether with all of it.
const rejectionMargin = 1000

// A packer makes a segment of responses, and accounts for all that it reads.
type packer struct {
	config    *Config
	against   ocsp.Config // what responses are checked against
	inventory *inventory.Inventory
	ledger    *rule.Ledger
	report    *Report // Responses and Issuers are counted

	writer *index.Writer
	sample sample         // of the responses that were packed
	older  olderResponses // among them
}

func newPacker(b *builder, listed []*crl.Listing) *packer {
	c := b.config
	return &packer{
		config: c, inventory: b.inventory, ledger: b.ledger, report: b.report,
		against: ocsp.Config{
			At: c.At, Issuers: b.issuers, Listed: listed, Previous: b.previous, Inventory: b.inventory, SkipSignatures: c.SkipSignatures,
		},
	}
}

// writeSegment packs the responses into a file in dir.
func (p *packer) writeSegment(ctx context.Context, dir string) (path string, stats index.Stats, err error) {
	if p.writer, err = index.NewWriter(dir, index.Everything); err != nil {
		return "", stats, err
	}
	err = p.pack(ctx)
	n := p.report.Responses
	switch {
	case err != nil:
	case n.Rejected > uint64(p.config.MaxRejects):
		err = p.tooManyRejects()
	case n.Read == 0:
		err = errors.New("no response in any of the sources")
	case n.Read == n.Rejected:
		err = fmt.Errorf("all %d responses rejected; the first: %s", n.Read, p.ledger.Rejections()[0])
	}
	if err != nil {
		p.writer.Abort()
		return "", stats, err
	}
	return p.writer.Finish()
}

// pack runs the responses from the sources into p.writer and accounts for those
// that are rejected: one goroutine reads, Workers check, and the caller's packs in
// input order. Memory is bounded by the number of batches.
func (p *packer) pack(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var workers sync.WaitGroup
	defer workers.Wait()
	defer cancel() // the feeder may be blocked reading a pipe: it is not waited for

	count := 2*p.config.Workers + 2 // one at each goroutine, and one waiting for each
	free, work, order := make(chan *batch, count), make(chan *batch, count), make(chan *batch, count)
	for range count {
		free <- newBatch(p.ledger.Part())
	}
	for range p.config.Workers {
		workers.Go(func() { checkBatches(ctx, ocsp.NewChecker(p.against), work) })
	}
	var feedErr error // to be read when order is closed
	scanner := p.config.scanner()
	total := input.Size(p.config.Responses)
	go func() {
		defer close(order)
		defer close(work)
		f := &feeder{ctx: ctx, free: free, order: order, work: work}
		if feedErr = scanner.Scan(ctx, p.config.Responses, f); feedErr == nil {
			f.flush()
		}
	}()
	for full := range order {
		select {
		case <-full.checked:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := p.merge(full); err != nil {
			return err
		}
		free <- full
		p.progress(scanner.Octets(), total)
	}
	if feedErr == nil {
		p.progress(scanner.Octets(), total)
	}
	return feedErr
}

// merge packs the items of a checked batch.
func (p *packer) merge(checked *batch) error {
	for i := range checked.items {
		if err := p.take(&checked.items[i]); err != nil {
			return err
		}
	}
	p.ledger.Merge(checked.ledger)
	return nil
}

// take packs an item, or what stands in its place.
func (p *packer) take(it *ocsp.Item) error {
	p.report.Responses.Read++
	if it.Expired {
		if err := p.bury(it); err != nil {
			return err
		}
	}
	if it.Rejected() {
		return p.reject(it)
	}
	if it.Expired {
		return nil
	}
	if err := p.writer.Add(&it.Entry); err != nil {
		return fmt.Errorf("segment: %w", err)
	}
	p.accept(it)
	return nil
}

// accept accounts for a response that was packed.
func (p *packer) accept(it *ocsp.Item) {
	counts := &p.report.Issuers[it.Issuer.Number]
	for i := range it.Subjects {
		s := &it.Subjects[i]
		counts.count(s)
		if s.Known {
			p.inventory.Cover(s.Line, s.Algs)
		}
	}
	p.sample.add(it.DER)
	p.noteOlder(it)
}

// noteOlder has a response looked up at the end that is older than what the
// previous generation has.
func (p *packer) noteOlder(it *ocsp.Item) {
	if it.Older {
		p.older.add(it)
	}
}

// bury packs tombstones in place of an expired response: its certificate is ours.
// One that the inventory says has expired, or does not know, needs none.
func (p *packer) bury(it *ocsp.Item) error {
	p.noteOlder(it)
	var r index.Response
	if err := r.Parse(it.DER); err != nil {
		return err
	}
	for i := range r.Singles {
		s := it.Subject(r.Singles[i].CertID.Serial)
		if p.inventory != nil && (!s.Known || s.Line.Expired(p.config.At)) {
			continue
		}
		if err := it.Entry.SetTombstone(&r.Singles[i].CertID, r.CertStatus(i)); err != nil {
			continue // a time that no record can hold: then it cannot stand above another
		}
		if err := p.writer.Add(&it.Entry); err != nil {
			return fmt.Errorf("segment: %w", err)
		}
	}
	return nil
}

func (p *packer) reject(it *ocsp.Item) error {
	n := &p.report.Responses
	n.Rejected++
	p.ledger.Reject(&it.Broken)
	if n.Rejected > uint64(p.config.MaxRejects)+rejectionMargin {
		return p.tooManyRejects()
	}
	return nil
}

func (p *packer) tooManyRejects() error {
	n := p.report.Responses
	return fmt.Errorf("%d of %d responses rejected, %d allowed (--max-rejects); the first: %s", n.Rejected, n.Read, p.config.MaxRejects, p.ledger.Rejections()[0])
}

func (p *packer) progress(read, total int64) {
	if p.config.Progress != nil {
		n := &p.report.Responses
		p.config.Progress(Progress{Bytes: read, TotalBytes: total, Responses: n.Read, Rejected: n.Rejected})
	}
}
