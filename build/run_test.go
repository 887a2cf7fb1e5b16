package build

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"lancre/build/internal/recipe"
	"lancre/build/rule"
	"lancre/index"
	"lancre/index/store"
	"lancre/internal/programs"
)

// run builds by ca into a new store, unless c says otherwise. If c did not begin with
// DefaultConfig, the defaults take the place of its zeros.
func run(t testing.TB, ca recipe.Identity, c Config) (*Report, error) {
	t.Helper()
	return runUntil(context.Background(), t, ca, c)
}

// runUntil is run until ctx ends.
func runUntil(ctx context.Context, t testing.TB, ca recipe.Identity, c Config) (*Report, error) {
	t.Helper()
	if d := DefaultConfig(); c.Query == "" {
		c.Query, c.MaxShrink, c.MaxUnpacked, c.MaxCRLSize, c.Workers = d.Query, d.MaxShrink, cmp.Or(c.MaxUnpacked, d.MaxUnpacked), cmp.Or(c.MaxCRLSize, d.MaxCRLSize), cmp.Or(c.Workers, d.Workers)
		if c.Profiles == nil {
			c.Profiles = d.Profiles
		}
	}
	if c.Out == "" {
		c.Out = t.TempDir()
	}
	if c.Issuers == nil && ca.Cert != nil {
		c.Issuers = []string{recipe.File(t, "ca.der", ca.Cert.Raw)}
	}
	if c.At.IsZero() {
		c.At = recipe.Now
	}
	return Run(ctx, c)
}

