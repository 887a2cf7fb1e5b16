package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"lancre/build/crl"
	"lancre/build/held"
	"lancre/build/input"
	"lancre/build/inventory"
	"lancre/build/ocsp"
	"lancre/build/rule"
	"lancre/index"
)

// rejectionMargin is how many rejections beyond MaxRejects are collected before
// the reading stops: enough to see what is wrong, and whether with all of it.
const rejectionMargin = 1000

// A packer makes segments of responses, and accounts for all that it reads.
type packer struct {
	config    *Config
	sources   []string
	against   ocsp.Config // what responses are checked against
	inventory *inventory.Inventory
	ledger    *rule.Ledger
	report    *Report // Responses and Issuers are counted
	held      *held.Box
	hold      map[string]bool // checks, by id

	outputs   *outputs
	older     olderResponses     // among those that were packed
	withdrawn map[subject]string // what is to be withdrawn meanwhile, and where that is said

	aside  []held.Response // to be held
	passed []string        // held until now, by name
}

func (b *builder) newPacker(listed []crl.Revocations) *packer {
	c := b.config
	p := &packer{
		config: c, sources: b.sources(), inventory: b.inventory, ledger: b.ledger, report: b.report, held: b.held, hold: make(map[string]bool),
		against: ocsp.Config{
			At: c.At, Issuers: b.issuers, Listed: listed, Previous: b.previous, Inventory: b.inventory, SkipSignatures: c.SkipSignatures,
		},
	}
	for _, id := range c.Hold {
		p.hold[id] = true
	}
	return p
}

// write packs the responses into segments of those shards, in files in dir.
func (p *packer) write(ctx context.Context, dir string, shards []index.Shard) (err error) {
	if p.outputs, err = newOutputs(dir, shards); err != nil {
		return err
	}
	err = p.pack(ctx)
	n := p.report.Responses
	switch {
	case err != nil:
	case n.Rejected > uint64(p.config.MaxRejects):
		err = p.tooManyRejects()
	case n.Read == 0 && !p.against.Grows:
		err = errors.New("no response in any of the sources")
	case n.Read == n.Rejected && n.Read > 0:
		err = refusedf("all %d responses rejected; the first: %s", n.Read, p.ledger.Rejections()[0])
	}
	if err != nil {
		p.outputs.abort()
	}
	return err
}

// pack runs the responses from the sources into p.outputs and accounts for those
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
	total := input.Size(p.sources)
	go func() {
		defer close(order)
		defer close(work)
		f := &feeder{ctx: ctx, free: free, order: order, work: work}
		if feedErr = p.read(ctx, scanner, f); feedErr == nil {
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

// read reads everything that there is to be packed into to.
func (p *packer) read(ctx context.Context, scanner *input.Scanner, to *feeder) error {
	if p.config.Batch != nil {
		if err := p.config.Batch.Play(to); err != nil {
			return err
		}
	}
	return scanner.Scan(ctx, p.sources, to)
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
	if it.Expired && !(p.against.Grows && it.Answered) {
		if err := p.bury(it); err != nil {
			return err
		}
	}
	switch {
	case it.Rejected():
		return p.reject(it)
	case it.Expired:
		return nil
	case p.against.Grows && it.Same:
		p.report.Responses.Identical += uint64(it.CertIDs())
		p.accept(it)
		return nil
	}
	if err := p.contradicts(it); err != nil {
		return err
	}
	to, err := p.outputs.add(&it.Entry, it.Subjects, it.DER)
	if err != nil {
		return err
	}
	if to == 0 {
		p.report.Responses.Outside++
		return nil
	}
	p.accept(it)
	return nil
}

// contradicts refuses a response for a certificate that is to be withdrawn in the same
// run: nobody could say which of the two is meant.
func (p *packer) contradicts(it *ocsp.Item) error {
	if len(p.withdrawn) == 0 {
		return nil
	}
	for i := range it.Subjects {
		if line, ok := p.withdrawn[subject{it.Issuer, string(it.Subjects[i].Serial)}]; ok {
			return fmt.Errorf("%s: serial %x is to be withdrawn by %s, and has a response here: leave one out", it.Place, it.Subjects[i].Serial, line)
		}
	}
	return nil
}

// accept accounts for a response that was packed, or says what is answered already.
func (p *packer) accept(it *ocsp.Item) {
	counts := &p.report.Issuers[it.Issuer.Number]
	for i := range it.Subjects {
		s := &it.Subjects[i]
		counts.count(s)
		if s.Known {
			p.inventory.Cover(s.Line, s.Algs)
		}
	}
	if r, ok := p.held.At(it.Place.Source); ok {
		p.passed = append(p.passed, r.Name)
	}
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
		if _, err := p.outputs.add(&it.Entry, []ocsp.Subject{*s}, nil); err != nil {
			return err
		}
	}
	return nil
}

// reject accounts for an item that was rejected: it counts against --max-rejects,
// unless it is put aside.
func (p *packer) reject(it *ocsp.Item) error {
	_, tried := p.held.At(it.Place.Source)
	if it.DER != nil && (tried || p.hold[it.Broken.Check.String()]) {
		p.putAside(it)
		return nil
	}
	n := &p.report.Responses
	n.Rejected++
	p.ledger.Reject(&it.Broken)
	if n.Rejected > uint64(p.config.MaxRejects)+rejectionMargin {
		return p.tooManyRejects()
	}
	return nil
}

func (p *packer) putAside(it *ocsp.Item) {
	p.report.Responses.Held++
	r := held.Response{
		Check: it.Broken.Check.String(), Reason: it.Broken.Reason, Place: it.Place.String(), Serial: it.Broken.Serial,
		Since: p.config.At, DER: bytes.Clone(it.DER),
	}
	r.Name = held.NameOf(r.DER)
	p.aside = append(p.aside, r)
	p.report.Held = append(p.report.Held, r)
}

func (p *packer) tooManyRejects() error {
	n := p.report.Responses
	return refusedf("%d of %d responses rejected, %d allowed (--max-rejects); the first: %s", n.Rejected, n.Read, p.config.MaxRejects, p.ledger.Rejections()[0])
}

func (p *packer) progress(read, total int64) {
	if p.config.Progress != nil {
		n := &p.report.Responses
		p.config.Progress(Progress{Bytes: read, TotalBytes: total, Responses: n.Read, Rejected: n.Rejected})
	}
}
