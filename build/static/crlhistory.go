package static

import (
	"bytes"
	"errors"
	"slices"

	"lancre/build/crl"
	"lancre/build/inventory"
	"lancre/build/rule"
	"lancre/index/store"
)

// A crlHistory compares CRLs with those that the previous generation publishes at
// the same URL.
type crlHistory struct {
	tree    *tree                 // of the build
	objects map[string]*crlObject // by SHA-256
	parsed  map[string]*crl.CRL   // previous ones by SHA-256; nil if one cannot be read
	done    map[[2]string]bool    // pairs of SHA-256 that were compared
}

// checkPrevious compares the CRLs of the build with those of the previous generation.
func (t *tree) checkPrevious(objects map[string]*crlObject) {
	h := &crlHistory{tree: t, objects: objects, parsed: make(map[string]*crl.CRL), done: make(map[[2]string]bool)}
	for i := range t.config.Before {
		f := &t.config.Before[i]
		if f.ContentType == kindCRL.contentType() && !t.config.Unpublish[f.Host+f.Path] {
			h.check(target{f.Host, f.Path}, f)
		}
	}
}

// check compares what the previous generation publishes at a target with what this
// one does.
func (h *crlHistory) check(at target, f *store.FileLine) {
	s := h.tree.at(at.url())
	if s == nil || s.crl == nil {
		h.tree.ledger.Found(rule.CRLPreviousURL, rule.Whole(at.url()), "", rule.Because(
			"the previous generation publishes a CRL here, this one does not: certificates name this URL"))
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
	if before.Delta() != o.Delta() {
		o.findings.Found(rule.CRLPreviousDelta, rule.Because("one of this CRL and the previous one at %s is a delta CRL, the other complete: clients of that URL want what they had", at.url()))
		return
	}
	o.checkNumber(at, before)
	o.checkThisUpdate(at, before)
	o.checkPoint(at, before)
	h.checkEntries(at, before, o)
}

// parse is the previous CRL at a target, nil if it cannot be read.
func (h *crlHistory) parse(at target, f *store.FileLine) *crl.CRL {
	if c, ok := h.parsed[f.SHA256]; ok {
		return c
	}
	var c *crl.CRL
	data, err := h.tree.config.Previous.Read(f)
	if err == nil {
		var broken *rule.Finding
		if c, broken = crl.Parse(data); broken != nil {
			c, err = nil, errors.New(broken.Reason)
		}
	}
	if err != nil {
		h.tree.ledger.Found(rule.StorePrevious, rule.Whole(at.url()), "", rule.Because("nothing is compared with the previous CRL: %v", err))
	}
	h.parsed[f.SHA256] = c
	return c
}

func (o *crlObject) checkNumber(at target, before *crl.CRL) {
	if before.Number != nil && o.Number != nil && compareNumbers(o.Number, before.Number) <= 0 {
		o.findings.Found(rule.CRLPreviousNumber, rule.Because("cRLNumber is %x, not greater than %x of the previous CRL at %s", o.Number, before.Number, at.url()))
	}
}

// compareNumbers compares the content octets of two DER INTEGERs, not negative.
func compareNumbers(a, b []byte) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return bytes.Compare(a, b)
}

func (o *crlObject) checkThisUpdate(at target, before *crl.CRL) {
	if o.ThisUpdate < before.ThisUpdate {
		o.findings.Found(rule.CRLPreviousThisUpdate, rule.Because("thisUpdate is %s, before %s of the previous CRL at %s", rule.UTC(o.ThisUpdate), rule.UTC(before.ThisUpdate), at.url()))
	}
}

func (o *crlObject) checkPoint(at target, before *crl.CRL) {
	old, now := before.URIs(), o.URIs()
	if len(old) == 0 && len(now) == 0 {
		return
	}
	for _, uri := range now {
		if slices.Contains(old, uri) {
			return
		}
	}
	o.findings.Found(rule.CRLPreviousIDP, rule.Because("issuingDistributionPoint has the URIs %q, none of %q in the previous CRL at %s", now, old, at.url()))
}

// checkEntries looks for entries of the previous CRL that have vanished. One of a
// certificate on hold may: the hold can be lifted. So may those of a delta CRL that goes
// on from another base, which has them.
func (h *crlHistory) checkEntries(at target, before *crl.CRL, o *crlObject) {
	if !bytes.Equal(before.Base, o.Base) {
		return
	}
	before.Walk(func(e *crl.Entry) {
		if e.Foreign || e.Reason == crl.ReasonHold || e.Reason == crl.ReasonRemove || o.listing.Lists(o.CRL, e.Serial) {
			return
		}
		h.checkVanished(at, e, o)
	})
}

func (h *crlHistory) checkVanished(at target, e *crl.Entry, o *crlObject) {
	const gone = "certificate was listed by the previous CRL at %s and is not any more"
	c := &h.tree.config
	var line inventory.Line
	known := false
	if o.by != nil {
		line, known = c.Inventory.Find(o.by, e.Serial)
	}
	switch {
	case !known:
		o.findings.FoundAt(rule.CRLPreviousEntryUnknown, -1, e.Serial, rule.Because(gone+"; when it expires is not known (--inventory)", at.url()))
	case !line.Expired(c.At):
		o.findings.FoundAt(rule.CRLPreviousEntry, -1, e.Serial, rule.Because(gone+", but does not expire before %s", at.url(), rule.UTC(line.NotAfter)))
	case line.Retained(c.At):
		o.findings.FoundAt(rule.CRLPreviousEntryEarly, -1, e.Serial, rule.Because(gone+"; it expired on %s, less than ten years ago", at.url(), rule.UTC(line.NotAfter)))
	}
}
