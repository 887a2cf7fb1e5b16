package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"lancre/bench/traffic"
	"lancre/build/demo"
)

// A closed is what one server did under a closed loop of 32 connections.
type closed struct {
	Server   string `json:"server"`
	Method   method `json:"method"`
	CPU      spread `json:"cpu_us"` // of the server, for one request
	Ratio    spread `json:"ratio"`  // to fasthttp fixed, of the same round
	Rate     spread `json:"rate"`   // requests a second
	P50      spread `json:"p50_us"`
	P99      spread `json:"p99_us"`
	Answered uint64 `json:"answered"`
	Wrong    uint64 `json:"wrong"`
	Failed   uint64 `json:"failed"`
}

// baseline is the server that others are compared with.
const baseline = "fasthttp fixed"

// makeSmall makes the corpus behind the servers and its store.
func (r *runner) makeSmall(ctx context.Context) (store string, err error) {
	if r.small == nil {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return "", err
		}
		if r.small, err = r.makeCorpus(ctx, "small", demo.Options{Unsigned: true, CAKey: key}, r.records); err != nil {
			return "", err
		}
		if err := r.small.writeKey(key); err != nil {
			return "", err
		}
		if _, err = r.pack(ctx, r.small, filepath.Join(r.small.Dir, "store"), "--unverified"); err != nil {
			return "", err
		}
	}
	return filepath.Join(r.small.Dir, "store"), nil
}

// A script is the files of exchanges for one method: all of them, and those that
// a server with few files knows.
type script struct{ all, few string }

func (c *corpus) scripts(asked int) (map[method]script, error) {
	few := min(fewFiles, asked)
	list := make(map[method]script)
	for _, n := range []int{asked, few} {
		sampled := c.sample(n)
		bodies, err := c.bodies(sampled)
		if err != nil {
			return nil, err
		}
		for _, m := range methods {
			path, err := c.save(fmt.Sprintf("%s %d", m, n), c.exchanges(m, sampled, bodies))
			if err != nil {
				return nil, err
			}
			s := list[m]
			if n == asked {
				s.all = path
			}
			if n == few {
				s.few = path
			}
			list[m] = s
		}
	}
	return list, nil
}

// arguments are those of the load generator for c and m.
func (s script) arguments(c *contender, m method, d time.Duration) (exchanges string, args []string) {
	args = []string{"--duration", d.String()}
	if m == getClose {
		args = append(args, "--reconnect")
	}
	if c.any {
		args = append(args, "--any")
	}
	if c.few {
		return s.few, args
	}
	return s.all, args
}

func (r *runner) measureClosed(ctx context.Context) error {
	store, err := r.makeSmall(ctx)
	if err != nil {
		return err
	}
	scripts, err := r.small.scripts(r.asked)
	if err != nil {
		return err
	}
	list, stop, err := r.startAll(ctx, r.servers(r.small, store))
	defer stop()
	if err != nil {
		return err
	}
	if r.results.FileOctets, err = diskUse(filepath.Join(r.small.Dir, filesDir)); err != nil {
		return err
	}
	r.results.Closed = nil
	for _, m := range methods {
		rounds, err := r.closedRounds(ctx, list, m, scripts[m])
		if err != nil {
			return err
		}
		for i := range list {
			if list[i].takes(m) {
				r.results.Closed = append(r.results.Closed, sumClosed(list[i].name, m, rounds[list[i].name], rounds[baseline]))
			}
		}
	}
	return printClosed(r.results.Closed)
}

// closedRounds has the servers take turns.
func (r *runner) closedRounds(ctx context.Context, list []contender, m method, s script) (map[string][]sample, error) {
	rounds := make(map[string][]sample)
	for round := range 1 + r.rounds {
		for i := range list {
			c := &list[i]
			if !c.takes(m) {
				continue
			}
			exchanges, args := s.arguments(c, m, r.duration)
			run, err := r.load(ctx, c.process, exchanges, args...)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			if round > 0 { // the first one only warms caches
				rounds[c.name] = append(rounds[c.name], run)
			}
		}
	}
	return rounds, nil
}

func cpuPerRequest(s *sample) float64 {
	return float64(s.cpu.Nanoseconds()) / 1e3 / float64(max(s.Answered, 1))
}

func sumClosed(server string, m method, rounds, base []sample) closed {
	ratios := make([]float64, len(rounds))
	for i := range rounds {
		ratios[i] = cpuPerRequest(&rounds[i]) / cpuPerRequest(&base[i])
	}
	c := closed{
		Server: server, Method: m,
		CPU: medians(rounds, cpuPerRequest), Ratio: spreadOf(ratios),
		Rate: medians(rounds, func(s *sample) float64 { return s.PerSecond() }),
		P50:  medians(rounds, func(s *sample) float64 { return s.P50 }),
		P99:  medians(rounds, func(s *sample) float64 { return s.P99 }),
	}
	for i := range rounds {
		c.add(&rounds[i].Result)
	}
	return c
}

func (c *closed) add(r *traffic.Result) {
	c.Answered += r.Answered
	c.Wrong += r.Wrong
	c.Failed += r.Failed
}

func printClosed(list []closed) error {
	t := newTable("server", "method", "CPU µs/request", "to fixed", "requests/s", "p50 µs", "p99 µs", "wrong", "failed")
	for _, c := range list {
		t.row(c.Server, c.Method, c.CPU, c.Ratio, c.Rate, c.P50, c.P99, c.Wrong, c.Failed)
	}
	return t.Flush()
}

// diskUse is the octets of disk that a file below dir takes on average, directories included.
func diskUse(dir string) (octets float64, err error) {
	var blocks, files int64
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var s unix.Stat_t
		if err := unix.Lstat(path, &s); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		blocks += s.Blocks
		if !e.IsDir() {
			files++
		}
		return nil
	})
	return float64(blocks*512) / float64(max(1, files)), err // st_blocks is in units of 512, whatever the file system
}
