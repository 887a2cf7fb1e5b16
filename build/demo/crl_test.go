package demo

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lancre/index"
	"lancre/internal/programs"
)

func TestCRLListsTheRevoked(t *testing.T) {
	ca := newCA(t, Options{})
	for _, n := range []uint64{1, 2, 500} {
		der, err := ca.CRL(n)
		if err != nil {
			t.Fatal(err)
		}
		crl, err := x509.ParseRevocationList(der)
		if err != nil {
			t.Fatal(err)
		}
		if err := crl.CheckSignatureFrom(ca.Issuer); err != nil {
			t.Error(err)
		}
		if !crl.ThisUpdate.Equal(ca.ThisUpdate) || !crl.NextUpdate.Equal(ca.NextUpdate) || crl.Number.Int64() != at.Unix() {
			t.Errorf("thisUpdate %v, nextUpdate %v, number %v", crl.ThisUpdate, crl.NextUpdate, crl.Number)
		}
		entries := crl.RevokedCertificateEntries
		for i := range n {
			c := ca.Certificate(i)
			if c.Status != index.Revoked {
				continue
			}
			if len(entries) == 0 {
				t.Fatalf("of %d: serial %x is not listed", n, c.Serial)
			}
			e := entries[0]
			if e.SerialNumber.Cmp(new(big.Int).SetBytes(c.Serial)) != 0 || !e.RevocationTime.Equal(c.RevokedAt) || e.ReasonCode != max(c.Reason, 0) {
				t.Errorf("entry %v, want %+v", e, c)
			}
			entries = entries[1:]
		}
		if len(entries) != 0 {
			t.Errorf("of %d: %d entries that are not revoked", n, len(entries))
		}
	}
}

// The issuing distribution point, spelled out:
// SEQUENCE { [0] { [0] { [6] "http://c.demo.test/1.crl" } } }.
func TestCRLNamesWhereItIsPublished(t *testing.T) {
	der, err := newCA(t, Options{}).CRL(1)
	if err != nil {
		t.Fatal(err)
	}
	crl, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := hex.DecodeString("301e" + "a01c" + "a01a" + "8618" + hex.EncodeToString([]byte("http://c.demo.test/1.crl")))
	for _, e := range crl.Extensions {
		if e.Id.String() == "2.5.29.28" {
			if !e.Critical || !bytes.Equal(e.Value, want) {
				t.Errorf("critical %v, value %x, want true, %x", e.Critical, e.Value, want)
			}
			return
		}
	}
	t.Error("the CRL has no issuing distribution point")
}

func TestOpenSSLVerifiesTheCRL(t *testing.T) {
	programs.Need(t, "openssl")
	ca := newCA(t, Options{At: time.Now()})
	der, err := ca.CRL(100)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	issuer, file := filepath.Join(dir, "issuer.pem"), filepath.Join(dir, "1.crl")
	writePEM(t, issuer, ca.Issuer)
	if err := os.WriteFile(file, der, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("openssl", "crl", "-inform", "DER", "-in", file, "-CAfile", issuer, "-noout", "-text").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "verify OK") || strings.Count(string(out), "Serial Number:") != 2 {
		t.Errorf("openssl crl: %v\n%s", err, out)
	}
}
