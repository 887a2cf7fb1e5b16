package ca

import (
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/certs"
)

// Verify checks that signature is by the key of s, over signed, with the algorithm a.
func (s *Signer) Verify(a Algorithm, signed, signature []byte) error {
	if s.Unfit != "" {
		return errors.New(s.Unfit)
	}
	key, ok := s.Cert.PublicKey.(*rsa.PublicKey)
	if !ok || !a.pss() {
		if ok && s.pss != nil {
			return fmt.Errorf("signature is %s, but the key is for RSA-PSS alone", a)
		}
		return s.Cert.CheckSignature(a.X509, signed, signature)
	}
	if s.pss != nil && s.pss.X509 != 0 && (a.X509 != s.pss.X509 || a.Salt < s.pss.Salt) {
		return fmt.Errorf("signature is %s, but the key is for %s or a longer salt", a, s.pss)
	}
	hash := a.hash()
	h := hash.New()
	h.Write(signed)
	// A SaltLength of 0 has crypto/rsa find the length out by itself: the signature is
	// verified, its salt not measured.
	return rsa.VerifyPSS(key, hash, h.Sum(nil), signature, &rsa.PSSOptions{SaltLength: a.Salt})
}

// Issued checks that cert is signed by the key of s.
func (s *Signer) Issued(cert *x509.Certificate) error {
	in := cryptobyte.String(cert.Raw)
	var outer, id cryptobyte.String
	if !in.ReadASN1(&outer, asn1.SEQUENCE) || !outer.SkipASN1(asn1.SEQUENCE) || !outer.ReadASN1Element(&id, asn1.SEQUENCE) {
		return errors.New("no certificate")
	}
	a, err := ParseAlgorithm(id)
	if err != nil {
		return err
	}
	return s.Verify(a, cert.RawTBSCertificate, cert.Signature)
}

// pssKey is what the key of cert allows, if it is for RSA-PSS alone: with the zero
// Algorithm if any parameters go; nil for any other key.
func pssKey(cert *x509.Certificate) (*Algorithm, error) {
	parameters := certs.PSSParameters(cert)
	if len(parameters) == 0 {
		if parameters == nil {
			return nil, nil
		}
		return new(Algorithm), nil
	}
	a, err := parsePSS(parameters)
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", cert.Subject, err)
	}
	return &a, nil
}
