package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"lancre/internal/programs"
	"lancre/internal/versity"
)

// TestFleet takes generations from an origin to clients: a real bucket, a real cache
// before it, and five edges, of which each fetches and serves. Every edge comes to have
// the manifest of the origin and to answer the octets that were signed, and the bucket
// sends each object once.
func TestFleet(t *testing.T) {
	f := newChain(t)
	f.publish("one")
	const edges = 5
	var pullers, servers []*programs.Daemon
	for n := range edges {
		store, trust := filepath.Join(f.dir, fmt.Sprint("edge", n)), filepath.Join(f.dir, "trust")
		check(t, os.Mkdir(store, 0o755))
		servers = append(servers, programs.Start(t, store, "--trust", trust))
		pullers = append(pullers, programs.StartBeside(t, "pull", "--from", "http://"+f.cache+"/store", "--trust", trust,
			"--store", store, "--every", "200ms", "--health", "http://"+servers[n].Admin))
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the first edge's pull logged %v", pullers[0].Log())
		}
	})
	for _, page := range []string{"", "two", "three"} {
		if page != "" {
			f.publish(page)
		}
		for n := range edges {
			servers[n].Await(t, "generation served")
			f.isServed(fmt.Sprint("edge", n), servers[n].Addr)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for request, times := range f.asked {
		if strings.Contains(request, "/objects/") && times > 1 {
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

// A chain is an origin, its bucket, and the cache of a site.
type chain struct {
	t     *testing.T
	dir   string
	cache string   // its address
	vars  []string // by which the bucket is found

	mu    sync.Mutex
	asked map[string]int // of the bucket, by those without credentials
}

func newChain(t *testing.T) *chain {
	t.Helper()
	programs.Need(t, "curl", "openssl")
	g := versity.Start(t)
	f := &chain{t: t, dir: t.TempDir(), asked: make(map[string]int)}
	f.vars = g.Env()
	g.LetAnybodyRead(t, "../../deploy/bucket/policy.json")
	sh(t, f.dir, `
		lancre keygen --name chain.example.org --out .
		mv *.key key; mv *.pub trust
		lancre demo --out demo --responses 20000
		openssl ocsp -issuer demo/issuer.pem -cert demo/good.pem -no_nonce -reqout good.req
		mkdir demo/static/www.example.org
	`, f.vars...)
	g.Break(f.count)
	f.cache = startSiteCacheOf(t, g.URL)
	return f
}

// count counts what edges ask for; the origin's requests are signed.
func (f *chain) count(w http.ResponseWriter, r *http.Request, forward http.Handler) {
	if r.Header.Get("Authorization") == "" && r.Method == http.MethodGet {
		f.mu.Lock()
		f.asked[r.URL.RequestURI()+" "+r.Header.Get("Range")]++
		f.mu.Unlock()
	}
	forward.ServeHTTP(w, r)
}

// publish builds and publishes the next generation, with a page of its own.
func (f *chain) publish(page string) {
	f.t.Helper()
	sh(f.t, f.dir, `
		echo "<!doctype html><title>$PAGE</title>" >demo/static/www.example.org/index.html
		lancre build --out store --issuer demo/issuer.pem --responses demo/responses.der --static demo/static --manifest-key key
		lancre publish store --to s3://status/lancre --trust trust
	`, append(f.vars, "PAGE="+page)...)
}

// isServed wants an edge to have the origin's manifest, and to answer from it.
func (f *chain) isServed(edge, addr string) {
	f.t.Helper()
	if got, want := readFile(f.t, filepath.Join(f.dir, edge, "manifest")), readFile(f.t, filepath.Join(f.dir, "store", "manifest")); !bytes.Equal(got, want) {
		f.t.Errorf("%s has\n%s\nwant\n%s", edge, got, want)
	}
	sh(f.t, f.dir, `
		curl -sS --fail -o answer --data-binary @good.req -H 'Content-Type: application/ocsp-request' http://$ADDR/
		openssl ocsp -issuer demo/issuer.pem -CAfile demo/issuer.pem -reqin good.req -respin answer >said 2>&1
		curl -sS --fail -H 'Host: www.example.org' http://$ADDR/ | cmp - demo/static/www.example.org/index.html
	`, "ADDR="+addr)
	if answer := readFile(f.t, filepath.Join(f.dir, "answer")); !bytes.Contains(readFile(f.t, filepath.Join(f.dir, "demo", "responses.der")), answer) || len(answer) < 100 {
		f.t.Errorf("%s answers octets that were not signed: %x", edge, answer)
	}
}
