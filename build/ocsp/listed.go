package ocsp

import (
	"fmt"

	"lancre/build/ca"
	"lancre/build/rule"
	"lancre/index"
)

// checkListed compares s, from r, with the CRLs that its issuer has in this build.
func (c *Checker) checkListed(r *index.Response, s *index.Single, is *ca.Issuer) {
	if len(c.config.Listed) == 0 || c.config.Listed[is.Number] == nil {
		return
	}
	list := c.config.Listed[is.Number]
	entry, listed := list.Find(s.CertID.Serial)
	switch {
	case s.Status == index.Good && listed:
		c.found(rule.OCSPCRLGood, func() string {
			return fmt.Sprintf("certStatus is good, thisUpdate %s, but a CRL of %s lists the certificate as revoked since %s",
				rule.UTC(s.ThisUpdate), rule.UTC(entry.AsOf), rule.UTC(entry.At))
		})
	case s.Status == index.Revoked && !listed && list.Since() > r.ThisUpdate && !c.lapsed(is, s.CertID.Serial):
		c.found(rule.OCSPCRLMissing, func() string {
			return fmt.Sprintf("revoked since %s, but not listed on a CRL of %s", rule.UTC(s.RevokedAt), rule.UTC(list.Since()))
		})
	case s.Status == index.Revoked && listed && (entry.At != s.RevokedAt || max(entry.Reason, 0) != max(s.Reason, 0)):
		c.found(rule.OCSPCRLDiffers, func() string {
			return fmt.Sprintf("revoked since %s with reason %d, on the CRL since %s with reason %d (-1: none)",
				rule.UTC(s.RevokedAt), s.Reason, rule.UTC(entry.At), entry.Reason)
		})
	}
}

// lapsed reports whether the inventory says that a certificate has expired, so
// that CRLs need not list it any more.
func (c *Checker) lapsed(is *ca.Issuer, serial []byte) bool {
	line, known := c.config.Inventory.Find(is, serial)
	return known && line.Expired(c.config.At)
}
