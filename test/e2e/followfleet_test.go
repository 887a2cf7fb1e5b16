package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lancre/build/demo"
	"lancre/index"
	"lancre/index/store"
	"lancre/internal/programs"
	"lancre/internal/versity"
)

// fleetCerts is how many certificates the CA of the fleet has issued.
const fleetCerts = 40

// TestFollowedFleet takes revocations all the way: the list of a CA, lancre follow, which signs and
// publishes, a bucket, the cache of a site, and edges, whose clients ask all the time.
// Each revocation is seen at every edge. No answer is other than what a generation of the
// origin has, octet for octet, and at no edge is one older than one before it.
func TestFollowedFleet(t *testing.T) {
	programs.Need(t, "nginx", "curl")
	o := newFleetOrigin(t)
	cache := "http://" + startSiteCacheOf(t, o.gateway.URL) + "/store"
	edges := make([]*fleetEdge, 5)
	for n := range edges {
		edges[n] = o.startEdge(t, cache, n)
	}
	var clients sync.WaitGroup
	stop := make(chan struct{})
	for _, e := range edges {
		clients.Go(func() { e.ask(t, o.requests, stop) })
	}
	stopped := sync.OnceFunc(func() { close(stop); clients.Wait() })
	defer stopped()
	for n := range 8 {
		o.revoke(t, n)
		for _, e := range edges {
			e.awaitRevoked(t, n)
		}
	}
	stopped()
	o.judge(t, edges)
}

// A fleetOrigin is a CA and its list, and the lancre follow that signs by it.
type fleetOrigin struct {
	dir      string
	gateway  *versity.Gateway
	follow   *programs.Daemon
	ca       *demo.CA
	ids      []index.CertID
	requests [][]byte // of OCSP, one a certificate
	revoked  map[int]time.Time
}

func newFleetOrigin(t *testing.T) *fleetOrigin {
	t.Helper()
	o := &fleetOrigin{dir: t.TempDir(), gateway: versity.Start(t), revoked: make(map[int]time.Time)}
	o.makeCA(t)
	o.writeList(t)
	write(t, filepath.Join(o.dir, "lancre.toml"), `
		store = "store"
		issuers = ["ca.pem"]
		admin = "127.0.0.1:0"
		heartbeat = "1s"
		manifest_key = "origin.key"
		trust = "origin.pub"
		expires = "1h"
		[[sign]]
		key = "ca.key"
		certificates = "list.csv"
		serial = "hex"
		hash = ["sha256"]
		[[publish]]
		to = "s3://status/lancre"
	`)
	sh(t, o.dir, `lancre keygen --name origin.example.org --out .; mv *+*.key origin.key; mv *+*.pub origin.pub`)
	for _, v := range o.gateway.Env() {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	o.follow = programs.Follow(t, filepath.Join(o.dir, "lancre.toml"))
	o.follow.Await(t, "published", "source", "sign")
	o.gateway.LetAnybodyRead(t, "../../deploy/bucket/policy.json")
	return o
}

// makeCA makes a CA whose key lies in a file.
func (o *fleetOrigin) makeCA(t *testing.T) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	o.ca, err = demo.New(demo.Options{CAKey: key})
	check(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	check(t, err)
	for name, block := range map[string]*pem.Block{"ca.key": {Type: "PRIVATE KEY", Bytes: der}, "ca.pem": {Type: "CERTIFICATE", Bytes: o.ca.Issuer.Raw}} {
		check(t, os.WriteFile(filepath.Join(o.dir, name), pem.EncodeToMemory(block), 0o600))
	}
	for n := range uint64(fleetCerts) {
		id, _ := o.ca.CertID(o.ca.Certificate(n), index.SHA256)
		o.ids = append(o.ids, id)
		o.requests = append(o.requests, id.Request(nil))
	}
}

// writeList writes the list of the CA, in one step.
func (o *fleetOrigin) writeList(t *testing.T) {
	t.Helper()
	var list strings.Builder
	list.WriteString("serial,status,not_after,revoked_at,reason\n")
	notAfter := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
	for n, id := range o.ids {
		if at, ok := o.revoked[n]; ok {
			fmt.Fprintf(&list, "%x,revoked,%s,%s,1\n", id.Serial, notAfter, at.UTC().Format(time.RFC3339))
		} else {
			fmt.Fprintf(&list, "%x,good,%s,,\n", id.Serial, notAfter)
		}
	}
	path := filepath.Join(o.dir, "list.csv")
	write(t, path+".new", list.String())
	check(t, os.Rename(path+".new", path))
}

// revoke has the CA revoke certificate n.
func (o *fleetOrigin) revoke(t *testing.T, n int) {
	t.Helper()
	o.revoked[n] = time.Now().Add(-time.Second)
	o.writeList(t)
}

// A fleetEdge is a lancred pull, a lancred, and what its client was answered.
type fleetEdge struct {
	n     int
	store string
	addr  string

	mu      sync.Mutex
	answers []fleetAnswer
	last    map[int][]byte // by certificate
}

// A fleetAnswer is what a client was answered for a certificate.
type fleetAnswer struct {
	cert int
	der  []byte
}

// key is a as the key of a map.
func (a fleetAnswer) key() string { return fmt.Sprintf("%d %s", a.cert, a.der) }

func (o *fleetOrigin) startEdge(t *testing.T, cache string, n int) *fleetEdge {
	t.Helper()
	e := &fleetEdge{n: n, store: filepath.Join(o.dir, fmt.Sprint("edge", n)), last: make(map[int][]byte)}
	check(t, os.Mkdir(e.store, 0o755))
	trust := filepath.Join(o.dir, "origin.pub")
	serving := programs.Start(t, e.store, "--trust", trust)
	pulling := programs.StartBeside(t, "pull", "--from", cache, "--trust", trust, "--store", e.store, "--every", "200ms", "--health", "http://"+serving.Admin)
	pulling.Await(t, "generation installed")
	serving.Await(t, "generation served")
	e.addr = serving.Addr
	return e
}

// ask asks for one certificate after another until stop is closed.
func (e *fleetEdge) ask(t *testing.T, requests [][]byte, stop <-chan struct{}) {
	for n := 0; ; n = (n + 1) % len(requests) {
		select {
		case <-stop:
			return
		default:
		}
		resp, err := http.Post("http://"+e.addr+"/", "application/ocsp-request", bytes.NewReader(requests[n]))
		if err != nil {
			t.Errorf("edge %d: %v", e.n, err)
			return
		}
		der, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("edge %d: %s, %v", e.n, resp.Status, err)
			return
		}
		e.mu.Lock()
		if bytes.Equal(der, e.last[n]) {
			der = e.last[n] // there are hundreds of thousands
		}
		e.answers = append(e.answers, fleetAnswer{n, der})
		e.last[n] = der
		e.mu.Unlock()
	}
}

