package sign

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"lancre/index"
	"lancre/sign/ocsp"
)

// work signs batches until there are no more.
func (r *run) work(ctx context.Context, batches <-chan *batch) {
	e := ocsp.NewEncoder(r.responder)
	for b := range batches {
		b.err = r.signBatch(ctx, e, b)
		close(b.done)
	}
}

func (r *run) signBatch(ctx context.Context, e *ocsp.Encoder, b *batch) error {
	for i := range b.items {
		it := &b.items[i]
		answer := r.answer(it)
		for _, alg := range r.Hashes {
			if !it.has(alg) {
				continue
			}
			answer.Alg = alg
			if err := r.signOne(ctx, e, b, answer); err != nil {
				return err
			}
			b.count.add(tallyOf(answer))
		}
	}
	return nil
}

// answer is what is to be said of an item: thisUpdate is when the list was as it was
// read, but later than that of the last response, which may have come in the same second.
func (r *run) answer(it *item) *ocsp.Answer {
	says := it.says()
	thisUpdate := max(r.now(), it.last()+1)
	return &ocsp.Answer{
		Serial: it.serial(),
		CertStatus: index.CertStatus{
			Moment: index.Moment{ThisUpdate: thisUpdate, ProducedAt: max(r.clock().Unix(), thisUpdate)},
			Status: says.status, RevokedAt: says.revokedAt, Reason: says.reason,
		},
		NextUpdate: r.nextUpdate(thisUpdate, it.notAfter()),
	}
}

func tallyOf(a *ocsp.Answer) *tally {
	serial := keep(a.Serial)
	t := &tally{responses: 1, first: serial, last: serial, thisUpdate: a.ThisUpdate, producedAt: a.ProducedAt}
	if a.Status == index.Revoked {
		t.revoked = 1
	} else {
		t.good = 1
	}
	return t
}

// The pauses between attempts to sign with a key that fails.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 10 * time.Second
)

// signOne adds one response to b. A key that fails is tried again, for it may be far
// away and come back.
func (r *run) signOne(ctx context.Context, e *ocsp.Encoder, b *batch, a *ocsp.Answer) (err error) {
	began := time.Now()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		if err := r.pace.wait(ctx); err != nil {
			return err
		}
		if b.der, err = e.Append(b.der, a); !errors.Is(err, ocsp.ErrKey) {
			return err
		}
		if time.Since(began)+pause > r.Patience {
			return fmt.Errorf("%w (tried for %s)", err, r.Patience)
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// sleep waits, or ends with ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// A pace spreads events evenly. The zero pace lets them come as they will.
type pace struct {
	interval time.Duration
	mu       sync.Mutex
	next     time.Time
}

func newPace(perSecond float64) *pace {
	if perSecond == 0 {
		return new(pace)
	}
	return &pace{interval: time.Duration(float64(time.Second) / perSecond)}
}

// wait waits for the moment of the next event.
func (p *pace) wait(ctx context.Context) error {
	if p.interval == 0 {
		return context.Cause(ctx)
	}
	p.mu.Lock()
	now := time.Now()
	if p.next.Before(now) {
		p.next = now
	}
	until := p.next.Sub(now)
	p.next = p.next.Add(p.interval)
	p.mu.Unlock()
	return sleep(ctx, until)
}
