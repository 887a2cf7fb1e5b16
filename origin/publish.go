package origin

import (
	"context"
	"errors"
	"time"

	"lancre/build"
	"lancre/build/input"
	"lancre/build/rule"
	"lancre/index/store"
	"lancre/origin/source"
)

// maxRejects is how many responses of an addition may be refused: any number, for they
// come in batches.
const maxRejects = 1 << 30

// Mark implements source.Publisher.
func (l *link) Mark(value string) { l.position.mark(l.settings.Mark, value, l.rewound) }

// Publish implements source.Publisher.
func (l *link) Publish(ctx context.Context, c source.Change) (source.Outcome, error) {
	if c.Batch == nil {
		return l.publishStatic(ctx, c)
	}
	// It is short, and what it has read would be read again: it goes on when ctx ends.
	return l.publishBatch(context.WithoutCancel(ctx), c.Batch)
}

// publishStatic publishes a tree of files, or says what is wrong with it.
func (l *link) publishStatic(ctx context.Context, c source.Change) (source.Outcome, error) {
	a := l.config.addition
	a.Static, a.Except = []string{c.Static}, c.Except
	report, outcome, err := l.add(ctx, a)
	if _, refused := errors.AsType[*build.RefusedError](err); refused {
		outcome.Refused, err = report.Rejections, nil
		l.refuse(outcome.Refused)
	}
	return outcome, err
}

// publishBatch publishes the responses of a batch that are not refused. Where the batch
// is refused as a whole, two of it contradict each other: then its halves are published,
// one after the other, until the second of the two stands alone and is refused.
func (l *link) publishBatch(ctx context.Context, batch *input.Batch) (source.Outcome, error) {
	a := l.config.addition
	a.Batch = batch
	report, outcome, err := l.add(ctx, a)
	_, refused := errors.AsType[*build.RefusedError](err)
	switch {
	case err != nil && !refused:
		return outcome, err
	case !refused || int(report.Responses.Rejected) == batch.Len():
		outcome.Refused = report.Rejections
	case batch.Len() == 1:
		last := report.Rejections[len(report.Rejections)-1]
		last.Place = batch.Places()[0]
		outcome.Refused = []rule.Rejection{last}
	default:
		return l.publishHalves(ctx, batch)
	}
	l.refuse(outcome.Refused)
	return outcome, nil
}

func (l *link) publishHalves(ctx context.Context, batch *input.Batch) (source.Outcome, error) {
	first, second := batch.Halves()
	done, err := l.publishBatch(ctx, first)
	if err != nil {
		return done, err
	}
	outcome, err := l.publishBatch(ctx, second)
	outcome.Refused = append(done.Refused, outcome.Refused...)
	return outcome, err
}

// add runs one addition, and takes down what came of it.
func (l *link) add(ctx context.Context, a build.Addition) (*build.Report, source.Outcome, error) {
	var sequence uint64
	a.Amend = func(next *store.Manifest) { sequence = l.amend(next) }
	began := time.Now()
	report, err := build.Add(ctx, a)
	outcome := source.Outcome{Sequence: sequence}
	if report == nil {
		return nil, outcome, err
	}
	if report.Generation == 0 {
		outcome.Sequence = l.position.latest()
	}
	if _, refused := errors.AsType[*build.RefusedError](err); refused || err == nil {
		l.counts.add(report)
		l.canPublish(nil)
	} else {
		l.canPublish(err)
	}
	if report.Generation > 0 {
		l.committed(sequence)
		l.log.Info("published", "source", l.settings.Name, "generation", report.Generation,
			"responses", report.Responses.Published, "refused", report.Responses.Rejected, "held", report.Responses.Held,
			"took", time.Since(began).Round(time.Millisecond).String())
	}
	return report, outcome, err
}

// maxRefusals is how many refusals of one addition are logged one by one.
const maxRefusals = 20

// refuse logs what was not published.
func (l *link) refuse(list []rule.Rejection) {
	l.counts.refused.Add(uint64(len(list)))
	for _, x := range list[:min(len(list), maxRefusals)] {
		l.log.Warn("refused", "source", l.settings.Name, "place", x.Place.String(), "serial", x.Serial, "check", x.Check, "reason", x.Reason)
	}
	if more := len(list) - maxRefusals; more > 0 {
		l.log.Warn("more were refused", "source", l.settings.Name, "count", more)
	}
}

// amend has the manifest that is to come say how far the sources were read, and when.
func (f *Follower) amend(next *store.Manifest) (sequence uint64) {
	next.Checked = f.checked(next.Created)
	sequence, back := f.position.amend(next)
	if back {
		f.log.Warn("the store went back to an earlier generation: what came since is read again", "store", f.config.Store)
		for _, l := range f.links {
			signal(l.rewind)
		}
	}
	return sequence
}

// committed is called when a publication of that number is durable. What is to follow
// one begins here.
func (f *Follower) committed(sequence uint64) {
	f.position.committed(sequence)
	f.metrics.generations.Inc()
	f.mu.Lock()
	f.published = time.Now()
	f.mu.Unlock()
	signal(f.merge)
	f.wakeOutlets()
}

// wakeOutlets says that there is a new generation.
func (f *Follower) wakeOutlets() {
	for _, o := range f.outlets {
		signal(o.wake)
	}
}

// canPublish takes down whether the store can be written: err says why not.
func (f *Follower) canPublish(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed = ""
	if err != nil {
		f.failed = err.Error()
	}
}

// signal leaves one element in a channel that holds one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
