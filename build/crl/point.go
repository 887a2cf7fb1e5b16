package crl

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/der"
)

// An IssuingPoint is what a CRL says of its own scope (RFC 5280 section 5.2.5):
//
//	IssuingDistributionPoint ::= SEQUENCE {
//	    distributionPoint           [0] DistributionPointName OPTIONAL,
//	    onlyContainsUserCerts       [1] BOOLEAN DEFAULT FALSE,
//	    onlyContainsCACerts         [2] BOOLEAN DEFAULT FALSE,
//	    onlySomeReasons             [3] ReasonFlags OPTIONAL,
//	    indirectCRL                 [4] BOOLEAN DEFAULT FALSE,
//	    onlyContainsAttributeCerts  [5] BOOLEAN DEFAULT FALSE }
type IssuingPoint struct {
	DER            []byte // all of it; aliases the CRL
	Critical       bool
	Empty          bool     // the SEQUENCE has no element
	URIs           []string // of distributionPoint
	OtherNames     bool     // it has names that are not URIs
	UserCerts      bool
	CACerts        bool
	SomeReasons    bool
	Indirect       bool
	AttributeCerts bool
}

// Named reports whether it has a distributionPoint.
func (p *IssuingPoint) Named() bool { return p.OtherNames || len(p.URIs) > 0 }

// maxPointNames bounds how many names a distribution point may have. CAs use one,
// or one for each of a few hosts.
const maxPointNames = 64

func (p *IssuingPoint) parse(value cryptobyte.String) error {
	var seq, name, reasons cryptobyte.String
	var hasName bool
	if !value.ReadASN1(&seq, asn1.SEQUENCE) || !value.Empty() {
		return errors.New("issuingDistributionPoint is not one SEQUENCE")
	}
	p.Empty = seq.Empty()
	if !seq.ReadOptionalASN1(&name, &hasName, der.Tag0) ||
		!readTrue(&seq, 1, &p.UserCerts) || !readTrue(&seq, 2, &p.CACerts) ||
		!seq.ReadOptionalASN1(&reasons, &p.SomeReasons, asn1.Tag(3).ContextSpecific()) ||
		!readTrue(&seq, 4, &p.Indirect) || !readTrue(&seq, 5, &p.AttributeCerts) || !seq.Empty() {
		return errors.New("issuingDistributionPoint is not DER")
	}
	if !hasName {
		return nil
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
func (p *IssuingPoint) parseName(choice cryptobyte.String) error {
	var full cryptobyte.String
	if choice.PeekASN1Tag(der.Tag1) && choice.SkipASN1(der.Tag1) && choice.Empty() {
		p.OtherNames = true
		return nil
	}
	if !choice.ReadASN1(&full, der.Tag0) || !choice.Empty() || full.Empty() {
		return errors.New("issuingDistributionPoint: distributionPoint is not DER")
	}
	for n := 0; !full.Empty(); n++ {
		var name cryptobyte.String
		var tag asn1.Tag
		if n == maxPointNames || !full.ReadAnyASN1(&name, &tag) {
			return fmt.Errorf("issuingDistributionPoint: name %d is not DER, or one too many", n+1)
		}
		if tag == asn1.Tag(6).ContextSpecific() { // uniformResourceIdentifier
			p.URIs = append(p.URIs, string(name))
		} else {
			p.OtherNames = true
		}
	}
	return nil
}
