// Package certs reads CA certificates from files and makes from them what OCSP
// calls their certificates by.
package certs

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/der"
	"lancre/index"
)

// ReadFile reads the certificates in a file: PEM or DER, at least one. PEM blocks
// that are not certificates are refused, private keys among them.
func ReadFile(name string) ([]*x509.Certificate, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	certs, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return certs, nil
}

var pemBegin = []byte("-----BEGIN ")

func parse(data []byte) ([]*x509.Certificate, error) {
	if len(data) == 0 {
		return nil, errors.New("file is empty, want a certificate in PEM or DER")
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // which some editors begin a text with
	octets := data
	if bytes.Contains(data, pemBegin) {
		var err error
		if octets, err = decodePEM(data); err != nil {
			return nil, err
		}
	}
	certs, err := ParseAll(octets)
	if err != nil {
		switch kind := der.KindOf(octets); kind {
		case der.Certificate, der.Unknown:
		case der.CMS:
			return nil, fmt.Errorf("this is %s, not a certificate: take the certificates out by openssl pkcs7 -inform DER -in FILE -print_certs -out FILE", kind)
		default:
			return nil, fmt.Errorf("this is %s, not a certificate", kind)
		}
		return nil, fmt.Errorf("not a certificate in PEM or DER: %w", err)
	}
	return certs, nil
}

// pemRemedies say what to do about blocks that are no certificates.
var pemRemedies = map[string]string{
	"PKCS7": ": take them out by openssl pkcs7 -in FILE -print_certs -out FILE",
	"CMS":   ": take them out by openssl pkcs7 -in FILE -print_certs -out FILE",
}

func decodePEM(data []byte) (octets []byte, err error) {
	for bytes.Contains(data, pemBegin) {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return nil, errors.New("PEM cannot be decoded")
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("PEM block of %q among the certificates%s", block.Type, pemRemedies[block.Type])
		}
		octets = append(octets, block.Bytes...)
	}
	return octets, nil
}

// KeyBits is what key hashes are made of: the bits of cert's subjectPublicKey,
// without tag, length and unused-bits octet (RFC 6960 section 4.1.1). It aliases
// cert.
func KeyBits(cert *x509.Certificate) ([]byte, error) {
	spki := cryptobyte.String(cert.RawSubjectPublicKeyInfo)
	var seq, bits cryptobyte.String
	if !spki.ReadASN1(&seq, asn1.SEQUENCE) || !seq.SkipASN1(asn1.SEQUENCE) ||
		!seq.ReadASN1(&bits, asn1.BIT_STRING) || len(bits) < 2 || bits[0] != 0 {
		return nil, fmt.Errorf("subjectPublicKey of %s is not a BIT STRING of whole octets", cert.Subject)
	}
	return bits[1:], nil
}

// ID is the CertID under alg of the certificate with that serial, the content
// octets of a DER INTEGER, that issuer issued. It aliases serial.
func ID(issuer *x509.Certificate, alg index.HashAlg, serial []byte) (index.CertID, error) {
	return NamedID(issuer.RawSubject, issuer, alg, serial)
}

// NamedID is ID where certificates spell the issuer's name as name, in DER.
func NamedID(name []byte, issuer *x509.Certificate, alg index.HashAlg, serial []byte) (index.CertID, error) {
	bits, err := KeyBits(issuer)
	if err != nil {
		return index.CertID{}, err
	}
	return index.CertID{Alg: alg, NameHash: digest(alg, name), KeyHash: digest(alg, bits), Serial: serial}, nil
}

func digest(alg index.HashAlg, data []byte) []byte {
	h := alg.Hash().New()
	h.Write(data)
	return h.Sum(nil)
}

// Serial is the content octets of n, which is not negative, as a DER INTEGER.
func Serial(n *big.Int) []byte {
	b := n.Bytes()
	if len(b) == 0 || b[0] >= 0x80 {
		b = append([]byte{0}, b...) // the sign
	}
	return b
}
