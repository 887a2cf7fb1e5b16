//go:build cgo

package main

import (
	"crypto"
	"crypto/sha256"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"lancre/internal/softhsm"
	"lancre/sign/key"
)

// BenchmarkSoftHSM is what a parent gets from lancre-pkcs11 that asks for so many
// signatures at a time, the last of which is what lancre sign asks for, by as many sessions,
// up to the 16 that lancre-pkcs11 has; beside it, as x/raw, what a loop of C_Sign by as many
// threads and sessions gives in turn with it.
func BenchmarkSoftHSM(b *testing.B) {
	b.Setenv(actsAs, "main")
	for name, n := range map[string]int{"RSA": 1_000, "P-256": 10_000} {
		token := softhsm.New(b)
		token.Import(b, keys()[name], labelOf, "01")
		for _, atATime := range []int{1, 4, 16, 128} {
			b.Run(fmt.Sprintf("%s/%d", name, atATime), func(b *testing.B) {
				sessions := min(atATime, 16)
				held, err := open(&options{module: token.Module, label: labelOf, pinFile: token.PINFile, sessions: sessions})
				if err != nil {
					b.Fatal(err)
				}
				defer held.close()
				k, err := key.Open(spec(token, fmt.Sprintf("--label key --sessions %d", sessions)), key.Options{Log: os.Stderr})
				if err != nil {
					b.Fatal(err)
				}
				defer k.Close()
				var raw, asked time.Duration
				for b.Loop() {
					raw += signMany(b, held, n, sessions)
					asked += signMany(b, k, n, atATime)
				}
				b.ReportMetric(float64(b.N*n)/asked.Seconds(), "signatures/s")
				b.ReportMetric(float64(b.N*n)/raw.Seconds(), "raw/s")
				b.ReportMetric(raw.Seconds()/asked.Seconds(), "x/raw")
			})
		}
	}
}

// signMany makes n signatures, so many at a time, and says how long that took.
func signMany(b *testing.B, signer crypto.Signer, n, atATime int) time.Duration {
	digest := sha256.Sum256([]byte(message))
	work := make(chan struct{}, n)
	for range n {
		work <- struct{}{}
	}
	close(work)
	began := time.Now()
	var callers sync.WaitGroup
	for range atATime {
		callers.Go(func() {
			for range work {
				if _, err := signer.Sign(nil, digest[:], crypto.SHA256); err != nil {
					b.Error(err)
				}
			}
		})
	}
	callers.Wait()
	return time.Since(began)
}
