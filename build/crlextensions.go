package build

import (
	"crypto/x509"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/index"
)

// CRL extensions (RFC 5280 section 5.2; NextCRLPublish: [MS-WCCE] section
// 2.2.2.7.7.4), by the content octets of their OID.
const (
	oidCRLNumber     = "\x55\x1d\x14"
	oidDeltaCRL      = "\x55\x1d\x1b"
	oidIssuingPoint  = "\x55\x1d\x1c"
	oidAuthorityKey  = "\x55\x1d\x23"
	oidNextPublish   = "\x2b\x06\x01\x04\x01\x82\x37\x15\x04"
	maxCRLNumberSize = 20 // octets of content; with its sign that is less than 2^159 (BR section 7.2.2)
)

// crlExtensions are the extensions of a CRL that checks look at.
type crlExtensions struct {
	number         []byte // content octets of cRLNumber; nil if absent
	criticalNumber bool
	keyID          []byte // keyIdentifier of authorityKeyIdentifier; nil if absent
	point          *issuingPoint
	delta          bool   // deltaCRLIndicator is present
	nextPublish    bool   // NextCRLPublish is present
	critical       []byte // OID of an unknown critical extension; nil if there is none
	twice          []byte // OID of an extension that is there twice; nil if there is none
}

// parse reads the content of [0] EXPLICIT Extensions.
func (c *crlExtensions) parse(explicit cryptobyte.String) finding {
	var list cryptobyte.String
	if !explicit.ReadASN1(&list, asn1.SEQUENCE) || !explicit.Empty() || list.Empty() {
		return crlSyntax("crlExtensions is not a SEQUENCE of extensions")
	}
	return readExtensions(list, c.extension, &c.twice)
}

func (c *crlExtensions) extension(x *index.Extension) finding {
	value := cryptobyte.String(x.Value)
	switch string(x.OID) {
	case oidCRLNumber:
		var number cryptobyte.String
		if !value.ReadASN1(&number, asn1.INTEGER) || !value.Empty() || !minimal(number) {
			return crlSyntax("cRLNumber is not a DER INTEGER")
		}
		c.number, c.criticalNumber = number, x.Critical
	case oidAuthorityKey:
		return c.authorityKey(value)
	case oidIssuingPoint:
		c.point = &issuingPoint{critical: x.Critical}
		return c.point.parse(value)
	case oidDeltaCRL:
		c.delta = true
	case oidNextPublish:
		c.nextPublish = true
	default:
		if x.Critical {
			c.critical = x.OID
		}
	}
	return finding{}
}

// authorityKey reads an AuthorityKeyIdentifier (RFC 5280 section 4.2.1.1).
func (c *crlExtensions) authorityKey(value cryptobyte.String) finding {
	var seq, keyID cryptobyte.String
	var has bool
	if !value.ReadASN1(&seq, asn1.SEQUENCE) || !value.Empty() ||
		!seq.ReadOptionalASN1(&keyID, &has, asn1.Tag(0).ContextSpecific()) {
		return crlSyntax("authorityKeyIdentifier is not DER")
	}
	if has {
		c.keyID = keyID
	}
	return finding{}
}

// oidText spells an OID, given its content octets, with dots.
func oidText(content []byte) string {
	var oid x509.OID
	if err := oid.UnmarshalBinary(content); err != nil {
		return "of no known form"
	}
	return oid.String()
}
