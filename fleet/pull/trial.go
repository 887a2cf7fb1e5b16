package pull

import (
	"context"
	"net/http"
	"time"

	"lancre/internal/health"
)

// A trial watches whether lancred serves what was installed. What it was seen to serve
// is good; what was installed since is on trial, each for as long as HealthWithin. If
// lancred served nothing of what is installed before, nothing can be told by it.
type trial struct {
	good *offer  // nil for none
	open []entry // installed after good, oldest first
}

// An entry is what was installed, and when.
type entry struct {
	offer *offer
	since time.Time
}

// add puts o, which has just been installed, on trial.
func (t *trial) add(o *offer, now time.Time) {
	if t.good == nil { // it must be served before anything can be found wanting
		t.open = nil
	}
	t.open = append(t.open, entry{o, now})
}

// serves notes that lancred serves a generation. Those before it are of no interest then.
func (t *trial) serves(generation uint64) {
	for i, e := range t.open {
		if e.offer.generation() == generation {
			t.good, t.open = e.offer, t.open[i+1:]
			return
		}
	}
}

// failed reports whether something has been on trial for too long.
func (t *trial) failed(now time.Time, within time.Duration) bool {
	return t.good != nil && len(t.open) > 0 && now.Sub(t.open[0].since) > within
}

// askHealth asks lancred what it serves. If it is silent while it should serve what it
// has long been given, it was stopped, and nothing can be told by it.
func (p *Puller) askHealth(ctx context.Context) {
	generation, err := p.serving(ctx)
	switch {
	case err == nil:
		p.trial.serves(generation)
	case len(p.trial.open) == 0 && p.installed != nil:
		p.trial = trial{open: []entry{{p.installed, time.Now()}}}
	}
	if p.trial.failed(time.Now(), p.cfg.HealthWithin) {
		p.putBack(err)
	}
	p.metrics.onTrial.Store(int64(len(p.trial.open)))
}

// healthPatience is how long lancred may take to answer. It takes microseconds.
const healthPatience = 2 * time.Second

// serving asks which generation lancred serves and is ready with.
func (p *Puller) serving(ctx context.Context) (generation uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, healthPatience)
	defer cancel()
	return health.Ask(ctx, http.MethodGet, p.cfg.Health, "/readyz")
}

// putBack installs what was good in the place of what lancred does not serve.
func (p *Puller) putBack(why error) {
	bad, good := p.installed, p.trial.good
	pin := newPin(bad.manifest, good.manifest)
	err := pin.write(p.cfg.Store)
	if err == nil {
		_, err = p.incoming.Install(good.text)
	}
	if err != nil {
		p.log.Error("a generation that lancred does not serve cannot be put back", "generation", bad.generation(), "err", err)
		return
	}
	p.setPin(pin)
	p.install(good)
	p.waiting, p.trial = nil, trial{good: good}
	p.metrics.putBack.Inc()
	p.log.Error("lancred does not serve what was installed: the generation before was put back", "generation", bad.generation(), "now", good.generation(),
		"within", p.cfg.HealthWithin.String(), "err", why)
}
