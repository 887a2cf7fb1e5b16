package ocsp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"strings"
	"testing"

	"lancre/index"
)

func TestNewRefuses(t *testing.T) {
	caKey, key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	issuer := newCA(caKey, at)
	delegate := func(change func(*x509.Certificate)) *x509.Certificate {
		c := delegateTemplate(at)
		change(c)
		return certify(c, issuer, key.Public(), caKey)
	}
	good := delegate(func(*x509.Certificate) {})
	weak := must(rsa.GenerateKey(rand.Reader, 1024))
	small := must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	for _, tt := range []struct {
		issuer, delegate *x509.Certificate
		key              crypto.Signer
		want             string
	}{
		{issuer, nil, key, "the key is not that of the certificate of CN=CA"},
		{issuer, good, must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), "the key is not that of the certificate of CN=Responder"},
		{issuer, good, caKey, "the key is that of the issuer, CN=CA, but a responder is named, CN=Responder"},
		{newCA(key, at), good, key, "it is not signed by the key of CN=CA"},
		{issuer, newCA(key, at), key, "it is not signed by the key of CN=CA"},
		{issuer, certify(delegateTemplate(at), good, key.Public(), key), key, "it was issued by CN=Responder, not by CN=CA"},
		{issuer, delegate(func(c *x509.Certificate) { c.ExtKeyUsage = nil }), key, "id-kp-OCSPSigning"},
		{issuer, delegate(func(c *x509.Certificate) { c.ExtraExtensions = nil }), key, "it has no id-pkix-ocsp-nocheck"},
		{issuer, delegate(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: oidNoCheck, Value: []byte{4, 0}}}
		}), key, "with the value 0400, want NULL (0500)"},
		{issuer, delegate(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement }), key, "key usage without digitalSignature"},
		{issuer, delegate(func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }), key, "it is a CA's"},
		{newCA(weak, at), nil, weak, "RSA key of 1024 bits, want at least 2048"},
		{newCA(small, at), nil, small, "ECDSA key on P-224"},
	} {
		if _, err := New(tt.issuer, tt.delegate, tt.key, hashes); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want %q in it", err, tt.want)
		}
	}
	if _, err := New(issuer, good, key, []index.HashAlg{index.UnknownAlg}); err == nil || !strings.Contains(err.Error(), "hash algorithm 0") {
		t.Errorf("error %v, want one of the hash algorithm", err)
	}
}

func TestCheckValidity(t *testing.T) {
	r := responder(t, fixedKey, at, true)
	from, to := r.Cert.NotBefore.Unix(), r.Cert.NotAfter.Unix()
	for _, tt := range []struct {
		producedAt, nextUpdate int64
		want                   string
	}{
		{from, to, ""},
		{from - 1, to, "valid from 2026-03-03T05:06:07Z, which is in the future"},
		{from, to + 1, "expires 2026-04-04T05:06:07Z, before nextUpdate 2026-04-04T05:06:08Z"},
	} {
		if err := r.CheckValidity(tt.producedAt, tt.nextUpdate); (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%d to %d: error %v, want %q", tt.producedAt, tt.nextUpdate, err, tt.want)
		}
	}
}

func TestCheckPublic(t *testing.T) {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := *newCA(key, at)
	template.KeyUsage = x509.KeyUsageCertSign
	issuer := certify(&template, nil, key.Public(), key)
	for _, tt := range []struct {
		r    *Responder
		want string
	}{
		{must(New(issuer, nil, key, hashes)), "lacks digitalSignature"},
		{responder(t, fixedKey, at, false), "is Ed25519"},
		{responder(t, key, at, false), ""},
		{responder(t, key, at, true), ""},
	} {
		if err := tt.r.CheckPublic(); (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want %q", err, tt.want)
		}
	}
}
