package build

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	stdasn1 "encoding/asn1"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/index/store"
	"lancre/internal/programs"
)

// p7c makes a CMS SignedData of certs; more goes between them and the signers.
func p7c(signers []byte, more func(*cryptobyte.Builder), certs ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(stdasn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2})
		b.AddASN1(tag0, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(1)
				b.AddASN1(asn1.SET, func(*cryptobyte.Builder) {})
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(stdasn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1})
				})
				b.AddASN1(tag0, func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(certs, nil)) })
				if more != nil {
					more(b)
				}
				b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(signers) })
			})
		})
	})
	return b.BytesOrPanic()
}

// v1CRL says that crl is of another version.
func v1CRL(crl []byte) []byte {
	return bytes.Replace(crl, []byte{0x02, 0x01, 0x01}, []byte{0x02, 0x01, 0x00}, 1)
}

const page = "<!DOCTYPE html>\n<title>Status</title>\n"

// Every kind of file gets the type that the RFCs name for its content, and the
// times of A.7; an index is published at its folder as well.
func TestStaticFiles(t *testing.T) {
	ca := newCA(t, "CA", p256Key())
	crl, early := newCRL(t, ca), newCRL(t, newCA(t, "another", otherP256()), func(l *x509.RevocationList) { l.ThisUpdate = now.Add(time.Minute) })
	bundle := p7c(nil, nil, ca.cert.Raw)
	dir := staticDir(t, map[string][]byte{
		"c.example/1.crl":                      crl,
		"c.example/early.crl":                  early,
		"i.example/index.der":                  ca.cert.Raw,
		"i.example/r10/index.p7c":              bundle,
		"i.example/a b%?#\xc3\xa9.CER":         ca.cert.Raw,
		"_/index.html":                         []byte(page),
		"_/robots.txt":                         []byte("User-agent: *\n"),
		"_/plain":                              []byte("Gr\xc3\xbc\xc3\x9fe\n"),
		"_/.well-known/security.txt":           []byte("Contact: mailto:a@example\n"),
		"10.0.0.1/x.der":                       crl,
		"xn--mnchen-3ya.example/html/x.htm":    []byte(" \n<HTML>"),
		"a.example/!$&'()*+,;=:@-._~/file.txt": []byte("x"),
	})
	report, err := run(t, ca, Config{Static: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	const cert, cms, html, text = "application/pkix-cert", "application/pkcs7-mime", "text/html;charset=utf-8", "text/plain;charset=utf-8"
	rest := now.Add(-hour).Format(time.RFC3339) + " " + now.Add(7*day).Format(time.RFC3339)
	whole := now.Format(time.RFC3339)
	want := []string{
		"10.0.0.1 /x.der application/pkix-crl " + rest,
		"_ / " + html + " " + whole,
		"_ /.well-known/security.txt " + text + " " + whole,
		"_ /index.html " + html + " " + whole,
		"_ /plain " + text + " " + whole,
		"_ /robots.txt " + text + " " + whole,
		"a.example /!$&'()*+,;=:@-._~/file.txt " + text + " " + whole,
		"c.example /1.crl application/pkix-crl " + rest,
		"c.example /early.crl application/pkix-crl " + whole + " " + now.Add(7*day).Format(time.RFC3339), // clamped
		"i.example / " + cert + " " + whole,
		"i.example /a%20b%25%3F%23%C3%A9.CER " + cert + " " + whole,
		"i.example /index.der " + cert + " " + whole,
		"i.example /r10/ " + cms + " " + whole,
		"i.example /r10/index.p7c " + cms + " " + whole,
		"xn--mnchen-3ya.example /html/x.htm " + html + " " + whole,
	}
	var got []string
	for _, f := range report.Files {
		line := fmt.Sprint(f.Host, " ", f.Path, " ", f.ContentType, " ", f.LastModified.Format(time.RFC3339))
		if !f.Expires.IsZero() {
			line += " " + f.Expires.Format(time.RFC3339)
		}
		got = append(got, line)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("published\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if report.Origin != "10.0.0.1" || report.Segment != nil {
		t.Errorf("origin %q, segment %+v; want the first host and none", report.Origin, report.Segment)
	}
	for _, f := range published(t, report).Files() {
		if f.Path == "/r10/" && !bytes.Equal(f.Body, bundle) {
			t.Errorf("%s: other octets than went in", f.Path)
		}
	}
}

func TestRejectedStaticFiles(t *testing.T) {
	ca, other := newCA(t, "CA", p256Key()), newCA(t, "CA", otherP256())
	noSign := newCA(t, "CA", p256Key(), func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign })
	crl := newCRL(t, ca)
	withCRL := func(b *cryptobyte.Builder) { b.AddASN1(tag1, func(b *cryptobyte.Builder) { b.AddBytes(crl) }) }
	tests := []struct {
		name   string
		data   []byte
		issuer identity
		check  string
		reason string
	}{
		{"a.example/x.crl", ca.cert.Raw, ca, "static.type", "named .crl, which is for a CRL, but holds a certificate"},
		{"a.example/x.cer", crl, ca, "static.type", "named .cer, which is for a certificate, but holds a CRL"},
		{"a.example/x.p7c", ca.cert.Raw, ca, "static.type", "holds a certificate"},
		{"a.example/x.html", []byte("plain"), ca, "static.type", "holds text"},
		{"a.example/x.css", []byte("a{}"), ca, "static.type", "name it .txt"},
		{"a.example/x", nil, ca, "static.type", "empty"},
		{"a.example/x", []byte("\x89PNG\r\n"), ca, "static.type", "begins with the octets 89504e47"},
		{"a.example/x", []byte("a\x00b"), ca, "static.type", "begins with the octets 610062"},
		{"a.example/x.pem", pemBlock("CERTIFICATE", ca.cert.Raw), ca, "static.type", "openssl x509 -in FILE -outform DER"},
		{"a.example/x.crl", pemBlock("X509 CRL", crl), ca, "static.type", "openssl crl -in FILE -outform DER"},
		{"a.example/x.p7c", pemBlock("PKCS7", nil), ca, "static.type", "openssl pkcs7 -in FILE -outform DER"},
		{"a.example/x.key", pemBlock("PRIVATE KEY", nil), ca, "static.type", "nothing to publish"},
		{"a.example/x.pem", []byte("-----BEGIN X"), ca, "static.type", "cannot be decoded"},
		{"a.example/x.cer", join(ca.cert.Raw, ca.cert.Raw), ca, "static.type", "octets behind the end of the DER"},
		{"a.example/x.cer", ca.cert.Raw[:99], ca, "static.type", "cut"},
		{"a.example/x.der", response{issuer: ca}.der(t), ca, "static.type", "neither a CRL, a certificate nor a CMS"},
		{"a.example/x.p7c", p7c([]byte{0x30, 0x00}, nil, ca.cert.Raw), ca, "cert.cms", "want certificates alone"},
		{"a.example/x.p7c", p7c(nil, withCRL, ca.cert.Raw), ca, "cert.cms", "want certificates alone"},
		{"a.example/x.p7c", p7c(nil, nil), ca, "cert.cms", "no certificate"},
		{"a.example/x.p7c", p7c(nil, nil, []byte{0x30, 0x00}), ca, "cert.cms", "CMS: x509"},
		{"a.example/x.crl", crl[:len(crl)-1], ca, "static.type", "cut"},
		{"a.example/x.crl", append(bytes.Clone(crl), 0), ca, "static.type", "1 octets behind the end of the DER"},
		{"a.example/x.crl", v1CRL(crl), ca, "crl.version", "want 1, which says version 2"},
		{"a.example/x.crl", newCRL(t, ca, func(l *x509.RevocationList) { l.NextUpdate = now }), ca, "crl.time-expired", "expired"},
		{"a.example/x.crl", newCRL(t, ca, func(l *x509.RevocationList) { l.ThisUpdate = now.Add(hour) }), ca, "crl.time-this-update", "future"},
		{"a.example/x.crl", newCRL(t, other), ca, "crl.signature", "not by the key of CN=CA"},
		{"a.example/x.crl", crl, noSign, "crl.issuer-key-usage", "CN=CA lacks cRLSign"},
		{"x.crl", crl, ca, "static.name", "not in the folder of a host"},
		{"A.example/x.crl", crl, ca, "static.name", `want it in lower case, "a.example"`},
		{"a.example./x.crl", crl, ca, "static.name", `label ""`},
		{"a_b.example/x.crl", crl, ca, "static.name", `label "a_b"`},
		{"-a.example/x.crl", crl, ca, "static.name", "hyphen"},
		{"a.example:80/x.crl", crl, ca, "static.name", `label "example:80"`},
		{strings.Repeat("a", 64) + "/x.crl", crl, ca, "static.name", "want 1 to 63 octets"},
		{strings.Repeat("a.", 126) + "aa/x.crl", crl, ca, "static.name", "want at most 253"},
		{"a.example/.x.crl", crl, ca, "static.name", "hidden"},
		{"a.example/.git/x.crl", crl, ca, "static.name", "hidden"},
	}
	for _, tt := range tests {
		dir := staticDir(t, map[string][]byte{tt.name: tt.data})
		report, err := run(t, tt.issuer, Config{Static: []string{dir}, MaxRejects: 9})
		if err == nil || len(report.Rejections) != 1 {
			t.Errorf("%s: %v, want one rejection for %q", tt.name, err, tt.reason)
			continue
		}
		r := report.Rejections[0]
		if r.Check != tt.check || !strings.Contains(r.Reason, tt.reason) || !strings.HasPrefix(filepath.Join(dir, tt.name), r.Place.Source) {
			t.Errorf("%s: rejected by %s at %s: %s; want %s, %q", tt.name, r.Check, r.Place.Source, r.Reason, tt.check, tt.reason)
		}
		checkSummary(t, report, "published  nothing", r.Reason)
	}
}

// Whatever cannot be served is refused, nothing is left out.
func TestSpecialFilesAreRejected(t *testing.T) {
	dir := staticDir(t, map[string][]byte{"a.example/x.txt": []byte("x")})
	if err := os.Symlink("x.txt", filepath.Join(dir, "a.example", "y.txt")); err != nil {
		t.Fatal(err)
	}
	report, err := run(t, identity{}, Config{Static: []string{dir}})
	if err == nil || len(report.Rejections) != 1 || !strings.Contains(report.Rejections[0].Reason, "symbolic link") {
		t.Errorf("%v, rejections %v", err, report.Rejections)
	}
	large := filepath.Join(dir, "a.example", "y.txt")
	if err := errors.Join(os.Remove(large), os.WriteFile(large, nil, 0o644), os.Truncate(large, store.MaxFileSize+1)); err != nil {
		t.Fatal(err)
	}
	report, err = run(t, identity{}, Config{Static: []string{dir}})
	if err == nil || len(report.Rejections) != 1 || !strings.Contains(report.Rejections[0].Reason, "too large") {
		t.Errorf("%v, rejections %v", err, report.Rejections)
	}
}

func TestOnePlaceOneFile(t *testing.T) {
	ca := newCA(t, "CA", p256Key())
	both := staticDir(t, map[string][]byte{"a.example/index.der": ca.cert.Raw, "a.example/index.html": []byte(page)})
	again := staticDir(t, map[string][]byte{"a.example/index.html": []byte(page)})
	for name, dirs := range map[string][]string{"two indexes": {both}, "two directories": {again, again}} {
		report, err := run(t, ca, Config{Static: dirs})
		if err == nil || !strings.Contains(report.Rejections[0].Reason, "http://a.example/") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if report, err := run(t, ca, Config{Static: []string{again, t.TempDir()}}); err == nil || !strings.Contains(err.Error(), "none in") {
		t.Errorf("empty directory: %v, %+v", err, report)
	}
}

func TestCRLOfUnknownIssuerIsAWarning(t *testing.T) {
	dir := staticDir(t, map[string][]byte{"c.example/1.crl": newCRL(t, newCA(t, "stranger", p256Key()))})
	report, err := run(t, newCA(t, "CA", p256Key()), Config{Static: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	if w := report.Warnings; len(w) != 1 || w[0].Check != "crl.issuer" || w[0].Count != 1 || !strings.Contains(w[0].Reason, "CN=stranger") {
		t.Errorf("warnings %+v", w)
	}
}

// A CA that changed its key has two issuers of one name: either may sign.
func TestCRLByEitherKeyOfACA(t *testing.T) {
	a, b := newCA(t, "CA", p256Key()), newCA(t, "CA", otherP256())
	dir := staticDir(t, map[string][]byte{"c.example/1.crl": newCRL(t, a), "c.example/2.crl": newCRL(t, b)})
	_, err := run(t, identity{}, Config{Static: []string{dir}, Issuers: []string{write(t, "ca", a.cert.Raw, b.cert.Raw)}})
	if err != nil {
		t.Error(err)
	}
}

// A certificate or page keeps its modification time until its content changes;
// what is not among the inputs is gone.
func TestModificationTimesAreKept(t *testing.T) {
	ca := newCA(t, "CA", p256Key())
	out := t.TempDir()
	build := func(at time.Time, contents map[string][]byte) map[string]time.Time {
		report, err := run(t, ca, Config{Out: out, At: at, Static: []string{staticDir(t, contents)}})
		if err != nil {
			t.Fatal(err)
		}
		times := make(map[string]time.Time)
		for _, f := range report.Files {
			times[f.Host+f.Path] = f.LastModified
		}
		return times
	}
	text := []byte("x")
	build(now, map[string][]byte{"a.example/same.txt": text, "a.example/changed.txt": text, "a.example/gone.txt": text})
	later := now.Add(hour)
	got := build(later, map[string][]byte{"a.example/same.txt": text, "a.example/changed.txt": []byte("y"), "b.example/same.txt": text})
	want := map[string]time.Time{"a.example/same.txt": now, "a.example/changed.txt": later, "b.example/same.txt": later}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// What the checks against the previous generation refuse, --force publishes, and
// the report says so. The build after it has nothing to complain of.
func TestForcePublishesOnce(t *testing.T) {
	root := newCA(t, "Root", otherP256())
	ca := newSubCA(t, root)
	for _, tt := range slices.Concat(crlHistoryCases(t, ca), certSetCases(t, root, ca)) {
		if id, err := findCheck(tt.check); err != nil || checkTable[id].lowered != byForce || !strings.Contains(tt.rejects, "private") {
			continue
		}
		c := tt.config(ca)(t)
		c.Force = []string{tt.check}
		report, err := run(t, ca, c)
		if err != nil {
			t.Errorf("%s, %s: %v", tt.check, tt.name, err)
			continue
		}
		if w := report.Warnings; len(w) != 1 || w[0].Check != tt.check || w[0].Reason == "" {
			t.Errorf("%s, %s: warnings %+v", tt.check, tt.name, w)
		}
		c.Force = nil
		if report, err = run(t, ca, c); err != nil || len(report.Warnings) > 0 {
			t.Errorf("%s, %s, again: %v, %+v", tt.check, tt.name, err, report.Warnings)
		}
	}
}

// A CRL that an earlier version published and this one cannot read is not passed
// over in silence.
func TestUnreadablePreviousCRL(t *testing.T) {
	ca := newCA(t, "CA", p256Key())
	out := t.TempDir()
	p, err := store.Begin(out)
	if err != nil {
		t.Fatal(err)
	}
	sum, size, err := p.AddObject(strings.NewReader("0"))
	if err != nil {
		t.Fatal(err)
	}
	line := store.FileLine{Host: "c.example", Path: "/1.crl", ContentType: "application/pkix-crl", Size: size, SHA256: sum, LastModified: now}
	if err := p.Commit(&store.Manifest{Origin: "test", Created: now, Files: []store.FileLine{line}}); err != nil {
		t.Fatal(err)
	}
	c := Config{Out: out, Static: []string{staticDir(t, map[string][]byte{crlFile: newCRL(t, ca)})}}
	if _, err := run(t, ca, c); err == nil || !strings.Contains(err.Error(), crlURL) || !strings.Contains(err.Error(), "store.previous") {
		t.Errorf("%v", err)
	}
	c.Force = []string{"store.previous"}
	if _, err := run(t, ca, c); err != nil {
		t.Error(err)
	}
}

func TestOpenSSLsP7CIsCertsOnly(t *testing.T) {
	programs.Need(t, "openssl")
	ca := newCA(t, "CA", p256Key())
	out := filepath.Join(t.TempDir(), "out")
	in := write(t, "ca.pem", pemBlock("CERTIFICATE", ca.cert.Raw))
	if text, err := exec.Command("openssl", "crl2pkcs7", "-nocrl", "-certfile", in, "-outform", "DER", "-out", out).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if c, broken := recogniseStatic(data); c.kind != kindCMS || broken.check != passed {
		t.Errorf("%v, %s", c.kind, broken.reason)
	}
}

// Whatever the octets: no panic, and either a kind or a reason.
func FuzzStatic(f *testing.F) {
	ca := newCA(f, "CA", p256Key(), func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: "fuzz"} })
	for _, seed := range [][]byte{
		ca.cert.Raw, newCRL(f, ca), p7c(nil, nil, ca.cert.Raw), []byte(page), []byte("text"), nil,
		pemBlock("CERTIFICATE", ca.cert.Raw), response{issuer: ca}.der(f), ca.cert.Raw[:50],
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, broken := recogniseStatic(data)
		if (broken.check == passed) != (c.kind != 0) || (broken.check == passed) != (broken.reason == "") {
			t.Errorf("kind %d, check %s, reason %q", c.kind, broken.check, broken.reason)
		}
		if c.kind != 0 && c.kind.contentType() == "" {
			t.Errorf("%s has no content type", c.kind)
		}
	})
}
