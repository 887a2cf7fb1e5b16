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

	"lancre/bench/proc"
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

// fleetShards is how many the base of the fleet is cut into: one of a million responses
// has 125,000.
const fleetShards = 8

// linkRate is how many octets a second an edge gets of what is large: 10 Mbit/s.
const linkRate = 1_250_000

// edgeMemory is what a lancred pull may take of the machine's memory.
const edgeMemory = 32 << 20

// BenchmarkFleet is the time from when a file is in the spool of an origin until edges have
// its response: by lancre follow, versitygw, the cache of a site, and so many lancred pull
// as LANCRE_BENCH_PULLS says, 100 if unset, all on this machine. A file comes each
// 1.1 seconds, for of what comes within a second lancre follow makes one generation:
// -benchtime=120x is a good two minutes of each case. In the place of lancreds, one reader opens
// what each edge has as soon as it is installed; it looks every 5 ms. beyond is what is
// more than the time that is set between two polls; octets are those of objects that an
// edge fetches in a minute; percentages are of one processor.
func BenchmarkFleet(b *testing.B) {
	edges, err := strconv.Atoi(cmp.Or(os.Getenv("LANCRE_BENCH_PULLS"), "100"))
	must(b, err)
	must(b, roomFor(edges))
	for _, poll := range []time.Duration{5 * time.Second, time.Second} {
		b.Run(fmt.Sprintf("%v/quiet", poll), func(b *testing.B) { startFleet(b, edges, poll).measure(b) })
		b.Run(fmt.Sprintf("%v/replacing", poll), func(b *testing.B) {
			f := startFleet(b, edges, poll)
			r := newReplacer(b, f)
			var replacing sync.WaitGroup
			replacing.Go(r.run)
			f.measure(b)
			r.stop()
			replacing.Wait()
			b.ReportMetric(float64(r.replaced), "shards")
		})
	}
}

// roomFor says that there is too little memory for so many edges, if so.
func roomFor(edges int) error {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return err
	}
	_, line, _ := strings.Cut(string(text), "MemAvailable:")
	var kib int
	if _, err := fmt.Sscan(line, &kib); err != nil {
		return fmt.Errorf("/proc/meminfo: MemAvailable: %w", err)
	}
	if need := edges * edgeMemory >> 10; kib < need {
		return fmt.Errorf("%d kB of memory are available, and %d edges may take %d: set LANCRE_BENCH_PULLS to fewer", kib, edges, need)
	}
	return nil
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
	poll    time.Duration
	edges   []*benchEdge
	origin  *programs.Daemon
	storage int           // process
	cache   int           // process
	last    chan struct{} // closed when all files have come

	mu    sync.Mutex
	ids   []index.CertID // of what was put into the spool
	began []time.Time    // when it was

	took []time.Duration // of each at each edge
}

// A benchEdge is the store of an edge.
type benchEdge struct {
	store    string
	pull     *programs.Daemon
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
	a := newAdder(b, sharded(b, fleetShards), 0)
	f := &benchFleet{adder: a, poll: poll, storage: gateway.PID, last: make(chan struct{})}
	pair, err := store.GenerateKey("bench.example.org", a.dir)
	must(b, err)
	must(b, os.Rename(pair.Private, f.key()))
	must(b, os.Mkdir(filepath.Join(a.dir, "spool"), 0o755))
	f.origin = programs.Follow(b, a.file("lancre.toml", fmt.Appendf(nil, fleetConfig, a.store, a.issuer())))
	f.origin.Await(b, "copied")
	gateway.LetAnybodyRead(b, "../deploy/bucket/policy.json")
	f.put() // what is signed
	signed := f.origin.Await(b, "published")["generation"]
	for f.origin.Await(b, "copied")["generation"] != signed {
	}
	var cache string
	cache, f.cache = startSiteCache(b, gateway.Socket)
	for range edges {
		e := &benchEdge{store: linkStore(b, a.store)}
		e.pull = programs.StartBeside(b, "pull", "--from", cache, "--trust", pair.Public, "--store", e.store,
			"--every", poll.String(), "--max-bandwidth", strconv.Itoa(linkRate))
		f.edges = append(f.edges, e)
	}
	f.ids, f.began = nil, nil
	return f
}

