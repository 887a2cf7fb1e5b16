package inventory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxNamings is how many different fields of URLs an inventory may have. A CA has a few
// caIssuers URLs, whatever it issues, and one distribution point for each shard of its
// CRL, of which the largest have thousands; they are kept once each.
const maxNamings = 100_000

// maxURLs is how many octets each of these fields may have: those of ten URLs.
const maxURLs = 1024

// A Purpose is what certificates name a URL for.
type Purpose uint8

const (
	CAIssuers         Purpose = iota // the certificate of their issuer (RFC 5280 section 4.2.2.1)
	DistributionPoint                // the CRL that they would be on (RFC 5280 section 4.2.1.13)
)

// A naming is where certificates of an issuer say that something can be fetched.
type naming struct {
	issuer  uint16 // its number
	purpose Purpose
	urls    string // separated by spaces
}

// named says how many lines of the inventory have a naming, and which is the first.
type named struct {
	naming
	count  uint64
	line   int
	serial string // hex
}

// name enters URLs of a. Nobody fetches anything for a certificate that has expired.
func (v *Inventory) name(a *assigned, purpose Purpose, urls string, line int) error {
	if urls == "" || a.notAfter <= v.at {
		return nil
	}
	if len(urls) > maxURLs {
		return fmt.Errorf("a field of URLs has %d octets, want at most %d", len(urls), maxURLs)
	}
	n := v.named[naming{a.issuer, purpose, urls}]
	if n == nil {
		if len(v.named) == maxNamings {
			return fmt.Errorf("more than %d different fields of URLs: want those of the issuers' certificates and of their CRLs", maxNamings)
		}
		if v.named == nil {
			v.named = make(map[naming]*named)
		}
		n = &named{naming: naming{a.issuer, purpose, strings.Clone(urls)}, line: line, serial: a.hex()}
		v.named[n.naming] = n
	}
	n.count++
	return nil
}

// A URL is one that certificates of an issuer name.
type URL struct {
	Purpose Purpose
	URI     string
	Issuer  int    // its number
	Count   uint64 // certificates that have not expired
	Line    int    // of the first of them
	Serial  string // of the first of them, in hex
}

// URLs sums up what is named, by issuer, purpose and single URL, in the order of the
// lines. The nil Inventory names none.
func (v *Inventory) URLs() []URL {
	if v == nil {
		return nil
	}
	sums := make(map[naming]*URL)
	for _, n := range v.named {
		uris := strings.Fields(n.urls)
		slices.Sort(uris)
		for _, uri := range slices.Compact(uris) {
			one := naming{n.issuer, n.purpose, uri}
			sum := sums[one]
			if sum == nil {
				sum = &URL{Purpose: n.purpose, URI: uri, Issuer: int(n.issuer), Line: n.line, Serial: n.serial}
				sums[one] = sum
			}
			if sum.Count += n.count; n.line < sum.Line {
				sum.Line, sum.Serial = n.line, n.serial
			}
		}
	}
	list := make([]URL, 0, len(sums))
	for _, n := range sums {
		list = append(list, *n)
	}
	slices.SortFunc(list, func(a, b URL) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Purpose, b.Purpose), cmp.Compare(a.URI, b.URI))
	})
	return list
}
