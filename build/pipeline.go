package build

import (
	"context"
	"fmt"
	"os"
	"sync"

	"lancre/index"
)

// rejectionMargin is how many rejections beyond MaxRejects are collected before
// the reading stops: enough to see what is wrong, and whether with all of it.
const rejectionMargin = 1000

// pack runs the responses from the sources into b.writer and accounts for those
// that are rejected: one goroutine reads, Workers check, and the caller's packs in
// input order. Memory is bounded by the number of batches.
func (b *builder) pack(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var workers sync.WaitGroup
	defer workers.Wait()
	defer cancel() // the feeder may be blocked reading a pipe: it is not waited for

	count := 2*b.config.Workers + 2 // one at each goroutine, and one waiting for each
	free, work, order := make(chan *batch, count), make(chan *batch, count), make(chan *batch, count)
	for range count {
		free <- newBatch()
	}
	for range b.config.Workers {
		workers.Go(func() { newChecker(b).run(ctx, work) })
	}
	var feedErr error // to be read when order is closed
	scanner := &scanner{stdin: b.config.Stdin, query: b.config.Query}
	total := totalSize(b.config.Responses)
	go func() {
		defer close(order)
		defer close(work)
		feedErr = feed(ctx, scanner, b.config.Responses, &feeder{ctx: ctx, free: free, order: order, work: work})
	}()
	for full := range order {
		select {
		case <-full.checked:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := b.merge(full); err != nil {
			return err
		}
		free <- full
		b.progress(scanner.read.Load(), total)
	}
	if feedErr == nil {
		b.progress(scanner.read.Load(), total)
	}
	return feedErr
}

// feed reads all sources into f.
func feed(ctx context.Context, s *scanner, sources []string, f *feeder) error {
	s.sink = f
	defer s.close()
	for _, source := range sources {
		if err := s.scan(ctx, source); err != nil {
			return err
		}
	}
	f.flush()
	return nil
}

// run checks batches until there are no more.
func (c *checker) run(ctx context.Context, work <-chan *batch) {
	for {
		select {
		case b, ok := <-work:
			if !ok {
				return
			}
			c.checkBatch(b)
			b.checked <- struct{}{}
		case <-ctx.Done():
			return
		}
	}
}

// merge packs the items of a checked batch.
func (b *builder) merge(checked *batch) error {
	for i := range checked.items {
		it := &checked.items[i]
		b.report.Responses.Read++
		if it.expired && (it.broken.check == passed || it.broken.check == checkExpired) {
			if err := b.bury(it); err != nil {
				return err
			}
		}
		if it.broken.check != passed {
			if err := b.reject(it); err != nil {
				return err
			}
			continue
		}
		if it.expired {
			continue
		}
		if err := b.writer.Add(&it.entry); err != nil {
			return fmt.Errorf("segment: %w", err)
		}
		b.accept(it)
	}
	for i := range checked.warnings {
		b.warnings[i].add(&checked.warnings[i])
	}
	return nil
}

// accept accounts for a response that was packed.
func (b *builder) accept(it *item) {
	for i := range it.subjects {
		b.report.Issuers[it.issuer.number].count(&it.subjects[i])
		it.subjects[i].cover()
	}
	b.sample.add(it.der)
	b.noteOlder(it)
}

// noteOlder has a response looked up at the end that is older than what the
// previous generation has.
func (b *builder) noteOlder(it *item) {
	if it.older {
		b.older.add(it)
	}
}

// bury packs tombstones in place of an expired response: its certificate is ours.
// One that the inventory says has expired, or does not know, needs none.
func (b *builder) bury(it *item) error {
	b.noteOlder(it)
	var r index.Response
	if err := r.Parse(it.der); err != nil {
		return err
	}
	for i := range r.Singles {
		if s := it.subject(r.Singles[i].CertID.Serial); b.inventory != nil && s.lapsed(b.config.At) {
			continue
		}
		if err := it.entry.SetTombstone(&r.Singles[i].CertID, r.ThisUpdate, r.ProducedAt); err != nil {
			continue // a time that no record can hold: then it cannot stand above another
		}
		if err := b.writer.Add(&it.entry); err != nil {
			return fmt.Errorf("segment: %w", err)
		}
	}
	return nil
}

func (b *builder) reject(it *item) error {
	n := &b.report.Responses
	n.Rejected++
	b.report.reject(it.place, it.serial, it.broken)
	if n.Rejected > uint64(b.config.MaxRejects)+rejectionMargin {
		return tooManyRejects(b.report, b.config)
	}
	return nil
}

func tooManyRejects(r *Report, c *Config) error {
	n := r.Responses
	return fmt.Errorf("%d of %d responses rejected, %d allowed (--max-rejects); the first: %s", n.Rejected, n.Read, c.MaxRejects, r.Rejections[0])
}

// count enters a certificate that an accepted response is about.
func (n *IssuerCounts) count(s *subject) {
	switch s.status {
	case index.Good:
		n.Good++
	case index.Revoked:
		n.Revoked++
	default:
		n.Unknown++
	}
	for alg := range n.byAlg {
		n.byAlg[alg] += uint64(s.algs >> alg & 1)
	}
}

// algs is the set of hash algorithms, 1 << HashAlg, that there are responses by.
func (n *IssuerCounts) algs() (set uint8) {
	for alg, count := range n.byAlg {
		if count > 0 {
			set |= 1 << alg
		}
	}
	return set
}

func (b *builder) progress(read, total int64) {
	if b.config.Progress != nil {
		n := &b.report.Responses
		b.config.Progress(Progress{Bytes: read, TotalBytes: total, Responses: n.Read, Rejected: n.Rejected})
	}
}

// totalSize is how many octets the sources have, 0 if that is not known.
func totalSize(sources []string) (total int64) {
	for _, source := range sources {
		info, err := os.Stat(source)
		if err != nil || !info.Mode().IsRegular() {
			return 0
		}
		total += info.Size()
	}
	return total
}
