package server

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
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

func (c *counter) add(connID, n uint64) { c[connID%shards].n.Add(n) }

func (c *counter) sum() (n uint64) {
	for i := range c {
		n += c[i].n.Load()
	}
	return n
}

// A histogram counts how many values lie in each of some buckets.
type histogram struct {
	bounds []int64   // the buckets' upper bounds, inclusive, ascending
	unit   float64   // how many of them are one of what the metric tells
	counts []counter // one a bucket, and one for what is greater
	total  *counter  // of the values
}

func newHistogram(bounds []int64, unit float64) histogram {
	return histogram{bounds: bounds, unit: unit, counts: make([]counter, len(bounds)+1), total: new(counter)}
}

// observe counts value, which must not be negative.
func (h *histogram) observe(connID uint64, value int64) {
	bucket := 0
	for bucket < len(h.bounds) && value > h.bounds[bucket] {
		bucket++
	}
	h.counts[bucket].add(connID, 1)
	h.total.add(connID, uint64(value))
}

// metric is what the histogram holds now. A value that is observed meanwhile
// may be missing in some of its numbers.
func (h *histogram) metric(d *prometheus.Desc) prometheus.Metric {
	var count uint64
	cumulative := make(map[float64]uint64)
	for i, bound := range h.bounds {
		count += h.counts[i].sum()
		cumulative[float64(bound)/h.unit] = count
	}
	count += h.counts[len(h.bounds)].sum()
	return prometheus.MustNewConstHistogram(d, count, float64(h.total.sum())/h.unit, cumulative)
}
