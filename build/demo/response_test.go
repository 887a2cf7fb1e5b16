package demo

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"lancre/index"
	"lancre/internal/programs"
)

var at = time.Date(2026, 3, 4, 5, 6, 7, 8, time.UTC)

func newCA(t *testing.T, o Options) *CA {
	t.Helper()
	if o.At.IsZero() {
		o.At = at
	}
	ca, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

// kinds are all kinds of CA that sign for real.
var kinds = map[string]Options{
	"p256 direct":       {},
	"p256 delegated":    {Delegated: true},
	"rsa2048 direct":    {Key: RSA2048},
	"rsa2048 delegated": {Key: RSA2048, Delegated: true},
	"four hashes":       {Hashes: index.HashAlgs()},
}

// someCertificates has every status, with and without a reason.
func someCertificates(ca *CA) []Certificate {
	return []Certificate{
		ca.Certificate(0),
		ca.Certificate(1),
		ca.Certificate(1 + revokedEvery), // revoked without reason
		{Serial: []byte{0x01}, Status: index.Unknown, Reason: noReason},
		{Serial: append([]byte{0x00, 0x80}, make([]byte, 19)...), Status: index.Good, Reason: noReason},
	}
}

// x/crypto/ocsp reads and verifies each response on its own.
func TestResponseIsWhatXCryptoExpects(t *testing.T) {
	for name, o := range kinds {
		t.Run(name, func(t *testing.T) {
			ca := newCA(t, o)
			for _, c := range someCertificates(ca) {
				for _, alg := range ca.Hashes {
					der, err := ca.Sign(c, alg)
					if err != nil {
						t.Fatal(err)
					}
					checkWithXCrypto(t, ca, c, alg, der)
				}
			}
		})
	}
}

func checkWithXCrypto(t *testing.T, ca *CA, c Certificate, alg index.HashAlg, der []byte) {
	t.Helper()
	got, err := ocsp.ParseResponse(der, ca.Issuer) // verifies the signature
	if err != nil {
		t.Fatalf("serial %x, %s: %v", c.Serial, alg, err)
	}
	if want := new(big.Int).SetBytes(c.Serial); got.SerialNumber.Cmp(want) != 0 {
		t.Errorf("serial %x, want %x", got.SerialNumber, want)
	}
	status := map[index.Status]int{index.Good: ocsp.Good, index.Revoked: ocsp.Revoked, index.Unknown: ocsp.Unknown}
	if got.Status != status[c.Status] || got.RevocationReason != max(c.Reason, 0) || !got.RevokedAt.Equal(c.RevokedAt) {
		t.Errorf("status %d, reason %d, revoked at %v; want %v", got.Status, got.RevocationReason, got.RevokedAt, c)
	}
	if got.IssuerHash != alg.Hash() {
		t.Errorf("CertID under %v, want %v", got.IssuerHash, alg.Hash())
	}
	thisUpdate, producedAt := at.Truncate(time.Hour), at.Truncate(time.Second)
	if !got.ThisUpdate.Equal(thisUpdate) || !got.NextUpdate.Equal(thisUpdate.Add(Lifetime)) || !got.ProducedAt.Equal(producedAt) {
		t.Errorf("thisUpdate %v, nextUpdate %v, producedAt %v with At %v", got.ThisUpdate, got.NextUpdate, got.ProducedAt, at)
	}
	if len(got.ResponderKeyHash) != 20 {
		t.Errorf("responder key hash %x: want the 20 octets of a SHA-1", got.ResponderKeyHash)
	}
	if (got.Certificate != nil) != (ca.Responder != nil) || (got.Certificate != nil && !got.Certificate.Equal(ca.Responder)) {
		t.Error("the embedded certificate is not the delegated responder's")
	}
}

// Our own reader must find the CertID in it that a client would ask for.
func TestResponseHasTheCertIDOfARequest(t *testing.T) {
	ca := newCA(t, Options{Hashes: []index.HashAlg{index.SHA1, index.SHA256}})
	c := ca.Certificate(0)
	for _, alg := range ca.Hashes {
		request, err := ocsp.CreateRequest(&x509.Certificate{SerialNumber: new(big.Int).SetBytes(c.Serial)},
			ca.Issuer, &ocsp.RequestOptions{Hash: alg.Hash()})
		if err != nil {
			t.Fatal(err)
		}
		asked, err := ocsp.ParseRequest(request)
		if err != nil {
			t.Fatal(err)
		}
		der, err := ca.Sign(c, alg)
		if err != nil {
			t.Fatal(err)
		}
		var r index.Response
		if err := r.Parse(der); err != nil {
			t.Fatal(err)
		}
		want := index.CertID{Alg: alg, NameHash: asked.IssuerNameHash, KeyHash: asked.IssuerKeyHash, Serial: c.Serial}
		if got := r.Singles[0].CertID; !got.Equal(&want) {
			t.Errorf("CertID %v, want %v", &got, &want)
		}
	}
}

func TestSignRefusesAHashThatIsNotTheCAs(t *testing.T) {
	ca := newCA(t, Options{Hashes: []index.HashAlg{index.SHA256}})
	if _, err := ca.Sign(ca.Certificate(0), index.SHA1); err == nil || !strings.Contains(err.Error(), "sha1") {
		t.Errorf("error %v, want one that names sha1", err)
	}
}

// Unsigned responses differ from signed ones in the signature alone, whose form
// stays right and whose value is always the same for the same certificate.
func TestUnsignedResponse(t *testing.T) {
	for _, key := range []KeyType{P256, RSA2048} {
		t.Run(string(key), func(t *testing.T) {
			ca := newCA(t, Options{Key: key, Unsigned: true})
			der, err := ca.Sign(ca.Certificate(1), index.SHA1)
			if err != nil {
				t.Fatal(err)
			}
			again, err := ca.Sign(ca.Certificate(1), index.SHA1)
			if err != nil || !bytes.Equal(der, again) {
				t.Errorf("two responses for one certificate differ (error %v)", err)
			}
			parsed, err := ocsp.ParseResponse(der, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := parsed.CheckSignatureFrom(ca.Issuer); err == nil {
				t.Error("a random signature verified")
			}
			signing := *ca
			signing.unsigned = false
			if err := signing.signResponsesBy(ca.key); err != nil {
				t.Fatal(err)
			}
			signed, err := signing.Sign(ca.Certificate(1), index.SHA1)
			if err != nil {
				t.Fatal(err)
			}
			var a, b index.Response
			if err := a.Parse(der); err != nil {
				t.Fatal(err)
			}
			if err := b.Parse(signed); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(a.TBS, b.TBS) || !bytes.Equal(a.SignatureAlgorithm, b.SignatureAlgorithm) {
				t.Error("more than the signature differs from a signed response")
			}
			if d := len(a.Signature) - len(b.Signature); d < -8 || d > 8 {
				t.Errorf("signature of %d octets, signed ones have %d", len(a.Signature), len(b.Signature))
			}
		})
	}
}

// openssl is the second opinion on responses, and the only one on what it
// prints for a person.
func TestOpenSSLVerifiesResponses(t *testing.T) {
	programs.Need(t, "openssl")
	for name, o := range kinds {
		t.Run(name, func(t *testing.T) {
			o.At = time.Now() // openssl checks times against the clock
			ca := newCA(t, o)
			dir := t.TempDir()
			issuer := filepath.Join(dir, "issuer.pem")
			writePEM(t, issuer, ca.Issuer)
			for i, alg := range ca.Hashes {
				c := ca.Certificate(uint64(i % 2))
				der, err := ca.Sign(c, alg)
				if err != nil {
					t.Fatal(err)
				}
				file := filepath.Join(dir, "response.der")
				if err := os.WriteFile(file, der, 0o600); err != nil {
					t.Fatal(err)
				}
				out, err := exec.Command("openssl", "ocsp", "-respin", file, "-issuer", issuer, "-CAfile", issuer,
					"-"+alg.String(), "-serial", "0x"+new(big.Int).SetBytes(c.Serial).Text(16)).CombinedOutput()
				if err != nil || !strings.Contains(string(out), "Response verify OK") || !strings.Contains(string(out), ": "+c.Status.String()) {
					t.Errorf("%s %s: openssl ocsp: %v\n%s", alg, c.Status, err, out)
				}
			}
		})
	}
}

func writePEM(t *testing.T, path string, cert *x509.Certificate) {
	t.Helper()
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
