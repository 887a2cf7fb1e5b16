package build

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"lancre/build/der"
	"lancre/build/internal/recipe"
	"lancre/index/store"
)

// v1CRL says that crl is of another version.
func v1CRL(crl []byte) []byte {
	return bytes.Replace(crl, []byte{0x02, 0x01, 0x01}, []byte{0x02, 0x01, 0x00}, 1)
}

const page = "<!DOCTYPE html>\n<title>Status</title>\n"

// Every kind of file gets the type that the RFCs name for its content, and the
// times of A.7; an index is published at its folder as well.
func TestStaticFiles(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	crl, early := recipe.NewCRL(t, ca), recipe.NewCRL(t, recipe.NewCA(t, "another", recipe.OtherP256()), func(l *x509.RevocationList) { l.ThisUpdate = recipe.Now.Add(time.Minute) })
	bundle := recipe.P7C(nil, nil, ca.Cert.Raw)
	dir := recipe.Dir(t, map[string][]byte{
		"c.example/1.crl":                      crl,
		"c.example/early.crl":                  early,
		"i.example/index.der":                  ca.Cert.Raw,
		"i.example/r10/index.p7c":              bundle,
		"i.example/a b%?#\xc3\xa9.CER":         ca.Cert.Raw,
		"_/index.html":                         []byte(page),
		"_/robots.txt":                         []byte("User-agent: *\n"),
		"_/plain":                              []byte("Gr\xc3\xbc\xc3\x9fe\n"),
		"_/.well-known/security.txt":           []byte("Contact: mailto:a@example\n"),
		"10.0.0.1/x.der":                       crl,
		"[2001:db8::1]/x.der":                  crl,
		"_crl.my_ca.example/x.der":             crl,
		"xn--mnchen-3ya.example/html/x.htm":    []byte(" \n<HTML>"),
		"a.example/!$&'()*+,;=:@-._~/file.txt": []byte("x"),
	})
	report, err := run(t, ca, Config{Static: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	const cert, cms, html, text = "application/pkix-cert", "application/pkcs7-mime", "text/html;charset=utf-8", "text/plain;charset=utf-8"
	rest := recipe.Now.Add(-recipe.Hour).Format(time.RFC3339) + " " + recipe.Now.Add(7*recipe.Day).Format(time.RFC3339)
	whole := recipe.Now.Format(time.RFC3339)
	want := []string{
		"10.0.0.1 /x.der application/pkix-crl " + rest,
		"[2001:db8::1] /x.der application/pkix-crl " + rest,
		"_ / " + html + " " + whole,
		"_ /.well-known/security.txt " + text + " " + whole,
		"_ /index.html " + html + " " + whole,
		"_ /plain " + text + " " + whole,
		"_ /robots.txt " + text + " " + whole,
		"_crl.my_ca.example /x.der application/pkix-crl " + rest,
		"a.example /!$&'()*+,;=:@-._~/file.txt " + text + " " + whole,
		"c.example /1.crl application/pkix-crl " + rest,
		"c.example /early.crl application/pkix-crl " + whole + " " + recipe.Now.Add(7*recipe.Day).Format(time.RFC3339), // clamped
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
	if report.Origin != "10.0.0.1" || len(report.Segments) > 0 {
		t.Errorf("origin %q, segment %+v; want the first host and none", report.Origin, report.Segments)
	}
	for _, f := range published(t, report).Files() {
		if f.Path == "/r10/" && !bytes.Equal(f.Body, bundle) {
			t.Errorf("%s: other octets than went in", f.Path)
		}
	}
}

func TestRejectedStaticFiles(t *testing.T) {
	ca, other := recipe.NewCA(t, "CA", recipe.P256()), recipe.NewCA(t, "CA", recipe.OtherP256())
	noSign := recipe.NewCA(t, "CA", recipe.P256(), func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign })
	crl := recipe.NewCRL(t, ca)
	withCRL := func(b *cryptobyte.Builder) { b.AddASN1(der.Tag1, func(b *cryptobyte.Builder) { b.AddBytes(crl) }) }
	tests := []struct {
		name   string
		data   []byte
		issuer recipe.Identity
		check  string
		reason string
	}{
		{"a.example/x.crl", ca.Cert.Raw, ca, "static.type", "named .crl, which is for a CRL, but holds a certificate"},
		{"a.example/x.cer", crl, ca, "static.type", "named .cer, which is for a certificate, but holds a CRL"},
		{"a.example/x.p7c", ca.Cert.Raw, ca, "static.type", "holds a certificate"},
		{"a.example/x.html", []byte("plain"), ca, "static.type", "holds text"},
		{"a.example/x.css", []byte(page), ca, "static.type", "named .css, which is for CSS: begins with <"},
		{"a.example/x.PNG", []byte("words"), ca, "static.type", "named .png, which is for a PNG image: unexpected EOF"},
		{"a.example/x.json", nil, ca, "static.type", "empty"},
		{"a.example/x.js", []byte("a()"), ca, "static.type", "name it .txt"},
		{"a.example/x", nil, ca, "static.type", "empty"},
		{"a.example/x", []byte("\x89PNG\r\n"), ca, "static.type", "begins with the octets 89504e47"},
		{"a.example/x", []byte("a\x00b"), ca, "static.type", "begins with the octets 610062"},
		{"a.example/x.pem", recipe.PEM("CERTIFICATE", ca.Cert.Raw), ca, "static.type", "openssl x509 -in FILE -outform DER"},
		{"a.example/x.crl", recipe.PEM("X509 CRL", crl), ca, "static.type", "openssl crl -in FILE -outform DER"},
		{"a.example/x.p7c", recipe.PEM("PKCS7", nil), ca, "static.type", "openssl pkcs7 -in FILE -outform DER"},
		{"a.example/x.key", recipe.PEM("PRIVATE KEY", nil), ca, "static.type", "nothing to publish"},
		{"a.example/x.pem", []byte("-----BEGIN X"), ca, "static.type", "cannot be decoded"},
		{"a.example/x.cer", recipe.Join(ca.Cert.Raw, ca.Cert.Raw), ca, "static.type", "octets behind the end of the DER"},
		{"a.example/x.cer", ca.Cert.Raw[:99], ca, "static.type", "cut"},
		{"a.example/x.der", recipe.Response{Issuer: ca}.DER(t), ca, "static.type", "neither a CRL, a certificate nor a CMS"},
		{"a.example/x.p7c", recipe.P7C([]byte{0x30, 0x00}, nil, ca.Cert.Raw), ca, "cert.cms", "want certificates alone"},
		{"a.example/x.p7c", recipe.P7C(nil, withCRL, ca.Cert.Raw), ca, "cert.cms", "want certificates alone"},
		{"a.example/x.p7c", recipe.P7C(nil, nil), ca, "cert.cms", "no certificate"},
		{"a.example/x.p7c", recipe.P7C(nil, nil, []byte{0x30, 0x00}), ca, "cert.cms", "CMS: x509"},
		{"a.example/x.crl", crl[:len(crl)-1], ca, "static.type", "cut"},
		{"a.example/x.crl", append(bytes.Clone(crl), 0), ca, "static.type", "1 octets behind the end of the DER"},
		{"a.example/x.crl", v1CRL(crl), ca, "crl.version", "want 1, which says version 2"},
		{"a.example/x.crl", recipe.NewCRL(t, ca, func(l *x509.RevocationList) { l.NextUpdate = recipe.Now }), ca, "crl.time-expired", "expired"},
		{"a.example/x.crl", recipe.NewCRL(t, ca, func(l *x509.RevocationList) { l.ThisUpdate = recipe.Now.Add(recipe.Hour) }), ca, "crl.time-this-update", "future"},
		{"a.example/x.crl", recipe.NewCRL(t, other), ca, "crl.signature", "not by the key of CN=CA"},
		{"a.example/x.crl", crl, noSign, "crl.issuer-key-usage", "CN=CA lacks cRLSign"},
		{"x.crl", crl, ca, "static.name", "not in the folder of a host"},
		{"A.example/x.crl", crl, ca, "static.name", `want it in lower case, "a.example"`},
		{"a.example./x.crl", crl, ca, "static.name", `label ""`},
		{"a+b.example/x.crl", crl, ca, "static.name", `label "a+b"`},
		{"[2001:db8:0::1]/x.crl", crl, ca, "static.name", `want it as RFC 5952 spells it, "[2001:db8::1]"`},
		{"[192.0.2.1]/x.crl", crl, ca, "static.name", "want an IPv6 address in brackets"},
		{"-a.example/x.crl", crl, ca, "static.name", "hyphen"},
		{"a.example:80/x.crl", crl, ca, "static.name", `label "example:80"`},
		{strings.Repeat("a", 64) + "/x.crl", crl, ca, "static.name", "want 1 to 63 octets"},
		{strings.Repeat("a.", 126) + "aa/x.crl", crl, ca, "static.name", "want at most 253"},
		{"a.example/.x.crl", crl, ca, "static.name", "hidden"},
		{"a.example/.git/x.crl", crl, ca, "static.name", "hidden"},
	}
	for _, tt := range tests {
		dir := recipe.Dir(t, map[string][]byte{tt.name: tt.data})
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
	dir := recipe.Dir(t, map[string][]byte{"a.example/x.txt": []byte("x")})
	if err := os.Symlink("x.txt", filepath.Join(dir, "a.example", "y.txt")); err != nil {
		t.Fatal(err)
	}
	report, err := run(t, recipe.Identity{}, Config{Static: []string{dir}})
	if err == nil || len(report.Rejections) != 1 || !strings.Contains(report.Rejections[0].Reason, "symbolic link") {
		t.Errorf("%v, rejections %v", err, report.Rejections)
	}
	large := filepath.Join(dir, "a.example", "y.txt")
	if err := errors.Join(os.Remove(large), os.WriteFile(large, nil, 0o644), os.Truncate(large, store.MaxFileSize+1)); err != nil {
		t.Fatal(err)
	}
	report, err = run(t, recipe.Identity{}, Config{Static: []string{dir}})
	if err == nil || len(report.Rejections) != 1 || !strings.Contains(report.Rejections[0].Reason, "too large") {
		t.Errorf("%v, rejections %v", err, report.Rejections)
	}
}

func TestOnePlaceOneFile(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	both := recipe.Dir(t, map[string][]byte{"a.example/index.der": ca.Cert.Raw, "a.example/index.html": []byte(page)})
	again := recipe.Dir(t, map[string][]byte{"a.example/index.html": []byte(page)})
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
	dir := recipe.Dir(t, map[string][]byte{"c.example/1.crl": recipe.NewCRL(t, recipe.NewCA(t, "stranger", recipe.P256()))})
	report, err := run(t, recipe.NewCA(t, "CA", recipe.P256()), Config{Static: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	if w := report.Warnings; len(w) != 1 || w[0].Check != "crl.issuer" || w[0].Count != 1 || !strings.Contains(w[0].Reason, "CN=stranger") {
		t.Errorf("warnings %+v", w)
	}
}

// A CA that changed its key has two issuers of one name: either may sign.
func TestCRLByEitherKeyOfACA(t *testing.T) {
	a, b := recipe.NewCA(t, "CA", recipe.P256()), recipe.NewCA(t, "CA", recipe.OtherP256())
	dir := recipe.Dir(t, map[string][]byte{"c.example/1.crl": recipe.NewCRL(t, a), "c.example/2.crl": recipe.NewCRL(t, b)})
	_, err := run(t, recipe.Identity{}, Config{Static: []string{dir}, Issuers: []string{recipe.File(t, "ca", a.Cert.Raw, b.Cert.Raw)}})
	if err != nil {
		t.Error(err)
	}
}

// A certificate or page keeps its modification time until its content changes;
// what is not among the inputs is gone.
func TestModificationTimesAreKept(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	out := t.TempDir()
	build := func(at time.Time, contents map[string][]byte) map[string]time.Time {
		report, err := run(t, ca, Config{Out: out, At: at, Static: []string{recipe.Dir(t, contents)}})
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
	build(recipe.Now, map[string][]byte{"a.example/same.txt": text, "a.example/changed.txt": text, "a.example/gone.txt": text})
	later := recipe.Now.Add(recipe.Hour)
	got := build(later, map[string][]byte{"a.example/same.txt": text, "a.example/changed.txt": []byte("y"), "b.example/same.txt": text})
	want := map[string]time.Time{"a.example/same.txt": recipe.Now, "a.example/changed.txt": later, "b.example/same.txt": later}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// What the checks against the previous generation refuse, --force publishes, and
// the report says so. The build after it has nothing to complain of.
func TestForcePublishesOnce(t *testing.T) {
	root := recipe.NewCA(t, "Root", recipe.OtherP256())
	ca := newSubCA(t, root)
	for _, tt := range slices.Concat(crlHistoryCases(t, ca), certSetCases(t, root, ca)) {
		if described(t, tt.check).Lowered != "force" || !strings.Contains(tt.rejects, "private") {
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
	ca := recipe.NewCA(t, "CA", recipe.P256())
	out := t.TempDir()
	p, err := store.Begin(out)
	if err != nil {
		t.Fatal(err)
	}
	sum, size, err := p.AddObject(strings.NewReader("0"))
	if err != nil {
		t.Fatal(err)
	}
	line := store.FileLine{Host: "c.example", Path: "/1.crl", ContentType: "application/pkix-crl", Size: size, SHA256: sum, LastModified: recipe.Now}
	if err := p.Commit(&store.Manifest{Origin: "test", Created: recipe.Now, Files: []store.FileLine{line}}); err != nil {
		t.Fatal(err)
	}
	c := Config{Out: out, Static: []string{recipe.Dir(t, map[string][]byte{crlFile: recipe.NewCRL(t, ca)})}}
	if _, err := run(t, ca, c); err == nil || !strings.Contains(err.Error(), crlURL) || !strings.Contains(err.Error(), "store.previous") {
		t.Errorf("%v", err)
	}
	c.Force = []string{"store.previous"}
	if _, err := run(t, ca, c); err != nil {
		t.Error(err)
	}
}

// The reason says which entry, and where it lies in the file.
func TestBrokenEntryIsNamed(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	der := recipe.CRL{Issuer: ca, Entries: []recipe.CRLEntry{{}, {Serial: "\x02"}, {Serial: "\x03", Revoked: recipe.Now.Add(recipe.Hour)}}}.DER(t)
	at := bytes.Index(der, []byte{0x02, 0x01, 0x03, 0x17}) - 2 // the header of the entry
	report, err := run(t, ca, Config{Static: []string{recipe.Dir(t, map[string][]byte{crlFile: der})}, Error: []string{"crl.entry-date"}})
	if err == nil || len(report.Rejections) != 1 {
		t.Fatalf("%v, rejections %v", err, report.Rejections)
	}
	if r := report.Rejections[0]; r.Place.Offset != int64(at) || r.Serial != "03" || r.Check != "crl.entry-date" {
		t.Errorf("%s at offset %d, want crl.entry-date at %d for serial 03", r, r.Place.Offset, at)
	}
}
