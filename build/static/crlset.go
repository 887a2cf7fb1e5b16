package static

import (
	"slices"
	"strings"

	"lancre/build/ca"
	"lancre/build/crl"
	"lancre/build/rule"
)

// A crlObject is one CRL of the build, wherever it is published.
type crlObject struct {
	*crl.CRL
	by       *ca.Issuer // who signed it; nil if that issuer is not configured
	name     string     // of the first file that holds it
	urls     []string   // at which it is published
	sha256   string
	carried  bool         // of the previous generation
	listing  *crl.Listing // of all CRLs of its issuer
	findings rule.Findings
}

// A crlScope is whose certificates CRLs are about: those of one name and one key.
// by is nil if the issuer is not configured.
type crlScope struct {
	name string
	by   *ca.Issuer
}

// checkCRLs checks the CRLs of the build against each other, against where they
// are published and against those of the previous generation, and leaves in
// the tree what those of each issuer list.
func (t *tree) checkCRLs() error {
	objects, bySHA256 := t.crlObjects()
	scopes := make(map[crlScope][]*crlObject)
	for _, o := range objects {
		if o.OfAttributes() {
			listAll([]*crlObject{o})
			continue
		}
		scope := crlScope{string(o.Issuer), o.by}
		if o.by != nil {
			scope.name = string(o.by.Cert.RawSubject) // of all its encodings the one
		}
		scopes[scope] = append(scopes[scope], o)
	}
	known := t.publishedCAs()
	for scope, group := range scopes {
		l := listAll(group)
		complete, deltas := partition(group, func(o *crlObject) bool { return !o.Delta() })
		checkShards(complete)
		if err := t.checkBases(deltas, complete); err != nil {
			return err
		}
		if scope.by != nil {
			t.checkScopes(group, known)
		}
		if scope.by != nil {
			t.listed[scope.by.Number] = l
		}
	}
	t.checkPrevious(bySHA256)
	for _, o := range objects {
		if o.carried {
			t.checkCarried(o)
			continue
		}
		t.checkPublished(o)
		t.ledger.Enter(&o.findings)
	}
	return nil
}

// crlObjects are the different CRLs among the files, in the order of these and by
// their SHA-256.
func (t *tree) crlObjects() (list []*crlObject, bySHA256 map[string]*crlObject) {
	bySHA256 = make(map[string]*crlObject)
	for _, s := range t.files {
		if s.crl == nil {
			continue
		}
		o := bySHA256[s.sha256]
		if o == nil {
			o = &crlObject{CRL: s.crl, by: s.by, name: s.name, sha256: s.sha256, carried: s.carried}
			o.findings.Begin(t.ledger, rule.Whole(s.name))
			bySHA256[s.sha256] = o
			list = append(list, o)
		}
		for _, at := range s.targets {
			o.urls = append(o.urls, at.url())
		}
		o.urls = append(o.urls, s.urls...)
	}
	return list, bySHA256
}

// listAll makes the listing of the CRLs of one issuer, and finds what they list twice.
func listAll(group []*crlObject) *crl.Listing {
	l := &crl.Listing{}
	of := make(map[*crl.CRL]*crlObject)
	for _, o := range group {
		o.listing, of[o.CRL] = l, o
		l.Add(o.CRL)
	}
	l.Sort()
	l.Duplicates(func(c *crl.CRL, e *crl.Entry) {
		of[c].findings.FoundAt(rule.CRLEntryDuplicate, e.Offset, e.Serial, rule.Because("certificate is listed twice"))
	})
	l.Differences(func(c *crl.CRL, e *crl.Entry, first *crl.CRL, said crl.Revocation) {
		of[c].findings.FoundAt(rule.CRLEntryDiffers, e.Offset, e.Serial, rule.Because("certificate is revoked since %s with reason %d, on %s since %s with reason %d (-1: none)",
			rule.UTC(e.Revoked), e.Reason, of[first].name, rule.UTC(said.At), said.Reason))
	})
	return l
}

