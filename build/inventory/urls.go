package inventory

import (
	"cmp"
	"fmt"
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
func (v *Inventory) name(a *assigned, urls string, line int) error {
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

// A URL is one at which certificates of an issuer say that its own can be fetched.
type URL struct {
	URI    string
	Issuer int    // its number
	Count  uint64 // certificates that have not expired
	Line   int    // of the first of them
	Serial string // of the first of them, in hex
}

// URLs sums up what is named, by issuer and single URL, in the order of the lines. The
// nil Inventory names none.
func (v *Inventory) URLs() []URL {
	if v == nil {
		return nil
	}
	sums := make(map[naming]*URL)
	for _, n := range v.named {
		uris := strings.Fields(n.urls)
		slices.Sort(uris)
		for _, uri := range slices.Compact(uris) {
			one := naming{n.issuer, uri}
			sum := sums[one]
			if sum == nil {
				sum = &URL{URI: uri, Issuer: int(n.issuer), Line: n.line, Serial: n.serial}
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
	slices.SortFunc(list, func(a, b URL) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.URI, b.URI)) })
	return list
}
