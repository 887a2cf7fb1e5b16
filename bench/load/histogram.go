package main

import (
	"math/bits"
	"time"

	"lancre/bench/traffic"
)

// subBits is how many bits of a latency below its highest one are kept: 2⁻⁷ is
// under 1 %, as HdrHistogram has it at two significant digits.
const subBits = 7

// A histogram counts latencies, exact below 2⁷ ns and to 1 % above.
type histogram struct {
	count   [(64 - subBits + 1) << subBits]uint64
	total   uint64
	longest time.Duration
}

func (h *histogram) add(d time.Duration) {
	h.count[bucket(uint64(max(d, 0)))]++
	h.total++
	h.longest = max(h.longest, d)
}

// merge adds what other counted.
func (h *histogram) merge(other *histogram) {
	for i, n := range other.count {
		h.count[i] += n
	}
	h.total += other.total
	h.longest = max(h.longest, other.longest)
}

// quantile is the upper bound of the bucket that the q-th part of all latencies
// reaches into; 0 if there is none.
func (h *histogram) quantile(q float64) time.Duration {
	if h.total == 0 {
		return 0
	}
	rank := uint64(q * float64(h.total-1))
	for i, n := range h.count {
		if rank < n {
			return min(time.Duration(limit(i)), h.longest)
		}
		rank -= n
	}
	return h.longest
}

func (h *histogram) latency() traffic.Latency {
	us := func(d time.Duration) float64 { return float64(d) / 1e3 }
	return traffic.Latency{P50: us(h.quantile(0.5)), P99: us(h.quantile(0.99)), P999: us(h.quantile(0.999)), Max: us(h.longest)}
}

// bucket is where v is counted: v itself below 2⁷; above, the 2⁷ values that
// share a highest bit follow those of the bit before.
func bucket(v uint64) int {
	shift := max(0, bits.Len64(v)-subBits-1)
	return shift<<subBits + int(v>>shift)
}

// limit is the greatest value that bucket i counts.
func limit(i int) uint64 {
	shift := max(0, i>>subBits-1)
	return uint64(i-shift<<subBits+1)<<shift - 1
}
