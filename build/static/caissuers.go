package static

import (
	"fmt"
	"net/url"
	"strings"

	"lancre/build/ca"
	"lancre/build/rule"
)

// checkNamed checks that the certificate of each issuer is published at the URLs that
// its certificates name.
func (t *tree) checkNamed() {
	for _, n := range t.config.Inventory.URLs() {
		is := t.config.Issuers.List[n.Issuer]
		fault := t.missing(n.URI, is)
		if fault == "" {
			continue
		}
		t.ledger.Found(rule.InventoryCAIssuers, rule.Place{Source: t.config.Inventory.File, Line: n.Line}, n.Serial, rule.Because(
			"the caIssuers URL %q of unexpired certificates of %s (lines: %d) %s; %s: publish it there, or, if another server answers that URL, leave it out of the inventory",
			n.URI, is.Cert.Subject, n.Count, fault, t.whereabouts(is)))
	}
}

// missing says why a client that asks for uri does not get the certificate of is, ""
// if it does, or asks by another protocol than ours.
func (t *tree) missing(uri string, is *ca.Issuer) string {
	s, at := t.fetched(uri)
	if at.host == "" {
		if u, err := url.Parse(uri); err == nil && u.Scheme != "" && u.Scheme != "http" {
			return ""
		}
		return "is no URL"
	}
	switch {
	case s == nil && !t.serves(at.host):
		return "is at a host for which the build publishes nothing"
	case s == nil:
		return "is not one at which the build publishes anything"
	case !t.holds(s, is):
		return fmt.Sprintf("gives %s, which does not hold the certificate of that issuer", s.name)
	}
	return ""
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
