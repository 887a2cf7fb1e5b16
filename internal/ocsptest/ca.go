// Package ocsptest is a CA for tests. It signs by golang.org/x/crypto/ocsp and
// imports nothing of this module: what our code reads was made by another's, and
// the tests of every package can have it, those below build/demo too.
package ocsptest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"

	"golang.org/x/crypto/ocsp"
)

// A CA signs its OCSP responses itself. Where something fails, its functions panic.
type CA struct {
	*x509.Certificate
	Key crypto.Signer
}

// NewCA makes a CA. If key is nil, it makes that too, on P-256.
func NewCA(name string, key crypto.Signer) CA {
	if key == nil {
		key = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true}
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	return CA{must(x509.ParseCertificate(der)), key}
}

// Sign signs a response. ResponderID is byName, and producedAt the present minute.
func (ca CA) Sign(r ocsp.Response) []byte {
	return must(ocsp.CreateResponse(ca.Certificate, ca.Certificate, r, ca.Key))
}

// Request is the OCSPRequest for one of the CA's certificates.
func (ca CA) Request(serial *big.Int, hash crypto.Hash) []byte {
	return must(ocsp.CreateRequest(&x509.Certificate{SerialNumber: serial}, ca.Certificate, &ocsp.RequestOptions{Hash: hash}))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
