package static

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"lancre/build/ca"
	"lancre/build/inventory"
	"lancre/build/rule"
)

// checkNamed checks that at the URLs that its certificates name the certificate of each
// issuer is published, or its CRL.
func (t *tree) checkNamed() {
	for _, n := range t.config.Inventory.URLs() {
		c, what, fault := rule.InventoryCAIssuers, "caIssuers URL", t.missingCert
		if n.Purpose == inventory.DistributionPoint {
			c, what, fault = rule.InventoryDistributionPoints, "distribution point", t.missingCRL
		}
		is := t.config.Issuers.List[n.Issuer]
		reason := fault(n.URI, is)
		if reason == "" {
			continue
		}
		t.ledger.Found(c, rule.Place{Source: t.config.Inventory.File, Line: n.Line}, n.Serial, rule.Because(
			"the %s %q of unexpired certificates of %s (lines: %d) %s: publish it there, or, if another server answers that URL, leave it out of the inventory",
			what, n.URI, is.Cert.Subject, n.Count, reason))
	}
}

// missingCert says why a client that asks for uri does not get the certificate of is, ""
// if it does, or asks by another protocol than ours.
func (t *tree) missingCert(uri string, is *ca.Issuer) string {
	s, fault := t.found(uri)
	if s != nil && !t.holds(s, is) {
		fault = fmt.Sprintf("gives %s, which does not hold the certificate of that issuer", s.name)
	}
	if fault != "" {
		fault += "; " + t.whereabouts(is)
	}
	return fault
}

// missingCRL says why a client that asks for uri, and compares it with what the CRL says
// (RFC 5280 section 6.3.3 (b)), does not get the CRL of is; "" as above.
func (t *tree) missingCRL(uri string, is *ca.Issuer) string {
	s, fault := t.found(uri)
	switch {
	case s == nil:
	case s.crl == nil || s.by != is:
		fault = fmt.Sprintf("gives %s, which is no CRL of that issuer", s.name)
	case s.crl.Point != nil && len(s.crl.Point.URIs) > 0 && !slices.Contains(s.crl.Point.URIs, uri):
		fault = fmt.Sprintf("gives the CRL %s, whose issuingDistributionPoint has the URIs %s alone, so that clients must refuse it", s.name, strings.Join(s.crl.Point.URIs, " and "))
	}
	return fault
}

// found returns what a client that asks for uri gets or, if that is nothing, why; neither
// if it asks by another protocol than ours.
func (t *tree) found(uri string) (s *file, fault string) {
	s, at := t.fetched(uri)
	switch {
	case s != nil:
		return s, ""
	case at.host == "":
		if u, err := url.Parse(uri); err == nil && u.Scheme != "" && u.Scheme != "http" {
			return nil, ""
		}
		return nil, "is no URL"
	case !t.serves(at.host):
		return nil, "is at a host for which the build publishes nothing"
	}
	return nil, "is not one at which the build publishes anything"
}

// holds reports whether a certificate of is is in s.
func (t *tree) holds(s *file, is *ca.Issuer) bool {
	for _, cert := range s.certs {
		if t.config.Issuers.Holding(cert) == is {
			return true
		}
	}
	return false
}

// serves reports whether anything is published at that very host.
func (t *tree) serves(host string) bool {
	for at := range t.taken {
		if at.host == host {
			return true
		}
	}
	return false
}

// whereabouts says where a certificate of is is published.
func (t *tree) whereabouts(is *ca.Issuer) string {
	var urls []string
	for _, s := range t.files {
		if t.holds(s, is) {
			for _, at := range s.targets {
				urls = append(urls, at.url())
			}
		}
	}
	if urls == nil {
		return "its certificate is not among the files of --static"
	}
	return "its certificate is published at " + strings.Join(urls, " and ")
}
