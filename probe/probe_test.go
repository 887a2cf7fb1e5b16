package probe

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"lancre/fleet/publish"
	"lancre/index/store"
	"lancre/internal/ocsptest"
	"lancre/internal/storetest"
	"lancre/server"
)

// now is when the tests ask, by all clocks.
var now = time.Now().Truncate(time.Second).UTC()

var testCA = newCA()

// newCA makes a CA with one key and one name, so that the targets of requests are always
// the same: none has slashes that a proxy would merge but where it is to.
func newCA() ocsptest.CA {
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{7}, 32))
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"}, IsCA: true, BasicConstraintsValid: true, SubjectKeyId: []byte("key"),
		KeyUsage: x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(9, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return ocsptest.CA{Certificate: cert, Key: key}
}

// respond signs a response, whose thisUpdate is so old.
func respond(serial int64, status int, age time.Duration) storetest.Entry {
	r := ocsp.Response{Status: status, SerialNumber: big.NewInt(serial), IssuerHash: crypto.SHA1, ThisUpdate: now.Add(-age), NextUpdate: now.AddDate(0, 0, 6)}
	if status == ocsp.Revoked {
		r.RevokedAt, r.RevocationReason = now.Add(-age), ocsp.KeyCompromise
	}
	return storetest.Entry{DER: testCA.Sign(r)}
}

// list signs a CRL, whose thisUpdate is so old, and publishes it.
func list(t testing.TB, number int64, age time.Duration) storetest.File {
	t.Helper()
	template := &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: now.Add(-age), NextUpdate: now.AddDate(0, 0, 6)}
	der, err := x509.CreateRevocationList(rand.Reader, template, testCA.Certificate, testCA.Key)
	if err != nil {
		t.Fatal(err)
	}
	line := store.FileLine{Host: "c.example", Path: "/1.crl", ContentType: store.TypeCRL, LastModified: template.ThisUpdate, Expires: template.NextUpdate}
	return storetest.File{FileLine: line, Body: string(der)}
}

func certificate() storetest.File {
	line := store.FileLine{Host: "i.example", Path: "/ca.der", ContentType: store.TypeCertificate, LastModified: now.AddDate(-1, 0, 0)}
	return storetest.File{FileLine: line, Body: string(testCA.Raw)}
}

func page() storetest.File {
	line := store.FileLine{Host: store.AnyHost, Path: "/about", ContentType: store.TypeHTML + ";charset=utf-8", LastModified: now.AddDate(-1, 0, 0)}
	return storetest.File{FileLine: line, Body: "<p>status of certificates\n"}
}

