package pull

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"golang.org/x/crypto/ocsp"
	"golang.org/x/mod/sumdb/note"

	"lancre/index/store"
	"lancre/internal/ocsptest"
	"lancre/internal/storetest"
)

// An origin publishes a store by HTTP, and meddles with what it is asked for.
type origin struct {
	t   *testing.T
	dir string
	url string
	ca  ocsptest.CA
	key note.Signer // by which manifests are signed when they are served

	mu     sync.Mutex
	asked  []string // METHOD-less requests, as "/objects/ab12… bytes=3-"
	meddle func(w http.ResponseWriter, r *http.Request) (done bool)
	serial int64
}

func newOrigin(t *testing.T) *origin {
	o := &origin{t: t, dir: filepath.Join(t.TempDir(), "origin"), ca: ocsptest.NewCA("origin", nil), key: firstKey.signer}
	server := httptest.NewServer(o)
	t.Cleanup(server.Close)
	o.url = server.URL + "/store"
	return o
}

// ServeHTTP implements http.Handler.
func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	asked := strings.TrimPrefix(r.URL.Path, "/store/")
	if of := r.Header.Get("Range"); of != "" {
		asked += " " + of
	}
	if r.URL.RawQuery != "" {
		asked += " again"
	}
	o.asked = append(o.asked, asked)
	meddle := o.meddle
	o.mu.Unlock()
	if meddle == nil || !meddle(w, r) {
		o.serve(w, r)
	}
}

// serve is what an honest origin does.
func (o *origin) serve(w http.ResponseWriter, r *http.Request) {
	o.serveFrom(o.dir, w, r)
}

func (o *origin) serveFrom(dir string, w http.ResponseWriter, r *http.Request) {
	content, err := os.ReadFile(filepath.Join(dir, strings.TrimPrefix(r.URL.Path, "/store/")))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	if filepath.Base(r.URL.Path) == "manifest" {
		content = o.sign(content)
	}
	w.Header().Set("Etag", fmt.Sprintf(`"%x"`, sha256.Sum256(content)))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// meddleWith has each request be given to meddle first.
func (o *origin) meddleWith(meddle func(w http.ResponseWriter, r *http.Request) bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.meddle = meddle
}

// requests are those since it was last called.
func (o *origin) requests() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	defer func() { o.asked = nil }()
	return o.asked
}

// publish makes the next generation, which has another response in a delta of its own,
// and pages of these bodies.
func (o *origin) publish(pages ...string) *store.Manifest {
	o.t.Helper()
	return o.publishAt(time.Now(), pages...)
}

func (o *origin) publishAt(created time.Time, pages ...string) *store.Manifest {
	o.t.Helper()
	var files []storetest.File
	for i, body := range pages {
		line := store.FileLine{Host: "_", Path: fmt.Sprintf("/%04d", i), ContentType: "text/plain", LastModified: created}
		files = append(files, storetest.File{FileLine: line, Body: body})
	}
	var segments [][]storetest.Entry
	for range min(2, o.serial+1) {
		o.serial++
		segments = append(segments, []storetest.Entry{{DER: o.respond(o.serial)}})
	}
	return storetest.Publish(o.t, o.dir, created, segments, files)
}

func (o *origin) respond(serial int64) []byte {
	now := time.Now().Truncate(time.Second)
	return o.ca.Sign(ocsp.Response{SerialNumber: big.NewInt(serial), Status: ocsp.Good, IssuerHash: crypto.SHA1,
		ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(72 * time.Hour)})
}

// manifest is the origin's, as it is served.
func (o *origin) manifest() []byte { return o.sign(read(o.t, filepath.Join(o.dir, "manifest"))) }

// sign is text with the origin's signature.
func (o *origin) sign(text []byte) []byte {
	signed, err := note.Sign(&note.Note{Text: string(text)}, o.key)
	if err != nil {
		o.t.Error(err)
	}
	return signed
}

// A keyPair is one of the origin "test", which storetest publishes as.
type keyPair struct {
	signer note.Signer
	public string
}

var firstKey, secondKey, strangersKey = newKey("test"), newKey("test"), newKey("test")

func newKey(name string) keyPair {
	private, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		panic(err)
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		panic(err)
	}
	return keyPair{signer, public}
}

// trusting trusts keys.
func trusting(t *testing.T, keys ...keyPair) *store.Trust {
	t.Helper()
	var files []string
	for i, k := range keys {
		files = append(files, filepath.Join(t.TempDir(), fmt.Sprint(i)))
		check(t, os.WriteFile(files[i], []byte(k.public+"\n"), 0o644))
	}
	trust, err := store.ReadTrust(files...)
	check(t, err)
	return trust
}

// An edge is a Puller, its store, and what it logged.
type edge struct {
	*Puller
	t   *testing.T
	cfg Config
	log bytes.Buffer
}

func newEdge(t *testing.T, sources ...*origin) *edge {
	cfg := DefaultConfig()
	cfg.Store, cfg.Trust = filepath.Join(t.TempDir(), "edge"), trusting(t, firstKey)
	for _, o := range sources {
		cfg.From = append(cfg.From, o.url)
	}
	return startEdge(t, cfg)
}

func startEdge(t *testing.T, cfg Config) *edge {
	t.Helper()
	e := &edge{t: t, cfg: cfg}
	e.cfg.Log = slog.New(slog.NewTextHandler(&e.log, nil))
	var err error
	if e.Puller, err = New(e.cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// restart is the same edge after its process ended and began again.
func (e *edge) restart() *edge {
	e.t.Helper()
	if err := e.Close(); err != nil {
		e.t.Fatal(err)
	}
	return startEdge(e.t, e.cfg)
}

func (e *edge) poll() { e.Poll(e.t.Context()) }

// has wants the store to be that of o, octet for octet.
func (e *edge) has(o *origin) {
	e.t.Helper()
	if got, want := read(e.t, filepath.Join(e.cfg.Store, "manifest")), o.manifest(); !bytes.Equal(got, want) {
		e.t.Fatalf("the manifest is\n%s\nwant\n%s\nlog: %s", got, want, &e.log)
	}
	if err := store.Verify(e.cfg.Store, nil, func(f *store.Fault) { e.t.Error(f) }); err != nil {
		e.t.Fatal(err)
	}
}

// wants wants the store to have a generation, 0 for none, and all that it needs.
func (e *edge) wants(generation uint64) {
	e.t.Helper()
	m, err := store.ReadManifest(e.cfg.Store)
	if generation == 0 {
		if err == nil {
			e.t.Fatalf("generation %d is installed, want none", m.Generation)
		}
		return
	}
	if err != nil {
		e.t.Fatalf("%v\nlog: %s", err, &e.log)
	}
	if m.Generation != generation {
		e.t.Fatalf("generation %d is installed, want %d\nlog: %s", m.Generation, generation, &e.log)
	}
	if err := store.Verify(e.cfg.Store, nil, func(f *store.Fault) { e.t.Error(f) }); err != nil {
		e.t.Fatal(err)
	}
}

// metric is the value of a metric, by its name and the value of its label, if it has one.
func (e *edge) metric(name, label string) float64 {
	e.t.Helper()
	return metric(e.t, e.metrics.registry, name, label)
}

func metric(t *testing.T, r *prometheus.Registry, name, label string) float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && (len(m.GetLabel()) == 0 || m.GetLabel()[0].GetValue() == label) {
				return value(m)
			}
		}
	}
	t.Fatalf("there is no %s of %q", name, label)
	return 0
}

func value(m *dto.Metric) float64 { return m.GetCounter().GetValue() + m.GetGauge().GetValue() }

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
