package sign

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build"
	"lancre/build/rule"
	"lancre/index"
	"lancre/index/store"
	"lancre/sign/certificates"
)

// start is when worlds begin.
var start = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// must is for what fails only if the test is wrong.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A world is a CA with a list, a store, what is between them, and a clock.
type world struct {
	t    *testing.T
	dir  string
	now  time.Time
	ca   *x509.Certificate
	key  crypto.Signer
	list map[int]string // by serial number, what follows it in the CSV
	late bool           // what is signed is published much later, of which builds warn
}

// newWorld has a CA with good certificates of the serial numbers 1 to n, that end in 90
// days.
func newWorld(t *testing.T, n int) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), now: start, list: make(map[int]string)}
	w.key = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, BasicConstraintsValid: true, IsCA: true,
		KeyUsage:  x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
		NotBefore: start.AddDate(-1, 0, 0), NotAfter: start.AddDate(2, 0, 0),
	}
	w.ca = must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, template, template, w.key.Public(), w.key))))
	w.write("ca.der", string(w.ca.Raw))
	for serial := 1; serial <= n; serial++ {
		w.good(serial)
	}
	return w
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) write(name, content string) {
	w.t.Helper()
	if err := os.WriteFile(w.path(name), []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) good(serial int) { w.goodUntil(serial, start.AddDate(0, 0, 90)) }

func (w *world) goodUntil(serial int, notAfter time.Time) {
	w.list[serial] = fmt.Sprintf("good,%d,,", notAfter.Unix())
}

// revoke revokes now.
func (w *world) revoke(serial, reason int) {
	w.list[serial] = fmt.Sprintf("revoked,%d,%d,%d", start.AddDate(0, 0, 90).Unix(), w.now.Unix(), reason)
}

// config is that of a run.
func (w *world) config() Config {
	c := DefaultConfig()
	c.clock = func() time.Time { return w.now }
	c.Issuer, c.Key, c.Store, c.Out = w.path("ca.der"), w.key, w.path("store"), w.path("out")
	c.List = certificates.List{Source: w.path("list.csv"), Serial: certificates.Decimal}
	c.Patience = 0
	_, err := os.Stat(c.Store)
	c.NoStore = errors.Is(err, fs.ErrNotExist)
	return c
}

// run runs with the list as it is, into the directory out.
func (w *world) run(change ...func(*Config)) (*Report, error) {
	w.t.Helper()
	text := "serial,status,not_after,revoked_at,reason\n"
	for serial, rest := range w.list {
		text += fmt.Sprintf("%d,%s\n", serial, rest)
	}
	w.write("list.csv", text)
	if err := os.MkdirAll(w.path("out"), 0o755); err != nil {
		w.t.Fatal(err)
	}
	c := w.config()
	for _, f := range change {
		f(&c)
	}
	return Run(context.Background(), c)
}

// mustRun is run, which must do as it is told.
func (w *world) mustRun(change ...func(*Config)) *Report {
	w.t.Helper()
	report, err := w.run(change...)
	if err != nil {
		w.t.Fatal(err)
	}
	return report
}

// publish takes what is in out into the store, under the rules of all root programs,
// and removes it there. Not one response may be rejected, nor be warned of.
func (w *world) publish() { w.t.Helper(); w.publishUnder(rule.BR, rule.MS, rule.Moz) }

// publishPrivate is publish for what public CAs must not do.
func (w *world) publishPrivate() { w.t.Helper(); w.publishUnder(rule.Private) }

func (w *world) publishUnder(profiles ...rule.Profile) {
	w.t.Helper()
	list := must(filepath.Glob(w.path("out/*.der")))
	if len(list) == 0 {
		return
	}
	c := build.DefaultConfig()
	c.Out, c.Issuers, c.Responses, c.At = w.path("store"), []string{w.path("ca.der")}, list, w.now
	c.Profiles = profiles
	if w.late {
		c.MaxRejects = 1 << 20 // what has expired
	}
	var report *build.Report
	var err error
	if _, missing := os.Stat(c.Out); missing != nil {
		report, err = build.Run(context.Background(), c)
	} else {
		report, err = build.Add(context.Background(), build.Addition{Config: c})
	}
	var text strings.Builder
	if err == nil {
		err = report.WriteSummary(&text)
	}
	if err != nil || !w.late && strings.Contains(text.String(), "× ocsp.") {
		w.t.Fatalf("what was signed is not what a build wants: %v\n%s", err, text.String())
	}
	for _, name := range list {
		if err := os.Remove(name); err != nil {
			w.t.Fatal(err)
		}
	}
}

// serialOctets is a serial number as the content octets of a DER INTEGER.
func serialOctets(serial int) []byte {
	octets := big.NewInt(int64(serial)).Bytes()
	if octets[0] >= 0x80 {
		octets = append([]byte{0}, octets...)
	}
	return octets
}

// answer is what the store says of a certificate, by both algorithms, which must agree;
// "" if nothing.
func (w *world) answer(serial int) string {
	w.t.Helper()
	g := must(store.OpenAnswers(w.path("store"), nil))
	defer g.Close()
	s := &state{store: g}
	c := w.config()
	r := &run{Config: &c, report: &Report{At: w.now}}
	if err := r.openResponder(); err != nil {
		w.t.Fatal(err)
	}
	var texts []string
	for _, alg := range c.Hashes {
		id := r.responder.CertID(alg, serialOctets(serial))
		last := must(s.find(&id, w.now.Unix()))
		if !last.known {
			texts = append(texts, "")
			continue
		}
		texts = append(texts, fmt.Sprintf("%s at %s until %s", last.status, utc(last.thisUpdate), utc(last.nextUpdate)))
	}
	if texts[0] != texts[1] {
		w.t.Fatalf("serial %d: %q by one algorithm, %q by the other", serial, texts[0], texts[1])
	}
	return texts[0]
}

// responses are those in the chunks of out, in order.
func (w *world) responses() (list []index.Response) {
	w.t.Helper()
	for _, name := range must(filepath.Glob(w.path("out/*.der"))) {
		for in := cryptobyte.String(must(os.ReadFile(name))); !in.Empty(); {
			var der cryptobyte.String
			var r index.Response
			if !in.ReadASN1Element(&der, asn1.SEQUENCE) {
				w.t.Fatalf("%s is no concatenation of DER", name)
			}
			if err := r.Parse(der); err != nil {
				w.t.Fatal(err)
			}
			list = append(list, r)
		}
	}
	return list
}

// A flakyKey fails when it is told.
type flakyKey struct {
	crypto.Signer
	fails func() bool
}

var errToken = errors.New("the token is gone")

func (k flakyKey) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	if k.fails() {
		return nil, errToken
	}
	return k.Signer.Sign(random, digest, o)
}
