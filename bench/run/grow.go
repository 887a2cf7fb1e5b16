package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"lancre/bench/proc"
	"lancre/build/demo"
	"lancre/index"
	"lancre/index/store"
)

// A grown is a store to which revocations are added as they come, with merges beside, on
// the core of a lancred that serves it to clients meanwhile.
type grown struct {
	Records     uint64   `json:"records"`
	Seconds     float64  `json:"seconds"`
	Revocations int      `json:"revocations"`
	Adds        int      `json:"adds"`
	Merges      int      `json:"merges"`
	AddMs       spread   `json:"add_ms"`        // one run of lancre add
	Bound       int      `json:"bound"`         // of lines, by the policy of merges
	Quiet       float64  `json:"quiet_p99_us"`  // of requests before
	During      float64  `json:"during_p99_us"` // of requests meanwhile
	Answered    uint64   `json:"answered"`
	Wrong       uint64   `json:"wrong"`
	Failed      uint64   `json:"failed"`
	Course      []moment `json:"course"` // second by second
}

// A moment is how things stand at one second.
type moment struct {
	Lines int     `json:"lines"` // of segments in the manifest
	Anon  int64   `json:"anon"`  // lancred's anonymous memory, octets
	P99   float64 `json:"p99_us"`
}

const (
	grownShards    = 16
	revokedASecond = 20
)

func (r *runner) measureGrow(ctx context.Context) error {
	c, err := r.makeCorpus(ctx, "grown", demo.Options{Key: demo.P256}, r.signed)
	if err != nil {
		return err
	}
	defer os.RemoveAll(c.Dir)
	if _, err := r.pack(ctx, c, c.store(), "--shards", fmt.Sprint(grownShards)); err != nil {
		return err
	}
	exchanges, err := c.laterHalf(r.asked)
	if err != nil {
		return err
	}
	p, err := r.startLancred(ctx, c.store())
	if err != nil {
		return err
	}
	defer p.stop()
	load := func(d time.Duration) (sample, error) {
		return r.load(ctx, p, exchanges, "--duration", d.String(), "--rate", fmt.Sprint(r.swapRate), "--connections", openConnections)
	}
	quiet, err := load(r.watched)
	if err != nil {
		return err
	}
	g := &grower{runner: r, corpus: c, pid: p.pid(), stop: make(chan struct{})}
	g.result = &grown{Records: c.N, Quiet: quiet.P99, Bound: lineBound(c.store())}
	g.start(ctx)
	during, err := load(r.grown)
	close(g.stop)
	g.running.Wait()
	if err != nil || g.err != nil {
		return errors.Join(err, g.err)
	}
	g.sum(&during)
	r.results.Grown = *g.result
	return g.result.print()
}

// laterHalf are exchanges for certificates of the later half, none of which is revoked
// meanwhile.
func (c *corpus) laterHalf(asked int) (string, error) {
	var sampled []uint64
	for _, i := range c.sample(2 * asked) {
		if i >= c.N/2 {
			sampled = append(sampled, i)
		}
	}
	bodies, err := c.bodies(sampled)
	if err != nil {
		return "", err
	}
	return c.save("later", c.exchanges(get, sampled, bodies))
}

// lineBound is how many lines the policy of merges leaves in the store at most: its bases,
// and of each size up to a quarter of all of them, seven deltas and those of a second.
func lineBound(dir string) int {
	m, err := store.ReadManifest(dir)
	if err != nil {
		return 0
	}
	var octets int64
	for _, s := range m.Segments {
		octets += s.Size
	}
	const fanout, smallest = 8, 8 << 10 // as in index/store
	sizes := 1 + math.Ceil(math.Log(float64(octets)/4/smallest)/math.Log(fanout))
	return len(m.Segments) + (fanout-1)*int(sizes) + revokedASecond
}

// A grower makes a store grow until it is stopped.
type grower struct {
	*runner
	*corpus
	pid    int // of lancred
	stop   chan struct{}
	result *grown

	running sync.WaitGroup
	mu      sync.Mutex
	err     error     // the first
	addMs   []float64 // of each addition
	next    uint64    // the certificate that is revoked next
}

// start begins additions, merges and looking at what comes of them.
func (g *grower) start(ctx context.Context) {
	began := time.Now()
	g.running.Go(func() { g.until(g.stop, func() error { return g.revoke(ctx, began) }) })
	g.running.Go(func() {
		pace := time.NewTicker(time.Second)
		defer pace.Stop()
		g.until(g.stop, func() error {
			<-pace.C
			g.result.Merges++
			return g.lancre(ctx, "merge", g.store())
		})
	})
	g.running.Go(func() {
		pace := time.NewTicker(time.Second)
		defer pace.Stop()
		g.until(g.stop, func() error {
			<-pace.C
			return g.look()
		})
	})
}

