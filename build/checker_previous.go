package build

import (
	"fmt"

	"lancre/index"
)

// checkPrevious compares r with what the previous generation says of the same
// certificates.
func (c *checker) checkPrevious(r *index.Response) {
	if c.previous == nil {
		return
	}
	for s := range c.singles(r) {
		old, found, err := c.previous.Lookup(s.CertID.Key(), &s.CertID)
		if err != nil {
			c.found(checkPrevious, func() string { return fmt.Sprintf("in the previous generation: %v", err) })
		} else if found && !old.Tombstone() {
			c.comparePrevious(r, s, old)
		}
	}
}

func (c *checker) comparePrevious(r *index.Response, s *index.Single, old index.Record) {
	if r.ThisUpdate < old.ThisUpdate() {
		// No fault if a newer one is among the inputs, which shows at the end.
		c.item.older = true
		return
	}
	before := old.StatusOf(&s.CertID)
	if before == s.Status {
		return
	}
	if id := unrevoked(old, &s.CertID, s.Status); id != passed {
		c.found(id, func() string { return unrevokedReason(id, r.ThisUpdate, s.Status, old) })
	}
	if r.ThisUpdate == old.ThisUpdate() && r.ProducedAt == old.ProducedAt() {
		c.found(checkPreviousConflict, func() string {
			return fmt.Sprintf("certStatus is %s; in the previous generation, with the same thisUpdate %s and producedAt %s, it was %s: "+
				"clients and caches cannot tell which came later. Have it signed again with a later producedAt, or publish it as it is by --force %s",
				s.Status, utc(r.ThisUpdate), utc(r.ProducedAt), before, checkPreviousConflict)
		})
	}
}

// unrevoked returns the check that the certificate id names breaks, which the
// previous generation has in old and which has the status now; passed if it was not
// revoked, or still is. Only one that was on hold may be revoked no more.
func unrevoked(old index.Record, id *index.CertID, now index.Status) check {
	if now == index.Revoked || old.StatusOf(id) != index.Revoked {
		return passed
	}
	if s, ok := old.Single(id); ok && s.Reason == reasonHold {
		return checkPreviousHeld
	}
	return checkPreviousRevoked
}

func unrevokedReason(id check, thisUpdate int64, now index.Status, old index.Record) string {
	return fmt.Sprintf("certStatus is %s, thisUpdate %s; in the previous generation, at %s, it was revoked (to allow this once: --force %s)",
		now, utc(thisUpdate), utc(old.ThisUpdate()), id)
}
