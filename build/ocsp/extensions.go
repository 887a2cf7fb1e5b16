package ocsp

import (
	"bytes"
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"

	"lancre/build/crl"
	"lancre/build/der"
	"lancre/build/rule"
	"lancre/index"
)

// The extensions that rules are about, by the content octets of their OID.
var (
	oidNonce          = der.MustHex("2b0601050507300102") // id-pkix-ocsp-nonce
	oidExtendedRevoke = der.MustHex("2b0601050507300109") // id-pkix-ocsp-extended-revoke
)

// singleExtensions are those that a SingleResponse is known to have.
var singleExtensions = map[string]bool{
	der.MustHex("2b0601050507300103"):   true, // id-pkix-ocsp-crl, RFC 6960 section 4.4.2
	der.MustHex("2b0601050507300106"):   true, // id-pkix-ocsp-archive-cutoff, section 4.4.4
	der.MustHex("551d17"):               true, // id-ce-holdInstructionCode, section 4.4.5
	der.MustHex("551d18"):               true, // id-ce-invalidityDate, the same
	der.MustHex("551d1d"):               true, // id-ce-certificateIssuer, the same
	der.MustHex("2b06010401d679020405"): true, // SignedCertificateTimestampList, RFC 6962 section 3.3
	der.MustHex("2b2408030d"):           true, // id-commonpki-at-certHash, Common PKI 2.0 part 4
}

func (c *Checker) checkExtensions(r *index.Response) {
	c.walkExtensions("responseExtensions", r.Extensions, c.checkExtension)
	for s := range c.singles(r) {
		c.walkExtensions("singleExtensions", s.Extensions, c.checkSingleExtension)
	}
}

// walkExtensions has each element of an Extensions checked, given its content: nil if the
// field is absent.
func (c *Checker) walkExtensions(field string, content []byte, check func(*index.Extension)) {
	if content == nil {
		return
	}
	var flaws der.Flaws
	err := der.WalkExtensions(content, &flaws, func(e *index.Extension) error {
		check(e)
		if fault := der.ValueFault(e.OID, e.Value); fault != "" {
			c.found(rule.OCSPExtensionValue, func() string {
				return fmt.Sprintf("the value of the extension %s in %s %s", crl.OIDText(e.OID), field, fault)
			})
		}
		return nil
	})
	if err != nil {
		c.found(rule.OCSPDER, func() string { return fmt.Sprintf("%s: %v", field, err) })
	}
	if flaws.Twice != nil {
		c.found(rule.OCSPExtensionTwice, func() string { return fmt.Sprintf("extension %s is twice in %s", crl.OIDText(flaws.Twice), field) })
	}
	if flaws.Explicit != nil {
		c.found(rule.OCSPCriticalExplicit, func() string {
			return fmt.Sprintf("extension %s in %s spells out that it is not critical, which DER forbids for a default", crl.OIDText(flaws.Explicit), field)
		})
	}
}

func (c *Checker) checkExtension(e *index.Extension) {
	switch {
	case string(e.OID) == oidExtendedRevoke:
		if e.Critical || !bytes.Equal(e.Value, asn1.NullBytes) {
			c.found(rule.OCSPExtendedRevokeForm, func() string {
				return fmt.Sprintf("extended-revoke has the value %x (critical: %t), want NULL (0500), not critical", e.Value, e.Critical)
			})
		}
	case string(e.OID) == oidNonce:
		c.found(rule.OCSPNonce, func() string {
			return fmt.Sprintf("a nonce of %d octets: the response was signed for one request", len(e.Value))
		})
	case e.Critical:
		c.found(rule.OCSPExtensionCritical, func() string {
			return fmt.Sprintf("critical extension in responseExtensions (OID octets %x), which no client knows", e.OID)
		})
	default:
		c.found(rule.OCSPExtensionNeedless, func() string {
			return fmt.Sprintf("extension in responseExtensions (OID octets %x), which clients pass over", e.OID)
		})
	}
}

func (c *Checker) checkSingleExtension(e *index.Extension) {
	switch {
	case string(e.OID) == oidExtendedRevoke:
		c.found(rule.OCSPExtendedRevokeForm, func() string { return "extended-revoke in singleExtensions: want it in responseExtensions" })
	case e.Critical:
		c.found(rule.OCSPSingleCritical, func() string {
			return fmt.Sprintf("critical extension in singleExtensions (OID octets %x), for which clients refuse the response", e.OID)
		})
	case string(e.OID) == crl.OIDReasonCode:
		c.found(rule.OCSPSingleReasonCode, func() string { return "reasonCode in singleExtensions: want it as revocationReason" })
	case !singleExtensions[string(e.OID)]:
		c.found(rule.OCSPSingleUnknown, func() string {
			return fmt.Sprintf("extension in singleExtensions (OID octets %x) that is not known", e.OID)
		})
	}
}

// extensions iterates over the content of an Extensions that was parsed before.
func extensions(content []byte) func(yield func(*index.Extension) bool) {
	return func(yield func(*index.Extension) bool) {
		in := cryptobyte.String(content)
		var e index.Extension
		for index.ReadExtension(&in, &e) {
			if !yield(&e) {
				return
			}
		}
	}
}

func hasExtension(content []byte, oid string) bool {
	for e := range extensions(content) {
		if string(e.OID) == oid {
			return true
		}
	}
	return false
}
