package build

import (
	"fmt"
	"slices"
	"strings"

	"lancre/build/inventory"
	"lancre/build/rule"
	"lancre/index"
	"lancre/index/store"
)

// checkTogether checks the responses of the build against each other.
func (b *builder) checkTogether(stats index.Stats) {
	b.checkConflicts(stats)
	b.checkHashes()
}

// place is that of what is wrong with all responses together.
func (b *builder) place() rule.Place { return rule.Whole(strings.Join(b.config.Responses, ", ")) }

// checkConflicts checks that no two responses contradict each other: which of them
// was published would be chance.
func (b *builder) checkConflicts(stats index.Stats) {
	if n := stats.Conflicts; n > 0 {
		b.ledger.Found(rule.OCSPConflict, b.place(), fmt.Sprintf("%x", stats.Conflict.Serial), rule.Because(
			"%d times, responses have different certStatus but the same thisUpdate and producedAt: leave one out; the first: %s", n, &stats.Conflict))
	}
}

// checkHashes warns of issuers for which clients that ask by SHA-256, as new ones
// must, get less.
func (b *builder) checkHashes() {
	for i, is := range b.issuers.List {
		n := &b.report.Issuers[i].byAlg
		if n[index.SHA1] > n[index.SHA256] {
			b.ledger.Found(rule.OCSPSHA1Alone, b.place(), "", rule.Because(
				"%d responses for %s by SHA-1 and %d by SHA-256: new clients ask by SHA-256", n[index.SHA1], is.Cert.Subject, n[index.SHA256]))
		}
	}
}

// checkCoverage checks that the certificates in bases have responses. A few without,
// issued since the responses were signed, need not hold up the build.
func (b *builder) checkCoverage(bases []store.SegmentLine) {
	if b.inventory == nil {
		return
	}
	var gaps []inventory.Gap
	var missing uint64
	for _, is := range b.issuers.List {
		if g := b.inventory.Gap(is, b.report.Issuers[is.Number].algs(), within(bases)); g.Missing > 0 {
			gaps = append(gaps, g)
			missing += g.Missing
		}
	}
	enter := func(c rule.Check, at rule.Place, reason func() string) { b.ledger.Found(c, at, "", reason) }
	if missing <= uint64(b.config.MaxMissing) {
		enter = func(c rule.Check, at rule.Place, reason func() string) { b.ledger.Warn(c, at, "", reason) }
	}
	for _, g := range gaps {
		enter(rule.InventoryCoverage, rule.Whole(b.inventory.File), rule.Because(
			"%d of %d unexpired certificates of %s have no response, or not by every hash algorithm, %d allowed in all (--max-missing); the first: %s",
			g.Missing, g.Assigned, g.Issuer.Cert.Subject, b.config.MaxMissing, g.First))
	}
}

// within tells certificates in the shards of bases, by their serial number.
func within(bases []store.SegmentLine) func(serial []byte) bool {
	if len(bases) == int(bases[0].Shard.Of) {
		return nil
	}
	return func(serial []byte) bool {
		id := index.CertID{Serial: serial}
		hash := id.SerialHash()
		return slices.ContainsFunc(bases, func(l store.SegmentLine) bool { return l.Shard.Covers(hash) })
	}
}
