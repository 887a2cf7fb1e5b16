package ocsp

import (
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
	der.MustHex("551d18"):               true, // id-ce-invalidityDate, section 4.4.5
	der.MustHex("2b06010401d679020405"): true, // SignedCertificateTimestampList, RFC 6962 section 3.3
	der.MustHex("2b2408030d"):           true, // id-commonpki-at-certHash, Common PKI 2.0 part 4
}

func (c *Checker) checkExtensions(r *index.Response) {
	for e := range extensions(r.Extensions) {
		c.checkExtension(e)
	}
	for s := range c.singles(r) {
		for e := range extensions(s.Extensions) {
			c.checkSingleExtension(e)
		}
	}
}

func (c *Checker) checkExtension(e *index.Extension) {
	switch {
	case string(e.OID) == oidExtendedRevoke:
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
