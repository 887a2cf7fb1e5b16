package server

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// forecastMetrics are the metrics of what expires. One that has nothing to tell is
// absent: a zero would be an alarm, or a promise.
type forecastMetrics struct{ srv *Server }

var (
	nextUpdateDesc = prometheus.NewDesc("lancred_next_update_timestamp_seconds",
		"Earliest nextUpdate of the responses being served.", nil, nil)
	crlNextUpdateDesc = prometheus.NewDesc("lancred_crl_next_update_timestamp_seconds",
		"Earliest nextUpdate of the CRLs being served.", nil, nil)
	expiredDesc = prometheus.NewDesc("lancred_expired_responses",
		"Responses that have expired, by the hour.", nil, nil)
	expiringDesc = prometheus.NewDesc("lancred_responses_expiring",
		"Responses that have not expired and will, by the hour.", []string{"within"}, nil)
)

// horizons are how far lancred_responses_expiring looks ahead.
var horizons = []struct {
	label  string
	within time.Duration
}{{"1h", time.Hour}, {"8h", 8 * time.Hour}, {"24h", 24 * time.Hour}}

// Describe implements prometheus.Collector.
func (forecastMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{nextUpdateDesc, crlNextUpdateDesc, expiredDesc, expiringDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m forecastMetrics) Collect(ch chan<- prometheus.Metric) {
	snap := m.srv.current.Load()
	if snap == nil {
		return
	}
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	f, now := &snap.forecast, m.srv.now()
	if f.responses != 0 {
		gauge(nextUpdateDesc, float64(f.responses))
	}
	if f.crl != 0 {
		gauge(crlNextUpdateDesc, float64(f.crl))
	}
	if f.counted {
		gauge(expiredDesc, float64(f.expired(now)))
		for _, h := range horizons {
			gauge(expiringDesc, float64(f.expiring(now, h.within)), h.label)
		}
	}
}
