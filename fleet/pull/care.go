package pull

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"lancre/index/store"
)

const (
	// careEvery is how often the digests of all objects are looked at.
	careEvery = 24 * time.Hour

	// careWithin is when that is first done, at most, after the start.
	careWithin = time.Hour

	// careRate is how many octets a second are read for it: 250 GB take nine hours.
	careRate = 8 << 20
)

// repair fetches what the store should have and has not, and now and then has the
// digests looked at.
func (p *Puller) repair(ctx context.Context) {
	if p.installed == nil {
		return
	}
	m := p.installed.manifest
	if err := p.fetch(ctx, m); err != nil && ctx.Err() == nil {
		p.log.Error("objects of the store are gone or damaged, and cannot be fetched", "generation", m.Generation, "err", err)
	}
	if time.Since(p.cared) >= careEvery {
		p.cared = time.Now()
		p.care.start(ctx, func(ctx context.Context) { p.lookAtDigests(ctx, m) })
	}
}

// lookAtDigests reads all objects of m and notes those that are damaged.
func (p *Puller) lookAtDigests(ctx context.Context, m *store.Manifest) {
	for _, o := range m.Objects() {
		err := checkDigest(ctx, store.ObjectPath(p.cfg.Store, o.SHA256), o)
		if ctx.Err() != nil {
			return
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			p.damaged.add(o.SHA256)
			p.metrics.damaged.Inc()
			p.log.Error("an object is damaged, and will be fetched again: look at the disk", "object", o.SHA256, "err", err)
		}
	}
}

// checkDigest reads an object at careRate.
func checkDigest(ctx context.Context, path string, o store.Object) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	sum, pace := sha256.New(), pacer(ctx, careRate)
	if _, err := io.Copy(sum, &progress{from: f, made: func() {}, pace: pace}); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != o.SHA256 {
		return fmt.Errorf("%s has sha256 %s", path, got)
	}
	return nil
}

// lookAhead fetches, slowly and beside everything else, what the manifest says is coming.
func (p *Puller) lookAhead(ctx context.Context) {
	o := p.newest()
	if o == nil || p.ahead.running() || ctx.Err() != nil {
		return
	}
	coming := p.missing(o.manifest.Coming)
	if len(coming) == 0 {
		return
	}
	if err := p.makeRoom(coming); err != nil {
		p.log.Warn("there is no room for what is coming", "err", err)
		return
	}
	p.coming = coming
	p.ahead.start(ctx, func(ctx context.Context) {
		for _, c := range coming {
			if err := p.fetchOne(ctx, c, pacer(ctx, p.cfg.MaxBandwidth)); err != nil {
				if ctx.Err() == nil {
					p.log.Warn("what is coming cannot be fetched yet", "object", c.SHA256, "err", err)
				}
				return
			}
			p.log.Info("what is coming was fetched", "object", c.SHA256, "size", c.Size)
		}
	})
}

// pacer returns what sleeps after so many octets for as long as they may take.
func pacer(ctx context.Context, rate int64) func(octets int) {
	began, total := time.Now(), int64(0)
	return func(octets int) {
		total += int64(octets)
		ahead := time.Duration(float64(total)/float64(rate)*float64(time.Second)) - time.Since(began)
		if ahead <= 0 {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(ahead):
		}
	}
}

// A background is work beside the polls, one at a time. Its methods are for one goroutine.
type background struct {
	cancel context.CancelFunc // nil if none was started
	done   chan struct{}
}

// start stops what is under way and begins work.
func (b *background) start(ctx context.Context, work func(context.Context)) {
	b.stop()
	ctx, b.cancel = context.WithCancel(ctx)
	b.done = make(chan struct{})
	go func() {
		defer close(b.done)
		work(ctx)
	}()
}

func (b *background) running() bool {
	if b.cancel == nil {
		return false
	}
	select {
	case <-b.done:
		return false
	default:
		return true
	}
}

// stop ends it and waits for the end.
func (b *background) stop() {
	if b.cancel == nil {
		return
	}
	b.cancel()
	<-b.done
	b.cancel = nil
}

// names is a set that is safe for concurrent use.
type names struct {
	mu  sync.Mutex
	set map[string]bool
}

func (n *names) add(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.set == nil {
		n.set = make(map[string]bool)
	}
	n.set[name] = true
}

func (n *names) remove(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.set, name)
}

func (n *names) has(name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.set[name]
}
