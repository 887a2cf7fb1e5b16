//go:build cgo

package main

import (
	"crypto"
	"crypto/sha256"
	"fmt"
	"os"
	"sync"
	"testing"

	"lancre/internal/softhsm"
	"lancre/sign/key"
)

// BenchmarkSoftHSM compares what a loop of C_Sign gives with what a parent gets from
// lancre-pkcs11, as many signatures at a time.
func BenchmarkSoftHSM(b *testing.B) {
	for _, name := range []string{"RSA", "P-256"} {
		token := softhsm.New(b)
		token.Import(b, keys()[name], labelOf, "01")
		for _, atATime := range []int{1, 4, 16} {
			b.Run(fmt.Sprintf("C_Sign/%s/%d", name, atATime), func(b *testing.B) {
				held, err := open(&options{module: token.Module, label: labelOf, pinFile: token.PINFile, sessions: atATime})
				if err != nil {
					b.Fatal(err)
				}
				defer held.close()
				signMany(b, held, atATime)
			})
			b.Run(fmt.Sprintf("exec/%s/%d", name, atATime), func(b *testing.B) {
				b.Setenv(actsAs, "main")
				k, err := key.Open(spec(token, fmt.Sprintf("--label key --sessions %d", atATime)), key.Options{Log: os.Stderr})
				if err != nil {
					b.Fatal(err)
				}
				defer k.Close()
				signMany(b, k, atATime)
			})
		}
	}
}

// signMany makes b.N signatures, so many at a time.
func signMany(b *testing.B, signer crypto.Signer, atATime int) {
	digest := sha256.Sum256([]byte(message))
	work := make(chan struct{})
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
	b.ResetTimer()
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	callers.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "signatures/s")
}
