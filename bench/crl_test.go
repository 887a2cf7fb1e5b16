package bench

import (
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// BenchmarkSignCRL is lancre sign crl, from a CSV file with a million revoked certificates
// to the CRL on disk: the first, and one that has a CRL before. anon is the most anonymous
// memory it has.
func BenchmarkSignCRL(b *testing.B) {
	const n = 1_000_000
	dir := b.TempDir()
	args := append([]string{"sign", "crl", "--every", "0s", "--url", "http://c.example.org/1.crl", "--serial", "hex", "--certificates", writeCertificates(b, dir, n, 1)}, newIssuer(b, dir)...)
	lancre := filepath.Join(built(b), "lancre")
	for _, first := range []bool{true, false} {
		b.Run(map[bool]string{true: "first", false: "next"}[first], func(b *testing.B) {
			static := b.TempDir()
			if !first {
				run(b, lancre, slices.Concat(args, []string{"--static", static})...)
			}
			var cpu time.Duration
			var anon int64
			for b.Loop() {
				if first {
					static = filepath.Join(b.TempDir(), "www")
				}
				took, held := run(b, lancre, slices.Concat(args, []string{"--static", static})...)
				cpu, anon = cpu+took, max(anon, held)
			}
			b.ReportMetric(cpu.Seconds()/float64(b.N), "cpu-s/op")
			b.ReportMetric(float64(anon), "anon-B")
		})
	}
}
