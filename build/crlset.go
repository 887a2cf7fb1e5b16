package build

import (
	"bytes"
	"strings"
)

// A crlObject is one CRL of the build, wherever it is published.
type crlObject struct {
	*crl
	name    string // of the first file that holds it
	targets []target
	listing *listing // of all CRLs of its issuer
	faults  faults
}

// A crlScope is whose certificates CRLs are about: those of one name and one key.
// by is nil if the issuer is not configured.
type crlScope struct {
	name string
	by   *issuer
}

// checkCRLs checks the CRLs of the build against each other, against where they
// are published and against those of the previous generation, and leaves with
// their issuers what they list.
func (t *tree) checkCRLs() {
	objects, bySHA256 := t.crlObjects()
	scopes := make(map[crlScope][]*crlObject)
	for _, o := range objects {
		scope := crlScope{string(o.issuerName), o.by}
		scopes[scope] = append(scopes[scope], o)
	}
	for scope, group := range scopes {
		l := listAll(group)
		checkShards(group)
		if scope.by != nil {
			scope.by.listed = l
		}
	}
	t.checkPrevious(bySHA256)
	for _, o := range objects {
		t.checkPublished(o)
		t.foundAll(o.name, &o.faults)
	}
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
			o = &crlObject{crl: s.crl, name: s.name}
			bySHA256[s.sha256] = o
			list = append(list, o)
		}
		o.targets = append(o.targets, s.targets...)
	}
	return list, bySHA256
}

// listAll makes the listing of the CRLs of one issuer, and finds what they list twice.
func listAll(group []*crlObject) *listing {
	l := &listing{}
	of := make(map[*crl]*crlObject)
	for _, o := range group {
		o.listing, of[o.crl] = l, o
		l.add(o.crl)
	}
	l.sort()
	l.duplicates(func(c *crl, e *crlEntry) {
		of[c].faults.addEntry(checkEntryDuplicate, e, "certificate is listed twice")
	})
	return l
}

// checkPublished compares the URIs in a CRL with the URLs where it is published.
func (t *tree) checkPublished(o *crlObject) {
	if o.point == nil || len(o.point.uris) == 0 {
		return
	}
	here := false
	for _, uri := range o.point.uris {
		switch s := t.at(uri); {
		case s == nil:
		case s.crl != nil && bytes.Equal(s.crl.der, o.der):
			here = true
		default:
			o.faults.add(checkPointOther, "issuingDistributionPoint has the URI %q, where %s is published", uri, s.name)
		}
	}
	if !here {
		o.faults.add(checkPointURL, "issuingDistributionPoint has the URIs %s, but the CRL is published at %s: the two must be equal octet for octet",
			strings.Join(o.point.uris, " and "), o.urls())
	}
}

func (o *crlObject) urls() string {
	urls := make([]string, len(o.targets))
	for i, at := range o.targets {
		urls[i] = at.url()
	}
	return strings.Join(urls, " and ")
}

// checkShards compares the CRLs of one issuer. Those with an issuingDistributionPoint
// are shards; one without is a full CRL, and lists what any shard lists.
func checkShards(group []*crlObject) {
	var full, shards []*crlObject
	for _, o := range group {
		if o.point == nil {
			full = append(full, o)
		} else {
			shards = append(shards, o)
		}
	}
	switch {
	case len(group) == 1 && len(shards) == 1 && !shards[0].point.userCerts && !shards[0].point.caCerts:
		shards[0].faults.add(checkFullPoint, "CRL has an issuingDistributionPoint, but is the only one of its issuer: want none in a full CRL")
	case len(full) > 1:
		for _, o := range full[1:] {
			o.faults.add(checkFullDiffers, "CRL is not that of %s, and neither has an issuingDistributionPoint: all URLs of a full CRL must give the same", full[0].name)
		}
	case len(full) == 1:
		full[0].checkComplete(shards)
	}
}

// checkComplete checks that o, a CRL without issuingDistributionPoint, lists what
// the shards do that are not newer.
func (o *crlObject) checkComplete(shards []*crlObject) {
	for _, shard := range shards {
		if shard.thisUpdate > o.thisUpdate {
			continue
		}
		shard.walk(func(e *crlEntry) {
			if !o.listing.lists(o.crl, e.serial) {
				o.faults.add(checkShardPoint, "CRL without issuingDistributionPoint does not list serial %x, which %s lists: is it a shard?", e.serial, shard.name)
			}
		})
	}
}
