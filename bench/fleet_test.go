package bench

import (
	"bufio"
	"cmp"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"lancre/index"
	"lancre/index/store"
	"lancre/internal/programs"
	"lancre/internal/versity"
)

// fleetConfig is an origin that signs, and publishes to a bucket.
const fleetConfig = `
store = %q
issuers = [%q]
admin = "127.0.0.1:0"
manifest_key = "origin.key"
[[spool]]
dir = "spool"
[[publish]]
to = "s3://status/lancre"
`

// BenchmarkFleet is the time from when a file is in the spool of an origin until edges have
// its response: by lancre follow, versitygw, the cache of a site, and so many lancred pull
// as LANCRE_BENCH_PULLS says, which poll as LANCRE_BENCH_POLL says, all on this machine. A
// file comes each second. In the place of lancreds, one reader opens what each edge has as
// soon as it is installed. beyond is what is more than the time between two polls; octets are
// those of objects that an edge fetches in a minute.
func BenchmarkFleet(b *testing.B) {
	edges, err := strconv.Atoi(cmp.Or(os.Getenv("LANCRE_BENCH_PULLS"), "100"))
	must(b, err)
	poll, err := time.ParseDuration(cmp.Or(os.Getenv("LANCRE_BENCH_POLL"), "1s"))
	must(b, err)
	f := startFleet(b, edges, poll)
	began, fetched := time.Now(), f.fetched()
	var reading sync.WaitGroup
	reading.Go(f.read)
	for b.Loop() {
		f.put()
		time.Sleep(time.Until(f.began[len(f.began)-1].Add(time.Second)))
	}
	close(f.last)
	reading.Wait()
	reportTimes(b, f.took)
	b.ReportMetric(float64((f.took[len(f.took)*99/100]-poll).Microseconds())/1000, "beyond-p99-ms")
	b.ReportMetric(float64(f.fetched()-fetched)/float64(edges)/time.Since(began).Minutes(), "edge-B/min")
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// A benchFleet is an origin, and edges that fetch from it.
type benchFleet struct {
	*adder
	edges []*benchEdge
	last  chan struct{} // closed when all files have come

	mu    sync.Mutex
	ids   []index.CertID // of what was put into the spool
	began []time.Time    // when it was

	took []time.Duration // of each at each edge
}

// A benchEdge is the store of an edge.
type benchEdge struct {
	store    string
	admin    string
	manifest fs.FileInfo // as it was read last
	answers  *store.Generation
	seen     int // of what was put into the spool
}

// startFleet starts it over a store of the whole corpus, which edges have already, by hard
// links.
func startFleet(b *testing.B, edges int, poll time.Duration) *benchFleet {
	b.Helper()
	b.Setenv("PATH", built(b)+":"+os.Getenv("PATH")+":/usr/sbin")
	programs.Need(b, "nginx")
	gateway := versity.Start(b)
	for _, v := range gateway.Env() {
		name, value, _ := strings.Cut(v, "=")
		b.Setenv(name, value)
	}
	a := newAdder(b, sharded(b), 0)
	f := &benchFleet{adder: a, last: make(chan struct{})}
	pair, err := store.GenerateKey("bench.example.org", a.dir)
	must(b, err)
	must(b, os.Rename(pair.Private, filepath.Join(a.dir, "origin.key")))
	must(b, os.Mkdir(filepath.Join(a.dir, "spool"), 0o755))
	origin := programs.Follow(b, a.file("lancre.toml", fmt.Appendf(nil, fleetConfig, a.store, a.issuer())))
	origin.Await(b, "copied")
	gateway.LetAnybodyRead(b, "../deploy/bucket/policy.json")
	f.put() // what is signed
	signed := origin.Await(b, "published")["generation"]
	for origin.Await(b, "copied")["generation"] != signed {
	}
	cache := startSiteCache(b, gateway.URL)
	for range edges {
		e := &benchEdge{store: linkStore(b, a.store)}
		d := programs.StartBeside(b, "pull", "--from", cache, "--trust", pair.Public, "--store", e.store, "--every", poll.String())
		e.admin = d.Admin
		f.edges = append(f.edges, e)
	}
	f.ids, f.began = nil, nil
	return f
}

// startSiteCache runs deploy/nginx/store.conf before a bucket, and returns its URL.
func startSiteCache(b *testing.B, bucket string) string {
	b.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0") // to be told a port that is free
	must(b, err)
	host := l.Addr().String()
	l.Close()
	dir := b.TempDir()
	site, err := os.ReadFile("../deploy/nginx/store.conf")
	must(b, err)
	edited := strings.NewReplacer("127.0.0.1:7070", strings.TrimPrefix(bucket, "http://"), "listen      8081", "listen "+host, "/var/cache/nginx/", "cache.").Replace(string(site))
	must(b, os.WriteFile(filepath.Join(dir, "site.conf"), []byte(edited), 0o644))
	conf, err := os.ReadFile("../test/e2e/testdata/nginx.conf")
	must(b, err)
	must(b, os.WriteFile(filepath.Join(dir, "nginx.conf"), conf, 0o644))
	cmd := exec.Command("nginx", "-p", ".", "-e", "error.log", "-c", "nginx.conf")
	cmd.Dir = dir
	must(b, cmd.Start())
	b.Cleanup(func() { cmd.Process.Signal(syscall.SIGTERM); cmd.Wait() })
	url := "http://" + host + "/store"
	for until := time.Now().Add(programs.Patience); ; time.Sleep(10 * time.Millisecond) {
		resp, err := http.Get(url + "/manifest")
		if err == nil {
			resp.Body.Close()
		}
		if err == nil && resp.StatusCode == http.StatusOK {
			return url
		}
		if time.Now().After(until) {
			b.Fatalf("the cache does not answer: %v, %v", resp, err)
		}
	}
}

// put signs for the next certificate and puts the response into the spool.
func (f *benchFleet) put() {
	c := f.ca.Certificate(f.next)
	f.sign()
	id, _ := f.ca.CertID(c, index.SHA1)
	from := f.file("response.der", f.der)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ids, f.began = append(f.ids, id), append(f.began, time.Now())
	must(f.b, os.Rename(from, filepath.Join(f.dir, "spool", fmt.Sprint(f.next))))
}

// read looks at all edges until they have everything.
func (f *benchFleet) read() {
	for !f.complete() {
		for _, e := range f.edges {
			if err := f.readEdge(e); err != nil {
				f.b.Error(err)
				return
			}
		}
		time.Sleep(time.Millisecond)
	}
	for _, e := range f.edges {
		e.answers.Close()
	}
}

// complete reports whether all files have come, everywhere. It fails what did not come in
// long.
func (f *benchFleet) complete() bool {
	select {
	case <-f.last:
	default:
		return false
	}
	missing := len(f.edges)*len(f.ids) - len(f.took)
	if missing > 0 && time.Since(f.began[len(f.began)-1]) > programs.Patience {
		f.b.Errorf("%d of %d responses have not come", missing, len(f.edges)*len(f.ids))
		return true
	}
	return missing == 0
}

// readEdge looks what has come to an edge.
func (f *benchFleet) readEdge(e *benchEdge) error {
	info, err := os.Stat(filepath.Join(e.store, "manifest"))
	if err != nil || e.manifest != nil && os.SameFile(info, e.manifest) && info.ModTime().Equal(e.manifest.ModTime()) {
		return err
	}
	answers, err := store.OpenAnswers(e.store, e.answers)
	if err != nil {
		return err
	}
	if e.answers != nil {
		e.answers.Close()
	}
	e.manifest, e.answers = info, answers
	f.mu.Lock()
	defer f.mu.Unlock()
	for ; e.seen < len(f.ids); e.seen++ {
		id := &f.ids[e.seen]
		if _, found, err := answers.Lookup(id.Key(), id); err != nil || !found {
			return err
		}
		f.took = append(f.took, time.Since(f.began[e.seen]))
	}
	return nil
}

// fetched is how many octets of objects all edges have fetched.
func (f *benchFleet) fetched() (octets uint64) {
	for _, e := range f.edges {
		resp, err := http.Get("http://" + e.admin + "/metrics")
		must(f.b, err)
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if text, ok := strings.CutPrefix(lines.Text(), "lancred_pull_fetched_octets_total "); ok {
				n, err := strconv.ParseFloat(text, 64)
				must(f.b, err)
				octets += uint64(n)
			}
		}
		resp.Body.Close()
	}
	return octets
}
