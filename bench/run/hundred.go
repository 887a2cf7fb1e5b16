package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"time"

	inputs "lancre/bench/corpus"
	"lancre/build/demo"
	"lancre/index"
)

// A hundred is a store of a hundred million responses, or of as many as --hundred says, from
// its build on.
type hundred struct {
	Responses uint64    `json:"responses"`
	Shards    int       `json:"shards"`
	Built     packed    `json:"built"`
	Start     start     `json:"start"`
	Warm      closed    `json:"warm"`  // GET, all of the store in the page cache
	Limit     int64     `json:"limit"` // octets that half of it and lancred may have in memory
	Half      closed    `json:"half"`  // GET within that, each for another certificate
	Missing   string    `json:"missing,omitempty"`
	One       spread    `json:"add_one_seconds"`
	Many      packed    `json:"add_many"`
	Merged    packed    `json:"merged"` // a shard, with what was added of it
	Swap      []swapped `json:"swap"`   // from the store before the additions to the one after that merge
	Verify    float64   `json:"verify_seconds"`
}

const (
	hundredShards = 64

	// manyAdded is how many responses are added at a time, less where the store is small.
	manyAdded = 100_000
)

// A hundredth is what is measured one step after another.
type hundredth struct {
	*runner
	*corpus
	newer  *corpus // what is added: the same certificates, signed a second later
	result *hundred
}

