package crl

import (
	"crypto/x509"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/rule"
	"lancre/index"
)

// OIDNextPublish is the content octets of the OID of NextCRLPublish ([MS-WCCE] section
// 2.2.2.7.7.4).
const OIDNextPublish = "\x2b\x06\x01\x04\x01\x82\x37\x15\x04"

// CRL extensions (RFC 5280 section 5.2), by the content octets of their OID.
const (
	oidCRLNumber    = "\x55\x1d\x14"
	oidDeltaCRL     = "\x55\x1d\x1b"
	oidIssuingPoint = "\x55\x1d\x1c"
	oidAuthorityKey = "\x55\x1d\x23"
)

// Extensions are the extensions of a CRL that checks look at.
type Extensions struct {
	Number         []byte // content octets of cRLNumber; nil if absent
	CriticalNumber bool
	KeyID          []byte // keyIdentifier of authorityKeyIdentifier; nil if absent
	Point          *IssuingPoint
	Delta          bool   // deltaCRLIndicator is present
	NextPublish    bool   // NextCRLPublish is present
	Critical       []byte // OID of an unknown critical extension; nil if there is none
	Twice          []byte // OID of an extension that is there twice; nil if there is none
}

// parse reads the content of [0] EXPLICIT Extensions.
func (c *Extensions) parse(explicit cryptobyte.String) *rule.Finding {
	var list cryptobyte.String
	if !explicit.ReadASN1(&list, asn1.SEQUENCE) || !explicit.Empty() || list.Empty() {
		return syntax("crlExtensions is not a SEQUENCE of extensions")
	}
	return readExtensions(list, c.extension, &c.Twice)
}

func (c *Extensions) extension(x *index.Extension) *rule.Finding {
	value := cryptobyte.String(x.Value)
	switch string(x.OID) {
	case oidCRLNumber:
		var number cryptobyte.String
		if !value.ReadASN1(&number, asn1.INTEGER) || !value.Empty() || !index.MinimalInteger(number) {
			return syntax("cRLNumber is not a DER INTEGER")
		}
		c.Number, c.CriticalNumber = number, x.Critical
	case oidAuthorityKey:
		return c.authorityKey(value)
	case oidIssuingPoint:
		c.Point = &IssuingPoint{Critical: x.Critical}
		return c.Point.parse(value)
	case oidDeltaCRL:
		c.Delta = true
	case OIDNextPublish:
		c.NextPublish = true
	default:
		if x.Critical {
			c.Critical = x.OID
		}
	}
	return nil
}

// authorityKey reads an AuthorityKeyIdentifier (RFC 5280 section 4.2.1.1).
func (c *Extensions) authorityKey(value cryptobyte.String) *rule.Finding {
	var seq, keyID cryptobyte.String
	var has bool
	if !value.ReadASN1(&seq, asn1.SEQUENCE) || !value.Empty() ||
		!seq.ReadOptionalASN1(&keyID, &has, asn1.Tag(0).ContextSpecific()) {
		return syntax("authorityKeyIdentifier is not DER")
	}
	if has {
		c.KeyID = keyID
	}
	return nil
}

// OIDText spells an OID, given its content octets, with dots.
func OIDText(content []byte) string {
	var oid x509.OID
	if err := oid.UnmarshalBinary(content); err != nil {
		return "of no known form"
	}
	return oid.String()
}
