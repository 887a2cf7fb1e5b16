// Run measures lancred and lancre beside their peers and against what the machine
// allows, and writes what it saw to a terminal and to results.json. make
// bench-load runs it, after scripts/setup-bench has made what it starts.
//
// Servers run on core 0 and load generators on core 1, over loopback. Contenders
// take turns, round by round, so that a machine whose speed drifts does so for
// all of them; figures are medians.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// A section is one group of measurements.
type section struct {
	name    string
	measure func(*runner, context.Context) error
}

// sections in their order: those that keep 10 M responses come last.
var sections = []section{
	{"closed", (*runner).measureClosed},
	{"offered", (*runner).measureOffered},
	{"lookup", (*runner).measureLookup},
	{"build", (*runner).measureBuild},
	{"large", (*runner).measureLargeBuild},
	{"start", (*runner).measureStart},
	{"swap", (*runner).measureSwap},
	{"cold", (*runner).measureCold},
	{"add", (*runner).measureAdd},
	{"merge", (*runner).measureMerge},
	{"fresh", (*runner).measureFresh},
	{"grow", (*runner).measureGrow},
	{"sign", (*runner).measureSign},
}

// A runner is one run of the whole.
type runner struct {
	size
	bin     string // the programs
	dir     string // everything temporary
	out     string
	results results

	small, large *corpus // made when first needed
}

func main() {
	quick := flag.Bool("quick", false, "small sizes: whether everything works, not how fast it is")
	records := flag.Uint64("records", 0, "`NUMBER` of responses behind the servers")
	many := flag.Uint64("many", 0, "`NUMBER` of responses of a large store")
	bin := flag.String("bin", "bin/peers", "`DIR` of the programs that scripts/setup-bench made")
	out := flag.String("out", "bench", "`DIR` for RESULTS.md and results/")
	only := flag.String("only", "", "comma-separated `SECTIONS` to measure, the others are kept from the run before")
	flag.Parse()
	r := &runner{size: full, bin: *bin, out: filepath.Join(*out, "results")}
	if *quick {
		r.size = quickly
	}
	r.records, r.many = cmp.Or(*records, r.records), cmp.Or(*many, r.many)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := r.run(ctx, *only); err != nil {
		fmt.Fprintf(os.Stderr, "run: %v\n", err)
		os.Exit(1)
	}
}

// resume takes over the results of the run before, which must be of the same size.
func (r *runner) resume(path string) error {
	if err := r.results.read(path); err != nil {
		return err
	}
	if b := &r.results; b.Records != r.records || b.Many != r.many {
		return fmt.Errorf("%s is of %d and %d responses, this run of %d and %d: run all sections", path, b.Records, b.Many, r.records, r.many)
	}
	return nil
}

func (r *runner) run(ctx context.Context, only string) (err error) {
	if r.dir, err = os.MkdirTemp("", "lancre-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(r.dir)
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	path := filepath.Join(r.out, "results.json")
	if only != "" {
		if err := r.resume(path); err != nil {
			return err
		}
	}
	r.results.describe(r.size)
	for _, s := range sections {
		if only != "" && !strings.Contains(","+only+",", ","+s.name+",") {
			continue
		}
		fmt.Printf("\n# %s\n\n", s.name)
		if err := s.measure(r, ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		r.results.mark(s.name)
		if err := r.results.write(path); err != nil {
			return err
		}
	}
	return r.report(filepath.Join(r.out, "..", "RESULTS.md"))
}
