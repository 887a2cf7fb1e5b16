package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	_ "modernc.org/sqlite"

	"lancre/bench/proc"
	"lancre/build/demo"
	"lancre/index"
	"lancre/index/store"
)

// A followed is lancre follow over a large store, on the machine of a lancred that serves
// it: how long a file in the spool takes to be answered, and what waiting for one costs.
type followed struct {
	Records   uint64  `json:"records"`
	Shards    int     `json:"shards"`
	Alone     waits   `json:"alone"`
	Absorbing waits   `json:"absorbing"` // while its merges have bases absorb what lies above them
	Absorbed  int     `json:"absorbed"`  // bases, meanwhile
	IdleFor   float64 `json:"idle_seconds"`
	Idle      float64 `json:"idle_percent"` // of a processor, while nothing comes
	Anon      int64   `json:"anon"`         // anonymous memory then, octets
	PeakAnon  int64   `json:"peak_anon"`    // the most of all the time
}

// waits are how long files took, from the spool to the answer.
type waits struct {
	Files int     `json:"files"`
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	Max   float64 `json:"max_ms"`
}

func waitsOf(took []time.Duration) waits {
	n := len(took)
	if n == 0 {
		return waits{}
	}
	slices.Sort(took)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return waits{n, ms(took[n/2]), ms(took[n*99/100]), ms(took[n-1])}
}

// followedShards make a base of a million and a quarter where there are 10 M responses.
const followedShards = 8

// followConfig has four sources, of which one brings something.
const followConfig = `
store = %q
issuers = ["issuer.pem"]
admin = "127.0.0.1:%d"
[[spool]]
dir = "spool"
[[static]]
dir = "www"
[[database]]
url = "sqlite:ca.db"
query = "SELECT response, id FROM ocsp WHERE id > :since ORDER BY id"
[[command]]
run = ["true"]
every = "1m"
`

func (r *runner) measureFollow(ctx context.Context) error {
	c := r.large
	if c == nil { // the other sections need more of it than its responses
		var err error
		if c, err = r.makeCorpus(ctx, "followed", demo.Options{Unsigned: true}, r.many); err != nil {
			return err
		}
		defer os.RemoveAll(c.Dir)
	}
	f, err := r.startFollowing(ctx, c)
	if err != nil {
		return err
	}
	defer f.stop()
	stop, peak := make(chan struct{}), make(chan int64)
	go func() { peak <- proc.PeakAnon(f.follow.pid(), 20*time.Millisecond, stop) }()
	err = f.measure(ctx)
	close(stop)
	f.result.PeakAnon = <-peak
	if err != nil {
		return err
	}
	r.results.Followed = f.result
	return f.result.print()
}

// A following is a lancre follow, and a CA that gives it files.
type following struct {
	*runner
	*corpus
	store        string
	ca           *demo.CA // of what is put into the spool: the responses of corpus are not signed
	next         uint64   // certificate of ca
	renewed      uint64   // certificates of corpus that had newer responses
	spool        string
	follow, edge *process
	result       followed
}

// startFollowing follows a store of c.
func (r *runner) startFollowing(ctx context.Context, c *corpus) (*following, error) {
	dir, err := os.MkdirTemp(r.dir, "follow-")
	if err != nil {
		return nil, err
	}
	f := &following{runner: r, corpus: c, store: filepath.Join(dir, "store"), spool: filepath.Join(dir, "spool"), result: followed{Records: c.N, Shards: followedShards}}
	if _, err := r.pack(ctx, c, f.store, "--unverified", "--shards", strconv.Itoa(followedShards)); err != nil {
		return nil, err
	}
	if f.ca, err = demo.New(demo.Options{Hashes: []index.HashAlg{index.SHA1}}); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	config, err := f.configure(dir, port)
	if err != nil {
		return nil, err
	}
	if f.edge, err = r.startLancredOn(ctx, bothCores, f.store); err != nil {
		return nil, err
	}
	f.follow, err = r.startServer(ctx, bothCores, port, filepath.Join(r.bin, "..", "lancre"), "follow", "--config", config)
	if err != nil {
		f.edge.stop()
	}
	return f, err
}

func (f *following) stop() {
	f.follow.stop()
	f.edge.stop()
}

// configure makes the sources and the file that names them.
func (f *following) configure(dir string, port int) (config string, err error) {
	for _, sub := range []string{f.spool, filepath.Join(dir, "www")} {
		if err := os.Mkdir(sub, 0o755); err != nil {
			return "", err
		}
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "ca.db"))
	if err != nil {
		return "", err
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE ocsp (id INTEGER PRIMARY KEY, response BLOB)"); err != nil {
		return "", err
	}
	issuer := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.ca.Issuer.Raw})
	if err := os.WriteFile(filepath.Join(dir, "issuer.pem"), issuer, 0o644); err != nil {
		return "", err
	}
	config = filepath.Join(dir, "lancre.toml")
	return config, os.WriteFile(config, fmt.Appendf(nil, followConfig, f.store, port), 0o644)
}

func (f *following) measure(ctx context.Context) error {
	if _, err := f.put(); err != nil { // it has begun
		return err
	}
	alone, err := f.putSome(func(n int) bool { return n < f.files })
	if err != nil {
		return err
	}
	absorbing, err := f.putWhileAbsorbing(ctx)
	if err != nil {
		return err
	}
	f.result.Alone, f.result.Absorbing = waitsOf(alone), waitsOf(absorbing)
	for bases := newBaseCount(f.store); bases.absorbing(); {
		time.Sleep(100 * time.Millisecond)
	}
	return f.rest()
}

