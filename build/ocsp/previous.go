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
	same := true
	for s := range c.singles(r) {
		old, found, err := c.config.Previous.Lookup(s.CertID.Key(), &s.CertID)
		same = same && found && saysTheSame(r, s, old)
		if err != nil {
			c.found(rule.StorePrevious, func() string { return fmt.Sprintf("in the previous generation: %v", err) })
		} else if found {
			c.item.Answered = true
			c.comparePrevious(r, s, old)
		}
	}
	c.item.Same = same
}

// saysTheSame reports whether old, which answers for the certificate of s, a
// SingleResponse of r, says of it what s does, and at the same moment: neither is newer,
// even if they were signed apart.
func saysTheSame(r *index.Response, s *index.Single, old index.Record) bool {
	return !old.Tombstone() && old.Moment() == r.Moment() && old.StatusOf(&s.CertID) == s.Status
}

func (c *Checker) comparePrevious(r *index.Response, s *index.Single, old index.Record) {
	if id := Unrevoked(old, &s.CertID, s.Status); id != rule.None && (c.config.Grows || !old.Moment().Newer(r.Moment())) {
		c.found(id, func() string { return UnrevokedReason(r.ThisUpdate, s.Status, old) })
		return
	}
	if old.Moment().Newer(r.Moment()) || c.config.Grows && old.Tombstone() && !r.Moment().Newer(old.Moment()) {
		c.foundOlder(r, old)
		return
	}
	before := old.StatusOf(&s.CertID)
	if before != s.Status && !old.Tombstone() && r.Moment() == old.Moment() {
		c.found(rule.OCSPPreviousConflict, func() string {
			return fmt.Sprintf("certStatus is %s; in the previous generation, with the same thisUpdate %s and producedAt %s, it was %s: "+
				"clients and caches cannot tell which came later; have it signed again with a later producedAt",
				s.Status, rule.UTC(r.ThisUpdate), rule.UTC(r.ProducedAt), before)
		})
	}
}

// foundOlder notes that r is older than old, which answers. In a build that is no
// fault if a newer one is among the inputs, which shows at the end.
func (c *Checker) foundOlder(r *index.Response, old index.Record) {
	c.item.Older = true
	if !c.config.Grows {
		return
	}
	what := "what is answered"
	if old.Tombstone() {
		what = "what was withdrawn or has expired"
	}
	c.found(rule.OCSPPreviousNewer, func() string {
		return fmt.Sprintf("thisUpdate %s, producedAt %s is not newer than %s, of thisUpdate %s, producedAt %s",
			rule.UTC(r.ThisUpdate), rule.UTC(r.ProducedAt), what, rule.UTC(old.ThisUpdate()), rule.UTC(old.ProducedAt()))
	})
}

// Unrevoked returns the check that the certificate id names breaks, which the
// previous generation has in old and which has the status now; rule.None if it was not
// revoked, or still is. Only one that was on hold may be revoked no more.
func Unrevoked(old index.Record, id *index.CertID, now index.Status) rule.Check {
	if now == index.Revoked || old.StatusOf(id) != index.Revoked {
		return rule.None
	}
	if s, ok := old.CertStatus(id); ok && s.Reason == crl.ReasonHold {
		return rule.OCSPPreviousHeld
	}
	return rule.OCSPPreviousRevoked
}

// UnrevokedReason says how it is revoked no more, by a response of thisUpdate.
func UnrevokedReason(thisUpdate int64, now index.Status, old index.Record) string {
	return fmt.Sprintf("certStatus is %s, thisUpdate %s; in the previous generation, at %s, it was revoked",
		now, rule.UTC(thisUpdate), rule.UTC(old.ThisUpdate()))
}