// checkPublished compares the URIs in a CRL with the URLs where it is published.
func (t *tree) checkPublished(o *crlObject) {
	if !slices.ContainsFunc(o.URIs(), mayBeHere) || o.Delta() { // whose URIs are those of its base
		return
	}
	here := false
	for _, uri := range o.Point.URIs {
		switch s := t.at(uri); {
		case s == nil:
		case s.sha256 == o.sha256:
			here = true
		default:
			o.findings.Found(rule.CRLIDPDiffers, rule.Because("issuingDistributionPoint has the URI %q, where %s is published", uri, s.name))
		}
	}
	if !here {
		o.findings.Found(rule.CRLIDPURL, rule.Because(
			"issuingDistributionPoint has the URIs %s, but the CRL is published at %s: the two must be equal octet for octet; if clients find it at such a URI, name that in %s",
			strings.Join(o.Point.URIs, " and "), strings.Join(o.urls, " and "), urlsFile))
	}
}

// checkShards compares the CRLs of one issuer. Those with an issuingDistributionPoint
// are shards; one without is a full CRL, and lists what any shard lists.
func checkShards(group []*crlObject) {
	full, shards := partition(group, func(o *crlObject) bool { return o.Point == nil })
	switch {
	case len(group) == 1 && len(shards) == 1 && !shards[0].Point.UserCerts && !shards[0].Point.CACerts:
		shards[0].findings.Found(rule.CRLFullIDP, rule.Because("CRL has an issuingDistributionPoint, but is the only one of its issuer: want none in a full CRL"))
	case len(full) > 1:
		for _, o := range full[1:] {
			o.findings.Found(rule.CRLFullDiffers, rule.Because("CRL is not that of %s, and neither has an issuingDistributionPoint: all URLs of a full CRL must give the same", full[0].name))
		}
	case len(full) == 1:
		full[0].checkComplete(shards)
	}
	checkNames(shards)
}

// mayBeHere reports whether clients can look for uri at a server like this one: LDAP, say,
// is another's.
func mayBeHere(uri string) bool {
	protocol, _, ok := strings.Cut(uri, "://")
	return !ok || strings.EqualFold(protocol, "http") || strings.EqualFold(protocol, "https")
}

// partition tells apart the CRLs for which is holds and the others.
func partition(group []*crlObject, is func(*crlObject) bool) (those, others []*crlObject) {
	for _, o := range group {
		if is(o) {
			those = append(those, o)
		} else {
			others = append(others, o)
		}
	}
	return those, others
}

// checkNames checks that shards for the same kind of certificates say which they are. One
// that does not can be a full CRL of that kind.
func checkNames(shards []*crlObject) {
	type kind struct{ user, ca bool }
	named, unnamed := make(map[kind][]*crlObject), make(map[kind][]*crlObject)
	for _, o := range shards {
		k := kind{o.Point.UserCerts, o.Point.CACerts}
		if o.Point.Named() {
			named[k] = append(named[k], o)
		} else {
			unnamed[k] = append(unnamed[k], o)
		}
	}
	for k, list := range unnamed {
		if len(list) == 1 {
			list[0].checkComplete(named[k])
			continue
		}
		for _, o := range list {
			o.findings.Found(rule.CRLShardIDP, rule.Because("CRL is one of %d for the same kind of certificates whose issuingDistributionPoint has no distributionPoint: clients cannot tell which they need", len(list)))
		}
	}
}

// checkComplete checks that o, a CRL that names no distributionPoint, lists what the
// shards do that are not newer.
func (o *crlObject) checkComplete(shards []*crlObject) {
	for _, shard := range shards {
		if shard.ThisUpdate > o.ThisUpdate {
			continue
		}
		shard.Walk(func(e *crl.Entry) {
			if !o.listing.Lists(o.CRL, e.Serial) {
				o.findings.Found(rule.CRLShardIDP, rule.Because("CRL without a distributionPoint does not list serial %x, which %s lists: is it a shard?", e.Serial, shard.name))
			}
		})
	}
}
