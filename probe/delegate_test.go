package probe

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"lancre/build/ca"
	"lancre/index"
	"lancre/internal/durable"
)

// Who signs in the place of the CA needs a certificate of it that says so, and is valid.
func TestDelegates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ca.der")
	if err := durable.WriteBytes(path, testCA.Raw); err != nil {
		t.Fatal(err)
	}
	issuers, err := ca.Load([]string{path})
	if err != nil {
		t.Fatal(err)
	}
	j := &judge{issuers: issuers, now: func() time.Time { return now }}
	stranger := newCA()
	stranger.Key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		by    crypto.Signer // who signed its certificate
		amend func(*x509.Certificate)
		want  string // in the error; "" for none
	}{
		{"as it should be", testCA.Key, func(*x509.Certificate) {}, ""},
		{"not for OCSP", testCA.Key, func(c *x509.Certificate) { c.ExtKeyUsage = nil }, "lacks id-kp-OCSPSigning"},
		{"expired", testCA.Key, func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) }, "is valid "},
		{"of a stranger by that name", stranger.Key, func(*x509.Certificate) {}, "is not signed by the key of CN=Test CA"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r index.Response
			if err := r.Parse(delegated(t, c.by, c.amend)); err != nil {
				t.Fatal(err)
			}
			err := j.verifyResponse(&r, &r.Singles[0].CertID)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// delegated is a response by a responder whose certificate, which amend changes, by signs
// in the name of testCA.
func delegated(t *testing.T, by crypto.Signer, amend func(*x509.Certificate)) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "Responder"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning},
		NotBefore: now.AddDate(0, 0, -1), NotAfter: now.AddDate(0, 0, 9),
	}
	amend(template)
	parent := &x509.Certificate{Raw: testCA.Raw, RawSubject: testCA.RawSubject, Subject: testCA.Subject, PublicKey: by.Public(), SubjectKeyId: testCA.SubjectKeyId}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	response, err := ocsp.CreateResponse(testCA.Certificate, cert, ocsp.Response{
		Status: ocsp.Good, SerialNumber: big.NewInt(1), IssuerHash: crypto.SHA1, ThisUpdate: now, NextUpdate: now.AddDate(0, 0, 6), Certificate: cert,
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	return response
}
