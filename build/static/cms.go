package static

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/certs"
	"lancre/build/der"
)

var oidSignedData = []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02} // id-signedData

// parseCertsOnly returns the certificates, at least one, of a DER "certs-only" CMS
// message (RFC 5280 section 4.2.2.1, RFC 5652 section 5.1), which nobody signed and
// which holds nothing else:
//
//	ContentInfo ::= SEQUENCE { contentType id-signedData, content [0] EXPLICIT SignedData }
//
//	SignedData ::= SEQUENCE {
//	    version           CMSVersion,
//	    digestAlgorithms  SET OF AlgorithmIdentifier,
//	    encapContentInfo  SEQUENCE { eContentType OBJECT IDENTIFIER, eContent [0] OPTIONAL },
//	    certificates      [0] IMPLICIT CertificateSet OPTIONAL,
//	    crls              [1] IMPLICIT RevocationInfoChoices OPTIONAL,
//	    signerInfos       SET OF SignerInfo }
func parseCertsOnly(data []byte) ([]*x509.Certificate, error) {
	in := cryptobyte.String(data)
	var info, oid, explicit, signed cryptobyte.String
	if !in.ReadASN1(&info, asn1.SEQUENCE) || !in.Empty() || !info.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) {
		return nil, errors.New("not one DER ContentInfo")
	}
	if !bytes.Equal(oid, oidSignedData) {
		return nil, fmt.Errorf("contentType is not id-signedData (OID octets %.40x)", []byte(oid))
	}
	if !info.ReadASN1(&explicit, der.Tag0) || !info.Empty() || !explicit.ReadASN1(&signed, asn1.SEQUENCE) || !explicit.Empty() {
		return nil, errors.New("content is not one DER SignedData")
	}
	var encap, set, crls, signers cryptobyte.String
	var hasCerts, hasCRLs bool
	if !signed.SkipASN1(asn1.INTEGER) || !signed.SkipASN1(asn1.SET) || !signed.ReadASN1(&encap, asn1.SEQUENCE) ||
		!encap.SkipASN1(asn1.OBJECT_IDENTIFIER) ||
		!signed.ReadOptionalASN1(&set, &hasCerts, der.Tag0) || !signed.ReadOptionalASN1(&crls, &hasCRLs, der.Tag1) ||
		!signed.ReadASN1(&signers, asn1.SET) || !signed.Empty() {
		return nil, errors.New("SignedData is not DER")
	}
	if !encap.Empty() || hasCRLs || !signers.Empty() {
		return nil, errors.New("holds content, CRLs or signatures: want certificates alone")
	}
	list, err := certs.ParseAll(set)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errors.New("no certificate in it")
	}
	return list, nil
}
