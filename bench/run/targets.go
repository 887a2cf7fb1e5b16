package main

import (
	"cmp"
	"fmt"
)

// A target is what was set out to reach, and what was measured.
type target struct {
	What  string
	Limit float64
	Less  bool // than Limit is good, else more
	Got   spread
	Form  string // of the figure, for fmt
}

func (t target) Met() string {
	switch {
	case t.Got.Count == 0:
		return "not measured"
	case t.Less == (t.Got.Median <= t.Limit) || t.Got.Median == t.Limit:
		return "yes"
	}
	return "**no**"
}

// Goal is the limit in words.
func (t target) Goal() string {
	relation := "≥"
	if t.Less {
		relation = "≤"
	}
	return relation + " " + fmt.Sprintf(t.Form, t.Limit)
}

// Measured is the median with its range, where there is one.
func (t target) Measured() string {
	if t.Got.Count == 0 {
		return "–"
	}
	text := fmt.Sprintf(t.Form, t.Got.Median)
	if t.Got.Min != t.Got.Max {
		text += fmt.Sprintf(" ("+t.Form+" to "+t.Form+")", t.Got.Min, t.Got.Max)
	}
	return text
}

// Targets are all of them, with what r has for each.
func (r *results) Targets() []target {
	atMost := func(what string, limit float64, form string, got spread) target {
		return target{what, limit, true, got, form}
	}
	atLeast := func(what string, limit float64, form string, got spread) target {
		return target{what, limit, false, got, form}
	}
	return []target{
		atMost("processor time of a GET, to bare fasthttp", 1.2, "%.2f", r.closed("lancred", get).Ratio),
		atMost("of a POST", 1.18, "%.2f", r.closed("lancred", post).Ratio),
		atMost("of a GET with a connection for itself", 1.1, "%.2f", r.closed("lancred", getClose).Ratio),
		atMost("a look-up among "+millions(r.Many)+", to two dependent reads of memory", 1.5, "%.2f", r.Among(r.Many).toFloor()),
		atMost("a look-up among "+millions(r.Records)+", to cdb with the same keys and a checksum", 1, "%.2f", r.Among(r.Records).toCDB()),
		atMost("among "+millions(r.Many), 1, "%.2f", r.Among(r.Many).toCDB()),
		atMost("octets a response on disk, P-256", 113, "%.1f", r.octets("p256")),
		atMost("octets a response on disk, RSA-2048", 305, "%.1f", r.octets("rsa2048")),
		atMost("octets that an embedded certificate adds, P-256", 1, "%.1f", r.embedded()),
		atLeast("build, to verifying signatures alone, P-256", 0.85, "%.2f", r.built("p256").Ratio),
		atLeast("the same, signed by a delegate", 0.85, "%.2f", r.built("p256-delegated").Ratio),
		atLeast("the same, RSA-2048", 0.88, "%.2f", r.built("rsa2048").Ratio),
		atLeast("the same, RSA-2048, signed by a delegate", 0.88, "%.2f", r.built("rsa2048-delegated").Ratio),
		atLeast("build without verifying, million responses a second", 1, "%.2f", r.packs(func(p *packed) float64 { return p.perSecond() / 1e6 })),
		atMost("peak memory of a large build, MB", 1000, "%.0f", r.packs(func(p *packed) float64 { return float64(p.PeakRSS) / 1e6 })),
		atMost("time for a response in a large build, to a small one", 1.3, "%.2f", r.growth()),
		atMost("exec to first answer of a large store, s", 1, "%.3f", r.Start.Seconds),
		atMost("anonymous memory with 1,000 connections, MB", 64, "%.0f", r.anonymous()),
		atMost("the same beside "+millions(cmp.Or(r.Hundred.Responses, full.hundred))+" responses", 64, "%.0f", r.Hundred.anonymous()),
		atLeast("cold answers, to reads of their records by pread from as many threads", 0.9, "%.2f", r.Cold.Ratio),
		atMost("p99 of warm requests beside cold ones, ms", 5, "%.2f", r.Cold.P99.times(1e-3)),
		atMost("p99.9 during a swap, to a quiet second", 3, "%.2f", r.swaps(func(s *swapped) float64 { return s.During / s.Quiet })),
		atLeast("add, to verifying signatures alone, P-256", 0.85, "%.2f", r.Added.Ratio),
		atLeast("merge, to a build without verifying", 2, "%.2f", r.Merged.Ratio),
		atMost("peak memory of a merge, MB", 300, "%.0f", r.Merged.Anon.times(1e-6)),
		atMost("size of what was merged, to a build's", 1.02, "%.3f", r.Merged.Size),
		atMost("from a spool to edges, beyond the 5 s between polls, ms, p99", 1000, "%.0f", r.Fleet.beyond("5s/quiet")),
		atMost("while shards are replaced", 1000, "%.0f", r.Fleet.beyond("5s/replacing")),
		atMost("beyond 1 s between polls", 1000, "%.0f", r.Fleet.beyond("1s/quiet")),
		atMost("while shards are replaced", 1000, "%.0f", r.Fleet.beyond("1s/replacing")),
		atMost("add of one response to an answer with it, ms, p50", 100, "%.0f", r.Fresh.Benchmarks["Freshness"]["p50-ms"]),
		atMost("p99", 300, "%.0f", r.Fresh.Benchmarks["Freshness"]["p99-ms"]),
		atMost("octets of the store that are read anew for it, MB", 1, "%.2f", r.Fresh.Benchmarks["Freshness"]["read-B"].times(1e-6)),
		atMost("GET below 12 deltas, to one without", 1.08, "%.2f", r.Fresh.Deltas(12)),
		atMost("below 24", 1.12, "%.2f", r.Fresh.Deltas(24)),
		atMost("below 48", 1.25, "%.2f", r.Fresh.Deltas(48)),
		atMost("lines of a store that grows, to what the policy allows", 1, "%.2f", r.Grown.toBound()),
		atMost("anonymous memory of lancred in the end, to the beginning", 1.1, "%.2f", r.Grown.flat()),
		atMost("p99 of requests meanwhile, to a quiet one", 3, "%.2f", r.Grown.toQuiet()),
		atMost("file in the spool of lancre follow to an answer with it, ms, p50", 150, "%.0f", r.Followed.Alone.p50()),
		atMost("p99", 500, "%.0f", r.Followed.Alone.p99()),
		atMost("while bases absorb, p50", 150, "%.0f", r.Followed.Absorbing.p50()),
		atMost("p99", 500, "%.0f", r.Followed.Absorbing.p99()),
		atMost("processor time of lancre follow when nothing comes, % of a processor", 1, "%.2f", r.Followed.idle()),
		atMost("its anonymous memory at most, MB", 200, "%.0f", r.Followed.memory()),
		atLeast("responses signed by a P-256 key in a file, to what it signs alone, both cores", 0.9, "%.2f", r.Signed.Of("Sign/p256", "x/raw")),
		atLeast("by RSA-2048", 0.95, "%.2f", r.Signed.Of("Sign/rsa2048", "x/raw")),
		atLeast("by P-256 in SoftHSM, to a loop of C_Sign", 0.9, "%.2f", r.Signed.HSM("P-256", "x/raw")),
		atLeast("by RSA-2048 in it", 0.9, "%.2f", r.Signed.HSM("RSA", "x/raw")),
		atLeast("responses signed for each second of processor time, to cfssl ocsprefresh", 2, "%.1f", r.Signed.Of("SignPeers", "x/cfssl")),
		atLeast("made without signature, million a second and core", 1, "%.2f", r.Signed.Constructed()),
		atMost("memory with a list of "+millions(r.Many)+" in CSV, MB", 300, "%.0f", r.Signed.MB("SignList/csv")),
		atMost("in SQLite", 300, "%.0f", r.Signed.MB("SignList/sqlite")),
		atMost("a CRL of a million entries, made and signed, s", 0.5, "%.2f", r.Signed.Seconds("Million")),
		atMost("the same by lancre sign crl, from the list to the disk, s", 0.5, "%.2f", r.Signed.Seconds("SignCRL/first")),
		atMost("where the CRL before has as many, s", 0.5, "%.2f", r.Signed.Seconds("SignCRL/next")),
		atMost("memory of it, MB", 64, "%.0f", r.Signed.MB("SignCRL/next")),
		atMost("failed or wrong answers during swaps", 0, "%.0f", r.swaps(func(s *swapped) float64 { return float64(s.Failed + s.Wrong) })),
	}
}
