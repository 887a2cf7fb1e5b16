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

// A bucket serves files below /status/lancre/ and counts how often it is asked for each.
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
	http.StripPrefix("/status/lancre", http.FileServer(http.Dir(b.dir))).ServeHTTP(w, r)
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
	b, dir = &bucket{dir: t.TempDir(), asked: make(map[string]int)}, t.TempDir()
	check(t, os.Mkdir(filepath.Join(b.dir, "objects"), 0o755))
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	startSiteNginx(t, dir, server.URL, "unix:store.sock")
	await(t, dir, ask+`ask elsewhere`, nil, "404")
	return b, dir
}

// startSiteCacheOf is startSiteCache before what has that URL, on a port of the kernel's
// choice.
func startSiteCacheOf(t *testing.T, bucket string) (address string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	address = ln.Addr().String()
	check(t, ln.Close()) // nginx cannot be told to ask the kernel
	dir := t.TempDir()
	startSiteNginx(t, dir, bucket, address)
	await(t, dir, "curl -sS -w '%{http_code}' -o got http://"+address+"/", nil, "404")
	return address
}

// startSiteNginx runs deploy/nginx/store.conf before the bucket with that URL.
func startSiteNginx(t *testing.T, dir, bucket, listen string) {
	t.Helper()
	programs.Need(t, "nginx", "curl")
	startNginx(t, dir, testdata(t, "../../../deploy/nginx/store.conf"), `
		s|127.0.0.1:7070|`+strings.TrimPrefix(bucket, "http://")+`|
		s|listen  *8081|listen `+listen+`|
		s|/var/cache/nginx/|cache.|
	`)
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
		if got := b.times("/status/lancre/objects/large " + slice); got != 1 {
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
