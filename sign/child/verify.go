package child

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"fmt"
)

// sampled is of how many signatures that are dear to verify one is: the first of every
// session and each 64th after it. Verifying ECDSA takes twice as long as signing does,
// RSA a twentieth; and whoever publishes verifies all.
const sampled = 64

// signsWhole reports whether the key of public signs messages, not digests.
func signsWhole(public crypto.PublicKey) bool {
	_, ok := public.(ed25519.PublicKey)
	return ok
}

// mustVerify reports whether signature number n of a session, from 0, is to be verified.
// All by RSA are: one that went wrong in a CRT computation tells the key to who sees it
// (Boneh, DeMillo, Lipton 1997).
func mustVerify(public crypto.PublicKey, n uint64) bool {
	_, isRSA := public.(*rsa.PublicKey)
	return isRSA || n%sampled == 0
}

// checkKey checks that a key is of a kind that this protocol has.
func checkKey(public crypto.PublicKey) error {
	switch public.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey:
		return nil
	}
	return fmt.Errorf("a key of type %T, want RSA, ECDSA or Ed25519", public)
}
