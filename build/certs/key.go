package certs

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// Parse reads one DER certificate. It does what crypto/x509 leaves out: a key that is
// for RSA-PSS alone (RFC 4055 section 1.2) becomes the PublicKey, of an unknown
// PublicKeyAlgorithm; and where a key cannot be read, the error names it.
func Parse(der []byte) (*x509.Certificate, error) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		if name := unreadable(der); name != "" {
			err = fmt.Errorf("the key is %s, by which no signature can be verified here: %w", name, err)
		}
		return nil, err
	}
	if PSSParameters(cert) != nil {
		bits, err := KeyBits(cert)
		if err != nil {
			return nil, err
		}
		if cert.PublicKey, err = x509.ParsePKCS1PublicKey(bits); err != nil {
			return nil, fmt.Errorf("key for RSA-PSS of %s: %w", cert.Subject, err)
		}
	}
	return cert, nil
}

// ParseAll reads DER certificates, one after another.
func ParseAll(der []byte) (list []*x509.Certificate, err error) {
	for in := cryptobyte.String(der); len(in) > 0; {
		var element cryptobyte.String
		if !in.ReadASN1Element(&element, tags.SEQUENCE) {
			return nil, errors.New("not a DER SEQUENCE")
		}
		cert, err := Parse(element)
		if err != nil {
			return nil, err
		}
		list = append(list, cert)
	}
	return list, nil
}

var oidPSS = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10} // id-RSASSA-PSS

// PSSParameters is what the AlgorithmIdentifier of cert's key has behind its OID, if
// the key is for RSA-PSS alone: empty if anything goes. It is nil for any other key.
func PSSParameters(cert *x509.Certificate) []byte {
	oid, parameters, ok := keyAlgorithm(cert.RawSubjectPublicKeyInfo)
	if !ok || !oid.Equal(oidPSS) {
		return nil
	}
	return append([]byte{}, parameters...)
}

// keyAlgorithm reads the AlgorithmIdentifier of a DER SubjectPublicKeyInfo.
func keyAlgorithm(spki cryptobyte.String) (oid asn1.ObjectIdentifier, parameters []byte, ok bool) {
	var outer, id cryptobyte.String
	ok = spki.ReadASN1(&outer, tags.SEQUENCE) && outer.ReadASN1(&id, tags.SEQUENCE) && id.ReadASN1ObjectIdentifier(&oid)
	return oid, id, ok
}

// unreadable names the key of a certificate that crypto/x509 cannot read; "" if there
// is none, or it is not why.
func unreadable(der cryptobyte.String) string {
	var cert, tbs, spki cryptobyte.String
	if !der.ReadASN1(&cert, tags.SEQUENCE) || !cert.ReadASN1(&tbs, tags.SEQUENCE) ||
		!tbs.SkipOptionalASN1(tags.Tag(0).ContextSpecific().Constructed()) || !tbs.SkipASN1(tags.INTEGER) {
		return ""
	}
	for range 4 { // signature, issuer, validity, subject
		if !tbs.SkipASN1(tags.SEQUENCE) {
			return ""
		}
	}
	if !tbs.ReadASN1Element(&spki, tags.SEQUENCE) {
		return ""
	}
	oid, parameters, ok := keyAlgorithm(spki)
	if !ok || oid.String() != "1.2.840.10045.2.1" { // id-ecPublicKey: all others are read, or left alone
		return ""
	}
	return "ECDSA on " + curveName(parameters)
}

// curveName names the curve of an ECDSA key by its ECParameters (RFC 5480 section
// 2.1.1).
func curveName(parameters cryptobyte.String) string {
	var oid asn1.ObjectIdentifier
	if !parameters.ReadASN1ObjectIdentifier(&oid) {
		return "a curve that is spelled out"
	}
	if name, ok := curves[oid.String()]; ok {
		return name
	}
	return "the curve " + oid.String()
}

