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

// lookups are the benchmarks of look-ups among so many records.
type lookups struct {
	Records    uint64               `json:"records"`
	Benchmarks map[string]benchmark `json:"benchmarks"` // by name, as go test prints it
}

// A suite is some benchmarks of one package; what go test says of them goes to
// file, for benchstat.
type suite struct {
	file, module, pkg, pattern string
	args                       []string // of go test
	env                        []string // NAME=VALUE, more of it
}

func (r *runner) measureLookup(ctx context.Context) error {
	r.results.Lookups = nil
	files := make(map[string][]byte)
	floors := suite{"floor.txt", ".", "./bench", "Floor|Lookup|Cold", r.bench, nil}
	tables := suite{"table.txt", "bench/peers", "./table", "Table", r.bench, nil}
	for _, n := range []uint64{r.records, r.many} {
		l := lookups{n, make(map[string]benchmark)}
		for _, s := range []suite{floors, tables} {
			out, err := r.runSuite(ctx, s, n)
			if err != nil {
				return err
			}
			// By such a line benchstat tells the sizes apart.
			files[s.file] = append(fmt.Appendf(files[s.file], "records: %d\n", n), out...)
			maps.Copy(l.Benchmarks, parseBenchmarks(bytes.NewReader(out)))
		}
		r.results.Lookups = append(r.results.Lookups, l)
		if err := l.print(); err != nil {
			return err
		}
		floors.pattern = "Floor|Lookup" // a cold read is one of the disk, whatever the size
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(r.out, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// runSuite runs s with n records and returns what go test prints.
func (r *runner) runSuite(ctx context.Context, s suite, n uint64) ([]byte, error) {
	args := append([]string{"test", "-C", s.module, "-run=^$", "-bench=" + s.pattern, "-timeout=20m"}, s.args...)
	cmd := exec.CommandContext(ctx, "go", append(args, s.pkg)...)
	cmd.Env = append(append(os.Environ(), s.env...), fmt.Sprintf("LANCRE_BENCH_RECORDS=%d", n))
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s in %s with %d records: %w: %s", s.pkg, s.module, n, err, out)
	}
	return out, nil
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

func (l lookups) print() error {
	fmt.Printf("%d records\n\n", l.Records)
	t := newTable("benchmark", "ns", "octets an entry", "beyond key and value")
	for _, name := range slices.Sorted(maps.Keys(l.Benchmarks)) {
		b := l.Benchmarks[name]
		t.row(name, b["ns/op"], b["octets/entry"].Median, b["overhead/entry"].Median)
	}
	t.row("Lookup/hit/chained to Floor", l.toFloor())
	t.row("Table/lancre/hit to cdb", l.toCDB())
	fmt.Fprintln(t)
	return t.Flush()
}
