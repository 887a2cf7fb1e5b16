package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A benchmark is one line of go test -bench, over its repetitions: by unit, as
// ns/op.
type benchmark map[string]spread

func (r *runner) measureLookup(ctx context.Context) error {
	r.results.Lookup = make(map[string]benchmark)
	for _, b := range []struct{ module, pkg, pattern string }{
		{".", "./bench", "Floor|Lookup|Cold"},
		{"bench/peers", "./table", "Table"},
	} {
		args := append([]string{"test", "-C", b.module, "-run=^$", "-bench=" + b.pattern, "-timeout=20m"}, r.bench...)
		cmd := exec.CommandContext(ctx, "go", append(args, b.pkg)...)
		cmd.Env = append(os.Environ(), fmt.Sprintf("LANCRE_BENCH_RECORDS=%d", r.records))
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("%s in %s: %w: %s", b.pkg, b.module, err, out)
		}
		// The lines as they are, for benchstat.
		name := strings.ToLower(strings.Split(b.pattern, "|")[0]) + ".txt"
		if err := os.WriteFile(filepath.Join(r.out, name), out, 0o644); err != nil {
			return err
		}
		maps.Copy(r.results.Lookup, parseBenchmarks(bytes.NewReader(out)))
	}
	return printLookup(r.results.Lookup)
}

// processors is GOMAXPROCS, which go test appends to a name unless it is 1.
var processors = regexp.MustCompile(`-\d+$`)

// parseBenchmarks reads the lines of go test -bench, of which each repetition
// gives one:
//
//	BenchmarkTable/cdb/hit-2   339073   303.1 ns/op   24.02 overhead/entry
func parseBenchmarks(in io.Reader) map[string]benchmark {
	values := make(map[string]map[string][]float64)
	for lines := bufio.NewScanner(in); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) < 4 || !strings.HasPrefix(words[0], "Benchmark") {
			continue
		}
		name := processors.ReplaceAllString(strings.TrimPrefix(words[0], "Benchmark"), "")
		if values[name] == nil {
			values[name] = make(map[string][]float64)
		}
		for i := 2; i+1 < len(words); i += 2 {
			if v, err := strconv.ParseFloat(words[i], 64); err == nil {
				values[name][words[i+1]] = append(values[name][words[i+1]], v)
			}
		}
	}
	all := make(map[string]benchmark)
	for name, units := range values {
		all[name] = make(benchmark)
		for unit, list := range units {
			all[name][unit] = spreadOf(list)
		}
	}
	return all
}

func printLookup(all map[string]benchmark) error {
	t := newTable("benchmark", "ns", "octets an entry", "beyond key and value")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.row(name, all[name]["ns/op"], all[name]["octets/entry"].Median, all[name]["overhead/entry"].Median)
	}
	if floor := all["Floor"]["ns/op"].Median; floor > 0 {
		t.row("Lookup/hit/chained to Floor", all["Lookup/hit/chained"]["ns/op"].Median/floor)
	}
	return t.Flush()
}