func (r *runner) measureHundred(ctx context.Context) error {
	c, err := inputs.New(filepath.Join(r.dir, "hundred"), demo.Options{Unsigned: true}, r.hundred)
	if err != nil {
		return err
	}
	defer os.RemoveAll(c.Dir)
	newer, ca := *c, *c.CA
	ca.ProducedAt = ca.ProducedAt.Add(time.Second)
	newer.CA, newer.Responses, newer.N = &ca, filepath.Join(c.Dir, "newer.der"), min(manyAdded, c.N/4)
	h := &hundredth{r, &corpus{c}, &corpus{&newer}, &hundred{Responses: c.N, Shards: hundredShards}}
	for _, step := range []struct {
		what    string
		measure func(context.Context) error
	}{
		{"build", h.build}, {"start", h.start}, {"GET, warm", h.warm}, {"additions", h.add}, {"merge", h.merge},
		{"swap", h.swap}, {"verify", h.verify}, {"GET, half in memory", h.half},
	} {
		began := time.Now()
		if err := step.measure(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
		fmt.Printf("%s: %v\n", step.what, time.Since(began).Round(time.Second))
	}
	r.results.Hundred = *h.result
	return h.result.print()
}

// build packs the responses as they are made, by this process, on the same processors.
func (h *hundredth) build(ctx context.Context) error {
	defer debug.SetGCPercent(debug.SetGCPercent(1000)) // of what signing leaves nearly all is garbage
	in, out, err := os.Pipe()
	if err != nil {
		return err
	}
	made := make(chan error, 1)
	go func() {
		made <- h.CA.WriteResponses(ctx, out, h.N, nil)
		out.Close()
	}()
	h.result.Built, err = h.packFrom(ctx, h.corpus, "-", in, h.store(), "--unverified", "--shards", strconv.Itoa(hundredShards))
	in.Close() // for whoever writes to learn of an error
	if failed := <-made; err == nil {
		err = failed
	}
	if err == nil {
		err = os.Link(filepath.Join(h.store(), "manifest"), h.manifest(1))
	}
	return err
}

// from is which certificates are asked for, as sample has it, but from another one on.
func (h *hundredth) from(first uint64) []uint64 {
	list := h.sample(h.asked)
	for i := range list {
		list[i] = min(list[i]+first, h.N-1)
	}
	return list
}

// signed are the responses of the sampled certificates: made anew, which gives the same.
func (c *corpus) signed(sampled []uint64) ([][]byte, error) {
	list := make([][]byte, len(sampled))
	for i, number := range sampled {
		var err error
		if list[i], err = c.CA.Sign(c.CA.Certificate(number), index.SHA1); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// start also makes the requests, with the answers before and after the additions.
func (h *hundredth) start(ctx context.Context) error {
	sampled := h.from(0)
	first, err := h.signed(sampled)
	if err != nil {
		return err
	}
	second, err := h.newer.signed(sampled)
	if err != nil {
		return err
	}
	for i, number := range sampled {
		if number >= h.newer.N {
			second[i] = first[i]
		}
	}
	list := h.exchanges(get, sampled, first, second)
	path, err := h.save("get", list)
	if err != nil {
		return err
	}
	h.result.Start, err = h.startRounds(ctx, h.corpus, list, path)
	return err
}

func (h *hundredth) warm(ctx context.Context) error {
	p, err := h.startLancred(ctx, h.store())
	if err != nil {
		return err
	}
	defer p.stop()
	h.result.Warm, err = h.toFixed(ctx, p, func(int) (string, error) { return filepath.Join(h.Dir, "get.gob"), nil })
	return err
}

// toFixed lets lancred and bare fasthttp take turns at the requests of each round.
func (h *hundredth) toFixed(ctx context.Context, lancred *process, requests func(round int) (string, error)) (closed, error) {
	list, stop, err := h.startAll(ctx, h.servers(h.corpus, "")[1:2])
	defer stop()
	if err != nil {
		return closed{}, err
	}
	var rounds, base []sample
	for round := range 1 + h.rounds {
		path, err := requests(round)
		if err != nil {
			return closed{}, err
		}
		own, err := h.load(ctx, lancred, path, "--duration", h.duration.String())
		if err != nil {
			return closed{}, err
		}
		fixed, err := h.load(ctx, list[0].process, path, "--duration", h.duration.String(), "--any")
		if err != nil {
			return closed{}, err
		}
		if round > 0 { // the first one only warms caches
			rounds, base = append(rounds, own), append(base, fixed)
		}
	}
	return sumClosed("lancred", get, rounds, base), nil
}

// half has lancred serve from a memory control group that holds half of the store. No
// certificate is asked for in two rounds.
func (h *hundredth) half(ctx context.Context) error {
	if err := h.install(1); err != nil {
		return err
	}
	h.result.Limit = ownMemory + h.result.Built.Size/2
	group, err := memoryGroup(h.result.Limit)
	if errors.Is(err, errNoGroup) {
		h.result.Missing = err.Error()
		return nil
	}
	if err != nil {
		return err
	}
	defer removeGroup(group)
	if err := forget(filepath.Join(h.store(), "objects")); err != nil {
		return err
	}
	p, err := h.startIn(ctx, group, h.store())
	if err != nil {
		return err
	}
	defer p.stop()
	step := max(1, h.N/uint64(h.asked)/uint64(2+h.rounds))
	h.result.Half, err = h.toFixed(ctx, p, func(round int) (string, error) {
		sampled := h.from(step * uint64(1+round))
		bodies, err := h.signed(sampled)
		if err != nil {
			return "", err
		}
		return h.save("half", h.exchanges(get, sampled, bodies))
	})
	return err
}

// add adds a response alone, some times, and many at once.
func (h *hundredth) add(ctx context.Context) error {
	part := *h.newer.Corpus
	c := &corpus{&part}
	c.N = 1
	var seconds []float64
	for i := range uint64(min(h.rounds, 3)) {
		p, err := h.addFrom(ctx, c, i)
		if err != nil {
			return err
		}
		seconds = append(seconds, p.Seconds)
	}
	h.result.One = spreadOf(seconds)
	c.N = h.newer.N - uint64(len(seconds))
	var err error
	h.result.Many, err = h.addFrom(ctx, c, uint64(len(seconds)))
	return err
}

func (h *hundredth) addFrom(ctx context.Context, c *corpus, first uint64) (packed, error) {
	if err := c.signFrom(first); err != nil {
		return packed{}, err
	}
	return h.pack(ctx, c, h.store(), "--add", "--unverified")
}

// merge has the base of one shard absorb what was added of it.
func (h *hundredth) merge(ctx context.Context) (err error) {
	if h.result.Merged, err = h.pack(ctx, h.newer, h.store(), "--merge", "--max-write", "1"); err != nil {
		return err
	}
	return os.Link(filepath.Join(h.store(), "manifest"), h.manifest(2))
}

func (h *hundredth) swap(ctx context.Context) error {
	for range min(h.rounds, 3) {
		s, err := h.runner.swap(ctx, h.corpus)
		if err != nil {
			return err
		}
		h.result.Swap = append(h.result.Swap, s)
	}
	return nil
}

// verify has lancre verify what was merged last.
func (h *hundredth) verify(ctx context.Context) error {
	began := time.Now()
	cmd := exec.CommandContext(ctx, filepath.Join(h.bin, "..", "lancre"), "verify", h.store())
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	h.result.Verify = time.Since(began).Seconds()
	return nil
}

// anonymous is the memory that lancred held with many connections, MB.
func (h *hundred) anonymous() spread {
	if h.Responses == 0 {
		return spread{}
	}
	return one(float64(h.Start.Anon) / 1e6)
}

func (h *hundred) print() error {
	t := newTable("built s", "of processor", "finishing", "GB", "peak MB", "anonymous", "first answer s", "anonymous MB", "warm to fixed", "half to fixed", "half p99 µs")
	t.row(h.Built.Seconds, h.Built.CPUSeconds, h.Built.VerifySeconds, float64(h.Built.Size)/1e9, float64(h.Built.PeakRSS)/1e6, float64(h.Built.PeakAnon)/1e6,
		h.Start.Seconds, float64(h.Start.Anon)/1e6, h.Warm.Ratio, h.Half.Ratio, h.Half.P99)
	if err := t.Flush(); err != nil {
		return err
	}
	t = newTable("add one s", "add many", "s", "merge s", "MB", "verify s", "swap s", "p99.9 µs quiet", "during", "wrong", "failed")
	for _, s := range h.Swap {
		t.row(h.One, h.Many.Responses, h.Many.Seconds, h.Merged.Seconds, float64(h.Merged.Written)/1e6, h.Verify, s.Seconds, s.Quiet, s.During, s.Wrong, s.Failed)
	}
	return t.Flush()
}
