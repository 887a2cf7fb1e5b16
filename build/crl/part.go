package crl

import "lancre/index"

// A part is what one of the CRLs of an issuer tells of, and as of when.
type part struct {
	thisUpdate int64  // Unix seconds
	scope      uint64 // xxhash64 of its issuingDistributionPoint; 0 if it has none
	delta      bool
}

// counting reports which CRLs of an issuer tell what it has revoked, and the moment up to
// which together they tell all of it; index.NoTime if that is none. Complete ones count,
// and of the delta CRLs those that are newer than the complete ones of their scope: what an
// older one says is on these already (RFC 5280 section 5.2.4).
func counting(parts []part) (counts []bool, since int64) {
	complete := make(map[uint64]int64) // thisUpdate of the newest, by scope
	for _, p := range parts {
		if at, ok := complete[p.scope]; !p.delta && (!ok || p.thisUpdate > at) {
			complete[p.scope] = p.thisUpdate
		}
	}
	counts = make([]bool, len(parts))
	newest := make(map[uint64]int64) // thisUpdate of the newest delta CRL that counts, by scope
	for i, p := range parts {
		at, ok := complete[p.scope]
		if counts[i] = !p.delta || !ok || p.thisUpdate > at; counts[i] && p.delta {
			newest[p.scope] = max(newest[p.scope], p.thisUpdate)
		}
	}
	since = index.NoTime
	for _, p := range parts {
		if p.delta {
			continue
		}
		if at := max(p.thisUpdate, newest[p.scope]); since == index.NoTime || at < since {
			since = at
		}
	}
	return counts, since
}
