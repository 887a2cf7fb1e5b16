package origin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"lancre/index/store"
	"lancre/internal/durable"
	"lancre/internal/status"
	"lancre/origin/source"
)

// A Follower follows the sources of a configuration. Its methods are safe for
// concurrent use; Run is called once.
type Follower struct {
	config   *Config
	log      *slog.Logger
	recent   *status.Recent // of the log
	metrics  *metrics
	position *position
	links    []*link
	tasks    []*task
	outlets  []*outlet
	merge    chan struct{} // holds one element when there may be something to merge

	mu        sync.Mutex
	began     time.Time // zero before Run
	published time.Time // when the last generation was
	failed    string    // why the last publication was not possible; empty if it was
	turned    time.Time // when the task of heartbeats came round last
}

// New prepares to follow.
func New(c *Config, log *slog.Logger) *Follower {
	recent := status.NewRecent(log.Handler())
	f := &Follower{config: c, log: slog.New(recent), recent: recent, merge: make(chan struct{}, 1)}
	for _, s := range c.sources {
		f.links = append(f.links, newLink(f, s))
	}
	f.tasks = []*task{
		{name: "heartbeat", every: time.Duration(c.Heartbeat) / 4, do: f.heartbeat},
		{name: "merge", every: time.Minute, do: f.mergeNow, worth: f.merge},
		{name: "gc", every: time.Hour, do: f.collect},
	}
	for _, t := range c.Publish {
		f.outlets = append(f.outlets, newOutlet(f, t))
	}
	f.metrics = newMetrics(f)
	return f
}

// Run follows until ctx ends, and what is being committed then is committed. An error
// says that it could not begin.
func (f *Follower) Run(ctx context.Context) error {
	lock, err := f.begin()
	if err != nil {
		return err
	}
	defer lock.Close()
	var running sync.WaitGroup
	for _, l := range f.links {
		running.Go(func() { l.run(ctx) })
	}
	for _, t := range f.tasks {
		running.Go(func() { f.run(ctx, t) })
	}
	for _, o := range f.outlets {
		running.Go(func() { f.run(ctx, &o.task) })
	}
	f.log.Info("following", "store", f.config.Store, "sources", len(f.config.sources), "targets", len(f.outlets))
	running.Wait()
	return nil
}

// lockName is the file of a store that says who follows.
const lockName = "follow.lock"

