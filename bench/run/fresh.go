package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
)

// A fresh is how long it takes from a signed response to an answer, and what the layers of
// a store cost a request.
type fresh struct {
	Records    uint64               `json:"records"` // of the store that is added to
	Benchmarks map[string]benchmark `json:"benchmarks"`
}

func (r *runner) measureFresh(ctx context.Context) error {
	f := fresh{r.many, make(map[string]benchmark)}
	for _, s := range []struct {
		suite
		records uint64
	}{
		{suite{module: ".", pkg: "./bench", pattern: "Freshness|Disk", args: r.freshened}, r.many},
		{suite{module: ".", pkg: "./bench", pattern: "Deltas", args: r.bench}, r.records},
	} {
		out, err := r.runSuite(ctx, s.suite, s.records)
		if err != nil {
			return err
		}
		maps.Copy(f.Benchmarks, parseBenchmarks(bytes.NewReader(out)))
	}
	r.results.Fresh = f
	b := f.Benchmarks["Freshness"]
	t := newTable("records", "p50 ms", "p99 ms", "octets read", "by add", "fsync ms", "rename ms", "12 deltas", "24", "48")
	t.row(f.Records, b["p50-ms"], b["p99-ms"], b["read-B"], b["add-B"], f.Disk("fsync"), f.Disk("rename"), f.Deltas(12), f.Deltas(24), f.Deltas(48))
	return t.Flush()
}

// Disk is what the disk takes for a step of a publication, ms.
func (f fresh) Disk(step string) spread { return f.Benchmarks["Disk/"+step]["ns/op"].times(1e-6) }

// Deltas is a GET below so many deltas, to one without.
func (f fresh) Deltas(n int) spread {
	without := f.Benchmarks["Deltas/0"]["ns/op"].Median
	if without == 0 {
		return spread{}
	}
	return f.Benchmarks[fmt.Sprint("Deltas/", n)]["ns/op"].times(1 / without)
}
