// Package announce gives an edge its route, or takes it, by how its lancred is.
//
//	/readyz  /freshz  state   BIRD
//	200      200      ready   the protocol Ready is up: the route as it is
//	200      503      stale   the protocol Stale is up: the route with a longer path
//	else              dead    neither: no route
//
// What all edges have in common must never take a route: where the origin dies all are
// stale at once, and all go on, for the path of each is as much longer. So a stale edge
// is only what routers prefer others to.
//
// At each tick BIRD is asked which of the two protocols is up, and made to agree: what
// another changed, or a BIRD that was started again, is seen within a second. One is
// enabled before the other is disabled. Both are down at first, and when the agent ends.
package announce

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"lancre/internal/admin"
)

// Config is everything an operator decides about an Agent. Begin with DefaultConfig.
type Config struct {
	Health  Health        // how the lancred of this edge is asked
	Every   time.Duration // how often: 1 s by default
	Damping Damping       // what is made of the answers

	Socket       string // BIRD's control socket: /run/bird/bird.ctl by default
	Ready, Stale string // the protocols that are up in these states: anycast_ok and anycast_stale by default

	Log *slog.Logger // receives what an operator should know
}

// DefaultConfig is what an edge with Debian's BIRD and deploy/anycast wants.
func DefaultConfig() Config {
	return Config{
		Health:  Health{URL: "http://127.0.0.1:9090", Within: time.Second},
		Every:   time.Second,
		Damping: DefaultDamping,
		Socket:  "/run/bird/bird.ctl",
		Ready:   "anycast_ok",
		Stale:   "anycast_stale",
		Log:     slog.Default(),
	}
}

// Check finds what is wrong with the settings by themselves.
func (c *Config) Check() error {
	u, err := url.Parse(c.Health.URL)
	switch {
	case c.Log == nil:
		return errors.New("there is no log: begin with DefaultConfig")
	case err != nil || u.Scheme != "http" || u.Host == "":
		return fmt.Errorf("health %q: want the admin URL of a lancred, such as http://127.0.0.1:9090", c.Health.URL)
	case c.Every <= 0 || c.Health.Within <= 0:
		return fmt.Errorf("every is %v, within %v: want more than 0s", c.Every, c.Health.Within)
	case c.Damping.Rise < 1 || c.Damping.Fall < 1 || c.Damping.Hold < 0:
		return fmt.Errorf("rise is %d, fall %d, hold %v: want 1, 1, 0s or more", c.Damping.Rise, c.Damping.Fall, c.Damping.Hold)
	case !isName(c.Ready) || !isName(c.Stale) || c.Ready == c.Stale:
		return fmt.Errorf("protocols %q and %q: want the names of two protocols of BIRD", c.Ready, c.Stale)
	}
	return nil
}

// isName reports whether BIRD can have a protocol of that name.
func isName(s string) bool {
	for _, c := range []byte(s) {
		if !('a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '_') {
			return false
		}
	}
	return s != ""
}

// An Agent keeps the routes of one edge. Its methods are for one goroutine, but for Admin.
type Agent struct {
	cfg     Config
	log     *slog.Logger
	damper  damper
	trouble string // what BIRD's last was
	metrics metrics
}

// New makes an Agent, which does nothing yet.
func New(cfg Config) (*Agent, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	return &Agent{cfg: cfg, log: cfg.Log, damper: damper{Damping: cfg.Damping}, metrics: newMetrics()}, nil
}

// Run ticks until ctx is done, and then withdraws the route. Each tick ends with a call
// of ticked.
func (a *Agent) Run(ctx context.Context, ticked func()) error {
	tick := time.NewTicker(a.cfg.Every)
	defer tick.Stop()
	for ctx.Err() == nil {
		a.Tick(ctx)
		ticked()
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	return a.Withdraw()
}

// Tick asks lancred once how it is, and has BIRD agree with what is to be believed of it.
func (a *Agent) Tick(ctx context.Context) {
	seen, why := a.cfg.Health.Ask(ctx)
	if ctx.Err() != nil {
		return // which is why it did not answer
	}
	was := a.damper.state
	state := a.damper.see(seen, time.Now())
	if state != was {
		a.metrics.changes.WithLabelValues(state.String()).Inc()
		a.log.Warn("the state of this edge changed", "state", state.String(), "was", was.String(), "why", why)
	}
	a.metrics.set(state)
	a.note(a.reconcile(state))
}

// Withdraw takes the route: an edge that nobody looks at is dead.
func (a *Agent) Withdraw() error {
	if err := a.reconcile(Dead); err != nil {
		return fmt.Errorf("the route could not be withdrawn: %w", err)
	}
	a.log.Info("the route is withdrawn")
	return nil
}

// reconcile makes BIRD have the protocols up that a state asks for.
func (a *Agent) reconcile(state State) error {
	b, err := dialBird(context.Background(), a.cfg.Socket, a.cfg.Every)
	if err != nil {
		return err
	}
	defer b.Close()
	protocols := []struct {
		name string
		up   bool
	}{{a.cfg.Ready, state == Ready}, {a.cfg.Stale, state == Stale}}
	if protocols[1].up { // what is to be up first: in between both may be, but not none
		protocols[0], protocols[1] = protocols[1], protocols[0]
	}
	var errs []error
	for _, p := range protocols {
		up, err := b.isUp(p.name)
		if err == nil && up != p.up {
			a.log.Info("a protocol of BIRD is switched", "protocol", p.name, "up", p.up)
			err = b.set(p.name, p.up)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// note counts trouble with BIRD, and logs it where it is not what it was before.
func (a *Agent) note(err error) {
	text := ""
	if err != nil {
		text = err.Error()
		a.metrics.trouble.Inc()
	}
	switch {
	case text == a.trouble:
	case text != "":
		a.log.Error("BIRD does not do as told: it has the route that it had", "socket", a.cfg.Socket, "err", err)
	default:
		a.log.Info("BIRD does as told again", "socket", a.cfg.Socket)
	}
	a.trouble = text
}

// metrics is what an Agent counts.
type metrics struct {
	registry *prometheus.Registry
	state    *prometheus.GaugeVec
	changes  *prometheus.CounterVec
	trouble  prometheus.Counter
}

func newMetrics() metrics {
	m := metrics{
		registry: admin.NewRegistry(),
		state:    prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "lancred_announce_state", Help: "1 for the state that this edge is announced in."}, []string{"state"}),
		changes:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lancred_announce_changes_total", Help: "Changes of it, by what it became."}, []string{"state"}),
		trouble:  prometheus.NewCounter(prometheus.CounterOpts{Name: "lancred_announce_bird_errors_total", Help: "Ticks at which BIRD could not be made to agree."}),
	}
	m.registry.MustRegister(m.state, m.changes, m.trouble)
	for _, s := range states {
		m.changes.WithLabelValues(s.String())
	}
	m.set(Dead)
	return m
}

func (m *metrics) set(state State) {
	for _, s := range states {
		is := 0.0
		if s == state {
			is = 1
		}
		m.state.WithLabelValues(s.String()).Set(is)
	}
}

// Admin is the handler of the admin address, which must not be public:
//
//	GET /metrics       Prometheus: docs/METRICS.md
//	GET /debug/pprof/  profiles
func (a *Agent) Admin() http.Handler { return admin.NewMux(a.metrics.registry) }
