package build

import (
	"fmt"

	"lancre/index"
)

// checkListed compares s, from r, with the CRLs that its issuer has in this build.
func (c *checker) checkListed(r *index.Response, s *index.Single, is *issuer) {
	if is.listed == nil {
		return
	}
	entry, listed := is.listed.find(s.CertID.Serial)
	switch {
	case s.Status == index.Good && listed:
		c.found(checkListedGood, func() string {
			return fmt.Sprintf("certStatus is good, thisUpdate %s, but a CRL of %s lists the certificate as revoked since %s",
				utc(s.ThisUpdate), utc(is.listed.thisUpdate), utc(entry.at))
		})
	case s.Status == index.Revoked && !listed && is.listed.thisUpdate > r.ThisUpdate && !c.lapsed(is, s.CertID.Serial):
		c.found(checkListedNot, func() string {
			return fmt.Sprintf("revoked since %s, but not listed on a CRL of %s", utc(s.RevokedAt), utc(is.listed.thisUpdate))
		})
	case s.Status == index.Revoked && listed && (entry.at != s.RevokedAt || max(entry.reason, 0) != max(s.Reason, 0)):
		c.found(checkListedOtherwise, func() string {
			return fmt.Sprintf("revoked since %s with reason %d, on the CRL since %s with reason %d (-1: none)",
				utc(s.RevokedAt), s.Reason, utc(entry.at), entry.reason)
		})
	}
}

// lapsed reports whether the inventory says that a certificate has expired, so
// that CRLs need not list it any more.
func (c *checker) lapsed(is *issuer, serial []byte) bool {
	a := c.inventory.find(is, serial)
	return a != nil && a.notAfter <= c.at
}
