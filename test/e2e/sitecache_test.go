package e2e

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"lancre/internal/programs"
)

// A bucket serves files below /store/ and counts how often it is asked for each.
type bucket struct {
	dir string

	mu    sync.Mutex
	asked map[string]int // by path and range
	fails int            // the status of everything; 0 for none
}

// ServeHTTP implements http.Handler.
func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	b.asked[strings.TrimSpace(r.URL.RequestURI()+" "+r.Header.Get("Range"))]++
	fails := b.fails
	b.mu.Unlock()
	if fails != 0 {
		http.Error(w, "", fails)
		return
	}
	w.Header().Set("Cache-Control", "no-cache") // as of the manifest
	http.StripPrefix("/store", http.FileServer(http.Dir(b.dir))).ServeHTTP(w, r)
}

func (b *bucket) fail(status int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fails = status
}

func (b *bucket) times(request string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked[request]
}

// startSiteCache runs deploy/nginx/store.conf before a bucket. It listens on store.sock in
// dir.
func startSiteCache(t *testing.T) (b *bucket, dir string) {
	t.Helper()
	b, dir = startSiteCacheAt(t, "unix:store.sock")
	await(t, dir, ask+`ask elsewhere`, nil, "404")
	return b, dir
}

// startSiteCacheOn is startSiteCache on a port of the kernel's choice.
func startSiteCacheOn(t *testing.T) (b *bucket, address string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	address = ln.Addr().String()
	check(t, ln.Close()) // nginx cannot be told to ask the kernel
	b, dir := startSiteCacheAt(t, address)
	await(t, dir, "curl -sS -w '%{http_code}' -o got http://"+address+"/", nil, "404")
	return b, address
}

func startSiteCacheAt(t *testing.T, listen string) (b *bucket, dir string) {
	t.Helper()
	programs.Need(t, "nginx", "curl")
	b, dir = &bucket{dir: t.TempDir(), asked: make(map[string]int)}, t.TempDir()
	check(t, os.Mkdir(filepath.Join(b.dir, "objects"), 0o755))
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	startNginx(t, dir, testdata(t, "../../../deploy/nginx/store.conf"), `
		s|127.0.0.1:7070|`+strings.TrimPrefix(server.URL, "http://")+`|
		s|listen  *8081|listen `+listen+`|
		s|/var/cache/nginx/|cache.|
	`)
	return b, dir
}

// ask asks the cache and prints status and what the cache had.
const ask = `
	ask() { curl -sS --unix-socket store.sock -w '%{http_code} %header{x-cache-status}\n' -o ${OUT:-got} "http://cache/store/$1"; }
`

// However many edges there are, the bucket is asked for each slice of an object once, and
// what they get is the object.
func TestSiteCacheFetchesOnce(t *testing.T) {
	b, dir := startSiteCache(t)
	large := make([]byte, 20<<20)
	rand.Read(large)
	check(t, os.WriteFile(filepath.Join(b.dir, "objects", "large"), large, 0o644))
	var edges sync.WaitGroup
	for n := range 50 {
		edges.Go(func() {
			out := fmt.Sprintf("got%d", n)
			if said, err := try(t, dir, ask+"ask objects/large", "OUT="+out); err != nil || !strings.HasPrefix(said, "200") {
				t.Errorf("%s %v", said, err)
			}
			if !bytes.Equal(readFile(t, filepath.Join(dir, out)), large) {
				t.Error("an edge got something else")
			}
		})
	}
	edges.Wait()
	for _, slice := range []string{"bytes=0-8388607", "bytes=8388608-16777215", "bytes=16777216-25165823"} {
		if got := b.times("/store/objects/large " + slice); got != 1 {
			t.Errorf("the bucket is asked %d times for %s, want once", got, slice)
		}
	}
	sh(t, dir, `curl -sS --unix-socket store.sock -r 9000000-9000099 -o part http://cache/store/objects/large`)
	if !bytes.Equal(readFile(t, filepath.Join(dir, "part")), large[9000000:9000100]) {
		t.Error("a part is something else")
	}
	if got := sh(t, dir, ask+"ask 'objects/large?again=1'"); got != "200 MISS\n" {
		t.Errorf("with a query, the cache answers %q", got)
	}
}