// until does something again and again until stop is closed, or it fails.
func (g *grower) until(stop <-chan struct{}, do func() error) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		if err := do(); err != nil {
			g.mu.Lock()
			g.err = errors.Join(g.err, err)
			g.mu.Unlock()
			return
		}
	}
}

// revoke adds what was revoked since it was done last.
func (g *grower) revoke(ctx context.Context, began time.Time) error {
	due := int(time.Since(began).Seconds() * revokedASecond)
	if due <= g.result.Revocations {
		time.Sleep(time.Second / revokedASecond)
		return nil
	}
	now := time.Now().Truncate(time.Second)
	g.CA.ThisUpdate, g.CA.ProducedAt = now, now
	var all bytes.Buffer
	for ; g.result.Revocations < due; g.next++ {
		cert := g.CA.Certificate(g.next % (g.N / 2))
		if cert.Status == index.Revoked {
			continue
		}
		cert.Status, cert.RevokedAt = index.Revoked, now
		der, err := g.CA.Sign(cert, index.SHA1)
		if err != nil {
			return err
		}
		all.Write(der)
		g.result.Revocations++
	}
	file := filepath.Join(g.Dir, "revoked.der")
	if err := os.WriteFile(file, all.Bytes(), 0o644); err != nil {
		return err
	}
	start := time.Now()
	if err := g.lancre(ctx, "add", g.store(), "--issuer", g.Issuer, "--responses", file); err != nil {
		return err
	}
	g.addMs = append(g.addMs, float64(time.Since(start).Microseconds())/1000)
	return nil
}

// lancre runs a command on the core of the server, which comes before it.
func (g *grower) lancre(ctx context.Context, args ...string) error {
	words := append([]string{"--idle", "0", "taskset", "--cpu-list", serverCore, filepath.Join(g.bin, "..", "lancre")}, args...)
	if out, err := exec.CommandContext(ctx, "chrt", words...).CombinedOutput(); err != nil {
		return fmt.Errorf("lancre %s: %w: %s", args[0], err, out)
	}
	return nil
}

// look notes how things stand.
func (g *grower) look() error {
	m, err := store.ReadManifest(g.store())
	if err != nil {
		return err
	}
	memory, err := proc.Memory(g.pid)
	if err != nil {
		return err
	}
	g.result.Course = append(g.result.Course, moment{Lines: len(m.Segments), Anon: memory.Anon})
	return nil
}

// sum enters what clients saw.
func (g *grower) sum(run *sample) {
	r := g.result
	r.Seconds, r.During, r.Answered, r.Wrong, r.Failed = run.Seconds, run.P99, run.Answered, run.Wrong, run.Failed
	r.Adds, r.AddMs = len(g.addMs), spreadOf(g.addMs)
	r.Course = r.Course[:min(len(r.Course), len(run.Windows))]
	for i := range r.Course {
		r.Course[i].P99 = run.Windows[i].P99
	}
}

// Whole is the course of the seconds that were whole: in the one behind them nobody asked.
func (g grown) Whole() []moment { return g.Course[:min(len(g.Course), int(g.Seconds))] }

// Lines is the most there were.
func (g grown) Lines() (most int) {
	for _, m := range g.Whole() {
		most = max(most, m.Lines)
	}
	return most
}

// Anon is the median of lancred's anonymous memory in the first fifth and in the last.
func (g grown) Anon() (first, last float64) {
	course := g.Whole()
	n := len(course)
	of := func(part []moment) float64 {
		return spreadOver(part, func(m *moment) float64 { return float64(m.Anon) }).Median
	}
	return of(course[:(n+4)/5]), of(course[n-(n+4)/5:])
}

func (g *grown) print() error {
	t := newTable("revocations", "adds", "merges", "ms an add", "lines at most", "by the policy", "anonymous MB first", "last", "p99 µs quiet", "meanwhile", "wrong", "failed")
	first, last := g.Anon()
	t.row(g.Revocations, g.Adds, g.Merges, g.AddMs, g.Lines(), g.Bound, first/1e6, last/1e6, g.Quiet, g.During, g.Wrong, g.Failed)
	return t.Flush()
}

// toBound, flat and toQuiet are what targets are about; not measured where nothing was.
func (g *grown) toBound() spread { return g.ratio(float64(g.Lines()), float64(g.Bound)) }
func (g *grown) toQuiet() spread { return g.ratio(g.During, g.Quiet) }
func (g *grown) flat() spread {
	first, last := g.Anon()
	return g.ratio(last, first)
}

func (g *grown) ratio(of, to float64) spread {
	if len(g.Course) == 0 {
		return spread{}
	}
	return one(of / to)
}
