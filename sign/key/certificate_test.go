package key

import (
	"crypto"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"lancre/build/rule"
	"lancre/sign/internal/signtest"
)

func open(t *testing.T, signer crypto.Signer) *Key {
	t.Helper()
	k, err := Open(signtest.WriteKey(t, signer), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// expect checks that an error has text in it, or that there is none where that is "".
func expect(t *testing.T, what string, err error, want string) {
	t.Helper()
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("%s: error %v, want %q", what, err, want)
	}
}

var (
	private = rule.Under([]rule.Profile{rule.Private})
	br      = rule.Under([]rule.Profile{rule.BR})
)

func TestCheckDirect(t *testing.T) {
	k := open(t, signtest.P256())
	noSignature := func(c *x509.Certificate) { c.KeyUsage &^= x509.KeyUsageDigitalSignature }
	for _, tt := range []struct {
		what     string
		ca       *x509.Certificate
		severity rule.Severities
		want     string
	}{
		{"the CA's key", signtest.NewCA(t, signtest.P256()), br, ""},
		{"another key", signtest.NewCA(t, signtest.Other()), private, "is not that of CN=CA,O=Lancre test: it has the SHA-256 "},
		{"a key of another kind", signtest.NewCA(t, signtest.RSA()), private, "is not that of CN=CA"},
		{"no digitalSignature, br", signtest.NewCA(t, signtest.P256(), noSignature), br, "lacks digitalSignature (ocsp.issuer-key-usage): name a --responder"},
		{"no digitalSignature, private", signtest.NewCA(t, signtest.P256(), noSignature), private, ""},
	} {
		is, err := LoadIssuer(signtest.WriteCert(t, tt.ca))
		if err != nil {
			t.Fatal(err)
		}
		expect(t, tt.what, k.CheckDirect(is, tt.severity), tt.want)
	}
}

func TestCheckResponder(t *testing.T) {
	root := signtest.NewCA(t, signtest.P256())
	is, err := LoadIssuer(signtest.WriteCert(t, root))
	if err != nil {
		t.Fatal(err)
	}
	responder := func(change ...func(*x509.Certificate)) *x509.Certificate {
		return signtest.NewResponder(t, root, signtest.P256(), signtest.Other(), change...)
	}
	own, ca := open(t, signtest.Other()), open(t, signtest.P256())
	const week = 7 * 24 * time.Hour
	for _, tt := range []struct {
		what     string
		key      *Key
		cert     *x509.Certificate
		severity rule.Severities
		now      time.Time
		want     string
	}{
		{"as it should be", own, responder(), br, signtest.Now, ""},
		{"the CA's key", ca, responder(), private, signtest.Now, "is that of the CA, CN=CA,O=Lancre test, itself: with a --responder, want the responder's key"},
		{"another key", open(t, signtest.RSA()), responder(), private, signtest.Now, "is not that of CN=Responder"},
		{"no EKU", own, responder(func(c *x509.Certificate) { c.ExtKeyUsage = nil }), private, signtest.Now, "no extended key usage id-kp-OCSPSigning"},
		{"no nocheck", own, responder(func(c *x509.Certificate) { c.ExtraExtensions = nil }), private, signtest.Now, "no id-pkix-ocsp-nocheck"},
		{"SAN, br", own, responder(func(c *x509.Certificate) { c.DNSNames = []string{"o.example"} }), br, signtest.Now, "ocsp.delegate-extensions"},
		{"SAN, private", own, responder(func(c *x509.Certificate) { c.DNSNames = []string{"o.example"} }), private, signtest.Now, ""},
		{"by another CA", own, signtest.NewResponder(t, signtest.NewCA(t, signtest.RSA()), signtest.RSA(), signtest.Other()), private, signtest.Now, "is not signed by the key of CN=CA"},
		{"ends before nextUpdate", own, responder(), private, signtest.Now.AddDate(0, 0, 25), "want from 2026-12-15T12:00:00Z to 2026-12-22T12:00:00Z, the nextUpdate of what it signs"},
		{"not begun", own, responder(), private, signtest.Now.AddDate(0, -2, 0), "is valid from 2026-10-20T12:00:00Z"},
	} {
		expect(t, tt.what, tt.key.CheckResponder(is, tt.cert, tt.severity, tt.now, tt.now.Add(week)), tt.want)
	}
}

func TestLoad(t *testing.T) {
	one, two := signtest.NewCA(t, signtest.P256()), signtest.NewCA(t, signtest.RSA())
	_, err := LoadIssuer(signtest.WriteCert(t, one, two))
	expect(t, "two CAs", err, "certificates of 2 CAs, want those of one")
	_, err = LoadResponder(signtest.WriteCert(t, one, two))
	expect(t, "two responders", err, "2 certificates, want one")
	if cert, err := LoadResponder(signtest.WriteCert(t, one)); err != nil || !cert.Equal(one) {
		t.Error(err)
	}
}