// awaitRevoked waits until the client was told that certificate n is revoked.
func (e *fleetEdge) awaitRevoked(t *testing.T, n int) {
	t.Helper()
	for end := time.Now().Add(programs.Patience); ; time.Sleep(retry) {
		e.mu.Lock()
		der := e.last[n]
		e.mu.Unlock()
		var r index.Response
		if r.Parse(der) == nil && r.Singles[0].Status == index.Revoked {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("edge %d does not say in %v that certificate %d is revoked", e.n, programs.Patience, n)
		}
	}
}

// unauthorized is what is answered for a certificate that a generation does not have (RFC
// 6960 section 2.3).
var unauthorized = []byte{0x30, 3, 0x0a, 1, 6}

// A tenure is the generations, by their place in the history, in which an answer stood.
type tenure struct{ first, last int }

// judge compares all answers with the generations that the origin has published.
func (o *fleetOrigin) judge(t *testing.T, edges []*fleetEdge) {
	t.Helper()
	o.follow.Stop(t)
	tenures, generations := o.tenures(t)
	var answers int
	for _, e := range edges {
		at := 0 // of the oldest generation that the next answer can be of
		for _, a := range e.answers {
			stood, ok := tenures[a.key()]
			if !ok {
				t.Fatalf("edge %d answered for certificate %d what no generation has: %x", e.n, a.cert, a.der)
			}
			if stood.last < at {
				t.Fatalf("edge %d answered for certificate %d as generation %d did, after an answer of generation %d", e.n, a.cert, generations[stood.last], generations[at])
			}
			at = max(at, stood.first)
		}
		answers += len(e.answers)
	}
	t.Logf("%d answers by %d edges, %d generations", answers, len(edges), len(generations))
	if answers < len(edges)*fleetCerts || len(generations) < 9 {
		t.Error("these are too few to say anything")
	}
}

// tenures says of each answer, by certificate and octets, when it stood, and which
// generations there were.
func (o *fleetOrigin) tenures(t *testing.T) (map[string]tenure, []uint64) {
	t.Helper()
	dir := filepath.Join(o.dir, "store")
	generations, err := store.History(dir)
	check(t, err)
	m, err := store.ReadManifest(dir)
	check(t, err)
	generations = append(generations, m.Generation)
	slices.Sort(generations)
	all := make(map[string]tenure)
	for i, n := range generations {
		g, err := store.OpenPast(dir, n, nil)
		check(t, err)
		for cert := range o.ids {
			key := fleetAnswer{cert, o.answer(t, g, cert)}.key()
			stood, ok := all[key]
			if !ok {
				stood.first = i
			}
			stood.last = i
			all[key] = stood
		}
		g.Close()
	}
	return all, generations
}

// answer is what g answers for a certificate.
func (o *fleetOrigin) answer(t *testing.T, g *store.Generation, cert int) []byte {
	t.Helper()
	id := &o.ids[cert]
	rec, found, err := g.Lookup(id.Key(), id)
	check(t, err)
	if !found {
		return unauthorized
	}
	return rec.AppendResponse(nil)
}
