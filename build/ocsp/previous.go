package ocsp

import (
	"fmt"

	"lancre/build/crl"
	"lancre/build/rule"
	"lancre/index"
)

// checkPrevious compares r with what the previous generation says of the same
// certificates.
func (c *Checker) checkPrevious(r *index.Response) {
	if c.config.Previous == nil {
		return
	}
	for s := range c.singles(r) {
		old, found, err := c.config.Previous.Lookup(s.CertID.Key(), &s.CertID)
		if err != nil {
			c.found(rule.StorePrevious, func() string { return fmt.Sprintf("in the previous generation: %v", err) })
		} else if found && !old.Tombstone() {
			c.comparePrevious(r, s, old)
		}
	}
}

func (c *Checker) comparePrevious(r *index.Response, s *index.Single, old index.Record) {
	if old.Moment().Newer(r.Moment()) {
		// No fault if a newer one is among the inputs, which shows at the end.
		c.item.Older = true
		return
	}
	before := old.StatusOf(&s.CertID)
	if before == s.Status {
		return
	}
	if id := Unrevoked(old, &s.CertID, s.Status); id != rule.None {
		c.found(id, func() string { return UnrevokedReason(id, r.ThisUpdate, s.Status, old) })
	}
	if r.Moment() == old.Moment() {
		c.found(rule.OCSPPreviousConflict, func() string {
			return fmt.Sprintf("certStatus is %s; in the previous generation, with the same thisUpdate %s and producedAt %s, it was %s: "+
				"clients and caches cannot tell which came later. Have it signed again with a later producedAt, or publish it as it is by --force %s",
				s.Status, rule.UTC(r.ThisUpdate), rule.UTC(r.ProducedAt), before, rule.OCSPPreviousConflict)
		})
	}
}

// Unrevoked returns the check that the certificate id names breaks, which the
// previous generation has in old and which has the status now; rule.None if it was not
// revoked, or still is. Only one that was on hold may be revoked no more.
func Unrevoked(old index.Record, id *index.CertID, now index.Status) rule.Check {
	if now == index.Revoked || old.StatusOf(id) != index.Revoked {
		return rule.None
	}
	if s, ok := old.Single(id); ok && s.Reason == crl.ReasonHold {
		return rule.OCSPPreviousHeld
	}
	return rule.OCSPPreviousRevoked
}

// UnrevokedReason says how it breaks that check, by a response of thisUpdate.
func UnrevokedReason(id rule.Check, thisUpdate int64, now index.Status, old index.Record) string {
	return fmt.Sprintf("certStatus is %s, thisUpdate %s; in the previous generation, at %s, it was revoked (to allow this once: --force %s)",
		now, rule.UTC(thisUpdate), rule.UTC(old.ThisUpdate()), id)
}
