package demo

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"strings"
	"testing"
	"time"

	"lancre/index"
)

func TestNewRefusesOptionsItDoesNotKnow(t *testing.T) {
	for _, tt := range []struct {
		options Options
		want    string
	}{
		{Options{Key: "dsa"}, `key type "dsa": want p256 or rsa2048`},
		{Options{Hashes: []index.HashAlg{index.UnknownAlg}}, "hash algorithm 0"},
		{Options{Hashes: []index.HashAlg{99}}, "hash algorithm 99"},
	} {
		if _, err := New(tt.options); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: error %v, want %q in it", tt.options, err, tt.want)
		}
	}
}

func TestNewFillsInDefaults(t *testing.T) {
	before := time.Now().Add(-time.Second)
	ca, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if ca.ProducedAt.Before(before) || ca.ProducedAt.After(time.Now()) {
		t.Errorf("producedAt %v, want now", ca.ProducedAt)
	}
	if len(ca.Hashes) != 2 || ca.Hashes[0] != index.SHA1 || ca.Hashes[1] != index.SHA256 {
		t.Errorf("hashes %v, want sha1 and sha256", ca.Hashes)
	}
	if _, ok := ca.Issuer.PublicKey.(*ecdsa.PublicKey); !ok || ca.Responder != nil {
		t.Errorf("%T key, responder %v: want a P-256 CA that signs itself", ca.Issuer.PublicKey, ca.Responder)
	}
}

// The CA certificate must be fit for all it does (RFC 5280 section 4.2.1.3), for
// as long as what it signs holds.
func TestIssuerCertificate(t *testing.T) {
	ca := newCA(t, Options{Key: RSA2048})
	usage := x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature
	if c := ca.Issuer; !c.IsCA || c.KeyUsage != usage || len(c.SubjectKeyId) == 0 {
		t.Errorf("CA %v, key usage %b, key identifier %x", c.IsCA, c.KeyUsage, c.SubjectKeyId)
	}
	if key, ok := ca.Issuer.PublicKey.(*rsa.PublicKey); !ok || key.N.BitLen() != 2048 {
		t.Errorf("key %T, want RSA-2048", ca.Issuer.PublicKey)
	}
	if err := ca.Issuer.CheckSignatureFrom(ca.Issuer); err != nil {
		t.Error(err)
	}
	if ca.Issuer.NotAfter.Before(ca.NextUpdate) {
		t.Errorf("the CA ends %v, before nextUpdate %v", ca.Issuer.NotAfter, ca.NextUpdate)
	}
}

// A delegated responder certificate as BR 7.1.2.8 has it.
func TestResponderCertificate(t *testing.T) {
	ca := newCA(t, Options{Delegated: true})
	r := ca.Responder
	if err := r.CheckSignatureFrom(ca.Issuer); err != nil {
		t.Error(err)
	}
	if r.IsCA || r.KeyUsage != x509.KeyUsageDigitalSignature {
		t.Errorf("CA %v, key usage %b, want no CA and digitalSignature alone", r.IsCA, r.KeyUsage)
	}
	if len(r.ExtKeyUsage) != 1 || r.ExtKeyUsage[0] != x509.ExtKeyUsageOCSPSigning {
		t.Errorf("extended key usages %v, want OCSPSigning alone", r.ExtKeyUsage)
	}
	if len(r.CRLDistributionPoints)+len(r.DNSNames)+len(r.OCSPServer) > 0 {
		t.Error("a CRL distribution point, name or AIA in a responder certificate")
	}
	noCheck := 0
	for _, e := range r.Extensions {
		if e.Id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}) && !e.Critical && string(e.Value) == "\x05\x00" {
			noCheck++
		}
	}
	if noCheck != 1 {
		t.Error("id-pkix-ocsp-nocheck with the value NULL is missing")
	}
	if r.NotBefore.After(ca.ThisUpdate) || r.NotAfter.Before(ca.NextUpdate) {
		t.Errorf("responder certificate holds %v to %v, responses %v to %v", r.NotBefore, r.NotAfter, ca.ThisUpdate, ca.NextUpdate)
	}
}
