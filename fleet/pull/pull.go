// Package pull keeps a store like one that is published elsewhere. It asks its sources
// for the manifest, verifies and judges that, fetches the objects that are missing,
// installs the manifest as it came, and removes what is no longer needed. It holds no
// key but public ones, and what is served is untouched until the next generation is
// whole.
//
// What it does about
//
//	a manifest that is forged, of another origin, too large, or far ahead
//	                        refuses it (judge.go)
//	one that is older than what is here
//	                        counts it: its source is behind. Where that, or its age,
//	                        says so, all sources are asked, and the newest is taken
//	the same number with other content
//	                        refuses it: an alarm
//	one that has expired    takes it if it is newer; an empty store only if told to
//	a connection that breaks, or hangs
//	                        goes on where it broke, later or at the next source (fetch.go)
//	something else in the place of an object
//	                        asks again past all caches, then the next source
//	an object that no source has
//	                        asks for the manifest again, and keeps what that still names
//	an object that is gone or damaged here
//	                        fetches it again: sizes are looked at with every poll, all
//	                        digests once a day (care.go)
//	a disk that is full     removes earlier generations; else waits (fetch.go)
//	a generation that lancred does not serve
//	                        puts the one before back (trial.go, pin.go)
//	a source that does not answer
//	                        asks the others first, for a minute
package pull

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"lancre/index/store"
	"lancre/internal/status"
)

// A Puller keeps one store. Its methods are for one goroutine, but where they say
// otherwise.
type Puller struct {
	cfg      Config
	log      *slog.Logger
	recent   *status.Recent // of the log
	client   *http.Client
	sources  []*source
	incoming *store.Incoming
	metrics  *metrics

	installed *offer  // the store's manifest; nil for none
	waiting   []entry // newer ones whose objects are here, oldest first
	trial     trial
	pin       pin
	pruned    time.Time // when it was last done

	damaged  names
	ahead    background     // fetches what is coming
	coming   []store.Object // that it fetches, or has fetched
	care     background     // looks at digests
	cared    time.Time      // when that was last begun
	said     string         // what was last logged of a generation that could not be fetched
	started  time.Time
	lastBeat atomic.Int64 // how long after that something last went on, in nanoseconds
}

// New opens the store, which no other Puller may have open. Close ends its work.
func New(cfg Config) (*Puller, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	incoming, err := store.OpenIncoming(cfg.Store)
	if err != nil {
		return nil, err
	}
	recent := status.NewRecent(cfg.Log.Handler())
	p := &Puller{
		cfg: cfg, log: slog.New(recent), recent: recent, client: newClient(), incoming: incoming,
		started: time.Now(), pruned: time.Now(), cared: time.Now().Add(rand.N(careWithin) - careEvery),
	}
	for _, from := range cfg.From {
		p.sources = append(p.sources, &source{url: from, client: p.client, trust: cfg.Trust, patience: patience})
	}
	p.metrics = newMetrics()
	if cfg.Trust == nil {
		p.log.Warn("whoever is between this host and the origin can put any generation here: give the origin's key by --trust")
	}
	if err := p.resume(); err != nil {
		return nil, errors.Join(err, incoming.Close())
	}
	return p, nil
}

// Close lets others have the store.
func (p *Puller) Close() error {
	p.ahead.stop()
	p.care.stop()
	p.client.CloseIdleConnections()
	return p.incoming.Close()
}

// resume finds out what the store has. A manifest that cannot be read is to be replaced;
// one that is not signed by a key of today, but was taken once, is not to be gone behind.
func (p *Puller) resume() error {
	pin, err := readPin(p.cfg.Store)
	if err != nil {
		return err
	}
	p.setPin(pin)
	text, err := store.ManifestText(p.cfg.Store)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	o := &offer{text: text}
	if err == nil {
		o.manifest, o.key, err = p.cfg.Trust.Open(text)
	}
	if err != nil {
		p.log.Warn("the manifest of the store is not to be trusted, and will be replaced", "store", p.cfg.Store, "err", err)
		o.unproven = true
		if o.manifest, err = store.ParseManifest(text); err != nil {
			return nil
		}
	}
	p.install(o)
	return nil
}

// Run polls until ctx is done, every Config.Every and whenever asked to.
func (p *Puller) Run(ctx context.Context, asked <-chan os.Signal) {
	for ctx.Err() == nil {
		p.Poll(ctx)
		select {
		case <-ctx.Done():
		case <-asked:
		case <-time.After(jitter(p.cfg.Every)):
		}
	}
}

// jitter is d, give or take a fifth, so that edges that started together do not stay so.
func jitter(d time.Duration) time.Duration { return d*4/5 + rand.N(d*2/5+1) }

// Poll asks the sources once, and does what follows from it. It returns when that is
// done, which for a large store may take hours.
func (p *Puller) Poll(ctx context.Context) {
	p.beat()
	p.lookAtPin()
	if p.cfg.Health != "" {
		p.askHealth(ctx)
	}
	result := "failed"
	if next := p.ask(ctx, false); next != nil {
		result = "unchanged"
		if !p.take(ctx, next) {
			result = "failed"
		}
	}
	if p.installRipe() {
		result = "installed"
	}
	p.metrics.polls.WithLabelValues(result).Inc()
	p.metrics.failure.Store(p.failure(result == "failed"))
	p.repair(ctx)
	p.lookAhead(ctx)
	if time.Since(p.pruned) > pruneEvery {
		if err := p.prune(1, nil); err != nil {
			p.log.Error("what earlier generations had cannot be removed", "err", err)
		}
	}
}

// failure is why a poll failed, if it did: what was said last of every source, or of the
// generation that one of them offers.
func (p *Puller) failure(failed bool) *string {
	if !failed {
		return nil
	}
	var said []string
	for _, s := range p.sources {
		if s.said == "" {
			said := p.said // which goes on changing
			return &said
		}
		said = append(said, s.said)
	}
	all := strings.Join(said, "; ")
	return &all
}

