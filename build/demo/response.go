package demo

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/index"
)

// A signer signs responses.
type signer struct {
	key     crypto.Signer
	keyHash []byte // names the signer: ResponderID byKey
	embed   []byte // its certificate if it is delegated, else nil
}

func explicit(n uint8) asn1.Tag { return asn1.Tag(n).ContextSpecific().Constructed() }

// Sign returns the DER OCSPResponse for c under alg, which must be one of
// ca.Hashes. The ResponderID is byKey, as RFC 9919 section 3.2.2 wants of new
// responders; x/crypto/ocsp makes byName ones only.
func (ca *CA) Sign(c Certificate, alg index.HashAlg) ([]byte, error) {
	id, ok := ca.CertID(c, alg)
	if !ok {
		return nil, fmt.Errorf("hash algorithm %s is not one of this CA's %v", alg, ca.Hashes)
	}
	var tbs cryptobyte.Builder
	tbs.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(explicit(2), func(b *cryptobyte.Builder) { b.AddASN1OctetString(ca.responder.keyHash) })
		b.AddASN1GeneralizedTime(ca.ProducedAt)
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddValue(&id)
				addStatus(b, c)
				b.AddASN1GeneralizedTime(ca.ThisUpdate)
				b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(ca.NextUpdate) })
			})
		})
	})
	signed, err := tbs.Bytes()
	if err != nil {
		return nil, fmt.Errorf("response for serial %x: %w", c.Serial, err)
	}
	signature, err := ca.signature(signed)
	if err != nil {
		return nil, fmt.Errorf("response for serial %x: %w", c.Serial, err)
	}
	return ca.responder.wrap(signed, signature)
}

// Revoke returns the responses, under each of ca.Hashes, that revoke c: a second newer
// than those that Sign makes.
func (ca *CA) Revoke(c Certificate) (all []byte, err error) {
	later := *ca
	later.ProducedAt = ca.ProducedAt.Add(time.Second)
	c.Status, c.RevokedAt, c.Reason = index.Revoked, ca.ProducedAt, 1 // keyCompromise
	for _, alg := range ca.Hashes {
		der, err := later.Sign(c, alg)
		if err != nil {
			return nil, err
		}
		all = append(all, der...)
	}
	return all, nil
}

// CertID is what c is called under alg; ok says whether alg is one of ca.Hashes.
func (ca *CA) CertID(c Certificate, alg index.HashAlg) (id index.CertID, ok bool) {
	id, ok = ca.issuers[alg]
	id.Serial = c.Serial
	return id, ok
}

// addStatus adds a CertStatus, whose alternatives are IMPLICIT (RFC 6960
// section 4.2.1).
func addStatus(b *cryptobyte.Builder, c Certificate) {
	switch c.Status {
	case index.Good:
		b.AddASN1(asn1.Tag(0).ContextSpecific(), func(*cryptobyte.Builder) {})
	case index.Revoked:
		b.AddASN1(explicit(1), func(b *cryptobyte.Builder) {
			b.AddASN1GeneralizedTime(c.RevokedAt)
			if c.Reason != noReason {
				b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(c.Reason)) })
			}
		})
	default:
		b.AddASN1(asn1.Tag(2).ContextSpecific(), func(*cryptobyte.Builder) {})
	}
}

// wrap puts what was signed, the signature and the signer's certificate into an
// OCSPResponse.
func (s *signer) wrap(signed, signature []byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Enum(0) // successful
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(idPKIXOCSPBasic)
				b.AddASN1(asn1.OCTET_STRING, func(b *cryptobyte.Builder) {
					b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddBytes(signed)
						s.addAlgorithm(b)
						b.AddASN1BitString(signature)
						if s.embed != nil {
							b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
								b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(s.embed) })
							})
						}
					})
				})
			})
		})
	})
	return b.Bytes()
}

// addAlgorithm adds the AlgorithmIdentifier of the signature: parameters NULL
// for RSA (RFC 4055 section 5), absent for ECDSA (RFC 5758 section 3.2).
func (s *signer) addAlgorithm(b *cryptobyte.Builder) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if _, isRSA := s.key.(*rsa.PrivateKey); isRSA {
			b.AddASN1ObjectIdentifier(sha256WithRSA)
			b.AddASN1NULL()
			return
		}
		b.AddASN1ObjectIdentifier(ecdsaWithSHA256)
	})
}

func (ca *CA) signature(signed []byte) ([]byte, error) {
	hash := sha256.Sum256(signed)
	if ca.unsigned {
		return ca.responder.random(hash)
	}
	return ca.responder.key.Sign(rand.Reader, hash[:], crypto.SHA256)
}

// random returns octets in the form of a signature, drawn from seed.
func (s *signer) random(seed [32]byte) ([]byte, error) {
	source := mathrand.NewChaCha8(seed)
	if key, isRSA := s.key.(*rsa.PrivateKey); isRSA {
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
