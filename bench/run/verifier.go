package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"lancre/index"
)

// A verifier does of a build what it cannot do without: verifying signatures.
type verifier struct {
	key       crypto.PublicKey
	responses []index.Response
}

// verified is how many different signatures it goes through.
const verified = 1000

func newVerifier(c *corpus) (*verifier, error) {
	v := &verifier{key: c.CA.Issuer.PublicKey}
	if c.CA.Responder != nil {
		v.key = c.CA.Responder.PublicKey
	}
	bodies, err := c.bodies(c.sample(verified))
	if err != nil {
		return nil, err
	}
	v.responses = make([]index.Response, len(bodies))
	for i, der := range bodies {
		if err := v.responses[i].Parse(der); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// rate is signatures a second, all cores verifying for the duration d.
func (v *verifier) rate(d time.Duration) (float64, error) {
	var done atomic.Uint64
	var bad atomic.Bool
	var wg sync.WaitGroup
	began := time.Now()
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			n := 0
			for ; time.Since(began) < d; n++ {
				if v.verify(&v.responses[n%len(v.responses)]) != nil {
					bad.Store(true)
				}
			}
			done.Add(uint64(n))
		})
	}
	wg.Wait()
	if bad.Load() {
		return 0, errors.New("a signature of the corpus does not verify")
	}
	return float64(done.Load()) / time.Since(began).Seconds(), nil
}

func (v *verifier) verify(r *index.Response) error {
	digest := sha256.Sum256(r.TBS)
	switch key := v.key.(type) {
	case *ecdsa.PublicKey:
		if !ecdsa.VerifyASN1(key, digest[:], r.Signature) {
			return errors.New("wrong signature")
		}
		return nil
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], r.Signature)
	}
	return fmt.Errorf("a key of type %T", v.key)
}
