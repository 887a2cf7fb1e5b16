package demo

import (
	"crypto"
	"crypto/rsa"
	"fmt"
	"io"
	"math/big"
	mathrand "math/rand/v2"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/index"
	"lancre/sign/ocsp"
)

// Sign returns the DER OCSPResponse for c under alg, which must be one of ca.Hashes.
func (ca *CA) Sign(c Certificate, alg index.HashAlg) ([]byte, error) {
	return ca.sign(ocsp.NewEncoder(ca.responder), nil, c, alg)
}

// sign appends the response for c under alg to dst.
func (ca *CA) sign(e *ocsp.Encoder, dst []byte, c Certificate, alg index.HashAlg) ([]byte, error) {
	moment := index.Moment{ThisUpdate: ca.ThisUpdate.Unix(), ProducedAt: ca.ProducedAt.Unix()}
	a := ocsp.Answer{
		Alg: alg, Serial: c.Serial,
		CertStatus: index.CertStatus{Moment: moment, Status: c.Status, RevokedAt: index.NoTime, Reason: noReason},
		NextUpdate: ca.NextUpdate.Unix(),
	}
	if c.Status == index.Revoked {
		a.RevokedAt, a.Reason = c.RevokedAt.Unix(), c.Reason
	}
	return e.Append(dst, &a)
}

// CertID is what c is called under alg; ok says whether alg is one of ca.Hashes.
func (ca *CA) CertID(c Certificate, alg index.HashAlg) (id index.CertID, ok bool) {
	id = ca.responder.CertID(alg, c.Serial)
	return id, id.Alg == alg
}

// An unsigned key has the public half of another one, and signs by random octets.
type unsigned struct{ crypto.Signer }

// Sign returns octets in the form of a signature, drawn from the digest as a seed.
func (u unsigned) Sign(_ io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	var seed [32]byte
	if n := copy(seed[:], digest); n != len(seed) {
		return nil, fmt.Errorf("digest of %d octets, want %d", n, len(seed))
	}
	source := mathrand.NewChaCha8(seed)
	if key, isRSA := u.Public().(*rsa.PublicKey); isRSA {
		octets := make([]byte, key.Size())
		source.Read(octets)
		return octets, nil
	}
	var scalars [64]byte // r and s of an Ecdsa-Sig-Value (RFC 3279 section 2.2.3)
	source.Read(scalars[:])
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(new(big.Int).SetBytes(scalars[:32]))
		b.AddASN1BigInt(new(big.Int).SetBytes(scalars[32:]))
	})
	return b.Bytes()
}
