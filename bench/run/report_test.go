package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// wantLines has the page of what was measured have lines.
func wantLines(t *testing.T, measured results, lines ...string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "RESULTS.md")
	r := &runner{results: measured}
	if err := r.report(path); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		if !strings.Contains(string(page), "\n"+line+"\n") {
			t.Errorf("the page has no line %q", line)
		}
	}
}

// What a 304 spares is no throughput.
func TestReportOfCRLs(t *testing.T) {
	of := func(server, asked string, octets int) fetched {
		return fetched{closed{Server: server, CPU: one(20), Ratio: one(0.5), Rate: one(1000), P99: one(70)}, asked, octets}
	}
	wantLines(t, results{CRLs: []fetched{of("lancred", "small", 70_000), of("nginx", "If-None-Match", 70_000)}},
		"| small | 70000 | lancred | 20 | 0.5 | 1000 | 70 | 70 | 0 | 0 |",
		"| If-None-Match | 70000 | nginx | 20 | 0.5 | 1000 | – | 70 | 0 | 0 |")
}

// What was not measured of a size is a dash, and no point of the picture.
func TestReportOfScale(t *testing.T) {
	r := results{Scale: []scaled{
		{Records: 1e7, Merge: one(9e5)},
		{Records: 1e6, GET: map[string]spread{"lancred": {8, 7, 9, 3}}, Lookup: map[string]spread{"lancre": one(315)}, Build: one(6e5), Add: one(20)},
	}, Hundred: hundred{Responses: 1e8, Warm: closed{CPU: spread{9, 8, 9, 3}}, One: one(0.03)}}
	wantLines(t, r,
		"| 1 M | 8 (7 to 9) | – | 315 | – | – | 600000 | – | 20 |",
		"| 10 M | – | – | – | – | – | – | 900000 | – |",
		"| 100 M | 9 (8 to 9) | – | – | – | – | – | – | 30 |")
	if dots := strings.Count(string(r.drawScale().SVG()), "<circle"); dots != 7 {
		t.Errorf("%d points of 7 values", dots)
	}
}

func TestReportOfLookups(t *testing.T) {
	wantLines(t, twoSizes(),
		"| index | hit ns, 1 M | hit ns, 20 M | copied out ns, 1 M | copied out ns, 20 M | miss ns, 1 M | miss ns, 20 M | octets an entry, 20 M | of these beyond key and value |",
		"|---|---|---|---|---|---|---|---|---|",
		"| lancre | 400 | 450 | – | – | – | – | 300.0 | – |",
		"| cdb | 320 | – | – | – | – | – | – | – |",
		"| 20 M | 250 | 500 |")
}
