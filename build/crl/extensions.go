package crl

import (
	"crypto/x509"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/der"
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
	AuthorityKey   der.AuthorityKey // the zero value if absent
	CriticalKeyID  bool             // authorityKeyIdentifier is critical
	Point          *IssuingPoint
	pointValue     []byte // of which Point was read, in DER
	Delta          bool   // deltaCRLIndicator is present
	NextPublish    bool   // NextCRLPublish is present
	Critical       []byte // OID of an unknown critical extension; nil if there is none
	der.Flaws
}

// parse reads the content of [0] EXPLICIT Extensions.
func (c *Extensions) parse(explicit cryptobyte.String) *rule.Finding {
	var list cryptobyte.String
	if !explicit.ReadASN1(&list, asn1.SEQUENCE) || !explicit.Empty() {
		return syntax("crlExtensions is not a SEQUENCE of extensions")
	}
	if err := der.WalkExtensions(list, &c.Flaws, c.extension); err != nil {
		return syntax("%v", err)
	}
	return nil
}

func (c *Extensions) extension(x *index.Extension) error {
	if err := checkValue(x); err != nil {
		return err
	}
	value := cryptobyte.String(x.Value)
	switch string(x.OID) {
	case oidCRLNumber:
		var number cryptobyte.String
		value.ReadASN1(&number, asn1.INTEGER)
		c.Number, c.CriticalNumber = number, x.Critical
	case oidAuthorityKey:
		var ok bool
		if c.AuthorityKey, ok = der.ReadAuthorityKey(x.Value); !ok {
			return errors.New("the value of authorityKeyIdentifier is none")
		}
		c.CriticalKeyID = x.Critical
	case oidIssuingPoint:
		c.Point, c.pointValue = &IssuingPoint{Critical: x.Critical}, x.Value
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

// OIDText spells an OID, given its content octets, with dots.
func OIDText(content []byte) string {
	var oid x509.OID
	if err := oid.UnmarshalBinary(content); err != nil {
		return "of no known form"
	}
	return oid.String()
}
