package ocsp

import (
	"fmt"
	"time"

	"lancre/build/rule"
	"lancre/index"
)

const (
	// refreshMargin is how long before nextUpdate, in seconds, a response that is
	// valid for at least twice that must have been replaced (BR section 4.9.9).
	refreshMargin = 8 * 3600

	// The longest validities, and the greatest age, in seconds: see package rule
	// for where they come from.
	maxValidity   = 10 * 24 * 3600
	maxValidityMS = 7 * 24 * 3600
	maxValidityCA = 366 * 24 * 3600
	maxAge        = 4 * 24 * 3600
)

func (c *Checker) checkTimes(r *index.Response) {
	if r.ProducedAt > c.at+index.MaxSkew {
		c.found(rule.OCSPTimeProducedAt, func() string {
			return fmt.Sprintf("producedAt %s is in the future: it is %s", rule.UTC(r.ProducedAt), rule.UTC(c.at))
		})
	}
	for s := range c.singles(r) {
		if s.ThisUpdate > r.ProducedAt {
			c.found(rule.OCSPTimeThisUpdate, func() string {
				return fmt.Sprintf("thisUpdate %s is after producedAt %s", rule.UTC(s.ThisUpdate), rule.UTC(r.ProducedAt))
			})
		}
		c.checkNextUpdate(s)
	}
}

func (c *Checker) checkNextUpdate(s *index.Single) {
	valid, remaining := s.NextUpdate-s.ThisUpdate, s.NextUpdate-c.at
	switch {
	case s.NextUpdate == index.NoTime:
		c.found(rule.OCSPTimeNextUpdate, func() string { return "no nextUpdate: nobody could tell how long to serve it" })
		return
	case valid <= 0:
		c.found(rule.OCSPTimeNextUpdate, func() string {
			return fmt.Sprintf("nextUpdate %s is not after thisUpdate %s", rule.UTC(s.NextUpdate), rule.UTC(s.ThisUpdate))
		})
		return
	case remaining <= 0: // judged by checkExpired
		return
	case valid >= 2*refreshMargin && remaining < refreshMargin, valid < 2*refreshMargin && remaining < valid/2:
		c.found(rule.OCSPTimeRemaining, func() string {
			return fmt.Sprintf("a fresh response is overdue: nextUpdate %s is only %s away", rule.UTC(s.NextUpdate), seconds(remaining))
		})
	}
	if c.item.Issuer != nil {
		c.checkValidity(s, valid)
	}
}

// checkExpires checks that s does not outlive its certificate, unless that is over
// already, and somebody wants its status all the same.
func (c *Checker) checkExpires(s *index.Single) {
	subject := c.item.Subject(s.CertID.Serial)
	if line := subject.Line; subject.Known && s.NextUpdate != index.NoTime && s.NextUpdate > line.NotAfter && c.at < line.NotAfter {
		c.found(rule.InventoryExpires, func() string {
			return fmt.Sprintf("nextUpdate %s is after %s, when the certificate expires by the inventory: have it end there", rule.UTC(s.NextUpdate), rule.UTC(line.NotAfter))
		})
	}
}

// checkExpired checks that r still holds; if not, a tombstone takes its place.
func (c *Checker) checkExpired(r *index.Response) {
	if r.NextUpdate > c.at {
		return
	}
	c.item.Expired = true
	c.found(rule.OCSPTimeExpired, func() string {
		return fmt.Sprintf("expired: nextUpdate was %s, it is %s: have a new one signed", rule.UTC(r.NextUpdate), rule.UTC(c.at))
	})
}

// checkValidity checks the time from thisUpdate to nextUpdate. BR section 4.9.9
// counts both ends of it, and so one second more.
func (c *Checker) checkValidity(s *index.Single, valid int64) {
	if c.item.Issuer.Subordinate(s.CertID.Serial) {
		c.longer(rule.OCSPValidityMaxCA, valid, maxValidityCA)
		return
	}
	if valid+1 < refreshMargin {
		c.found(rule.OCSPValidityMin, func() string {
			return fmt.Sprintf("valid for %s, want at least %s", seconds(valid), seconds(refreshMargin))
		})
	}
	c.longer(rule.OCSPValidityMax, valid+1, maxValidity)
	c.longer(rule.OCSPValidityMaxMS, valid, maxValidityMS)
	if age := c.at - s.ThisUpdate; age > maxAge {
		c.found(rule.OCSPAge, func() string {
			return fmt.Sprintf("thisUpdate %s is %s ago, want at most %s: have a new one signed", rule.UTC(s.ThisUpdate), seconds(age), seconds(maxAge))
		})
	}
	if valid > 2*refreshMargin && c.at > s.ThisUpdate+valid/2 {
		c.found(rule.OCSPHalfLife, func() string {
			return fmt.Sprintf("more than half of the time from %s to %s has passed: have a new one signed", rule.UTC(s.ThisUpdate), rule.UTC(s.NextUpdate))
		})
	}
}

func (c *Checker) longer(id rule.Check, valid, limit int64) {
	if valid > limit {
		c.found(id, func() string {
			return fmt.Sprintf("valid for %s, want at most %s (if it is a CA certificate, name it by --issuer)", seconds(valid), seconds(limit))
		})
	}
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }
