package build

import (
	"fmt"
	"slices"

	"lancre/index"
)

// The values of CRLReason that rules are about (RFC 5280 section 5.3.1).
const (
	reasonAbsent      = -1
	reasonUnspecified = 0
	reasonCA          = 2 // cACompromise
	reasonHold        = 6 // certificateHold
	reasonUnused      = 7
	reasonRemove      = 8 // removeFromCRL
	reasonAA          = 10
	reasonLast        = reasonAA
)

// checkStatus checks what s, for a certificate of is, says of it.
func (c *checker) checkStatus(r *index.Response, s *index.Single, is *issuer) {
	switch s.Status {
	case index.Unknown:
		c.found(checkStatus, func() string {
			return "certStatus is unknown: nothing is known of this certificate that is worth signing"
		})
	case index.Revoked:
		c.checkRevoked(r, s, is)
	}
}

func (c *checker) checkRevoked(r *index.Response, s *index.Single, is *issuer) {
	if s.RevokedAt == 0 && s.Reason == reasonHold { // RFC 6960 section 2.2: never issued
		if !hasExtension(r.Extensions, oidExtendedRevoke) {
			c.found(checkExtendedRevoke, func() string {
				return "revoked in 1970 with reason certificateHold says that the certificate was never issued, which needs the extension extended-revoke"
			})
		}
		return
	}
	if s.RevokedAt > r.ProducedAt+futureSkew {
		c.found(checkRevokedAt, func() string {
			return fmt.Sprintf("revocationTime %s is after producedAt %s", utc(s.RevokedAt), utc(r.ProducedAt))
		})
	}
	if s.RevokedAt < is.notBefore {
		c.found(checkRevokedEarly, func() string {
			return fmt.Sprintf("revocationTime %s is before %s, when the issuer's certificate became valid", utc(s.RevokedAt), utc(is.notBefore))
		})
	}
	c.checkReason(s, is.subordinates[string(s.CertID.Serial)])
}

// checkReason checks the revocationReason of s; ca says that it is for a CA
// certificate.
func (c *checker) checkReason(s *index.Single, ca bool) {
	switch reason := s.Reason; {
	case reason == reasonAbsent && ca:
		c.found(checkReasonMissing, func() string { return "no revocationReason, which a CA certificate must have" })
	case reason == reasonUnspecified:
		c.found(checkReasonUnspecified, func() string { return "revocationReason is unspecified (0): leave it out" })
	case reason == reasonHold:
		c.found(checkReasonHold, func() string { return "revocationReason is certificateHold (6): revoke for good or not at all" })
	case reason > reasonLast, slices.Contains(unusableReasons(ca), reason):
		c.found(checkReason, func() string {
			kind := "a subscriber certificate (if it is a CA certificate, name it by --issuer)"
			if ca {
				kind = "a CA certificate"
			}
			return fmt.Sprintf("revocationReason is %d, which is not for %s", reason, kind)
		})
	}
}

// unusableReasons are the reasons that a certificate cannot have.
func unusableReasons(ca bool) []int {
	if ca {
		return reasonsNotForCA[:]
	}
	return reasonsNotForSubscriber[:]
}

var (
	reasonsNotForCA         = [...]int{reasonUnused, reasonRemove}
	reasonsNotForSubscriber = [...]int{reasonCA, reasonUnused, reasonRemove, reasonAA}
)
