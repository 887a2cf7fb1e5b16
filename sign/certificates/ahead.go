package certificates

import (
	"context"
	"sync"
)

// An ahead hands certificates from the goroutine that reads a list to the one that takes
// them in, which is as much work, in batches.
type ahead struct {
	ctx   context.Context // of who takes them in
	full  chan *batch
	batch *batch // that is being filled
}

// A batch is certificates that follow one another, and their serial numbers.
type batch struct {
	certs   []Certificate
	serials [batchSize][maxSerial + 1]byte
}

// So many batches of so many certificates, 140 octets each, wait to be taken in at most:
// enough for neither side to wait for a goroutine to be woken.
const (
	batchSize = 512
	batches   = 4
)

var pool = sync.Pool{New: func() any { return &batch{certs: make([]Certificate, 0, batchSize)} }}

func newAhead(ctx context.Context) *ahead {
	return &ahead{ctx: ctx, full: make(chan *batch, batches), batch: pool.Get().(*batch)}
}

// add adds a copy of c. An error is that of who takes them in.
func (a *ahead) add(c *Certificate) error {
	n := len(a.batch.certs)
	a.batch.certs = append(a.batch.certs, *c)
	a.batch.certs[n].Serial = append(a.batch.serials[n][:0], c.Serial...)
	if n+1 < batchSize {
		return nil
	}
	return a.flush()
}

func (a *ahead) flush() error {
	select {
	case a.full <- a.batch:
		a.batch = pool.Get().(*batch)
		return nil
	case <-a.ctx.Done():
		return context.Cause(a.ctx)
	}
}

// end says that nothing more comes.
func (a *ahead) end() error {
	defer close(a.full)
	return a.flush()
}

// each calls take for every certificate, until an error of it.
func (a *ahead) each(take func(*Certificate) error) error {
	for b := range a.full {
		for i := range b.certs {
			if err := take(&b.certs[i]); err != nil {
				return err
			}
		}
		b.certs = b.certs[:0]
		pool.Put(b)
	}
	return nil
}
