package server

import (
	"strconv"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/valyala/fasthttp"

	"lancre/index"
	"lancre/internal/admin"
)

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
	requests  [len(methodLabels)][numOutcomes]counter
	malformed [numDefects]counter
	hashes    [index.SHA512 + 1]counter // by HashAlg
	sizes     histogram
	nonces    counter
	ages      histogram

	corrupt atomic.Uint64
	faults  atomic.Uint64
	panics  atomic.Uint64

	acceptErrors atomic.Uint64
	refusedConns atomic.Uint64

	reloads  *prometheus.CounterVec
	outcomes *outcomeTable // for their labels
	registry *prometheus.Registry
}

func newMetrics(s *Server) *metrics {
	m := &metrics{
		sizes:    newHistogram(sizeBounds),
		ages:     newHistogram(ageBounds),
		outcomes: &s.outcomes,
		registry: admin.NewRegistry(),
	}
	m.reloads = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "lancred_reloads_total", Help: "Looks at the store's manifest, by what they came to.",
	}, []string{"result"})
	for _, r := range []ReloadResult{Swapped, Unchanged, Refused} {
		m.reloads.WithLabelValues(string(r))
	}
	m.registry.MustRegister(m, m.reloads, forecastMetrics{s})
	count := func(name, help string, value func() uint64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
			func() float64 { return float64(value()) }))
	}
	count("ocsp_nonces_total", "OCSP requests with a nonce, which stored responses cannot repeat.", m.nonces.sum)
	count("lancred_corrupt_records_total", "Look-ups that met a record whose checksum is wrong.", m.corrupt.Load)
	count("lancred_faults_total", "Requests that met a mapped page that could not be read.", m.faults.Load)
	count("lancred_panics_total", "Requests that made the handler panic.", m.panics.Load)
	count("lancred_accept_errors_total", "Connections that could not be accepted, for want of file descriptors or memory.", m.acceptErrors.Load)
	count("lancred_refused_connections_total", "Connections closed at once because of --max-conns or --max-conns-per-peer.", m.refusedConns.Load)
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "lancred_connections", Help: "Open public connections.",
	}, func() float64 { return float64(s.http.GetOpenConnectionsCount()) }))
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
		func(snap *snapshot) float64 { return float64(snap.age(s.now())) })
	gauge("lancred_manifest_expires_timestamp_seconds", "When the generation being served is stale by what its origin says, 0 for never.",
		func(snap *snapshot) float64 {
			if expires := snap.store.Manifest().Expires; !expires.IsZero() {
				return float64(expires.Unix())
			}
			return 0
		})
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

// An observation is what the metrics want to know of one request.
type observation struct {
	outcome outcome
	defect  defect // of a malformed request

	// Of an OCSPRequest:
	size  int // in octets; 0 if there is none
	hash  index.HashAlg
	nonce bool

	age int64 // of the response that is served, in seconds since thisUpdate
}

// count counts a request that was answered.
func (m *metrics) count(ctx *fasthttp.RequestCtx, seen observation) {
	conn := ctx.ConnID()
	m.requests[methodIndex(&ctx.Request.Header)][seen.outcome].add(conn, 1)
	if seen.outcome == malformed {
		m.malformed[seen.defect].add(conn, 1)
	}
	if seen.size > 0 {
		m.hashes[seen.hash].add(conn, 1)
		m.sizes.observe(conn, int64(seen.size))
	}
	if seen.nonce {
		m.nonces.add(conn, 1)
	}
	if seen.outcome == served {
		m.ages.observe(conn, seen.age)
	}
}

// What the request path adds to. The names ocsp_responses, ocsp_response_ages
// and ocsp_request_sizes, and their buckets, are those of Boulder's responder.
var (
	requestsDesc = prometheus.NewDesc("lancred_requests_total",
		"HTTP requests by how they ended.", []string{"method", "outcome", "status"}, nil)
	responsesDesc = prometheus.NewDesc("ocsp_responses",
		"OCSP answers by responseStatus; NotModified for those that the client had.", []string{"type"}, nil)
	malformedDesc = prometheus.NewDesc("ocsp_malformed_requests_total",
		"Requests answered malformedRequest, by what is wrong with them.", []string{"reason"}, nil)
	hashesDesc = prometheus.NewDesc("ocsp_request_hashes_total",
		"OCSP requests by the hash algorithm of their first CertID.", []string{"algorithm"}, nil)
	sizesDesc = prometheus.NewDesc("ocsp_request_sizes",
		"Size of OCSP requests in octets of DER.", nil, nil)
	agesDesc = prometheus.NewDesc("ocsp_response_ages",
		"Seconds since thisUpdate of the responses served.", nil, nil)
)

// Buckets of the histograms.
var (
	sizeBounds = []int64{1, 100, 200, 400, 800, 1200, 2000, 5000, 10000}
	ageBounds  = halfDays(14)
)

// halfDays returns the first n multiples of 12 hours, from none, in seconds.
func halfDays(n int) []int64 {
	bounds := make([]int64, n)
	for i := range bounds {
		bounds[i] = int64(i) * 12 * 3600
	}
	return bounds
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{requestsDesc, responsesDesc, malformedDesc, hashesDesc, sizesDesc, agesDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, n uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	types := make(map[string]uint64)
	for method, label := range methodLabels {
		for o, row := range m.outcomes {
			n := m.requests[method][o].sum()
			count(requestsDesc, n, label, row.name, strconv.Itoa(row.status))
			if row.ocsp != "" {
				types[row.ocsp] += n
			}
		}
	}
	for t, n := range types {
		count(responsesDesc, n, t)
	}
	for d := sound + 1; d < numDefects; d++ {
		count(malformedDesc, m.malformed[d].sum(), defectLabels[d])
	}
	for alg := range m.hashes {
		count(hashesDesc, m.hashes[alg].sum(), index.HashAlg(alg).String())
	}
	ch <- m.sizes.metric(sizesDesc)
	ch <- m.ages.metric(agesDesc)
}