// rest looks at what it costs when nothing comes.
func (f *following) rest() error {
	before, err := proc.CPU(f.follow.pid())
	if err != nil {
		return err
	}
	time.Sleep(f.idle)
	after, err := proc.CPU(f.follow.pid())
	if err != nil {
		return err
	}
	memory, err := proc.Memory(f.follow.pid())
	f.result.IdleFor, f.result.Idle, f.result.Anon = f.idle.Seconds(), 100*float64(after-before)/float64(f.idle), memory.Anon
	return err
}

// putSome puts files into the spool as long as more wants another, each more than a second
// after the one before: what comes sooner waits.
func (f *following) putSome(more func(n int) bool) (took []time.Duration, err error) {
	for more(len(took)) {
		time.Sleep(1100 * time.Millisecond)
		wait, err := f.put()
		if err != nil {
			return nil, err
		}
		took = append(took, wait)
	}
	return took, nil
}

// put puts the next response into the spool, and asks for it until it comes.
func (f *following) put() (time.Duration, error) {
	c := f.ca.Certificate(f.next)
	f.next++
	id, _ := f.ca.CertID(c, index.SHA1)
	der, err := f.ca.Sign(c, index.SHA1)
	if err != nil {
		return 0, err
	}
	from := f.spool + ".new"
	if err := os.WriteFile(from, der, 0o644); err != nil {
		return 0, err
	}
	began := time.Now()
	if err := os.Rename(from, filepath.Join(f.spool, strconv.FormatUint(f.next, 10))); err != nil {
		return 0, err
	}
	return f.edge.answers(began, id.Request(nil), der)
}

// answers asks for a response each millisecond until it comes, and returns how long that
// was since began.
func (p *process) answers(began time.Time, request, der []byte) (time.Duration, error) {
	for until := began.Add(time.Minute); ; time.Sleep(time.Millisecond) {
		response, err := http.Post("http://"+p.addr()+"/", "application/ocsp-request", bytes.NewReader(request))
		if err != nil {
			return 0, err
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err == nil && bytes.Equal(body, der) {
			return time.Since(began), nil
		}
		if time.Now().After(until) {
			return 0, fmt.Errorf("not answered in a minute: %s, %v; lancre follow says: %s", response.Status, err, output("tail", "-n3", p.log))
		}
	}
}

// putWhileAbsorbing puts files into the spool while bases absorb a delta with newer
// responses for three in ten certificates: more than a quarter is what merges leave. When
// all have done so, there is another.
func (f *following) putWhileAbsorbing(ctx context.Context) (took []time.Duration, err error) {
	bases := newBaseCount(f.store)
	for round := 0; len(took) < f.files && round < f.files; round++ {
		if err := f.renew(ctx); err != nil {
			return nil, err
		}
		if _, err := f.put(); err != nil { // what is committed has merges begin
			return nil, err
		}
		more, err := f.putSome(func(n int) bool { return bases.absorbing() && len(took)+n < f.files })
		if err != nil {
			return nil, err
		}
		took = append(took, more...)
	}
	f.result.Absorbed = len(bases.seen) - followedShards
	return took, bases.err
}

// renew adds newer responses for three in ten of the certificates, others each time.
func (f *following) renew(ctx context.Context) error {
	ca, part := *f.CA, *f.Corpus
	ca.ProducedAt = time.Now().Truncate(time.Second)
	ca.ThisUpdate = ca.ProducedAt
	part.CA, part.N, part.Responses = &ca, f.N*3/10, f.spool+".newer"
	c := &corpus{&part}
	if err := c.signFrom(f.renewed % (f.N - part.N + 1)); err != nil {
		return err
	}
	f.renewed += part.N
	if _, err := f.pack(ctx, c, f.store, "--add", "--unverified"); err != nil {
		return err
	}
	_, err := store.GC(f.store, store.Keep{Generations: 1}, time.Now()) // a round writes the whole store again
	return err
}

// A baseCount looks which bases a store has.
type baseCount struct {
	store string
	seen  map[string]bool // by their objects
	err   error           // the first
}

func newBaseCount(dir string) *baseCount {
	b := &baseCount{store: dir, seen: make(map[string]bool)}
	b.absorbing()
	return b
}

// absorbing looks, and reports whether deltas have more than merges leave them.
func (b *baseCount) absorbing() bool {
	m, err := store.ReadManifest(b.store)
	if err != nil {
		b.err = err
		return false
	}
	var bases, deltas int64
	for _, s := range m.Segments {
		if s.Role == store.RoleDelta {
			deltas += s.Size
			continue
		}
		bases += s.Size
		b.seen[s.SHA256] = true
	}
	return 4*deltas > bases // as in index/store
}

func (f *followed) print() error {
	t := newTable("records", "p50 ms", "p99 ms", "at most", "absorbing: files", "p50 ms", "p99 ms", "at most", "bases", "idle %", "anonymous MB", "at most")
	a, b := f.Alone, f.Absorbing
	t.row(f.Records, a.P50, a.P99, a.Max, b.Files, b.P50, b.P99, b.Max, f.Absorbed, f.Idle, float64(f.Anon)/1e6, float64(f.PeakAnon)/1e6)
	return t.Flush()
}

// p50, p99, idle and memory are what targets are about; not measured where nothing was.
func (w waits) p50() spread { return w.spread(w.P50) }
func (w waits) p99() spread { return w.spread(w.P99) }
func (w waits) spread(ms float64) spread {
	if w.Files == 0 {
		return spread{}
	}
	return one(ms)
}

func (f *followed) idle() spread {
	if f.IdleFor == 0 {
		return spread{}
	}
	return one(f.Idle)
}

func (f *followed) memory() spread {
	if f.IdleFor == 0 {
		return spread{}
	}
	return one(float64(f.PeakAnon) / 1e6)
}
