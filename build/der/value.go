package der

import (
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/index"
)

// valueTypes are the types that values of extensions can have, by the content octets of
// the OID of the extension.
var valueTypes = map[string][]asn1.Tag{
	// Of certificates (RFC 5280 section 4.2).
	MustHex("551d0e"):           {asn1.OCTET_STRING}, // subjectKeyIdentifier
	MustHex("551d0f"):           {asn1.BIT_STRING},   // keyUsage
	MustHex("551d11"):           {asn1.SEQUENCE},     // subjectAltName
	MustHex("551d12"):           {asn1.SEQUENCE},     // issuerAltName, also of CRLs
	MustHex("551d13"):           {asn1.SEQUENCE},     // basicConstraints
	MustHex("551d1e"):           {asn1.SEQUENCE},     // nameConstraints
	MustHex("551d1f"):           {asn1.SEQUENCE},     // cRLDistributionPoints
	MustHex("551d20"):           {asn1.SEQUENCE},     // certificatePolicies
	MustHex("551d21"):           {asn1.SEQUENCE},     // policyMappings
	MustHex("551d23"):           {asn1.SEQUENCE},     // authorityKeyIdentifier, also of CRLs
	MustHex("551d24"):           {asn1.SEQUENCE},     // policyConstraints
	MustHex("551d25"):           {asn1.SEQUENCE},     // extKeyUsage
	MustHex("551d36"):           {asn1.INTEGER},      // inhibitAnyPolicy
	MustHex("2b06010505070101"): {asn1.SEQUENCE},     // authorityInfoAccess, also of CRLs
	MustHex("2b0601050507010b"): {asn1.SEQUENCE},     // subjectInfoAccess

	// Of CRLs (RFC 5280 section 5.2, X.509 section 9.5.2.8, [MS-WCCE] section 2.2.2.7.7).
	MustHex("551d14"):             {asn1.INTEGER},                       // cRLNumber
	MustHex("551d1b"):             {asn1.INTEGER},                       // deltaCRLIndicator
	MustHex("551d1c"):             {asn1.SEQUENCE},                      // issuingDistributionPoint
	MustHex("551d2e"):             {asn1.SEQUENCE},                      // freshestCRL
	MustHex("551d3c"):             {asn1.GeneralizedTime},               // expiredCertsOnCRL
	MustHex("2b0601040182371501"): {asn1.INTEGER},                       // CAVersion
	MustHex("2b0601040182371504"): {asn1.UTCTime, asn1.GeneralizedTime}, // NextCRLPublish

	// Of the entries of CRLs (RFC 5280 section 5.3), also in a SingleResponse (RFC 6960
	// section 4.4.5).
	MustHex("551d15"): {asn1.ENUM},              // reasonCode
	MustHex("551d17"): {asn1.OBJECT_IDENTIFIER}, // holdInstructionCode, of RFC 3280
	MustHex("551d18"): {asn1.GeneralizedTime},   // invalidityDate
	MustHex("551d1d"): {asn1.SEQUENCE},          // certificateIssuer

	// Of a SingleResponse (RFC 6960 section 4.4, RFC 6962 section 3.3, Common PKI 2.0 part 4).
	MustHex("2b0601050507300103"):   {asn1.SEQUENCE},        // id-pkix-ocsp-crl
	MustHex("2b0601050507300106"):   {asn1.GeneralizedTime}, // id-pkix-ocsp-archive-cutoff
	MustHex("2b06010401d679020405"): {asn1.OCTET_STRING},    // SignedCertificateTimestampList
	MustHex("2b2408030d"):           {asn1.SEQUENCE},        // id-commonpki-at-certHash
}

// ValueFault says why value is not of the type that the value of an extension has, ""
// if it is, or if the extension is not known. It takes the content octets of the OID.
func ValueFault(oid, value []byte) string {
	want, known := valueTypes[string(oid)]
	if !known {
		return ""
	}
	in := cryptobyte.String(value)
	var content cryptobyte.String
	var tag asn1.Tag
	switch {
	case !in.ReadAnyASN1(&content, &tag) || !in.Empty():
		return "is not one DER element"
	case !slices.Contains(want, tag):
		return fmt.Sprintf("has the tag %#02x, want %#02x", uint8(tag), uint8(want[0]))
	case !wellFormed(tag, content, 0):
		return fmt.Sprintf("with the tag %#02x has content that is not DER", uint8(tag))
	}
	return ""
}

// maxDepth bounds how deep elements are nested: those of RFC 5280 are six deep.
const maxDepth = 16

// wellFormed reports whether content is DER that an element with that tag can have, down
// to the elements inside it.
func wellFormed(tag asn1.Tag, content cryptobyte.String, depth int) bool {
	switch tag {
	case asn1.BOOLEAN:
		return len(content) == 1 && (content[0] == 0 || content[0] == 0xff)
	case asn1.NULL:
		return content.Empty()
	case asn1.INTEGER, asn1.ENUM:
		return index.MinimalInteger(content)
	case asn1.BIT_STRING:
		return len(content) > 0 && content[0] < 8 && (len(content) > 1 || content[0] == 0)
	case asn1.OBJECT_IDENTIFIER:
		return OIDFault(content) == ""
	case asn1.GeneralizedTime:
		_, ok := index.ParseTime(content)
		return ok
	}
	const constructed = 0x20
	if tag&constructed == 0 {
		return true
	}
	if depth == maxDepth {
		return false
	}
	for !content.Empty() {
		var inner cryptobyte.String
		if !content.ReadAnyASN1(&inner, &tag) || !wellFormed(tag, inner, depth+1) {
			return false
		}
	}
	return true
}
