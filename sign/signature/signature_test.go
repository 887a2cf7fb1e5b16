package signature

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"testing"

	"lancre/internal/signtest"
)

// A signature is good over what was signed, and over nothing else, and by no other key.
func TestVerify(t *testing.T) {
	digest := sha256.Sum256([]byte("a message"))
	for name, key := range map[string]crypto.Signer{"RSA": signtest.RSA(), "P-256": signtest.P256(), "P-384": signtest.P384(), "Ed25519": signtest.Ed25519()} {
		hash := crypto.SHA256
		if name == "Ed25519" {
			hash = 0 // the digest is the message
		}
		made, err := key.Sign(rand.Reader, digest[:], hash)
		if err != nil {
			t.Fatal(err)
		}
		if err := Verify(key.Public(), hash, digest[:], made); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i := range made {
			made[i] ^= 1
			if Verify(key.Public(), hash, digest[:], made) == nil {
				t.Errorf("%s: octet %d of the signature does not matter", name, i)
			}
			made[i] ^= 1
		}
		other := digest
		other[0] ^= 1
		if Verify(key.Public(), hash, other[:], made) == nil || Verify(signtest.Other().Public(), hash, digest[:], made) == nil {
			t.Errorf("%s: another digest or another key is as good", name)
		}
	}
	if Verify("no key", 0, nil, nil) == nil {
		t.Error("no key verifies")
	}
}