// pruneEvery is how often earlier generations are removed where the disk has room.
const pruneEvery = 10 * time.Minute

// ask returns the newest manifest that may be taken, nil if there is none. It asks the
// first source that answers, and all of them if that may be behind.
func (p *Puller) ask(ctx context.Context, fresh bool) (best *offer) {
	for _, s := range p.inOrder() {
		o, err := s.manifest(ctx, fresh)
		if err == nil {
			err = p.judge(o)
		}
		if ctx.Err() != nil {
			return nil
		}
		p.note(s, o, err)
		if err != nil {
			continue
		}
		if best == nil || o.generation() > best.generation() {
			best = o
		}
		if !p.behind(o) && p.cfg.Now().Sub(o.manifest.Created) < oldAfter {
			break
		}
	}
	return best
}

// inOrder are the sources in the order of the configuration, those last that did not
// answer within the last minute, or not with an object.
func (p *Puller) inOrder() []*source {
	resting := func(s *source) int {
		if time.Since(time.Unix(max(s.failed.Load(), s.stuck.Load()), 0)) < rest {
			return 1
		}
		return 0
	}
	order := slices.Clone(p.sources)
	slices.SortStableFunc(order, func(a, b *source) int { return cmp.Compare(resting(a), resting(b)) })
	return order
}

// note counts what came of asking s, and logs it where it is not what it was before.
func (p *Puller) note(s *source, o *offer, err error) {
	said := ""
	refused, judged := errors.AsType[*refusal](err)
	switch {
	case judged:
		p.metrics.refused.WithLabelValues(refused.reason).Inc()
	case err != nil:
		s.failed.Store(time.Now().Unix())
		p.metrics.failed("manifest")
	case p.behind(o):
		p.metrics.behind.Inc()
	}
	if err != nil {
		said = err.Error()
	} else {
		s.failed.Store(0)
	}
	switch {
	case said == s.said:
	case said == "":
		p.log.Info("a source is of use again", "source", s.url, "generation", o.generation())
	case judged:
		p.log.Error("a manifest is refused", "source", s.url, "reason", refused.reason, "err", err)
	default:
		p.log.Warn("a source is of no use", "source", s.url, "err", err)
	}
	s.said = said
}

// take has o wait for its time, if it is newer than what is here, after it has fetched
// what it needs. It reports whether nothing is left to be done for it.
func (p *Puller) take(ctx context.Context, o *offer) bool {
	if !p.follows(o) {
		return true
	}
	began := time.Now()
	err := p.fetch(ctx, o.manifest)
	if _, gone := errors.AsType[*goneError](err); gone {
		if again := p.ask(ctx, true); again != nil && p.follows(again) {
			o = again
			err = p.fetch(ctx, o.manifest)
		}
	}
	p.report(o, err)
	if err != nil {
		return false
	}
	p.log.Info("generation fetched", "generation", o.generation(), "key", o.key, "took", time.Since(began).String())
	p.waiting = append(p.waiting, entry{o, time.Now()})
	return true
}

// follows reports whether o is newer than what is here, or proves what is here to be of
// the origin.
func (p *Puller) follows(o *offer) bool {
	here := p.newest()
	return here == nil || o.generation() > here.generation() || o.generation() == here.generation() && here.unproven
}

// report logs what kept a generation from being fetched, where it is not what it was
// before.
func (p *Puller) report(o *offer, err error) {
	said := ""
	if refused, ok := errors.AsType[*refusal](err); ok {
		p.metrics.refused.WithLabelValues(refused.reason).Inc()
	}
	if err != nil {
		said = err.Error()
	}
	if said != p.said && said != "" && !errors.Is(err, context.Canceled) {
		p.log.Error("a generation could not be fetched", "generation", o.generation(), "err", err)
	}
	p.said = said
}

// installRipe installs the newest generation that has waited for long enough, and
// reports whether there was one.
func (p *Puller) installRipe() bool {
	ripe := 0
	for ripe < len(p.waiting) && time.Since(p.waiting[ripe].since) >= p.cfg.Lag {
		ripe++
	}
	if ripe == 0 {
		return false
	}
	o := p.waiting[ripe-1].offer
	if _, err := p.incoming.Install(o.text); err != nil {
		p.log.Error("a generation could not be installed", "generation", o.generation(), "err", err)
		return false
	}
	p.waiting = slices.Clone(p.waiting[ripe:])
	p.install(o)
	p.log.Info("generation installed", "generation", o.generation())
	if p.pin.generation > 0 {
		if err := removePin(p.cfg.Store); err != nil {
			p.log.Error("the file of what was put back cannot be removed", "err", err)
		}
		p.setPin(pin{})
	}
	return true
}

// install notes that o is the store's manifest.
func (p *Puller) install(o *offer) {
	p.installed = o
	if p.cfg.Health != "" {
		p.trial.add(o, time.Now())
	}
	p.metrics.onTrial.Store(int64(len(p.trial.open)))
	p.metrics.installed.Store(o)
}

func (p *Puller) setPin(pin pin) {
	p.pin = pin
	p.metrics.pinned.Store(pin.generation > 0)
}

// beat notes that something goes on.
func (p *Puller) beat() { p.lastBeat.Store(int64(time.Since(p.started))) }

// Alive reports whether something went on within the last minutes. It is safe for
// concurrent use.
func (p *Puller) Alive() bool {
	return time.Since(p.started)-time.Duration(p.lastBeat.Load()) < max(silence, 3*p.cfg.Every)
}

// silence is more than all sources may take for an answer, one after the other.
const silence = 5 * time.Minute