// begin makes sure that there is a generation, and that nobody else follows.
func (f *Follower) begin() (lock *os.File, err error) {
	if err := durable.MakeDir(f.config.Store); err != nil {
		return nil, err
	}
	lock, err = os.OpenFile(filepath.Join(f.config.Store, lockName), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("%s: another lancre follow runs on this store: %w", lock.Name(), err)
	}
	_, m, err := store.ReadSigned(f.config.Store, f.config.trust)
	if errors.Is(err, fs.ErrNotExist) {
		m, err = f.found()
	}
	if err != nil {
		lock.Close()
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	f.began, f.published, f.turned = now, m.Created, now
	if now.Before(m.Created) { // as by a clock that is behind: the next heartbeat will say so
		f.published = now
	}
	f.position = newPosition(m, f.marks())
	for _, l := range f.links {
		l.succeeded = m.Checked
		if l.succeeded.IsZero() {
			l.succeeded = m.Created
		}
		if now.Before(l.succeeded) { // by a clock that was ahead
			l.succeeded = now
		}
	}
	return lock, nil
}

// found publishes the first generation, which has nothing: what comes is added to it.
func (f *Follower) found() (*store.Manifest, error) {
	p, err := store.Begin(f.config.Store)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	if err := p.SignWith(f.config.signing); err != nil {
		return nil, err
	}
	m := &store.Manifest{Origin: f.config.Origin, Created: time.Now()}
	if m.Origin == "" {
		m.Origin = "lancre"
	}
	if err := p.Commit(m); err != nil {
		return nil, err
	}
	f.log.Info("store begun", "store", f.config.Store)
	return m, nil
}

// marks are the names of those that the sources have.
func (f *Follower) marks() map[string]bool {
	names := make(map[string]bool)
	for _, l := range f.links {
		if l.settings.Mark != "" {
			names[l.settings.Mark] = true
		}
	}
	return names
}

// A link follows one source.
type link struct {
	*Follower
	source   source.Source
	settings source.Settings
	rewound  uint64        // rewinds of the position that the source has been told of
	rewind   chan struct{} // holds one element when there is one more
	counts   sourceCounts

	// Under the Follower's mu:
	succeeded time.Time // when a round was read that was published to its end
	failure   string    // of the last round; empty if it was good
	failures  int       // in a row
}

func newLink(f *Follower, s source.Source) *link {
	return &link{Follower: f, source: s, settings: s.Settings(), rewind: make(chan struct{}, 1)}
}

// pace is how soon a source is read again after a round that published something.
const pace = time.Second

// run reads rounds until ctx ends.
func (l *link) run(ctx context.Context) {
	defer l.source.Close()
	for first := true; ctx.Err() == nil; first = false {
		began := time.Now()
		before := l.counts.published.Load()
		err := l.round(ctx, first)
		if ctx.Err() != nil {
			return
		}
		wait := l.note(err, began)
		if l.counts.published.Load() > before && !sleep(ctx, time.Until(began.Add(pace))) {
			return
		}
		changes := l.settings.Changes
		if err != nil {
			changes = nil // or what cannot be read would be tried for each file that comes
		}
		await(ctx, wait, changes, l.rewind)
	}
}

// round reads one round, from where the store says.
func (l *link) round(ctx context.Context, first bool) error {
	at, rewinds := l.position.current(l.settings.Mark)
	if first || rewinds != l.rewound {
		if err := l.source.Rewind(at); err != nil {
			return err
		}
		l.rewound = rewinds
	}
	return l.source.Read(ctx, l)
}

const (
	// firstBackoff and lastBackoff are how long to wait after what failed for the first
	// time, and at most.
	firstBackoff = time.Second
	lastBackoff  = 30 * time.Second
)

// backoff is how long to wait after so many failures in a row.
func backoff(failures int) time.Duration {
	wait := firstBackoff
	for i := 1; i < failures && wait < lastBackoff; i++ {
		wait *= 2
	}
	return min(wait, lastBackoff)
}

// note takes down how a round ended, and returns when the next one is due.
func (l *link) note(err error, began time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		if l.failures > 0 {
			l.log.Info("source works again", "source", l.settings.Name, "failures", l.failures)
		}
		l.succeeded, l.failure, l.failures = began, "", 0
		return l.settings.Every
	}
	l.failures++
	l.counts.failures.Add(1)
	l.failure = err.Error()
	wait := backoff(l.failures)
	l.log.Error("source failed", "source", l.settings.Name, "err", l.failure, "again_in", wait.String())
	return wait
}

// checkedAt is what a source has a generation say at the time now of when the sources
// were read. How long ago that was is told by a clock that nobody sets: where the other
// one was set back since, it was in a time to come. The Follower's mu is held.
func (l *link) checkedAt(now time.Time) time.Time {
	switch age := time.Since(l.succeeded); {
	case age <= l.settings.Silence:
		return now
	case l.succeeded.Round(0).After(now): // by the time of day alone
		return now.Add(-age)
	}
	return l.succeeded
}

// checked is when the sources were read, by that which is the furthest behind.
func (f *Follower) checked(now time.Time) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	oldest := now
	for _, l := range f.links {
		if at := l.checkedAt(now); at.Before(oldest) {
			oldest = at
		}
	}
	return oldest
}

// sleep waits, and reports whether ctx has not ended meanwhile.
func sleep(ctx context.Context, d time.Duration) bool {
	await(ctx, d, nil, nil)
	return ctx.Err() == nil
}

// await waits until one of two channels tells of something, for so long at most.
func await(ctx context.Context, d time.Duration, one, other <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-one:
	case <-other:
	}
}
