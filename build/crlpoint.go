package build

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// An issuingPoint is what a CRL says of its own scope (RFC 5280 section 5.2.5):
//
//	IssuingDistributionPoint ::= SEQUENCE {
//	    distributionPoint           [0] DistributionPointName OPTIONAL,
//	    onlyContainsUserCerts       [1] BOOLEAN DEFAULT FALSE,
//	    onlyContainsCACerts         [2] BOOLEAN DEFAULT FALSE,
//	    onlySomeReasons             [3] ReasonFlags OPTIONAL,
//	    indirectCRL                 [4] BOOLEAN DEFAULT FALSE,
//	    onlyContainsAttributeCerts  [5] BOOLEAN DEFAULT FALSE }
type issuingPoint struct {
	critical       bool
	empty          bool     // the SEQUENCE has no element
	uris           []string // of distributionPoint
	otherNames     bool     // it has names that are not URIs
	userCerts      bool
	caCerts        bool
	someReasons    bool
	indirect       bool
	attributeCerts bool
}

// maxPointNames bounds how many names a distribution point may have. CAs use one,
// or one for each of a few hosts.
const maxPointNames = 64

func (p *issuingPoint) parse(value cryptobyte.String) finding {
	var seq, name, reasons cryptobyte.String
	var hasName bool
	if !value.ReadASN1(&seq, asn1.SEQUENCE) || !value.Empty() {
		return crlSyntax("issuingDistributionPoint is not one SEQUENCE")
	}
	p.empty = seq.Empty()
	if !seq.ReadOptionalASN1(&name, &hasName, tag0) ||
		!readTrue(&seq, 1, &p.userCerts) || !readTrue(&seq, 2, &p.caCerts) ||
		!seq.ReadOptionalASN1(&reasons, &p.someReasons, asn1.Tag(3).ContextSpecific()) ||
		!readTrue(&seq, 4, &p.indirect) || !readTrue(&seq, 5, &p.attributeCerts) || !seq.Empty() {
		return crlSyntax("issuingDistributionPoint is not DER")
	}
	if !hasName {
		return finding{}
	}
	return p.parseName(name)
}

// readTrue reads [tag] IMPLICIT BOOLEAN DEFAULT FALSE, which DER spells only if true.
func readTrue(in *cryptobyte.String, tag uint8, value *bool) bool {
	var octets cryptobyte.String
	return in.ReadOptionalASN1(&octets, value, asn1.Tag(tag).ContextSpecific()) &&
		(!*value || string(octets) == "\xff")
}

// parseName reads a DistributionPointName: fullName [0] GeneralNames or
// nameRelativeToCRLIssuer [1].
func (p *issuingPoint) parseName(choice cryptobyte.String) finding {
	var full cryptobyte.String
	if choice.PeekASN1Tag(tag1) && choice.SkipASN1(tag1) && choice.Empty() {
		p.otherNames = true
		return finding{}
	}
	if !choice.ReadASN1(&full, tag0) || !choice.Empty() || full.Empty() {
		return crlSyntax("issuingDistributionPoint: distributionPoint is not DER")
	}
	for n := 0; !full.Empty(); n++ {
		var name cryptobyte.String
		var tag asn1.Tag
		if n == maxPointNames || !full.ReadAnyASN1(&name, &tag) {
			return crlSyntax("issuingDistributionPoint: name %d is not DER, or one too many", n+1)
		}
		if tag == asn1.Tag(6).ContextSpecific() { // uniformResourceIdentifier
			p.uris = append(p.uris, string(name))
		} else {
			p.otherNames = true
		}
	}
	return finding{}
}
