package ocsp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"

	"lancre/build/der"
)

// An algorithm is how a key signs.
type algorithm struct {
	id   []byte      // DER AlgorithmIdentifier, octet by octet as BR section 7.1.3.2 gives it
	hash crypto.Hash // 0 where the whole message is signed
}

// The algorithms, one for each kind of key (Ed25519: RFC 8410 section 3).
var (
	rsaSHA256   = algorithm{[]byte(der.MustHex("300d06092a864886f70d01010b0500")), crypto.SHA256}
	ecdsaSHA256 = algorithm{[]byte(der.MustHex("300a06082a8648ce3d040302")), crypto.SHA256}
	ecdsaSHA384 = algorithm{[]byte(der.MustHex("300a06082a8648ce3d040303")), crypto.SHA384}
	ecdsaSHA512 = algorithm{[]byte(der.MustHex("300a06082a8648ce3d040304")), crypto.SHA512}
	pureEd25519 = algorithm{id: []byte(der.MustHex("300506032b6570"))}
)

// minRSA is the shortest RSA modulus, in bits, that BR section 6.1.5 allows.
const minRSA = 2048

func algorithmOf(public crypto.PublicKey) (algorithm, error) {
	switch key := public.(type) {
	case *rsa.PublicKey:
		if n := key.N.BitLen(); n < minRSA {
			return algorithm{}, fmt.Errorf("RSA key of %d bits, want at least %d", n, minRSA)
		}
		return rsaSHA256, nil
	case *ecdsa.PublicKey:
		switch key.Curve { // paired as BR section 7.1.3.2.2 has them
		case elliptic.P256():
			return ecdsaSHA256, nil
		case elliptic.P384():
			return ecdsaSHA384, nil
		case elliptic.P521():
			return ecdsaSHA512, nil
		}
		return algorithm{}, fmt.Errorf("ECDSA key on %s, want P-256, P-384 or P-521", key.Params().Name)
	case ed25519.PublicKey:
		return pureEd25519, nil
	}
	return algorithm{}, fmt.Errorf("key of type %T: want RSA, ECDSA or Ed25519", public)
}
