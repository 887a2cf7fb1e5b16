package probe

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"lancre/internal/admin"
)

// A Monitor asks again and again. Its places are those of the Config, so that the labels
// of its metrics are from a closed set.
type Monitor struct {
	prober   *Prober
	registry *prometheus.Registry

	rounds  *prometheus.CounterVec // by result
	answers *prometheus.GaugeVec   // by place
	faults  *prometheus.GaugeVec   // by place, kind
	lag     *prometheus.GaugeVec   // by place
	last    prometheus.Gauge
}

// Results of rounds.
const (
	roundSound   = "sound"
	roundFaults  = "faults"
	roundUnknown = "unknown" // what should be answered could not be read
)

// NewMonitor makes a Monitor that asks by p.
func NewMonitor(p *Prober) *Monitor {
	m := &Monitor{prober: p, registry: admin.NewRegistry()}
	gauges := func(name, help string, labels ...string) *prometheus.GaugeVec {
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
		m.registry.MustRegister(v)
		return v
	}
	m.rounds = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lancre_probe_rounds_total", Help: "Rounds, by what they came to."}, []string{"result"})
	m.last = prometheus.NewGauge(prometheus.GaugeOpts{Name: "lancre_probe_round_timestamp_seconds", Help: "When the last round that asked began."})
	m.registry.MustRegister(m.rounds, m.last)
	m.answers = gauges("lancre_probe_answers", "Answers of the last round.", "place")
	m.faults = gauges("lancre_probe_faults", "Answers of the last round with a fault, by kind.", "place", "kind")
	m.lag = gauges("lancre_probe_behind_seconds", "For how long the oldest answer of the last round has not been right.", "place")
	for _, result := range []string{roundSound, roundFaults, roundUnknown} {
		m.rounds.WithLabelValues(result)
	}
	for _, at := range p.places { // so that an alarm has something to compare with from the start
		m.count(newTally(at.url).place)
	}
	return m
}

// count has the metrics say what was found at a place.
func (m *Monitor) count(at Place) {
	m.answers.WithLabelValues(at.URL).Set(float64(at.Answers))
	m.lag.WithLabelValues(at.URL).Set(at.Lag)
	for _, kind := range Kinds() {
		m.faults.WithLabelValues(at.URL, string(kind)).Set(0)
	}
	for _, f := range at.Faults {
		m.faults.WithLabelValues(at.URL, string(f.Kind)).Set(float64(f.Count))
	}
}

// Run begins a round each time that every has passed, until ctx ends, and logs what is
// wrong.
func (m *Monitor) Run(ctx context.Context, every time.Duration, log *slog.Logger) {
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	for {
		m.round(ctx, log)
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
	}
}

func (m *Monitor) round(ctx context.Context, log *slog.Logger) {
	r, err := m.prober.Round(ctx)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		m.rounds.WithLabelValues(roundUnknown).Inc()
		log.Error("what should be answered cannot be read", "err", err)
		return
	case r.Sound():
		m.rounds.WithLabelValues(roundSound).Inc()
	default:
		m.rounds.WithLabelValues(roundFaults).Inc()
	}
	m.last.Set(float64(r.Began.Unix()))
	for _, at := range r.Places {
		m.count(at)
		for _, f := range at.Faults {
			log.Error("fault", "place", at.URL, "kind", f.Kind, "count", f.Count, "example", f.Example)
		}
	}
	log.Info("asked", "generation", r.Generation, "places", len(r.Places), "sound", r.Sound())
}

// Admin is the handler of the admin address:
//
//	GET /metrics       Prometheus
//	GET /debug/pprof/  profiles
func (m *Monitor) Admin() http.Handler { return admin.NewMux(m.registry) }
