package bench

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"path/filepath"
	"testing"

	"lancre/sign/certificates"
	"lancre/sign/crls"
)

// BenchmarkSignCRL is a whole run of lancre sign crl, from a CSV file with a million
// revoked certificates to the CRL on disk: the first, and one that has a CRL before.
func BenchmarkSignCRL(b *testing.B) {
	const n = 1_000_000
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	c := crls.DefaultConfig()
	c.Issuer, c.Key, c.URL, c.Every = writeIssuer(b, dir, key), key, "http://c.example.org/1.crl", 0
	c.List = certificates.List{Source: writeCertificates(b, dir, n, 1), Serial: certificates.Hex}
	for _, first := range []bool{true, false} {
		b.Run(map[bool]string{true: "first", false: "next"}[first], func(b *testing.B) {
			c.Static = b.TempDir()
			for b.Loop() {
				if first {
					c.Static = filepath.Join(b.TempDir(), "www")
				}
				report, err := crls.Run(b.Context(), c)
				if err != nil || len(report.Made) != 1 || report.Made[0].Entries != n {
					b.Fatalf("%+v, %v", report, err)
				}
			}
		})
	}
}
