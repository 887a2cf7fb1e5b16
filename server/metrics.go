package server

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/valyala/fasthttp"
)

// shards spreads the counters that every request adds to, so that processors do
// not pass one cache line around. More than the processors of any edge.
const shards = 64

// A counter is a number that many connections add to. Connections share a shard
// by their id.
type counter [shards]struct {
	n atomic.Uint64
	_ [56]byte // to a cache line of 64 octets
}

func (c *counter) add(connID uint64) { c[connID%shards].n.Add(1) }

func (c *counter) sum() (n uint64) {
	for i := range c {
		n += c[i].n.Load()
	}
	return n
}

// methodLabels are the labels of HTTP methods, the last for all others.
var methodLabels = [...]string{"GET", "HEAD", "POST", "other"}

func methodIndex(h *fasthttp.RequestHeader) int {
	switch {
	case h.IsGet():
		return 0
	case h.IsHead():
		return 1
	case h.IsPost():
		return 2
	}
	return 3
}

// metrics is what a Server counts. It is a prometheus.Collector for what the
// request path adds to; the rest are metrics of their own.
type metrics struct {
	requests [len(methodLabels)][numOutcomes]counter
	nonces   counter
	corrupt  atomic.Uint64
	faults   atomic.Uint64
	panics   atomic.Uint64
	reloads  *prometheus.CounterVec
	registry *prometheus.Registry
}

func newMetrics(s *Server) *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	m.reloads = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "lancred_reloads_total", Help: "Looks at the store's manifest, by what they came to.",
	}, []string{"result"})
	for _, r := range []ReloadResult{Swapped, Unchanged, Refused} {
		m.reloads.WithLabelValues(string(r))
	}
	m.registry.MustRegister(m, m.reloads, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	count := func(name, help string, value func() uint64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
			func() float64 { return float64(value()) }))
	}
	count("ocsp_nonces_total", "OCSP requests with a nonce, which stored responses cannot repeat.", m.nonces.sum)
	count("lancred_corrupt_records_total", "Look-ups that met a record whose checksum is wrong.", m.corrupt.Load)
	count("lancred_faults_total", "Requests that met a mapped page that could not be read.", m.faults.Load)
	count("lancred_panics_total", "Requests that made the handler panic.", m.panics.Load)
	m.registerGauges(s)
	return m
}

// registerGauges registers what is known of the generation being served.
func (m *metrics) registerGauges(s *Server) {
	gauge := func(name, help string, value func(*snapshot) float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			if snap := s.current.Load(); snap != nil {
				return value(snap)
			}
			return 0
		}))
	}
	gauge("lancred_generation", "Generation being served, 0 for none.",
		func(snap *snapshot) float64 { return float64(snap.generation) })
	gauge("lancred_manifest_created_timestamp_seconds", "When the generation being served was published.",
		func(snap *snapshot) float64 { return float64(snap.created) })
	gauge("lancred_manifest_age_seconds", "Time since the generation being served was published.",
		func(snap *snapshot) float64 { return float64(s.now() - snap.created) })
	gauge("lancred_next_update_timestamp_seconds", "Earliest nextUpdate of the responses being served.",
		func(snap *snapshot) float64 { return float64(snap.nextUpdate) })
	gauge("lancred_segments", "Segments mapped.",
		func(snap *snapshot) float64 { return float64(len(snap.store.Segments())) })
	gauge("lancred_ready", "Whether /readyz says so.",
		func(*snapshot) float64 { return truth(s.notReady() == "") })
	gauge("lancred_fresh", "Whether /freshz says so.",
		func(*snapshot) float64 { return truth(s.stale() == "") })
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// count counts a request that was answered.
func (m *metrics) count(ctx *fasthttp.RequestCtx, o outcome) {
	m.requests[methodIndex(&ctx.Request.Header)][o].add(ctx.ConnID())
}

var (
	requestsDesc = prometheus.NewDesc("lancred_requests_total",
		"HTTP requests by how they ended.", []string{"method", "outcome"}, nil)
	responsesDesc = prometheus.NewDesc("ocsp_responses",
		"OCSP answers by responseStatus; NotModified for those that the client had.", []string{"type"}, nil)
)

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- requestsDesc
	ch <- responsesDesc
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	types := make(map[string]float64)
	for method, label := range methodLabels {
		for o := range numOutcomes {
			n := float64(m.requests[method][o].sum())
			ch <- prometheus.MustNewConstMetric(requestsDesc, prometheus.CounterValue, n, label, defaultOutcomes[o].name)
			if t := defaultOutcomes[o].ocsp; t != "" {
				types[t] += n
			}
		}
	}
	for t, n := range types {
		ch <- prometheus.MustNewConstMetric(responsesDesc, prometheus.CounterValue, n, t)
	}
}