// published opens the store of a report.
func published(t testing.TB, r *Report) *store.Generation {
	t.Helper()
	g, err := store.Open(r.Store)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

// answers checks that g answers for every CertID in der with der.
func answers(t testing.TB, g *store.Generation, der []byte) {
	t.Helper()
	var r index.Response
	if err := r.Parse(der); err != nil {
		t.Fatal(err)
	}
	for i := range r.Singles {
		id := &r.Singles[i].CertID
		rec, found, err := g.Lookup(id.Key(), id)
		if err != nil || !found {
			t.Fatalf("%s: found %v, %v", id, found, err)
		}
		if got := rec.AppendResponse(nil); !bytes.Equal(got, der) {
			t.Errorf("%s: other octets than went in", id)
		}
	}
}

// files are the contents of all files below dir, by name.
func files(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		found[strings.TrimPrefix(path, dir)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// What x/crypto signs, by each kind of key, directly and delegated, is published
// octet for octet. It takes producedAt from the clock, so this test does too.
func TestPublishesWhatXCryptoSigns(t *testing.T) {
	clock := time.Now()
	recent := func(c *x509.Certificate) { c.NotBefore, c.NotAfter = clock.Add(-recipe.Day), clock.Add(30*recipe.Day) }
	for name, ca := range map[string]recipe.Identity{
		"RSA": recipe.NewCA(t, "RSA CA", recipe.RSA()), "P-256": recipe.NewCA(t, "P-256 CA", recipe.P256()), "P-384": recipe.NewCA(t, "P-384 CA", recipe.P384()),
	} {
		for kind, signer := range map[string]recipe.Identity{"direct": ca, "delegated": recipe.NewResponder(t, ca, recipe.OtherP256(), recent)} {
			template := ocsp.Response{
				Status: ocsp.Revoked, RevokedAt: clock.Add(-recipe.Day), RevocationReason: ocsp.KeyCompromise, SerialNumber: big.NewInt(4711),
				ThisUpdate: clock.Add(-recipe.Hour), NextUpdate: clock.Add(4 * recipe.Day), IssuerHash: index.SHA256.Hash(),
			}
			if kind == "delegated" {
				template.Certificate = signer.Cert
			}
			der, err := ocsp.CreateResponse(ca.Cert, signer.Cert, template, signer.Key)
			if err != nil {
				t.Fatal(err)
			}
			report, err := run(t, ca, Config{Responses: []string{recipe.File(t, "r", der)}, At: clock})
			if err != nil {
				t.Fatalf("%s, %s: %v", name, kind, err)
			}
			g := published(t, report)
			answers(t, g, der)
		}
	}
}

// What our own maker makes, and the checks are tested with, is right by OpenSSL.
func TestOpenSSLAgreesOnSignatures(t *testing.T) {
	programs.Need(t, "openssl")
	ca := recipe.NewCA(t, "CA", recipe.P256())
	responder := recipe.NewResponder(t, ca, recipe.OtherP256())
	rsaCA, edCA := recipe.NewCA(t, "RSA", recipe.RSA()), recipe.NewCA(t, "Ed25519", recipe.Ed25519())
	for name, tt := range map[string]struct {
		make recipe.Response
		ca   recipe.Identity
		want bool
	}{
		"direct":    {recipe.Response{Issuer: ca}, ca, true},
		"delegated": {recipe.Response{Issuer: ca, Signer: responder, Certs: []recipe.Identity{responder}}, ca, true},
		"RSA-PSS":   {recipe.Response{Issuer: rsaCA, Algorithm: recipe.AlgorithmID(x509.SHA384WithRSAPSS)}, rsaCA, true},
		"Ed25519":   {recipe.Response{Issuer: edCA}, edCA, true},
		"spoilt":    {recipe.Response{Issuer: ca, Spoil: true}, ca, false},
		"no EKU": {func() recipe.Response {
			r := recipe.NewResponder(t, ca, recipe.OtherP256(), func(c *x509.Certificate) { c.ExtKeyUsage = nil })
			return recipe.Response{Issuer: ca, Signer: r, Certs: []recipe.Identity{r}}
		}(), ca, false},
	} {
		der := tt.make.DER(t)
		caFile := recipe.File(t, "ca.pem", recipe.PEM("CERTIFICATE", tt.ca.Cert.Raw))
		out, _ := exec.Command("openssl", "ocsp", "-respin", recipe.File(t, "r.der", der), "-issuer", caFile, "-CAfile", caFile,
			"-attime", fmt.Sprint(recipe.Now.Unix()), "-serial", "1", "-no_nonce").CombinedOutput()
		if got := bytes.Contains(out, []byte("Response verify OK")); got != tt.want {
			t.Errorf("%s: OpenSSL verifies it: %v, want %v\n%s", name, got, tt.want, out)
		}
		broken, _ := judge(t, der, rule.Private, tt.ca)
		if got := broken.Check == rule.None; got != tt.want {
			t.Errorf("%s: we accept it: %v (%s), want %v", name, got, broken.Reason, tt.want)
		}
	}
}

func TestReport(t *testing.T) {
	ca, rsaCA := recipe.NewCA(t, "CA", recipe.P256()), recipe.NewCA(t, "RSA CA", recipe.RSA())
	newer := recipe.Response{Issuer: ca, ThisUpdate: recipe.Now.Add(-recipe.Hour), NextUpdate: recipe.Now.Add(3 * recipe.Day)}.DER(t)
	older := recipe.Response{Issuer: ca, ProducedAt: recipe.Now.Add(-recipe.Day), ThisUpdate: recipe.Now.Add(-recipe.Day)}.DER(t)
	dual := recipe.Response{Issuer: rsaCA, Serials: []string{"\x05", "\x05"}, Algs: []index.HashAlg{index.SHA1, index.SHA256}, Status: index.Revoked}.DER(t)
	unknown := recipe.Response{Issuer: rsaCA, Serials: []string{"\x06"}, Algs: []index.HashAlg{index.SHA384}, Status: index.Unknown}.DER(t)
	expired := recipe.Response{Issuer: ca, Serials: []string{"\x07"}, NextUpdate: recipe.Now}.DER(t)
	input := recipe.File(t, "in", older, newer, newer, expired, dual, unknown)
	report, err := run(t, ca, Config{
		Issuers:   []string{recipe.File(t, "a", ca.Cert.Raw), recipe.File(t, "b", rsaCA.Cert.Raw)},
		Responses: []string{input}, MaxRejects: 1, Origin: "example",
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := (ResponseCounts{Read: 6, Rejected: 1, Published: 3, Superseded: 1, Identical: 1, Tombstones: 1}); report.Responses != want {
		t.Errorf("counts\n%+v, want\n%+v", report.Responses, want)
	}
	if i := report.Issuers[0]; i.Good != 3 || i.Revoked != 0 || i.Unknown != 0 || len(i.CertIDs) != 1 || i.CertIDs["sha1"] != 3 || i.Subject != "CN=CA" {
		t.Errorf("first issuer %+v", i)
	}
	if i := report.Issuers[1]; i.Good != 0 || i.Revoked != 1 || i.Unknown != 1 || i.CertIDs["sha1"] != 1 || i.CertIDs["sha256"] != 1 || i.CertIDs["sha384"] != 1 {
		t.Errorf("second issuer %+v", i)
	}
	at := rule.Place{Source: input, Offset: int64(len(older) + 2*len(newer))}
	if r := report.Rejections; len(r) != 1 || r[0].Place != at || r[0].Serial != "07" || r[0].Check != "ocsp.time-expired" || r[0].Reason == "" || r[0].Clause == "" {
		t.Errorf("rejections %+v, want one at %s", r, at)
	}
	var warnings []string
	for _, w := range report.Warnings {
		warnings = append(warnings, fmt.Sprint(w.Count, " ", w.Check, " ", w.Serial))
	}
	if got, want := strings.Join(warnings, ", "), "1 ocsp.dual 05, 1 ocsp.status-unknown 06, 1 ocsp.sha1-alone "; got != want {
		t.Errorf("warnings %s, want %s", got, want)
	}
	s := report.Segments[0]
	if s.Records != 4 || s.Keys != 5 || !s.NextUpdate.Equal(recipe.Now.Add(3*recipe.Day)) || s.BytesPerResponse != float64(s.Size)/3 {
		t.Errorf("segment %+v", s)
	}
	if report.Generation != uint64(recipe.Now.Unix()) || report.Origin != "example" || report.At != recipe.Now || report.Profiles[0] != "private" {
		t.Errorf("report %+v", report)
	}
	g := published(t, report)
	for _, der := range [][]byte{newer, dual, unknown} {
		answers(t, g, der)
	}
	checkSummary(t, report, fmt.Sprint("generation ", report.Generation), "6 read, 1 rejected", "CN=RSA CA: 0 good, 1 revoked, 1 unknown", "ocsp.dual", "serial 07: expired", "earliest nextUpdate 2026-11-23")
}

func checkSummary(t *testing.T, r *Report, want ...string) {
	t.Helper()
	var b strings.Builder
	if err := r.WriteSummary(&b); err != nil {
		t.Fatal(err)
	}
	for _, w := range want {
		if !strings.Contains(b.String(), w) {
			t.Errorf("summary lacks %q:\n%s", w, &b)
		}
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}

// The number of workers changes nothing, nor does building again.
func TestSameInputSameOctets(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	list := recipe.Many(t, ca, 3*batchItems/2)
	list[7] = recipe.Response{Issuer: ca, Spoil: true, Serials: []string{recipe.Serial(8)}}.DER(t)
	for _, i := range []int{100, 300} { // in two batches
		list[i] = recipe.Response{Issuer: ca, ByName: true, Serials: []string{recipe.Serial(i + 1)}}.DER(t)
	}
	var known []string
	for i := range list {
		if i != 7 {
			known = append(known, fmt.Sprintf("%x 2027-01-01", recipe.Serial(i+1)))
		}
	}
	c := Config{Responses: []string{recipe.File(t, "in", list...)}, Issuers: []string{recipe.File(t, "ca", ca.Cert.Raw)}, MaxRejects: 1,
		Inventory: inventoryFile(t, known), Warn: []string{"inventory.unassigned"},
		Static: []string{recipe.Dir(t, map[string][]byte{"i.example/ca.der": ca.Cert.Raw})}}
	var first map[string]string
	var firstReport *Report
	for _, workers := range []int{1, 4, 4} {
		c.Out, c.Workers = t.TempDir(), workers
		report, err := run(t, ca, c)
		if err != nil {
			t.Fatal(err)
		}
		got := files(t, c.Out)
		delete(got, "/lock")
		if w := report.Warnings; len(w) != 2 || w[0].Count != 2 || w[0].Serial != fmt.Sprintf("%x", recipe.Serial(101)) {
			t.Errorf("%d workers: warnings %+v, want 2 of which the first is for serial %x", workers, w, recipe.Serial(101))
		}
		report.Store, report.CheckSeconds, report.VerifySeconds, report.TotalSeconds = "", 0, 0, 0
		if first == nil {
			first, firstReport = got, report
			continue
		}
		if len(got) != len(first) {
			t.Errorf("%d workers: %d files, want %d", workers, len(got), len(first))
		}
		for name, data := range first {
			if got[name] != data {
				t.Errorf("%d workers: %s differs", workers, name)
			}
		}
		a, b := recipe.Must(json.Marshal(firstReport)), recipe.Must(json.Marshal(report))
		if !bytes.Equal(a, b) {
			t.Errorf("%d workers: report\n%s, want\n%s", workers, b, a)
		}
	}
}

// A build that fails leaves the generation, and leaves no temporary file.
func TestFailurePublishesNothing(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	good := recipe.File(t, "good", recipe.Many(t, ca, 3)...)
	out := t.TempDir()
	if _, err := run(t, ca, Config{Out: out, Responses: []string{good}}); err != nil {
		t.Fatal(err)
	}
	before := files(t, out)
	spoilt := recipe.File(t, "spoilt", recipe.Response{Issuer: ca, Spoil: true}.DER(t))
	expiredCRL := recipe.Dir(t, map[string][]byte{"c.example/1.crl": recipe.NewCRL(t, ca, func(l *x509.RevocationList) { l.NextUpdate = recipe.Now })})
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for name, tt := range map[string]struct {
		c    Config
		want string
		ctx  context.Context
	}{
		"a rejection":          {c: Config{Responses: []string{good, spoilt}}, want: "1 of 4 responses rejected, 0 allowed"},
		"too many rejections":  {c: Config{Responses: []string{good, spoilt, spoilt}, MaxRejects: 1}, want: "2 of 5 responses rejected, 1 allowed"},
		"nothing but rejected": {c: Config{Responses: []string{spoilt}, MaxRejects: 5}, want: "all 1 responses rejected"},
		"empty input":          {c: Config{Responses: []string{recipe.File(t, "empty")}, MaxRejects: 5}, want: "all 1 responses rejected"},
		"empty directory":      {c: Config{Responses: []string{t.TempDir()}}, want: "no response in any of the sources"},
		"absent source":        {c: Config{Responses: []string{good, "/nowhere"}}, want: "/nowhere"},
		"static file":          {c: Config{Responses: []string{good}, Static: []string{expiredCRL}, MaxRejects: 5}, want: "static files: 1 rejected"},
		"absent static":        {c: Config{Static: []string{"/nowhere"}}, want: "/nowhere"},
		"absent issuer":        {c: Config{Responses: []string{good}, Issuers: []string{"/nowhere"}}, want: "/nowhere"},
		"ended":                {c: Config{Responses: []string{good}}, want: "canceled", ctx: ended},
	} {
		tt.c.Out = out
		if tt.ctx == nil {
			tt.ctx = context.Background()
		}
		report, err := runUntil(tt.ctx, t, ca, tt.c)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q in it", name, err, tt.want)
		}
		if report != nil && report.Generation != 0 {
			t.Errorf("%s: generation %d", name, report.Generation)
		}
		after := files(t, out)
		if len(after) != len(before) {
			t.Errorf("%s: %d files, before %d", name, len(after), len(before))
		}
		for file, data := range before {
			if after[file] != data {
				t.Errorf("%s: %s changed", name, file)
			}
		}
	}
}

// Reading goes on for a while after the first rejections, so that they can be
// seen together, but not for ever.
func TestReadingStopsWhenAllIsWrong(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	foreign := recipe.Response{Issuer: recipe.NewCA(t, "stranger", recipe.OtherP256())}.DER(t)
	report, err := run(t, ca, Config{Responses: []string{"-"}, Stdin: &repeat{data: foreign}, MaxRejects: 10})
	if err == nil || len(report.Rejections) != 10+rejectionMargin+1 {
		t.Errorf("%d rejections, %v", len(report.Rejections), err)
	}
}

// A repeat is data again and again without end.
type repeat struct {
	data []byte
	at   int
}

func (r *repeat) Read(p []byte) (n int, err error) {
	for n < len(p) {
		m := copy(p[n:], r.data[r.at:])
		n, r.at = n+m, (r.at+m)%len(r.data)
	}
	return n, nil
}

// A build can be ended while it reads from a pipe that nobody writes to.
func TestBuildEndsWhileItWaitsForInput(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	ctx, cancel := context.WithCancel(context.Background())
	go func() { // more than is buffered anywhere, so that Progress is called
		for range 100 {
			w.Write(bytes.Repeat(recipe.Response{Issuer: ca}.DER(t), 10*batchItems))
		}
	}()
	_, err = runUntil(ctx, t, ca, Config{Responses: []string{"-"}, Stdin: r, Progress: func(Progress) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestProgress(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	in := bytes.Join(recipe.Many(t, ca, 2*batchItems), nil)
	var seen []Progress
	if _, err := run(t, ca, Config{Responses: []string{recipe.File(t, "in", in)}, Progress: func(p Progress) { seen = append(seen, p) }}); err != nil {
		t.Fatal(err)
	}
	last := seen[len(seen)-1]
	if want := (Progress{Bytes: int64(len(in)), TotalBytes: int64(len(in)), Responses: 2 * batchItems}); last != want {
		t.Errorf("last %+v, want %+v", last, want)
	}
	for i := range seen[1:] {
		if seen[i+1].Responses < seen[i].Responses || seen[i+1].Bytes < seen[i].Bytes {
			t.Errorf("progress goes back: %+v after %+v", seen[i+1], seen[i])
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	good := DefaultConfig()
	good.Out, good.Issuers, good.Responses = "x", []string{"ca"}, []string{"r"}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Config){
		"no store":           func(c *Config) { c.Out = "" },
		"no input":           func(c *Config) { c.Responses = nil },
		"no issuer":          func(c *Config) { c.Issuers = nil },
		"no stdin":           func(c *Config) { c.Responses = []string{"-"} },
		"stdin twice":        func(c *Config) { c.Stdin, c.Responses = os.Stdin, []string{"-", "-"} },
		"negative rejects":   func(c *Config) { c.MaxRejects = -1 },
		"negative missing":   func(c *Config) { c.MaxMissing, c.Inventory = -1, "i" },
		"missing of nothing": func(c *Config) { c.MaxMissing = 1 },
		"CRLs of nothing":    func(c *Config) { c.MaxCRLSize = 0 },
		"less than nothing":  func(c *Config) { c.MaxUnpacked = -1 },
		"no workers":         func(c *Config) { c.Workers = 0 },
		"no profile":         func(c *Config) { c.Profiles = nil },
		"query of no table":  func(c *Config) { c.Query = "SELECT 1" },
		"unknown check":      func(c *Config) { c.Warn = []string{"x"} },
		"shrink below 0":     func(c *Config) { c.MaxShrink = -1 },
		"shrink above 100":   func(c *Config) { c.MaxShrink = 101 },
		"shrink no number":   func(c *Config) { c.MaxShrink = math.NaN() },
		"origin":             func(c *Config) { c.Origin = "two words" },
	} {
		c := good
		spoil(&c)
		if err := c.Check(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if at := good.moment(); at.IsZero() || at.Nanosecond() != 0 {
		t.Errorf("the build is of %s", at)
	}
}

func TestProfileNamesAreRead(t *testing.T) {
	for _, name := range rule.ProfileNames() {
		if p, err := rule.ParseProfile(name); err != nil || p.String() != name {
			t.Errorf("%s is read as %s, %v", name, p, err)
		}
	}
	if _, err := rule.ParseProfile("BR"); err == nil {
		t.Error("BR is read")
	}
}

// How fast signed responses are packed, how much of that is the signatures, and
// how fast it is without verifying them: then they need not be right either, and
// can be many.
func BenchmarkRun(b *testing.B) {
	ca := recipe.NewCA(b, "CA", recipe.P256())
	b.Run("verified", func(b *testing.B) {
		benchmarkRun(b, ca, bytes.Join(recipe.Many(b, ca, 8192), nil), 8192, false)
	})
	b.Run("signatures alone", func(b *testing.B) {
		hash := sha256.Sum256([]byte("a response"))
		sig := recipe.Must(ca.Key.Sign(rand.Reader, hash[:], crypto.SHA256))
		key := ca.Cert.PublicKey.(*ecdsa.PublicKey)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				ecdsa.VerifyASN1(key, hash[:], sig)
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "verified/s")
	})
	b.Run("unverified", func(b *testing.B) {
		const n = 400_000
		one := recipe.Response{Issuer: ca, Serials: []string{"serial##"}}.DER(b)
		in := bytes.Repeat(one, n)
		for i, at := 0, bytes.Index(one, []byte("serial##")); i < n; i, at = i+1, at+len(one) {
			binary.BigEndian.PutUint64(in[at:], 1<<62+uint64(i)*0x9e3779b97f4a7c15>>2)
		}
		benchmarkRun(b, ca, in, n, true)
	})
}

func benchmarkRun(b *testing.B, ca recipe.Identity, in []byte, n int, skip bool) {
	c := DefaultConfig()
	c.Out, c.Issuers, c.Responses = b.TempDir(), []string{recipe.File(b, "ca", ca.Cert.Raw)}, []string{"-"}
	c.At, c.SkipSignatures = recipe.Now, skip
	var checking float64
	for b.Loop() {
		c.Stdin = bytes.NewReader(in)
		report, err := Run(context.Background(), c)
		if err != nil {
			b.Fatal(err)
		}
		checking += report.CheckSeconds
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "responses/s")
	b.ReportMetric(float64(n*b.N)/checking, "checked/s") // without self-check and sync
	b.SetBytes(int64(len(in)))
}
