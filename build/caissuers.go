package build

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// maxNamings is how many different fields of caIssuers URLs an inventory may have. A
// CA has a few, whatever it issues; they are kept once each.
const maxNamings = 10_000

// A naming is where certificates of an issuer say that its own can be fetched: the
// URLs in their authorityInfoAccess (RFC 5280 section 4.2.2.1).
type naming struct {
	issuer uint16 // its number
	urls   string // separated by spaces
}

// named says how many lines of the inventory have a naming, and which is the first.
type named struct {
	naming
	count  uint64
	line   int
	serial string // hex
}

// name enters the caIssuers URLs of a. Nobody builds a chain for a certificate that
// has expired.
func (v *inventory) name(a *assigned, urls string, line int) error {
	if urls == "" || a.notAfter <= v.at {
		return nil
	}
	n := v.named[naming{a.issuer, urls}]
	if n == nil {
		if len(v.named) == maxNamings {
			return fmt.Errorf("more than %d different fields of caIssuers URLs: want those of the issuers' certificates", maxNamings)
		}
		if v.named == nil {
			v.named = make(map[naming]*named)
		}
		n = &named{naming: naming{a.issuer, strings.Clone(urls)}, line: line, serial: a.hex()}
		v.named[n.naming] = n
	}
	n.count++
	return nil
}

// eachURL sums up what is named, by issuer and single URL, in the order of the lines.
func (v *inventory) eachURL() []*named {
	sums := make(map[naming]*named)
	for _, n := range v.named {
		uris := strings.Fields(n.urls)
		slices.Sort(uris)
		for _, uri := range slices.Compact(uris) {
			one := naming{n.issuer, uri}
			sum := sums[one]
			if sum == nil {
				sum = &named{naming: one, line: n.line, serial: n.serial}
				sums[one] = sum
			}
			if sum.count += n.count; n.line < sum.line {
				sum.line, sum.serial = n.line, n.serial
			}
		}
	}
	list := make([]*named, 0, len(sums))
	for _, n := range sums {
		list = append(list, n)
	}
	slices.SortFunc(list, func(a, b *named) int { return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.urls, b.urls)) })
	return list
}

// checkNamed checks that the certificate of each issuer is published at the URLs that
// its certificates name.
func (t *tree) checkNamed() {
	if t.inventory == nil {
		return
	}
	for _, n := range t.inventory.eachURL() {
		is := t.issuers.list[n.issuer]
		fault := t.missing(n.urls, is)
		if fault == "" {
			continue
		}
		t.found(checkNamed, Place{Source: t.inventory.file, Line: n.line}, n.serial, fmt.Sprintf(
			"the caIssuers URL %q of unexpired certificates of %s (lines: %d) %s; %s: publish it there, or, if another server answers that URL, leave it out of the inventory",
			n.urls, is.cert.Subject, n.count, fault, t.whereabouts(is)))
	}
}

// missing says why a client that asks for uri does not get the certificate of is, ""
// if it does, or asks by another protocol than ours.
func (t *tree) missing(uri string, is *issuer) string {
	at, ok := requested(uri)
	if !ok {
		if u, err := url.Parse(uri); err == nil && u.Scheme != "" && u.Scheme != "http" {
			return ""
		}
		return "is no URL"
	}
	switch s := t.at(at.url()); {
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
func (t *tree) holds(s *static, is *issuer) bool {
	for _, cert := range s.certs {
		if t.issuers.holding(cert) == is {
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
func (t *tree) whereabouts(is *issuer) string {
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
