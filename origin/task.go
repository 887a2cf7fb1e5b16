package origin

import (
	"context"
	"time"

	"lancre/index/store"
)

// A task is what is done beside the sources, again and again.
type task struct {
	name  string
	every time.Duration
	worth <-chan struct{} // says that it is worth while before that; nil if nothing does
	do    func(context.Context) error

	// Under the Follower's mu:
	failure  string
	failures int // in a row
}

// run does a task until ctx ends.
func (f *Follower) run(ctx context.Context, t *task) {
	for ctx.Err() == nil {
		wait, worth := t.every, t.worth
		err := t.do(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			wait, worth = f.noteTask(t, err), nil
		} else {
			f.noteTask(t, nil)
		}
		await(ctx, wait, worth, nil)
	}
}

// noteTask takes down how a task ended, and returns how long to wait if it failed.
func (f *Follower) noteTask(t *task, err error) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		t.failure, t.failures = "", 0
		return 0
	}
	t.failure = err.Error()
	t.failures++
	f.metrics.taskFailures.WithLabelValues(t.name).Inc()
	wait := backoff(t.failures)
	f.log.Error("upkeep failed", "task", t.name, "err", t.failure, "again_in", wait.String())
	return wait
}

// heartbeat publishes that nothing is new, if nothing was published for long.
func (f *Follower) heartbeat(context.Context) error {
	f.mu.Lock()
	f.turned = time.Now()
	due := f.published.Add(time.Duration(f.config.Heartbeat))
	f.mu.Unlock()
	if time.Now().Before(due) {
		return nil
	}
	err := f.beat()
	f.canPublish(err)
	return err
}

// beat publishes a generation that has what the one before has.
func (f *Follower) beat() error {
	p, err := store.Begin(f.config.Store)
	if err != nil {
		return err
	}
	defer p.Close()
	if err := p.SignWith(f.config.signing); err != nil {
		return err
	}
	now := time.Now()
	if err := p.Previous().CheckClock(now); err != nil {
		return err
	}
	var sequence uint64
	var nothing store.Delta
	_, err = nothing.Commit(p, func(next *store.Manifest) error {
		next.Date(now)
		sequence = f.amend(next)
		return nil
	})
	if err == nil {
		f.committed(sequence)
	}
	return err
}

// mergeNow makes fewer layers, as the policy says.
func (f *Follower) mergeNow(context.Context) error {
	r, err := store.Merge(f.config.Store, f.config.policy, time.Now())
	f.metrics.merged.Add(float64(r.Written))
	if err == nil && (r.Joined > 0 || r.Absorbed > 0) {
		f.log.Info("merged", "generation", r.Generation, "joined", r.Joined, "into", r.Into, "absorbed", r.Absorbed, "octets", r.Written, "lines", r.Lines)
		f.wakeOutlets()
	}
	return err
}

// collect removes what earlier generations have to themselves, but for the history.
func (f *Follower) collect(context.Context) error {
	removed, err := store.GC(f.config.Store, f.config.keep, time.Now())
	var octets int64
	for _, r := range removed {
		octets += r.Size
	}
	if len(removed) > 0 {
		f.log.Info("collected", "removed", len(removed), "octets", octets)
	}
	return err
}
