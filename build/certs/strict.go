package certs

import (
	"crypto/x509"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/der"
	"lancre/index"
)

// Strict says what is wrong with the encoding of cert where crypto/x509 does not look:
// behind the last element, at an Extensions without any, and behind and inside the
// values of extensions. Other parsers refuse it.
func Strict(cert *x509.Certificate) (flaws der.Flaws, err error) {
	list, err := extensions(cert.Raw)
	if err != nil || list == nil {
		return flaws, err
	}
	err = der.WalkExtensions(list, &flaws, func(e *index.Extension) error {
		if fault := der.ValueFault(e.OID, e.Value); fault != "" {
			return fmt.Errorf("the value of the extension with the OID octets %x %s", e.OID, fault)
		}
		return nil
	})
	return flaws, err
}

// extensions is the content of the Extensions of a certificate (RFC 5280 section 4.1),
// nil if there are none:
//
//	Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue BIT STRING }
//
//	TBSCertificate ::= SEQUENCE {
//	    version [0] EXPLICIT, serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo,
//	    issuerUniqueID [1] OPTIONAL, subjectUniqueID [2] OPTIONAL, extensions [3] EXPLICIT OPTIONAL }
func extensions(raw []byte) ([]byte, error) {
	in := cryptobyte.String(raw)
	var cert, tbs, explicit, list cryptobyte.String
	if !in.ReadASN1(&cert, asn1.SEQUENCE) || !in.Empty() || !cert.ReadASN1(&tbs, asn1.SEQUENCE) ||
		!cert.SkipASN1(asn1.SEQUENCE) || !cert.SkipASN1(asn1.BIT_STRING) || !cert.Empty() {
		return nil, errors.New("not a SEQUENCE of TBSCertificate, AlgorithmIdentifier and BIT STRING alone")
	}
	const version, issuerID, subjectID, extensions = der.Tag0, asn1.Tag(0x81), asn1.Tag(0x82), asn1.Tag(0xa3)
	var has bool
	if !tbs.SkipOptionalASN1(version) || !tbs.SkipASN1(asn1.INTEGER) || !tbs.SkipASN1(asn1.SEQUENCE) ||
		!tbs.SkipASN1(asn1.SEQUENCE) || !tbs.SkipASN1(asn1.SEQUENCE) || !tbs.SkipASN1(asn1.SEQUENCE) || !tbs.SkipASN1(asn1.SEQUENCE) ||
		!tbs.SkipOptionalASN1(issuerID) || !tbs.SkipOptionalASN1(subjectID) ||
		!tbs.ReadOptionalASN1(&explicit, &has, extensions) || !tbs.Empty() {
		return nil, errors.New("TBSCertificate has something else where Extensions can be")
	}
	if has && (!explicit.ReadASN1(&list, asn1.SEQUENCE) || !explicit.Empty()) {
		return nil, errors.New("extensions is not one SEQUENCE")
	}
	return list, nil
}
