package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParseSizes(t *testing.T) {
	for list, want := range map[string][]uint64{"100k,1M,10M": {100_000, 1_000_000, 10_000_000}, "2500": {2500}, "1M": {1_000_000}} {
		if got, err := parseSizes(list); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v, want %v", list, got, err, want)
		}
	}
	for _, list := range []string{"", "0", "1G", "100k,", "-1", "k", "1.5M", "99999999999"} {
		if got, err := parseSizes(list); err == nil {
			t.Errorf("%q: %v and no error", list, got)
		}
	}
}

// What was not measured of a size is a dash, and no point of the picture.
func TestReportOfScale(t *testing.T) {
	dir := t.TempDir()
	r := &runner{out: dir, results: results{Scale: []scaled{
		{Records: 1e6, GET: map[string]spread{"lancred": {8, 7, 9, 3}}, Lookup: map[string]spread{"lancre": one(315)}, Build: one(6e5), Add: one(20)},
		{Records: 1e8, GET: map[string]spread{"lancred": {9, 8, 9, 3}}},
	}}}
	path := filepath.Join(dir, "RESULTS.md")
	if err := r.report(path); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"| 1 M | 8 (7 to 9) | – | 315 | – | – | 600000 | – | 20 |",
		"| 100 M | 9 (8 to 9) | – | – | – | – | – | – | – |",
	} {
		if !strings.Contains(string(page), "\n"+line+"\n") {
			t.Errorf("the page has no line %q", line)
		}
	}
	if dots := strings.Count(string(r.results.drawScale().SVG()), "<circle"); dots != 5 {
		t.Errorf("%d points of 5 values", dots)
	}
}
