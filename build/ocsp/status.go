package ocsp

import (
	"fmt"

	"lancre/build/ca"
	"lancre/build/crl"
	"lancre/build/rule"
	"lancre/index"
)

// checkStatus checks what s, for a certificate of is, says of it.
func (c *Checker) checkStatus(r *index.Response, s *index.Single, is *ca.Issuer) {
	switch s.Status {
	case index.Unknown:
		c.found(rule.OCSPStatusUnknown, func() string {
			return "certStatus is unknown: nothing is known of this certificate that is worth signing"
		})
	case index.Revoked:
		c.checkRevoked(r, s, is)
	}
}

func (c *Checker) checkRevoked(r *index.Response, s *index.Single, is *ca.Issuer) {
	if s.RevokedAt == 0 && s.Reason == crl.ReasonHold { // RFC 6960 section 2.2: never issued
		if !hasExtension(r.Extensions, oidExtendedRevoke) {
			c.found(rule.OCSPExtendedRevoke, func() string {
				return "revoked in 1970 with reason certificateHold says that the certificate was never issued, which needs the extension extended-revoke"
			})
		}
		return
	}
	if s.RevokedAt > r.ProducedAt+index.MaxSkew {
		c.found(rule.OCSPRevokedAt, func() string {
			return fmt.Sprintf("revocationTime %s is after producedAt %s", rule.UTC(s.RevokedAt), rule.UTC(r.ProducedAt))
		})
	}
	if s.RevokedAt < is.NotBefore {
		c.found(rule.OCSPRevokedEarly, func() string {
			return fmt.Sprintf("revocationTime %s is before %s, when the issuer's certificate became valid", rule.UTC(s.RevokedAt), rule.UTC(is.NotBefore))
		})
	}
	c.checkReason(s, is.Subordinate(s.CertID.Serial))
}

// checkReason checks the revocationReason of s; ca says that it is for a CA
// certificate.
func (c *Checker) checkReason(s *index.Single, ca bool) {
	switch reason := s.Reason; {
	case reason == crl.ReasonAbsent && ca:
		c.found(rule.OCSPReasonMissing, func() string { return "no revocationReason, which a CA certificate must have" })
	case reason == crl.ReasonUnspecified:
		c.found(rule.OCSPReasonUnspecified, func() string { return "revocationReason is unspecified (0): leave it out" })
	case reason == crl.ReasonHold:
		c.found(rule.OCSPReasonHold, func() string { return "revocationReason is certificateHold (6): revoke for good or not at all" })
	case reason == crl.ReasonCA || reason == crl.ReasonAA:
		if ca {
			c.found(rule.OCSPReasonProfile, func() string {
				return fmt.Sprintf("revocationReason is %d, which public CAs must not give", reason)
			})
			return
		}
		c.found(rule.OCSPReasonSubscriber, func() string {
			return fmt.Sprintf("revocationReason is %d, which is for a CA certificate (if it is one, name it by --issuer)", reason)
		})
	case reason == crl.ReasonUnused, reason == crl.ReasonRemove, reason > crl.ReasonLast:
		c.found(rule.OCSPReason, func() string { return fmt.Sprintf("revocationReason is %d, which no certificate can have", reason) })
	}
}
