package server

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"time"

	"lancre/index/store"
	"lancre/internal/sigbus"
)

const (
	// unmapAfter is how long after a swap the old generation's mappings are
	// collected, and those of the swaps that came meanwhile. Requests that read
	// them are over, and the garbage collector would leave them for two minutes.
	// At twenty generations a second, a collection for each took an eighth of
	// lancred's processor time.
	unmapAfter = 5 * time.Second

	// breath is how long the loading of a generation sleeps after every 2 MiB, which
	// take some 0.2 ms, while another one is being served. Sleeping is what lets the
	// scheduler look for requests: it prefers a goroutine that only yields.
	breath = 200 * time.Microsecond
)

// A ReloadResult says what a reload came to. It is a metric's label.
type ReloadResult string

// The results of a reload.
const (
	Swapped   ReloadResult = "swapped"   // the store's generation is being served
	Unchanged ReloadResult = "unchanged" // it was already
	Refused   ReloadResult = "refused"   // it cannot be used; the one before is being served
)

// Reload looks at the store's manifest now and, if it names a newer generation,
// opens, checks and warms that and serves it from the next request on. On an
// error the generation before stays. It returns when that is done, which for a
// large store may take minutes.
func (s *Server) Reload() (ReloadResult, error) { return s.reload("asked") }

func (s *Server) reload(why string) (ReloadResult, error) {
	s.reloadMu.Lock()
	defer s.reloadMu.Unlock()
	defer s.tellExpired()
	began := time.Now()
	old := s.current.Load()
	var next *snapshot
	err := sigbus.Guard(func() (err error) {
		next, err = s.load(old)
		return err
	})
	switch {
	case err != nil:
		err = s.explain(err)
		s.metrics.reloads.WithLabelValues(string(Refused)).Inc()
		s.reloads.add(reloadEntry{s.cfg.Now(), old.number(), Refused, why, err})
		s.log.Error("generation refused", "store", s.cfg.Store, "serving", old.number(), "why", why, "err", err)
		return Refused, err
	case next == nil:
		s.metrics.reloads.WithLabelValues(string(Unchanged)).Inc()
		s.reloads.add(reloadEntry{s.cfg.Now(), old.number(), Unchanged, why, nil})
		return Unchanged, nil
	}
	s.adaptTo(next.store)
	s.current.Store(next)
	s.metrics.reloads.WithLabelValues(string(Swapped)).Inc()
	s.reloads.add(reloadEntry{s.cfg.Now(), next.generation, Swapped, why, nil})
	s.log.Info("generation served", "store", s.cfg.Store, "generation", next.generation, "was", old.number(), "why", why,
		"segments", len(next.store.Segments()), "files", len(next.store.Files()), "took", time.Since(began).String())
	if old != nil {
		s.unmapLater()
	}
	return Swapped, nil
}

// unmapLater has the mappings of generations that are no more served collected, once for
// all swaps until then.
func (s *Server) unmapLater() {
	if s.unmapping.Swap(true) {
		return
	}
	time.AfterFunc(unmapAfter, func() {
		s.unmapping.Store(false)
		runtime.GC()
	})
}

// number is the generation, 0 for none.
func (snap *snapshot) number() uint64 {
	if snap == nil {
		return 0
	}
	return snap.generation
}

// load returns the store's generation if it succeeds old, nil if it is old.
func (s *Server) load(old *snapshot) (*snapshot, error) {
	var open *store.Generation
	if old != nil {
		open = old.store
	}
	g, err := store.ReopenIf(s.cfg.Store, s.cfg.Trust, open, func(m *store.Manifest) error {
		err := succeeds(m, old)
		if err == errServed && open.Replaced(s.cfg.Store) { // by what it was before it was damaged
			return nil
		}
		return err
	})
	switch {
	case err == errServed:
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: lancre build publishes one, lancred pull fetches one", err)
	case err != nil:
		return nil, err
	}
	next, err := newSnapshot(g, old, s.fits(g), pauseBeside(old), s.cfg.DefaultHost)
	if err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return next, nil
}

// pauseBeside is what the loading of a generation does after each step while old is
// being served.
func pauseBeside(old *snapshot) func() {
	if old == nil {
		return func() {}
	}
	return func() { time.Sleep(breath) }
}

// errServed says that the store's generation is being served already.
var errServed = errors.New("it is being served")

// succeeds says why m may not replace old: errServed if m is old. An older generation
// would bring back certificates that were revoked since; an empty one says that
// something was lost before it, not that there is nothing to answer.
func succeeds(m *store.Manifest, old *snapshot) error {
	switch {
	case len(m.Segments)+len(m.Files) == 0:
		return fmt.Errorf("generation %d names nothing to serve: see what became of the input of the build", m.Generation)
	case old == nil || m.Generation > old.generation:
		return nil
	case m.Generation < old.generation:
		return fmt.Errorf("generation %d is older than %d, which is being served: publish a newer one, or restart to go back",
			m.Generation, old.generation)
	case m.Digest() != old.store.Manifest().Digest():
		return fmt.Errorf("generation %d is being served with another content: a generation must not be published twice",
			m.Generation)
	}
	return errServed
}
