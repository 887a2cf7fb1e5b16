package build

import (
	"fmt"
	"time"

	"lancre/index"
)

const (
	// futureSkew is how far in the future, in seconds, a response may be produced:
	// the clocks of the signer and of this host need not agree exactly.
	futureSkew = 300

	// refreshMargin is how long before nextUpdate, in seconds, a response that is
	// valid for at least twice that must have been replaced (BR section 4.9.9).
	refreshMargin = 8 * 3600

	// The longest validities, and the greatest age, in seconds: see checks_ocsp.go
	// for where they come from.
	maxValidity   = 10 * 24 * 3600
	maxValidityMS = 7 * 24 * 3600
	maxValidityCA = 366 * 24 * 3600
	maxAge        = 4 * 24 * 3600
)

func (c *checker) checkTimes(r *index.Response) {
	if r.ProducedAt > c.at+futureSkew {
		c.found(checkProducedAt, func() string {
			return fmt.Sprintf("producedAt %s is in the future: it is %s", utc(r.ProducedAt), utc(c.at))
		})
	}
	for s := range c.singles(r) {
		if s.ThisUpdate > r.ProducedAt {
			c.found(checkThisUpdate, func() string {
				return fmt.Sprintf("thisUpdate %s is after producedAt %s", utc(s.ThisUpdate), utc(r.ProducedAt))
			})
		}
		c.checkNextUpdate(s)
	}
}

func (c *checker) checkNextUpdate(s *index.Single) {
	valid, remaining := s.NextUpdate-s.ThisUpdate, s.NextUpdate-c.at
	switch {
	case s.NextUpdate == index.NoTime:
		c.found(checkNextUpdate, func() string { return "no nextUpdate: nobody could tell how long to serve it" })
		return
	case valid <= 0:
		c.found(checkNextUpdate, func() string {
			return fmt.Sprintf("nextUpdate %s is not after thisUpdate %s", utc(s.NextUpdate), utc(s.ThisUpdate))
		})
		return
	case remaining <= 0:
		c.item.expired = true
		return
	case valid >= 2*refreshMargin && remaining < refreshMargin, valid < 2*refreshMargin && remaining < valid/2:
		c.found(checkRemaining, func() string {
			return fmt.Sprintf("a fresh response is overdue: nextUpdate %s is only %s away", utc(s.NextUpdate), seconds(remaining))
		})
	}
	if c.item.issuer != nil {
		c.checkValidity(s, valid)
	}
}

func (c *checker) foundExpired(r *index.Response) {
	c.found(checkExpired, func() string {
		return fmt.Sprintf("expired: nextUpdate was %s, it is %s: have a new one signed", utc(r.NextUpdate), utc(c.at))
	})
}

// checkValidity checks the time from thisUpdate to nextUpdate. BR section 4.9.9
// counts both ends of it, and so one second more.
func (c *checker) checkValidity(s *index.Single, valid int64) {
	if c.item.issuer.subordinates[string(s.CertID.Serial)] {
		c.longer(checkValidityCA, valid, maxValidityCA)
		return
	}
	if valid+1 < refreshMargin {
		c.found(checkValidityMin, func() string {
			return fmt.Sprintf("valid for %s, want at least %s", seconds(valid), seconds(refreshMargin))
		})
	}
	c.longer(checkValidityMax, valid+1, maxValidity)
	c.longer(checkValidityMS, valid, maxValidityMS)
	if age := c.at - s.ThisUpdate; age > maxAge {
		c.found(checkAge, func() string {
			return fmt.Sprintf("thisUpdate %s is %s ago, want at most %s: have a new one signed", utc(s.ThisUpdate), seconds(age), seconds(maxAge))
		})
	}
	if valid > 2*refreshMargin && c.at > s.ThisUpdate+valid/2 {
		c.found(checkHalfLife, func() string {
			return fmt.Sprintf("more than half of the time from %s to %s has passed: have a new one signed", utc(s.ThisUpdate), utc(s.NextUpdate))
		})
	}
}

func (c *checker) longer(id check, valid, limit int64) {
	if valid > limit {
		c.found(id, func() string {
			return fmt.Sprintf("valid for %s, want at most %s (if it is a CA certificate, name it by --issuer)", seconds(valid), seconds(limit))
		})
	}
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

func utc(unix int64) string { return utcTime(unix).Format(time.RFC3339) }

func utcTime(unix int64) time.Time { return time.Unix(unix, 0).UTC() }
