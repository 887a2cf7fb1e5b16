package key

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256" // for Hash.New
	_ "crypto/sha512"
	"fmt"

	"lancre/build/der"
)

// An Algorithm is what a key signs by: the one that BR section 7.1.3.2 pairs it with, or
// Ed25519 (RFC 8410), which public CAs must not use.
type Algorithm struct {
	ID   string      // AlgorithmIdentifier in DER, octet for octet as BR section 7.1.3.2 has it
	Hash crypto.Hash // 0 for Ed25519, which signs messages
}

var (
	rsaSHA256   = Algorithm{der.MustHex("300d06092a864886f70d01010b0500"), crypto.SHA256}
	ecdsaSHA256 = Algorithm{der.MustHex("300a06082a8648ce3d040302"), crypto.SHA256}
	ecdsaSHA384 = Algorithm{der.MustHex("300a06082a8648ce3d040303"), crypto.SHA384}
	ecdsaSHA512 = Algorithm{der.MustHex("300a06082a8648ce3d040304"), crypto.SHA512}
	pureEd25519 = Algorithm{der.MustHex("300506032b6570"), 0}
)

// minRSA is the shortest RSA modulus, in bits, that BR section 6.1.5 allows.
const minRSA = 2048

// AlgorithmOf is what a key signs by, given its public half.
func AlgorithmOf(public crypto.PublicKey) (Algorithm, error) {
	switch public := public.(type) {
	case *rsa.PublicKey:
		if n := public.N.BitLen(); n < minRSA {
			return Algorithm{}, fmt.Errorf("an RSA key of %d bits, want at least %d", n, minRSA)
		}
		return rsaSHA256, nil
	case *ecdsa.PublicKey:
		switch public.Curve {
		case elliptic.P256():
			return ecdsaSHA256, nil
		case elliptic.P384():
			return ecdsaSHA384, nil
		case elliptic.P521():
			return ecdsaSHA512, nil
		}
		return Algorithm{}, fmt.Errorf("an ECDSA key on %s, want P-256, P-384 or P-521", public.Params().Name)
	case ed25519.PublicKey:
		return pureEd25519, nil
	}
	return Algorithm{}, fmt.Errorf("a key of type %T, want RSA, ECDSA or Ed25519", public)
}