// curves are the names of those that CAs use beside the NIST curves (RFC 5639 section
// 4.1, SEC 2 section A.2), and of those that crypto/x509 reads.
var curves = map[string]string{
	"1.2.840.10045.3.1.7": "P-256", "1.3.132.0.33": "P-224", "1.3.132.0.34": "P-384", "1.3.132.0.35": "P-521",
	"1.2.840.10045.3.1.1": "P-192", "1.3.132.0.10": "secp256k1", "1.2.156.10197.1.301": "SM2",
	"1.3.36.3.3.2.8.1.1.1": "brainpoolP160r1", "1.3.36.3.3.2.8.1.1.2": "brainpoolP160t1",
	"1.3.36.3.3.2.8.1.1.3": "brainpoolP192r1", "1.3.36.3.3.2.8.1.1.4": "brainpoolP192t1",
	"1.3.36.3.3.2.8.1.1.5": "brainpoolP224r1", "1.3.36.3.3.2.8.1.1.6": "brainpoolP224t1",
	"1.3.36.3.3.2.8.1.1.7": "brainpoolP256r1", "1.3.36.3.3.2.8.1.1.8": "brainpoolP256t1",
	"1.3.36.3.3.2.8.1.1.9": "brainpoolP320r1", "1.3.36.3.3.2.8.1.1.10": "brainpoolP320t1",
	"1.3.36.3.3.2.8.1.1.11": "brainpoolP384r1", "1.3.36.3.3.2.8.1.1.12": "brainpoolP384t1",
	"1.3.36.3.3.2.8.1.1.13": "brainpoolP512r1", "1.3.36.3.3.2.8.1.1.14": "brainpoolP512t1",
}

// KeyName names the key of cert for people, with its OID if it is of a kind that is
// not known here.
func KeyName(cert *x509.Certificate) string {
	switch {
	case cert.PublicKeyAlgorithm != x509.UnknownPublicKeyAlgorithm:
		return cert.PublicKeyAlgorithm.String()
	case isRSA(cert.PublicKey):
		return "RSA for RSA-PSS alone"
	}
	oid, _, _ := keyAlgorithm(cert.RawSubjectPublicKeyInfo)
	return NameOID(oid)
}

func isRSA(key any) bool {
	_, ok := key.(*rsa.PublicKey)
	return ok
}

// NameOID names an algorithm of keys or signatures that cannot be verified here.
func NameOID(oid asn1.ObjectIdentifier) string {
	text := oid.String()
	if name, ok := strangers[text]; ok {
		return name + " (" + text + ")"
	}
	return text
}

// strangers are names of algorithms that cannot be verified here, and of hashes: RFC
// 8410 section 3, RFC 9881, RFC 9909, RFC 5758, RFC 9215 and what NIST registered.
var strangers = map[string]string{
	"1.3.14.3.2.26": "SHA-1", "2.16.840.1.101.3.4.2.4": "SHA-224",
	"2.16.840.1.101.3.4.2.1": "SHA-256", "2.16.840.1.101.3.4.2.2": "SHA-384", "2.16.840.1.101.3.4.2.3": "SHA-512",
	"2.16.840.1.101.3.4.2.8": "SHA3-256", "2.16.840.1.101.3.4.2.9": "SHA3-384", "2.16.840.1.101.3.4.2.10": "SHA3-512",
	"1.3.101.112": "Ed25519", "1.3.101.113": "Ed448", "1.3.101.110": "X25519", "1.3.101.111": "X448",
	"2.16.840.1.101.3.4.3.17": "ML-DSA-44", "2.16.840.1.101.3.4.3.18": "ML-DSA-65", "2.16.840.1.101.3.4.3.19": "ML-DSA-87",
	"2.16.840.1.101.3.4.3.20": "SLH-DSA-SHA2-128s", "2.16.840.1.101.3.4.3.21": "SLH-DSA-SHA2-128f",
	"1.2.840.10040.4.1": "DSA", "2.16.840.1.101.3.4.3.1": "DSA with SHA-224", "2.16.840.1.101.3.4.3.2": "DSA with SHA-256",
	"1.2.840.10045.4.3.1": "ECDSA with SHA-224", "1.2.840.113549.1.1.14": "RSA with SHA-224",
	"1.2.840.113549.1.1.15": "RSA with SHA-512/224", "1.2.840.113549.1.1.16": "RSA with SHA-512/256",
	"2.16.840.1.101.3.4.3.10": "ECDSA with SHA3-256", "2.16.840.1.101.3.4.3.11": "ECDSA with SHA3-384", "2.16.840.1.101.3.4.3.12": "ECDSA with SHA3-512",
	"2.16.840.1.101.3.4.3.14": "RSA with SHA3-256", "2.16.840.1.101.3.4.3.15": "RSA with SHA3-384", "2.16.840.1.101.3.4.3.16": "RSA with SHA3-512",
	"1.3.6.1.5.5.7.6.30": "RSA-PSS with SHAKE128", "1.3.6.1.5.5.7.6.31": "RSA-PSS with SHAKE256",
	"1.3.6.1.5.5.7.6.32": "ECDSA with SHAKE128", "1.3.6.1.5.5.7.6.33": "ECDSA with SHAKE256",
	"1.2.643.7.1.1.3.2": "GOST R 34.10-2012 with 256 bits", "1.2.643.7.1.1.3.3": "GOST R 34.10-2012 with 512 bits",
	"1.2.156.10197.1.501": "SM2 with SM3",
}
