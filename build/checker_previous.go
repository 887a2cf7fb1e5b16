package build

import (
	"fmt"

	"lancre/index"
)

// checkPrevious compares r with what the previous generation says of the same
// certificate.
func (c *checker) checkPrevious(r *index.Response) {
	if c.previous == nil {
		return
	}
	for i := range r.Singles {
		id := &r.Singles[i].CertID
		old, found, err := c.previous.Lookup(id.Key(), id)
		if err != nil {
			c.found(checkPrevious, func() string { return fmt.Sprintf("in the previous generation: %v", err) })
		} else if found && !old.Tombstone() {
			c.comparePrevious(r, old)
		}
	}
}

func (c *checker) comparePrevious(r *index.Response, old index.Record) {
	switch {
	case r.ThisUpdate < old.ThisUpdate():
		// No fault if a newer one is among the inputs, which shows at the end.
		c.item.older = true
	case r.ThisUpdate == old.ThisUpdate() && r.ProducedAt == old.ProducedAt() && r.Status != old.Status():
		c.found(checkPreviousConflict, func() string {
			return fmt.Sprintf("certStatus is %s; in the previous generation, with the same thisUpdate %s and producedAt %s, it was %s",
				r.Status, utc(r.ThisUpdate), utc(r.ProducedAt), old.Status())
		})
	case old.Status() == index.Revoked && r.Status != index.Revoked:
		c.foundUnrevoked(r, old)
	}
}

// foundUnrevoked notes that a certificate is not revoked any more, which only one
// that was on hold can be.
func (c *checker) foundUnrevoked(r *index.Response, old index.Record) {
	c.scratch = old.AppendResponse(c.scratch[:0])
	id := checkPreviousRevoked
	if err := c.old.Parse(c.scratch); err == nil && c.old.Singles[0].Reason == reasonHold {
		id = checkPreviousHeld
	}
	c.found(id, func() string {
		return fmt.Sprintf("certStatus is %s, thisUpdate %s; in the previous generation, at %s, it was revoked (to allow this once: --force %s)",
			r.Status, utc(r.ThisUpdate), utc(old.ThisUpdate()), id)
	})
}
