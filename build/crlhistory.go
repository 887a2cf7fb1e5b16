package build

import (
	"bytes"
	"slices"

	"lancre/index/store"
)

// A crlHistory compares CRLs with those that the previous generation publishes at
// the same URL.
type crlHistory struct {
	*tree
	objects map[string]*crlObject // by SHA-256
	parsed  map[string]*crl       // previous ones by SHA-256; nil if one cannot be read
	done    map[[2]string]bool    // pairs of SHA-256 that were compared
}

// checkPrevious compares the CRLs of the build with those of the previous generation.
func (t *tree) checkPrevious(objects map[string]*crlObject) {
	if t.previous == nil {
		return
	}
	h := &crlHistory{tree: t, objects: objects, parsed: make(map[string]*crl), done: make(map[[2]string]bool)}
	for _, f := range t.previous.Files() {
		if f.ContentType == kindCRL.contentType() {
			h.check(target{f.Host, f.Path}, f)
		}
	}
}

// check compares what the previous generation publishes at a target with what this
// one does.
func (h *crlHistory) check(at target, f store.File) {
	s := h.at(at.url())
	if s == nil || s.crl == nil {
		h.found(checkPreviousGone, whole(at.url()), "", "the previous generation publishes a CRL here, this one does not: certificates name this URL")
		return
	}
	pair := [2]string{f.SHA256, s.sha256}
	if f.SHA256 == s.sha256 || h.done[pair] {
		return
	}
	h.done[pair] = true
	before, o := h.parse(at, f), h.objects[s.sha256]
	if before == nil {
		return
	}
	o.checkNumber(at, before)
	o.checkThisUpdate(at, before)
	o.checkPoint(at, before)
	h.checkEntries(at, before, o)
}

// parse is the previous CRL at a target, nil if it cannot be read.
func (h *crlHistory) parse(at target, f store.File) *crl {
	if c, ok := h.parsed[f.SHA256]; ok {
		return c
	}
	c, broken := parseCRL(f.Body)
	if broken.check != passed {
		h.found(checkPrevious, whole(at.url()), "", "nothing is compared with the previous CRL: "+broken.reason)
		c = nil
	}
	h.parsed[f.SHA256] = c
	return c
}

func (o *crlObject) checkNumber(at target, before *crl) {
	if before.number != nil && o.number != nil && compareNumbers(o.number, before.number) <= 0 {
		o.faults.add(checkPreviousNumber, "cRLNumber is %x, not greater than %x of the previous CRL at %s", o.number, before.number, at.url())
	}
}

// compareNumbers compares the content octets of two DER INTEGERs, not negative.
func compareNumbers(a, b []byte) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return bytes.Compare(a, b)
}

func (o *crlObject) checkThisUpdate(at target, before *crl) {
	if o.thisUpdate < before.thisUpdate {
		o.faults.add(checkPreviousTime, "thisUpdate is %s, before %s of the previous CRL at %s", utc(o.thisUpdate), utc(before.thisUpdate), at.url())
	}
}

func (o *crlObject) checkPoint(at target, before *crl) {
	old, now := before.uris(), o.uris()
	if len(old) == 0 && len(now) == 0 {
		return
	}
	for _, uri := range now {
		if slices.Contains(old, uri) {
			return
		}
	}
	o.faults.add(checkPreviousPoint, "issuingDistributionPoint has the URIs %q, none of %q in the previous CRL at %s", now, old, at.url())
}

// uris are the URIs of the issuingDistributionPoint.
func (c *crl) uris() []string {
	if c.point == nil {
		return nil
	}
	return c.point.uris
}

// checkEntries looks for entries of the previous CRL that have vanished. One of a
// certificate on hold may: the hold can be lifted.
func (h *crlHistory) checkEntries(at target, before *crl, o *crlObject) {
	before.walk(func(e *crlEntry) {
		if e.reason == reasonHold || o.listing.lists(o.crl, e.serial) {
			return
		}
		h.checkVanished(at, e, o)
	})
}

// tenYears is for how long after its expiry a code signing certificate stays
// listed, in seconds (CSBR section 4.10.1).
const tenYears = 3653 * daySeconds

func (h *crlHistory) checkVanished(at target, e *crlEntry, o *crlObject) {
	const gone = "certificate was listed by the previous CRL at %s and is not any more"
	a, now := (*assigned)(nil), h.config.At.Unix()
	if o.by != nil {
		a = h.inventory.find(o.by, e.serial)
	}
	switch {
	case a == nil:
		o.faults.addAt(checkPreviousUnknown, -1, e.serial, gone+"; when it expires is not known (--inventory)", at.url())
	case a.notAfter > now:
		o.faults.addAt(checkPreviousEntry, -1, e.serial, gone+", but does not expire before %s", at.url(), utc(a.notAfter))
	case a.notAfter+tenYears > now:
		o.faults.addAt(checkPreviousTenYears, -1, e.serial, gone+"; it expired on %s, less than ten years ago", at.url(), utc(a.notAfter))
	}
}
