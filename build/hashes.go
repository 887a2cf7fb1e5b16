package build

import (
	"fmt"
	"slices"

	"lancre/build/ca"
	"lancre/build/rule"
	"lancre/index"
	"lancre/index/store"
)

// A hashCheck looks for certificates that a generation answers as revoked by one hash
// algorithm of CertIDs and not by another.
type hashCheck struct {
	*builder
	in   *store.Generation
	algs []index.HashAlg // that there are responses by
	all  bool            // every line of in is looked at: then its revoked records tell
	seen map[subject]bool
}

// A subject is a certificate.
type subject struct {
	issuer *ca.Issuer
	serial string // content octets
}

// checkHashesAgree looks for them in the first lines of in, which are new. What says so
// of a revoked certificate is never held back.
func (b *builder) checkHashesAgree(in *store.Generation, lines int) error {
	c := hashCheck{b, in, b.algs(), lines == len(in.Segments()), make(map[subject]bool)}
	if len(c.algs) < 2 {
		return nil
	}
	var failed error
	err := in.Live(func(r store.LiveRecord) bool {
		if r.Line >= lines {
			return false
		}
		for i := range r.CertIDs {
			if failed == nil {
				failed = c.check(r.Record, &r.CertIDs[i])
			}
		}
		return failed == nil
	})
	if failed != nil {
		return failed
	}
	return err
}

// check compares rec, the answer for id, with those by other algorithms.
func (c *hashCheck) check(rec index.Record, id *index.CertID) error {
	status := rec.StatusOf(id)
	if rec.Tombstone() || c.all && status != index.Revoked {
		return nil
	}
	is := c.issuers.Find(id)
	if is == nil {
		return nil
	}
	for sibling := range is.CertIDs(id.Serial) {
		if sibling.Alg == id.Alg || !slices.Contains(c.algs, sibling.Alg) {
			continue
		}
		other, found, err := c.in.Lookup(sibling.Key(), &sibling)
		if err != nil {
			return err
		}
		if found && !other.Tombstone() && (status == index.Revoked) != (other.StatusOf(&sibling) == index.Revoked) {
			c.differ(is, id, status, &sibling, other.StatusOf(&sibling))
		}
	}
	return nil
}

// differ notes, once for each certificate, that id and sibling are answered otherwise.
func (c *hashCheck) differ(is *ca.Issuer, id *index.CertID, status index.Status, sibling *index.CertID, others index.Status) {
	name := subject{is, string(id.Serial)}
	if c.seen[name] {
		return
	}
	c.seen[name] = true
	serial := fmt.Sprintf("%x", id.Serial)
	reason := rule.Because("certStatus is %s by %s and %s by %s: have both signed anew", status, id.Alg, others, sibling.Alg)
	if status == index.Revoked {
		c.ledger.Warn(rule.OCSPHashDiffers, c.place(), serial, reason)
	} else {
		c.ledger.Found(rule.OCSPHashDiffers, c.place(), serial, reason)
	}
}

// algs are the hash algorithms that there are responses by, before and now.
func (b *builder) algs() (list []index.HashAlg) {
	var set uint8
	for i := range b.report.Issuers {
		set |= b.report.Issuers[i].algs()
	}
	if b.before != nil {
		for _, l := range b.before.Live {
			set |= 1 << l.Alg
		}
	}
	for _, alg := range index.HashAlgs() {
		if set>>alg&1 != 0 {
			list = append(list, alg)
		}
	}
	return list
}