// newStore makes a store of two generations: yesterday's, of which old is a copy, and one
// of twenty minutes ago, in which a certificate was revoked and the CRL signed again.
func newStore(t testing.TB) (dir, old string) {
	t.Helper()
	dir, old = filepath.Join(t.TempDir(), "store"), filepath.Join(t.TempDir(), "old")
	day := 24 * time.Hour
	base := []storetest.Entry{respond(1, ocsp.Good, day), respond(2, ocsp.Good, day), respond(3, ocsp.Revoked, day)}
	storetest.Publish(t, dir, now.Add(-day), [][]storetest.Entry{base}, []storetest.File{list(t, 1, day), certificate(), page()})
	if err := os.CopyFS(old, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	later := now.Add(-20 * time.Minute)
	delta := []storetest.Entry{respond(2, ocsp.Revoked, 20*time.Minute)}
	storetest.Publish(t, dir, later, [][]storetest.Entry{delta, base}, []storetest.File{list(t, 2, 20*time.Minute), certificate(), page()})
	return dir, old
}

// serve has a lancred serve dir until the test ends, and returns its URL.
func serve(t testing.TB, dir string) string {
	t.Helper()
	cfg := server.DefaultConfig()
	cfg.Store, cfg.Drain = dir, 0
	cfg.Log = slog.New(slog.DiscardHandler)
	cfg.Now = func() time.Time { return now }
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve([]net.Listener{ln}, nil) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.Shutdown(ctx)
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return "http://" + ln.Addr().String()
}

// A cdn is a proxy in front of an edge, with something wrong.
type cdn struct {
	to     func(r *http.Request) string // the URL to ask; that of the edge if nil
	before func(r *http.Request)        // what it does to requests
	after  func(r *http.Response)       // and to answers
	wrap   func(http.Handler) http.Handler
}

func (c cdn) start(t testing.TB, edge string) string {
	t.Helper()
	proxy := &httputil.ReverseProxy{
		Transport: &http.Transport{DisableCompression: true},
		Rewrite: func(r *httputil.ProxyRequest) {
			to := edge
			if c.to != nil {
				to = cmp.Or(c.to(r.In), edge)
			}
			u, err := url.Parse(to)
			if err != nil {
				t.Error(err)
			}
			r.SetURL(u)
			r.Out.Host = r.In.Host
			if c.before != nil {
				c.before(r.Out)
			}
		},
		ModifyResponse: func(r *http.Response) error {
			if c.after != nil {
				c.after(r)
			}
			return nil
		},
	}
	var handler http.Handler = proxy
	if c.wrap != nil {
		handler = c.wrap(proxy)
	}
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL
}

// round asks at the URLs.
func round(t testing.TB, dir string, at ...string) *Report {
	t.Helper()
	return roundBy(t, Config{Store: dir}, at...)
}

func roundBy(t testing.TB, c Config, at ...string) *Report {
	t.Helper()
	usual := DefaultConfig()
	c.At, c.Sample, c.Allow, c.Timeout, c.Now = at, 10, usual.Allow, usual.Timeout, func() time.Time { return now }
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	r, err := p.Round(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Three certificates of the sample and one that was revoked, each in three ways, one more
// by a target with many slashes, and three files.
const asked = 4*3 + 1 + 3

func TestEdge(t *testing.T) {
	dir, _ := newStore(t)
	r := round(t, dir, serve(t, dir))
	want := Place{URL: r.Places[0].URL, Answers: asked, Current: asked, Generation: 2, Faults: []Fault{}}
	if got := r.Places[0]; !r.Sound() || got.Answers != want.Answers || got.Current != want.Current || got.Generation != 2 || got.Late+got.Unverified > 0 {
		t.Errorf("an edge that is right:\n%+v\nwant\n%+v", got, want)
	}
	if r.Files != 3 || r.Sample != 3 || r.Revoked != 1 {
		t.Errorf("files %d, sample %d, revoked %d, want 3, 3, 1", r.Files, r.Sample, r.Revoked)
	}
}

// What a fault is called, how often it is found, and what is said of the first.
type found struct {
	kind  Kind
	count int
	says  string
}

func TestFaults(t *testing.T) {
	dir, old := newStore(t)
	edge, behind := serve(t, dir), serve(t, old)
	isCRL := func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, ".crl") }
	header := func(name, value string) func(*http.Response) {
		return func(r *http.Response) { r.Header.Set(name, value) }
	}
	for _, c := range []struct {
		name string
		at   string
		want []found
	}{
		// The certificate that was revoked meanwhile, in the sample and by itself, and the CRL.
		{"an edge that is behind", behind, []found{{Behind, 2*3 + 1 + 1, "generation 1"}}},
		{"a cache with yesterday's CRL", cdn{to: func(r *http.Request) string {
			if isCRL(r) {
				return behind
			}
			return ""
		}}.start(t, edge), []found{{Behind, 1, "GET c.example/1.crl: the answer is that of generation 1"}}},
		{"a proxy that adds a charset", cdn{after: func(r *http.Response) {
			r.Header.Set("Content-Type", r.Header.Get("Content-Type")+"; charset=utf-8")
		}}.start(t, edge), []found{{ContentType, asked, "; charset=utf-8"}}},
		// It does so for those who take it: of the ways to ask, one for certificates, and that for files.
		{"a proxy that gzips", cdn{after: compress(t)}.start(t, edge), []found{{ContentEncoding, 4 + 1 + 2, `Content-Encoding is "gzip"`}}},
		{"a proxy that redirects", cdn{wrap: func(http.Handler) http.Handler {
			return http.RedirectHandler("https://elsewhere.example/", http.StatusMovedPermanently)
		}}.start(t, edge), []found{{Slashes, 1, "https://elsewhere.example/"}, {Redirect, asked - 1, `status 301 to "https://elsewhere.example/"`}}},
		{"a proxy that merges slashes", cdn{before: func(r *http.Request) {
			for strings.Contains(r.URL.Path, "//") {
				r.URL.Path = strings.ReplaceAll(r.URL.Path, "//", "/")
			}
			r.URL.RawPath = ""
		}}.start(t, edge), []found{{Slashes, 1, "status 400, want 200"}}},
		{"Go's ServeMux, which redirects to merged slashes", cdn{wrap: func(proxy http.Handler) http.Handler {
			mux := http.NewServeMux()
			mux.Handle("/", proxy)
			return mux
		}}.start(t, edge), []found{{Slashes, 1, "status 307"}}},
		{"a CDN that ignores max-age", cdn{after: func(r *http.Response) {
			if isCRL(r.Request) {
				r.Header.Set("Age", strconv.Itoa(5*3600))
			}
		}}.start(t, edge), []found{{Kept, 1, "it was kept for 5h0m0s, and max-age is 1h0m0s"}}},
		{"a CDN that sets its own max-age", cdn{after: header("Cache-Control", "max-age=31536000")}.start(t, edge),
			[]found{{MaxAge, 1 + 2*4 + 1, "caches may keep it for another 8760h0m0s, and nextUpdate is in 144h0m0s"}}},
		{"a proxy that takes Cache-Control away", cdn{after: func(r *http.Response) { r.Header.Del("Cache-Control") }}.start(t, edge),
			[]found{{MaxAge, 3 + 2*4 + 1, "want a max-age"}}},
		{"a CDN that weakens tags", cdn{after: func(r *http.Response) { r.Header.Set("Etag", "W/"+r.Header.Get("Etag")) }}.start(t, edge),
			[]found{{ETag, 3 + 2*4 + 1, `ETag is "W/\"`}}},
		{"a proxy that answers by itself", cdn{wrap: func(http.Handler) http.Handler { return http.NotFoundHandler() }}.start(t, edge),
			[]found{{Slashes, 1, "404"}, {Status, asked - 1, ""}}},
		{"somebody who changes octets", cdn{after: change(t)}.start(t, edge), []found{
			{Wrong, asked, "not those of a generation that is known"}, {Signature, asked - 2, " key of "}, {ETag, asked - 4, "want"}}},
		{"nobody", "http://" + unused(t), []found{{Unreachable, asked, "refused"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := round(t, dir, c.at)
			compare(t, &r.Places[0], c.want)
		})
	}
}

func compare(t *testing.T, p *Place, want []found) {
	t.Helper()
	if p.Answers != asked {
		t.Errorf("%d answers, want %d", p.Answers, asked)
	}
	if len(p.Faults) != len(want) {
		t.Fatalf("faults:\n%+v\nwant\n%+v", p.Faults, want)
	}
	for i, f := range p.Faults {
		if w := want[i]; f.Kind != w.kind || f.Count != w.count || !strings.Contains(f.Example, w.says) {
			t.Errorf("%s ×%d: %s\nwant %s ×%d: …%s…", f.Kind, f.Count, f.Example, w.kind, w.count, w.says)
		}
	}
}

// compress has what takes gzip have it.
func compress(t *testing.T) func(*http.Response) {
	return func(r *http.Response) {
		if !strings.Contains(r.Request.Header.Get("Accept-Encoding"), "gzip") {
			return
		}
		from, to := r.Body, (*io.PipeWriter)(nil)
		r.Body, to = io.Pipe()
		go func() {
			defer from.Close()
			w := gzip.NewWriter(to)
			if _, err := io.Copy(w, from); err != nil {
				t.Error(err)
			}
			w.Close()
			to.Close()
		}()
		r.Header.Set("Content-Encoding", "gzip")
		r.Header.Del("Content-Length")
		r.ContentLength = -1
	}
}

// change has the last octet of every answer, which is of a signature, be another one.
func change(t *testing.T) func(*http.Response) {
	return func(r *http.Response) {
		body, err := io.ReadAll(r.Body)
		if err != nil || len(body) == 0 {
			t.Errorf("%d octets: %v", len(body), err)
			return
		}
		body[len(body)-1] ^= 1
		r.Body = io.NopCloser(strings.NewReader(string(body)))
	}
}

// unused is an address at which nobody listens.
func unused(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	return ln.Addr().String()
}

// An edge may know of more than we do, as where the manifest comes from a cache. That is no
// fault of the edge, if its CA signed it.
func TestAhead(t *testing.T) {
	dir, old := newStore(t)
	edge := serve(t, dir)
	p := round(t, old, edge).Places[0]
	if len(p.Faults) > 0 || p.Ahead != 4 || p.Current != p.Answers-4 {
		t.Errorf("%+v\nwant a response in three ways and the CRL to be ahead", p)
	}

	p = roundBy(t, Config{Store: old, Issuers: []string{otherCA(t)}}, edge).Places[0]
	if p.Unverified != p.Answers-2 { // but for the certificate and the page
		t.Errorf("%d signatures by an unknown CA of %d answers", p.Unverified, p.Answers)
	}
	if len(p.Faults) != 1 || p.Faults[0].Kind != Wrong || p.Faults[0].Count != 4 || p.Ahead > 0 {
		t.Errorf("%+v\nwant what is newer to be wrong, for anybody can have signed it", p)
	}
}

// otherCA is the file of the certificate of a CA that nobody here knows.
func otherCA(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "other.der")
	if err := os.WriteFile(path, ocsptest.NewCA("Other CA", nil).Raw, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// A named certificate is asked about, and one that nobody knows is an error: it would not
// be asked about at all.
func TestSerials(t *testing.T) {
	dir, _ := newStore(t)
	edge := serve(t, dir)
	c := Config{Store: dir, At: []string{edge}, Serials: [][]byte{{3}}, Timeout: time.Minute, Now: func() time.Time { return now }}
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Round(t.Context())
	if want := 3 + 3 + 1 + 3; err != nil || r.Places[0].Answers != want || r.Sample != 0 { // it, what was revoked, slashes, files
		t.Errorf("%+v, %v; want %d answers", r, err, want)
	}
	p.cfg.Serials = [][]byte{{9}}
	if _, err := p.Round(t.Context()); err == nil || !strings.Contains(err.Error(), "serial 09: the store has no response of the 1 issuers") {
		t.Errorf("a serial that nobody has: %v", err)
	}
}

// What is published elsewhere is read from there, and its history is what earlier rounds
// saw.
func TestFrom(t *testing.T) {
	dir, old := newStore(t)
	published := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer published.Close()
	from, err := publish.OpenSource(published.URL)
	if err != nil {
		t.Fatal(err)
	}
	r := roundBy(t, Config{From: from}, serve(t, dir), serve(t, old))
	compare(t, &r.Places[0], nil)
	compare(t, &r.Places[1], []found{{Behind, 8, "generation 2, published"}})
	if r.Places[1].Generation != 0 {
		t.Errorf("generation %d answers, want 0: nobody can know", r.Places[1].Generation)
	}
}
