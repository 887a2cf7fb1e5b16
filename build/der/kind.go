package der

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A Kind is what a file in DER looks to be.
type Kind string

// The kinds of file that people have at hand beside those they mean.
const (
	Certificate Kind = "a certificate"            // RFC 5280 section 4.1
	CRL         Kind = "a CRL"                    // RFC 5280 section 5.1
	Request     Kind = "a certificate request"    // RFC 2986 section 4
	CMS         Kind = "a PKCS#7 or CMS file"     // RFC 5652 section 3
	PKCS12      Kind = "a PKCS#12 file"           // RFC 7292 section 4
	PrivateKey  Kind = "a private key"            // RFC 5958 section 2, RFC 8017 appendix A.1.2, RFC 5915 section 3
	Encrypted   Kind = "an encrypted private key" // RFC 5958 section 3
	PublicKey   Kind = "a public key"             // RFC 5280 section 4.1.2.7
	OCSPAnswer  Kind = "an OCSP response"         // RFC 6960 section 4.2.1
	OCSPRequest Kind = "an OCSP request"          // RFC 6960 section 4.1.1
	Unknown     Kind = "none of the files of this field"
)

// KindOf says what the file looks to be that b begins with, by its first elements: it may
// be broken further on.
func KindOf(b []byte) Kind {
	in := cryptobyte.String(b)
	var seq, first cryptobyte.String
	var tag asn1.Tag
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadAnyASN1(&first, &tag) {
		return Unknown
	}
	switch tag {
	case asn1.OBJECT_IDENTIFIER:
		return CMS
	case asn1.ENUM:
		return OCSPAnswer
	case asn1.INTEGER:
		return numbered(first, seq)
	case asn1.SEQUENCE:
		return nested(first, seq)
	}
	return Unknown
}

// numbered tells apart what begins with a version.
func numbered(version, rest cryptobyte.String) Kind {
	key := rest.PeekASN1Tag(asn1.INTEGER) || rest.PeekASN1Tag(asn1.OCTET_STRING) // of RSA, of an elliptic curve
	var second cryptobyte.String
	if !key && !rest.ReadASN1(&second, asn1.SEQUENCE) {
		return Unknown
	}
	if string(version) == "\x03" {
		return PKCS12
	}
	return PrivateKey
}

// nested tells apart what begins with a SEQUENCE, which mostly is what is signed.
func nested(first, rest cryptobyte.String) Kind {
	versioned := first.PeekASN1Tag(Tag0)
	switch {
	case rest.Empty():
		return OCSPRequest
	case rest.PeekASN1Tag(asn1.OCTET_STRING):
		return Encrypted
	case rest.PeekASN1Tag(asn1.BIT_STRING):
		return PublicKey
	case first.SkipOptionalASN1(Tag0) && (first.PeekASN1Tag(Tag1) || first.PeekASN1Tag(tag2)):
		return OCSPAnswer // a BasicOCSPResponse: version, if there, and responderID
	case versioned:
		return Certificate
	}
	return signed(first)
}

const tag2 = asn1.Tag(2 | 0x80 | 0x20) // [2]

// signed tells apart what is signed and begins with a number or an algorithm.
func signed(tbs cryptobyte.String) Kind {
	var number cryptobyte.String
	numbered := tbs.ReadASN1(&number, asn1.INTEGER)
	if !tbs.SkipASN1(asn1.SEQUENCE) || !tbs.PeekASN1Tag(asn1.SEQUENCE) { // an algorithm; of a request the subject
		return Unknown
	}
	var second, begin cryptobyte.String
	tbs.ReadASN1(&second, asn1.SEQUENCE) // issuer; of a request the public key
	switch {
	case tbs.PeekASN1Tag(asn1.UTCTime), tbs.PeekASN1Tag(asn1.GeneralizedTime):
		return CRL
	case !numbered:
		return Unknown
	case second.ReadASN1(&begin, asn1.SEQUENCE) && second.PeekASN1Tag(asn1.BIT_STRING):
		return Request
	case tbs.PeekASN1Tag(asn1.SEQUENCE): // validity, of version 1
		return Certificate
	}
	return Unknown
}
