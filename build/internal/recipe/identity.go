// Package recipe makes what tests of a build need: CAs and responders, OCSP responses
// and CRLs of every kind, wrong ones included. The zero value of a recipe gives one
// that breaks no rule; each field changes one thing.
package recipe

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
	"io"
	"math/big"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// Now is the moment of all builds in tests.
var Now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// Durations, in short.
const Second, Hour, Day = time.Second, time.Hour, 24 * time.Hour

// Keys are slow to make, and which key it is matters to no test.
var (
	RSA       = sync.OnceValue(func() crypto.Signer { return Must(rsa.GenerateKey(rand.Reader, 2048)) })
	OtherRSA  = sync.OnceValue(func() crypto.Signer { return Must(rsa.GenerateKey(rand.Reader, 2048)) })
	P256      = sync.OnceValue(func() crypto.Signer { return Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	OtherP256 = sync.OnceValue(func() crypto.Signer { return Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	P384      = sync.OnceValue(func() crypto.Signer { return Must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) })
	P521      = sync.OnceValue(func() crypto.Signer { return Must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)) })
	P224      = sync.OnceValue(func() crypto.Signer { return Must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader)) })
	Ed25519   = sync.OnceValue(func() crypto.Signer { _, k, err := ed25519.GenerateKey(rand.Reader); return Must(k, err) })
)

// AnyRSA is an RSA key of that size, in bits, and exponent, of which there is only the
// public half: what it signs are zeros.
func AnyRSA(bits uint, exponent int) crypto.Signer {
	n := new(big.Int).Lsh(big.NewInt(1), bits-1)
	return anyKey{&rsa.PublicKey{N: n.SetBit(n, 0, 1), E: exponent}}
}

type anyKey struct{ public crypto.PublicKey }

func (k anyKey) Public() crypto.PublicKey { return k.public }

func (k anyKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return make([]byte, 256), nil
}

// Must is v, where err is known to be nil.
func Must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Name is a subject of that common name.
func Name(name string) pkix.Name { return pkix.Name{CommonName: name} }

// An Identity is a certificate and its key.
type Identity struct {
	Cert *x509.Certificate
	Key  crypto.Signer
}

// NewCA makes a self-signed CA; change may alter its template.
func NewCA(t testing.TB, name string, key crypto.Signer, change ...func(*x509.Certificate)) Identity {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: Now.Add(-1000 * Day), NotAfter: Now.Add(1000 * Day),
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
	}
	for _, f := range change {
		f(template)
	}
	return Issue(t, template, Identity{template, key}, key)
}

// noCheck is id-pkix-ocsp-nocheck.
var noCheck = pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}, Value: asn1.NullBytes}

// NewResponder makes a delegated responder of ca, one that breaks no rule;
// change may alter its template.
func NewResponder(t testing.TB, ca Identity, key crypto.Signer, change ...func(*x509.Certificate)) Identity {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Responder"},
		NotBefore: Now.Add(-30 * Day), NotAfter: Now.Add(30 * Day),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning},
		ExtraExtensions: []pkix.Extension{noCheck},
	}
	for _, f := range change {
		f(template)
	}
	return Issue(t, template, ca, key)
}

// WithExtensions is id with a certificate by ca whose Extensions have this content, and
// are followed by what lies behind them, both in DER.
func WithExtensions(t testing.TB, id, ca Identity, content []byte, behind ...byte) Identity {
	t.Helper()
	in := cryptobyte.String(id.Cert.RawTBSCertificate)
	var tbs, field cryptobyte.String
	var tag tags.Tag
	if !in.ReadASN1(&tbs, tags.SEQUENCE) {
		t.Fatal("the certificate has no TBSCertificate")
	}
	const extensions = tags.Tag(0xa3)
	var fields []byte
	for tbs.ReadAnyASN1Element(&field, &tag) && tag != extensions {
		fields = append(fields, field...)
	}
	fields = append(append(fields, Element(extensions, Element(tags.SEQUENCE, content))...), behind...)
	signed := Element(tags.SEQUENCE, fields)
	algorithm, signature := Response{Signer: ca}.sign(t, signed)
	bits := Element(tags.BIT_STRING, append([]byte{0}, signature...))
	cert, err := x509.ParseCertificate(Element(tags.SEQUENCE, slices.Concat(signed, []byte(algorithm), bits)))
	if err != nil {
		t.Fatal(err)
	}
	return Identity{cert, id.Key}
}

// ExtensionsOf is the content of the Extensions of a certificate that has some.
func ExtensionsOf(cert *x509.Certificate) []byte {
	var content []byte
	for _, e := range cert.Extensions {
		content = append(content, Must(asn1.Marshal(e))...)
	}
	return content
}

// Issue makes the certificate of template and key, by ca.
func Issue(t testing.TB, template *x509.Certificate, ca Identity, key crypto.Signer) Identity {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, ca.Cert, key.Public(), ca.Key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return Identity{cert, key}
}
