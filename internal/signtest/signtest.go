// Package signtest is the CAs, responders and key files that tests of signing use. Where
// something fails, its functions fail the test.
package signtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Now is the moment of signing in tests that give one.
var Now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// Keys are slow to make, and which key it is matters to no test.
var (
	RSA     = sync.OnceValue(func() crypto.Signer { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	P256    = sync.OnceValue(func() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	Other   = sync.OnceValue(func() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	P384    = sync.OnceValue(func() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) })
	Ed25519 = sync.OnceValue(func() crypto.Signer { _, k, err := ed25519.GenerateKey(rand.Reader); return must(k, err) })
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// NewCA makes a self-signed CA that issues to subscribers alone, valid three years
// around Now; change may alter its template.
func NewCA(t testing.TB, key crypto.Signer, change ...func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Organization: []string{"Lancre test"}, CommonName: "CA"},
		NotBefore: Now.AddDate(-1, 0, 0), NotAfter: Now.AddDate(2, 0, 0),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
	}
	for _, f := range change {
		f(template)
	}
	return issue(t, template, template, key, key)
}

// NewResponder makes a delegated responder's certificate by ca, whose key is caKey, valid
// from a month before Now to a month after it; change may alter its template.
func NewResponder(t testing.TB, ca *x509.Certificate, caKey, key crypto.Signer, change ...func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Responder"},
		NotBefore: Now.AddDate(0, -1, 0), NotAfter: Now.AddDate(0, 1, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning},
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}, Value: asn1.NullBytes}}, // id-pkix-ocsp-nocheck
	}
	for _, f := range change {
		f(template)
	}
	return issue(t, template, ca, caKey, key)
}

func issue(t testing.TB, template, ca *x509.Certificate, caKey, key crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, ca, key.Public(), caKey)
	if err != nil {
		t.Fatal(err)
	}
	return must(x509.ParseCertificate(der))
}

// WriteCert writes certificates in PEM to a file and returns its name.
func WriteCert(t testing.TB, list ...*x509.Certificate) string {
	t.Helper()
	var text []byte
	for _, cert := range list {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})...)
	}
	return write(t, "cert.pem", text)
}

// WriteKey writes a key in PEM to a file of mode 0600 and returns its name.
func WriteKey(t testing.TB, key crypto.Signer) string {
	t.Helper()
	der := must(x509.MarshalPKCS8PrivateKey(key))
	return write(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func write(t testing.TB, name string, content []byte) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
