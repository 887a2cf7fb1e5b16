package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a 304 spares is no throughput.
func TestReportOfCRLs(t *testing.T) {
	dir := t.TempDir()
	of := func(server, asked string, octets int) fetched {
		return fetched{closed{Server: server, CPU: one(20), Ratio: one(0.5), Rate: one(1000), P99: one(70)}, asked, octets}
	}
	r := &runner{results: results{CRLs: []fetched{of("lancred", "small", 70_000), of("nginx", "If-None-Match", 70_000)}}}
	path := filepath.Join(dir, "RESULTS.md")
	if err := r.report(path); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"| small | 70000 | lancred | 20 | 0.5 | 1000 | 70 | 70 | 0 | 0 |",
		"| If-None-Match | 70000 | nginx | 20 | 0.5 | 1000 | – | 70 | 0 | 0 |",
	} {
		if !strings.Contains(string(page), "\n"+line+"\n") {
			t.Errorf("the page has no line %q", line)
		}
	}
}