// Failures are not kept, and the manifest is not held when the bucket cannot say what it
// is.
func TestSiteCacheKeepsNoFailure(t *testing.T) {
	b, dir := startSiteCache(t)
	check(t, os.WriteFile(filepath.Join(b.dir, "manifest"), []byte("one"), 0o644))
	check(t, os.WriteFile(filepath.Join(b.dir, "objects", "one"), []byte("one"), 0o644))
	for _, status := range []int{404, 403, 500, 503} {
		b.fail(status)
		for _, name := range []string{"manifest", "objects/one"} {
			await(t, dir, ask+"ask "+name, nil, fmt.Sprint(status)) // the manifest is held for a second
		}
		b.fail(0)
		if got := sh(t, dir, ask+"ask manifest"); !strings.HasPrefix(got, "200") {
			t.Errorf("after %d, the manifest is answered %q", status, got)
		}
	}
	if got := sh(t, dir, ask+"ask objects/one"); !strings.HasPrefix(got, "200") {
		t.Errorf("an object is answered %q", got)
	}
	check(t, os.WriteFile(filepath.Join(b.dir, "manifest"), []byte("two"), 0o644))
	await(t, dir, ask+"ask manifest; cat got", nil, "200", "two")
	if got := sh(t, dir, ask+"for i in 1 2 3 4 5; do ask manifest; done"); !strings.Contains(got, "200 HIT") {
		t.Errorf("within a second, the manifest is answered\n%s", got)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Edges behind the cache of a site follow the bucket, each with a process of its own that
// fetches; the bucket sends each object once.
func TestEdgesBehindSiteCache(t *testing.T) {
	b, address := startSiteCacheOn(t)
	dir := t.TempDir()
	sh(t, dir, `
		lancre keygen --name site.example.org --out . >/dev/null
		mv *.key key; mv *.pub trust
		lancre demo --out demo --responses 20000
		mkdir demo/static/www.example.org
	`)
	publish := func(page string) string {
		t.Helper()
		sh(t, dir, `
			echo "<!doctype html><title>$PAGE</title>" >demo/static/www.example.org/index.html
			lancre build --out store --issuer demo/issuer.pem --responses demo/responses.der --static demo/static --manifest-key key
			cp -r store/objects $BUCKET
			cp store/manifest $BUCKET/manifest.new
			mv $BUCKET/manifest.new $BUCKET/manifest
		`, "BUCKET="+b.dir, "PAGE="+page)
		return string(readFile(t, filepath.Join(b.dir, "manifest")))
	}
	first := publish("one")
	const edges = 5
	var pullers, servers []*programs.Daemon
	for n := range edges {
		store := filepath.Join(dir, fmt.Sprint("edge", n))
		check(t, os.Mkdir(store, 0o755))
		servers = append(servers, programs.Start(t, store, "--trust", filepath.Join(dir, "trust")))
		pullers = append(pullers, programs.StartBeside(t, "pull", "--from", "http://"+address+"/store", "--trust", filepath.Join(dir, "trust"),
			"--store", store, "--every", "200ms"))
	}
	follow := func(manifest string) {
		t.Helper()
		for n := range edges {
			servers[n].Await(t, "generation served")
			if got := string(readFile(t, filepath.Join(dir, fmt.Sprint("edge", n), "manifest"))); got != manifest {
				t.Errorf("edge %d has\n%s\nwant\n%s", n, got, manifest)
			}
		}
	}
	follow(first)
	follow(publish("two"))
	b.mu.Lock()
	defer b.mu.Unlock()
	for request, times := range b.asked {
		if strings.HasPrefix(request, "/store/objects/") && times > 1 {
			t.Errorf("the bucket is asked %d times for %s", times, request)
		}
	}
	for _, p := range pullers {
		for _, line := range p.Log() {
			if line["level"] != "INFO" {
				t.Errorf("logged: %v", line)
			}
		}
	}
}
