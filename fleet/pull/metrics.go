package pull

import (
	"net/http"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"lancre/internal/admin"
	"lancre/internal/status"
)

// metrics is what a Puller counts.
type metrics struct {
	registry *prometheus.Registry

	polls    *prometheus.CounterVec // by result
	refused  *prometheus.CounterVec // by reason
	failures *prometheus.CounterVec // by cause
	behind   prometheus.Counter
	fetched  prometheus.Counter
	damaged  prometheus.Counter
	putBack  prometheus.Counter

	installed atomic.Pointer[offer]
	pinned    atomic.Bool
	failure   atomic.Pointer[string] // why the last poll failed; nil if it did not
	onTrial   atomic.Int64
}

// failures are why something could not be fetched.
var failures = []string{"absent", "digest", "manifest", "room", "source"}

func newMetrics() *metrics {
	m := &metrics{registry: admin.NewRegistry()}
	vector := func(name, help, label string, values ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
		for _, value := range values {
			v.WithLabelValues(value)
		}
		m.registry.MustRegister(v)
		return v
	}
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
		m.registry.MustRegister(c)
		return c
	}
	m.polls = vector("lancred_pull_polls_total", "Polls, by what they came to.", "result", "failed", "installed", "unchanged")
	m.refused = vector("lancred_pull_refused_total", "Manifests that were not taken, by why.", "reason", refusals...)
	m.failures = vector("lancred_pull_failures_total", "What could not be fetched, by why.", "cause", failures...)
	m.behind = counter("lancred_pull_behind_total", "Answers of sources that were older than what is here.")
	m.fetched = counter("lancred_pull_fetched_octets_total", "Octets of objects that were fetched.")
	m.damaged = counter("lancred_pull_damaged_objects_total", "Objects whose digest was found to be wrong, once a day.")
	m.putBack = counter("lancred_pull_put_back_total", "Generations that were put back, for lancred did not serve what followed.")
	m.registerGauges()
	return m
}

func (m *metrics) failed(cause string) { m.failures.WithLabelValues(cause).Inc() }

func (m *metrics) registerGauges() {
	gauge := func(name, help string, value func(o *offer) float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			if o := m.installed.Load(); o != nil {
				return value(o)
			}
			return 0
		}))
	}
	gauge("lancred_pull_generation", "Generation that is installed; 0 for none.", func(o *offer) float64 { return float64(o.generation()) })
	gauge("lancred_pull_manifest_created_timestamp_seconds", "When that was published.",
		func(o *offer) float64 { return float64(o.manifest.Created.Unix()) })
	gauge("lancred_pull_manifest_expires_timestamp_seconds", "From when on that is stale; 0 for never.", func(o *offer) float64 {
		if o.manifest.Expires.IsZero() {
			return 0
		}
		return float64(o.manifest.Expires.Unix())
	})
	gauge("lancred_pull_on_trial", "Generations that were installed, and that lancred was not seen to serve yet.",
		func(*offer) float64 { return float64(m.onTrial.Load()) })
	gauge("lancred_pull_pinned", "Whether a generation was put back, and nothing later was installed.", func(*offer) float64 {
		if m.pinned.Load() {
			return 1
		}
		return 0
	})
}

// Admin is the handler of the admin address, which must not be public:
//
//	GET /              a page that says what is wrong, and what it does
//	GET /status.json   the same for programs
//	GET /metrics       Prometheus: docs/METRICS.md
//	GET /livez         200 while something goes on, else 503: restart it
//	GET /debug/pprof/  profiles
func (p *Puller) Admin() http.Handler {
	mux := admin.NewMux(p.metrics.registry)
	mux.HandleFunc("GET /{$}", status.HTML(p.page))
	mux.HandleFunc("GET /status.json", status.JSON(p.page))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		if !p.Alive() {
			http.Error(w, "nothing goes on", http.StatusServiceUnavailable)
		}
	})
	return mux
}
