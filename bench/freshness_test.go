package bench

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"lancre/build"
	"lancre/build/demo"
	"lancre/index"
	"lancre/index/store"
	"lancre/server"
)

// shards is how many most stores of these benchmarks are cut into.
const shards = 16

// sharded makes a store of the whole corpus in shards.
func sharded(b *testing.B) (dir string) {
	b.Helper()
	return shardedBy(b, shards)
}

// shardedBy is sharded, in n shards.
func shardedBy(b *testing.B, n int) (dir string) {
	b.Helper()
	dir = filepath.Join(b.TempDir(), "store")
	cfg := unsigned().Config(dir)
	cfg.SkipSignatures, cfg.Shards = true, n
	if _, err := build.Run(context.Background(), cfg); err != nil {
		b.Fatal(err)
	}
	return dir
}

// BenchmarkFreshness is the time from the start of lancre add, of one signed response,
// until lancred answers with it: p50 and p99 of the iterations, over a store of the whole
// corpus with 24 deltas above it, both programs on this machine. read is what lancred
// reads meanwhile, add what an addition does, in octets.
func BenchmarkFreshness(b *testing.B) {
	const deltas = 24
	dir := sharded(b)
	bin := built(b)
	a := newAdder(b, dir, deltas)
	addr := serveProcess(b, filepath.Join(bin, "lancred"), dir)
	var took []time.Duration
	before := octetsRead(b, addr.pid)
	for b.Loop() {
		took = append(took, a.untilAnswered(filepath.Join(bin, "lancre"), addr.host))
	}
	read := octetsRead(b, addr.pid) - before
	a.sign()
	own := octetsRead(b, os.Getpid())
	a.addHere()
	reportTimes(b, took)
	b.ReportMetric(float64(read)/float64(len(took)), "read-B")
	b.ReportMetric(float64(octetsRead(b, os.Getpid())-own), "add-B")
}

// An adder adds responses for one certificate after another.
type adder struct {
	b          *testing.B
	ca         *demo.CA
	dir, store string
	next       uint64
	der        []byte // of the last
	request    []byte
}

func (a *adder) file(name string, content []byte) string {
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		a.b.Fatal(err)
	}
	return path
}

// built are lancre and lancred, built into a directory.
func built(b *testing.B) (bin string) {
	b.Helper()
	bin = filepath.Join(b.TempDir(), "bin")
	if out, err := exec.Command("go", "build", "-o", bin+"/", "../cmd/lancre", "../cmd/lancred").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return bin
}

// newAdder has added so many responses to a store, each by itself.
func newAdder(b *testing.B, store string, deltas int) *adder {
	b.Helper()
	ca, err := demo.New(demo.Options{Hashes: []index.HashAlg{index.SHA1}})
	if err != nil {
		b.Fatal(err)
	}
	a := &adder{b: b, ca: ca, dir: b.TempDir(), store: store}
	for range deltas {
		a.sign()
		a.addHere()
	}
	return a
}

// reportTimes reports the median of some times and their 99th percentile.
func reportTimes(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

// sign signs for the next certificate.
func (a *adder) sign() {
	c := a.ca.Certificate(a.next)
	a.next++
	id, _ := a.ca.CertID(c, index.SHA1)
	a.request = id.Request(nil)
	var err error
	if a.der, err = a.ca.Sign(c, index.SHA1); err != nil {
		a.b.Fatal(err)
	}
}

func (a *adder) issuer() string {
	return a.file("issuer.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.ca.Issuer.Raw}))
}

// addHere adds what was signed last within this process.
func (a *adder) addHere() {
	add := build.Addition{Config: build.DefaultConfig()}
	add.Out, add.Issuers, add.Responses = a.store, []string{a.issuer()}, []string{a.file("response.der", a.der)}
	if _, err := build.Add(context.Background(), add); err != nil {
		a.b.Fatal(err)
	}
}

// untilAnswered adds the next response by the program, and asks for it until it comes.
func (a *adder) untilAnswered(lancre, host string) time.Duration {
	a.sign()
	cmd := exec.Command(lancre, "add", a.store, "--issuer", a.issuer(), "--responses", a.file("response.der", a.der))
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		a.b.Fatal(err)
	}
	took := a.answered(begin, host)
	if err := cmd.Wait(); err != nil {
		a.b.Fatal(err)
	}
	return took
}

// answered asks for the response that was signed last until it comes, and returns how
// long that was since begin.
func (a *adder) answered(begin time.Time, host string) time.Duration {
	a.b.Helper()
	for until := begin.Add(time.Minute); ; time.Sleep(time.Millisecond) {
		response, err := http.Post("http://"+host+"/", "application/ocsp-request", bytes.NewReader(a.request))
		if err != nil {
			a.b.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err == nil && bytes.Equal(body, a.der) {
			return time.Since(begin)
		}
		if time.Now().After(until) {
			a.b.Fatalf("not answered in a minute: %s, %v", response.Status, err)
		}
	}
}

// A process is a lancred that serves.
type process struct {
	host string
	pid  int
}

func serveProcess(b *testing.B, lancred, dir string) process {
	b.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0") // to be told a port that is free
	if err != nil {
		b.Fatal(err)
	}
	host := l.Addr().String()
	l.Close()
	cmd := exec.Command(lancred, "--store", dir, "--listen", host, "--admin", "127.0.0.1:0")
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for until := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		response, err := http.Get("http://" + host + "/")
		if err == nil {
			response.Body.Close()
			return process{host, cmd.Process.Pid}
		}
		if time.Now().After(until) {
			b.Fatal(err)
		}
	}
}

// octetsRead is what a process has read by read(2) and its like, whatever it came from.
func octetsRead(b *testing.B, pid int) (n int64) {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := fmt.Sscanf(strings.SplitN(string(text), "\n", 2)[0], "rchar: %d", &n); err != nil {
		b.Fatal(err)
	}
	return n
}

// BenchmarkDeltas is a GET for a random certificate of the base, without a socket,
// below so many deltas that do not have it.
func BenchmarkDeltas(b *testing.B) {
	dir := sharded(b)
	ids := unsigned().sample(sampled)
	targets := make([][]byte, len(ids))
	for i := range ids {
		targets[i] = []byte("/" + url.PathEscape(base64.StdEncoding.EncodeToString(ids[i].Request(nil))))
	}
	made := 0
	for _, deltas := range []int{0, 12, 24, 48} {
		for ; made < deltas; made++ {
			pushDelta(b, dir, made)
		}
		cfg := server.DefaultConfig()
		cfg.Store = dir
		cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
		s, err := server.New(cfg)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint(deltas), func(b *testing.B) {
			handle(b, s, targets, func(r *fasthttp.Request, target []byte) { r.SetRequestURIBytes(target) })
		})
	}
}

// pushDelta puts a delta of one certificate on the store.
func pushDelta(b *testing.B, dir string, n int) {
	b.Helper()
	p, err := store.Begin(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	m := *p.Previous()
	m.Created = time.Now()
	m.Segments = store.Push(m.Segments, revocation(b, p, unsigned().N-1-uint64(n)))
	if err := p.Commit(&m); err != nil {
		b.Fatal(err)
	}
}
