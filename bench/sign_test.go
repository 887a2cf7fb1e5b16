package bench

import (
	"bufio"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lancre/index"
	"lancre/sign"
	"lancre/sign/certificates"
)

// BenchmarkSign is a whole run of lancre sign ocsp, from a CSV file to chunks on disk, with
// a key in memory on all cores; beside it, as x/raw, what the key signs of digests in the
// same time. It signs for one in a hundred of LANCRE_BENCH_RECORDS certificates, by RSA for
// one in 2,000.
func BenchmarkSign(b *testing.B) {
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	rsa2048, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	for _, kind := range []struct {
		name string
		key  crypto.Signer
		n    int
	}{{"p256", p256, int(records() / 100)}, {"rsa2048", rsa2048, int(records() / 2000)}} {
		b.Run(kind.name, func(b *testing.B) {
			dir := b.TempDir()
			c := sign.DefaultConfig()
			c.Hashes, c.Key, c.NoStore, c.Store = []index.HashAlg{index.SHA1}, kind.key, true, filepath.Join(dir, "none")
			c.Issuer, c.List = writeIssuer(b, dir, kind.key), certificates.List{Source: writeCertificates(b, dir, kind.n, 50), Serial: certificates.Hex}
			var raw, whole time.Duration
			for i := 0; b.Loop(); i++ {
				raw += signRaw(b, kind.key, kind.n)
				c.Out = filepath.Join(dir, fmt.Sprint(i))
				if err := os.Mkdir(c.Out, 0o755); err != nil {
					b.Fatal(err)
				}
				began := time.Now()
				report, err := sign.Run(b.Context(), c)
				if err != nil || report.Signed != uint64(kind.n) {
					b.Fatalf("%+v, %v", report, err)
				}
				whole += time.Since(began)
			}
			perSecond(b, uint64(b.N*kind.n), "responses", whole)
			perSecond(b, uint64(b.N*kind.n), "raw", raw)
			b.ReportMetric(raw.Seconds()/whole.Seconds(), "x/raw")
		})
	}
}

// signRaw signs n digests on all cores.
func signRaw(b *testing.B, key crypto.Signer, n int) time.Duration {
	var done atomic.Int64
	var group sync.WaitGroup
	began := time.Now()
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			digest := sha256.Sum256([]byte("any"))
			for done.Add(1) <= int64(n) {
				if _, err := key.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
					b.Error(err)
				}
			}
		})
	}
	group.Wait()
	return time.Since(began)
}

func writeIssuer(b *testing.B, dir string, key crypto.Signer) (name string) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, BasicConstraintsValid: true, IsCA: true,
		KeyUsage:  x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
		NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: time.Now().AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		b.Fatal(err)
	}
	name = filepath.Join(dir, "ca.der")
	if err := os.WriteFile(name, der, 0o600); err != nil {
		b.Fatal(err)
	}
	return name
}

// writeCertificates writes a list of n certificates, one in so many of them revoked.
func writeCertificates(b *testing.B, dir string, n, revokedEvery int) (name string) {
	name = filepath.Join(dir, "all.csv")
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "serial,status,not_after,revoked_at,reason")
	for i := range n {
		serial := sha256.Sum256([]byte(fmt.Sprint(i)))
		serial[0] |= 0x40
		if i%revokedEvery == 0 {
			fmt.Fprintf(w, "%x,revoked,2096-01-01T00:00:00Z,2026-01-01T00:00:00Z,1\n", serial[:18])
		} else {
			fmt.Fprintf(w, "%x,good,2096-01-01T00:00:00Z,,\n", serial[:18])
		}
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	return name
}