// key is the file of the private key.
func (f *benchFleet) key() string { return filepath.Join(f.dir, "origin.key") }

// startSiteCache runs deploy/nginx/store.conf before a bucket that listens at socket, with
// the bandwidth of linkRate for each object, in one process. It returns its URL.
func startSiteCache(b *testing.B, socket string) (url string, pid int) {
	b.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0") // to be told a port that is free
	must(b, err)
	host := l.Addr().String()
	l.Close()
	dir := b.TempDir()
	site, err := os.ReadFile("../deploy/nginx/store.conf")
	must(b, err)
	edited := strings.NewReplacer("127.0.0.1:7070", "unix:"+socket, "listen      8081", "listen "+host, "/var/cache/nginx/", "cache.",
		"slice                 8m;", fmt.Sprintf("slice 8m; limit_rate %d;", linkRate)).Replace(string(site))
	must(b, os.WriteFile(filepath.Join(dir, "site.conf"), []byte(edited), 0o644))
	conf, err := os.ReadFile("../test/e2e/testdata/nginx.conf")
	must(b, err)
	must(b, os.WriteFile(filepath.Join(dir, "nginx.conf"), conf, 0o644))
	cmd := exec.Command("nginx", "-p", ".", "-e", "error.log", "-c", "nginx.conf", "-g", "master_process off;")
	cmd.Dir = dir
	must(b, cmd.Start())
	b.Cleanup(func() { cmd.Process.Signal(syscall.SIGTERM); cmd.Wait() })
	url = "http://" + host + "/store"
	for until := time.Now().Add(programs.Patience); ; time.Sleep(10 * time.Millisecond) {
		resp, err := http.Get(url + "/manifest")
		if err == nil {
			resp.Body.Close()
		}
		if err == nil && resp.StatusCode == http.StatusOK {
			return url, cmd.Process.Pid
		}
		if time.Now().After(until) {
			b.Fatalf("the cache does not answer: %v, %v", resp, err)
		}
	}
}

// measure puts files, and reports when the edges had them and what that took.
func (f *benchFleet) measure(b *testing.B) {
	began, fetched, used := time.Now(), f.fetched(), f.used()
	var reading sync.WaitGroup
	reading.Go(f.read)
	for b.Loop() {
		f.put()
		f.origin.Log() // so that it never waits to log
		time.Sleep(time.Until(f.began[len(f.began)-1].Add(1100 * time.Millisecond)))
	}
	took, octets, spent := time.Since(began), f.fetched()-fetched, f.used()
	close(f.last)
	reading.Wait()
	reportTimes(b, f.took)
	b.ReportMetric(float64((f.took[len(f.took)*99/100]-f.poll).Microseconds())/1000, "beyond-p99-ms")
	b.ReportMetric(float64(octets)/float64(len(f.edges))/took.Minutes(), "edge-B/min")
	for what, u := range spent {
		b.ReportMetric(100*float64(u-used[what])/float64(took), what+"-%")
	}
	b.ReportMetric(float64(len(f.edges)), "edges")
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
		time.Sleep(5 * time.Millisecond)
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
		e.pull.Log() // as of the origin
		octets += uint64(metric(f.b, e.pull.Admin, "lancred_pull_fetched_octets_total"))
	}
	return octets
}

// metric is the value of one without labels.
func metric(b *testing.B, admin, name string) float64 {
	b.Helper()
	resp, err := http.Get("http://" + admin + "/metrics")
	must(b, err)
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			v, err := strconv.ParseFloat(text, 64)
			must(b, err)
			return v
		}
	}
	b.Fatalf("%s has no %s", admin, name)
	return 0
}

// used is the processor time that each kind of process has used.
func (f *benchFleet) used() map[string]time.Duration {
	used := make(map[string]time.Duration)
	add := func(what string, pid int) {
		spent, err := proc.CPU(pid)
		must(f.b, err)
		used[what] += spent
	}
	add("origin", f.origin.Process.Pid)
	add("storage", f.storage)
	add("cache", f.cache)
	for _, e := range f.edges {
		add("edges", e.pull.Process.Pid)
	}
	return used
}
