// Package signature verifies signatures as signers here make them.
package signature

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
)

var errWrong = errors.New("the signature is not by the key")

// Verify checks a signature over a digest by hash, or over the message itself where that
// is 0: RSA by PKCS #1 version 1.5, ECDSA in DER, or Ed25519.
func Verify(public crypto.PublicKey, hash crypto.Hash, digest, signature []byte) error {
	good := false
	switch public := public.(type) {
	case *rsa.PublicKey:
		good = rsa.VerifyPKCS1v15(public, hash, digest, signature) == nil
	case *ecdsa.PublicKey:
		good = ecdsa.VerifyASN1(public, digest, signature)
	case ed25519.PublicKey:
		good = ed25519.Verify(public, digest, signature)
	default:
		return fmt.Errorf("a key of type %T, want RSA, ECDSA or Ed25519", public)
	}
	if !good {
		return errWrong
	}
	return nil
}
