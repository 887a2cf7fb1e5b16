package e2e

import (
	"crypto"
	"crypto/tls"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"lancre/internal/ocsptest"
	"lancre/internal/programs"
)

// serveExpired issues expired.pem and serves a response that says it is good, but
// whose nextUpdate has passed. The store was built when it had not.
func serveExpired(t *testing.T, a *authority) *programs.Daemon {
	t.Helper()
	a.issue(t, "expired", "leaf")
	nextUpdate := time.Now().Truncate(time.Minute)
	a.signGood(t, "expired", nextUpdate)
	a.sh(t, `
		lancre build --out expired.store --issuer ca.pem --responses expired.resp --at $AT
	`, "AT="+nextUpdate.Add(-time.Second).UTC().Format(time.RFC3339))
	return programs.Start(t, filepath.Join(a.dir, "expired.store"))
}

// signGood signs NAME.resp for the hour before nextUpdate. openssl cannot: its
// thisUpdate is always now. producedAt is the present minute.
func (a *authority) signGood(t *testing.T, cert string, nextUpdate time.Time) {
	t.Helper()
	ca := a.keyPair(t, "ca")
	der := ocsptest.CA{Certificate: ca.Leaf, Key: ca.PrivateKey.(crypto.Signer)}.Sign(ocsp.Response{
		SerialNumber: a.keyPair(t, cert).Leaf.SerialNumber,
		ThisUpdate:   nextUpdate.Add(-time.Hour),
		NextUpdate:   nextUpdate,
	})
	if err := os.WriteFile(filepath.Join(a.dir, cert+".resp"), der, 0o644); err != nil {
		t.Fatal(err)
	}
}

// keyPair reads NAME.pem and NAME.key.
func (a *authority) keyPair(t *testing.T, cert string) tls.Certificate {
	t.Helper()
	name := filepath.Join(a.dir, cert)
	pair, err := tls.LoadX509KeyPair(name+".pem", name+".key")
	if err != nil {
		t.Fatal(err)
	}
	return pair
}
