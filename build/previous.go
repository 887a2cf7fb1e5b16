package build

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"lancre/build/inventory"
	"lancre/build/ocsp"
	"lancre/build/rule"
	"lancre/index"
	"lancre/index/store"
)

// openPrevious opens the generation that is being replaced, or added to, if there is
// one. One that cannot be opened is as none where the operator wants that.
func (b *builder) openPrevious() error {
	if b.before == nil {
		return nil
	}
	g, err := store.OpenAnswers(b.config.Out, nil)
	if err == nil {
		b.previous, b.before = g, g.Manifest()
		return nil
	}
	return b.halt(rule.StorePrevious, "nothing can be compared with the previous generation: %v", err)
}

func (b *builder) closePrevious() {
	if b.previous != nil {
		b.previous.Close()
	}
}

// refused is the error of a build in which something was rejected that is no
// response, and so is not counted by --max-rejects; nil if nothing was since there
// were before rejections.
func (b *builder) refused(before int) error {
	list := b.ledger.Rejections()[before:]
	if len(list) == 0 {
		return nil
	}
	return refusedf("%d faults in the build as a whole; the first: %s", len(list), list[0])
}

// olderResponses are accepted responses that are older than what the previous
// generation has.
type olderResponses struct {
	count  uint64
	places map[string]rule.Place // by serial, of the first rejectionMargin
}

func (o *olderResponses) add(it *ocsp.Item) {
	if o.places == nil {
		o.places = make(map[string]rule.Place)
	}
	if o.count++; o.count <= rejectionMargin {
		var r index.Response
		if r.Parse(it.DER) == nil {
			for i := range r.Singles {
				o.places[string(r.Singles[i].CertID.Serial)] = it.Place
			}
		}
	}
}

// comparePrevious looks for what the previous generation answers and the new bases, nil
// if there are none, do not say any more, or say by an older response; and whether they
// answer for fewer CertIDs. What stays all the same is added to carried, unless that is
// nil: what came after the input was taken, what was withdrawn, what is remembered and
// that of which the input is held.
func (b *builder) comparePrevious(bases *store.Generation, carried *store.LineWriter, older *olderResponses) error {
	if b.previous == nil {
		return nil
	}
	before := len(b.ledger.Rejections())
	c := newComparison(b, bases, carried, older)
	var failed error
	err := b.previous.LiveIn(c.shards(), func(old store.LiveRecord) bool {
		failed = c.compare(old)
		return failed == nil && len(b.ledger.Rejections())-before < rejectionMargin
	})
	if failed != nil {
		return failed
	}
	if err != nil {
		if err := b.halt(rule.StorePrevious, "nothing more can be compared with the previous generation: %v", err); err != nil {
			return err
		}
	}
	b.report.Responses.Kept += c.kept
	if err := b.refused(before); err != nil {
		return err
	}
	return c.checkShrunk()
}

// A comparison is of what the previous generation answers with new bases.
type comparison struct {
	*builder
	bases   *store.Generation // nil if there are none
	carried *store.LineWriter // nil if nothing stays
	older   *olderResponses

	held    map[uint64]bool         // keys of CertIDs of what is put aside
	kept    uint64                  // CertIDs in carried
	answers map[index.Shard]*change // of the shards that are replaced
}

// A change is how many CertIDs are answered, before and now.
type change struct{ before, now uint64 }

// A fate is what becomes of an answer of the previous generation.
type fate int

const (
	goes   fate = iota // something else takes its place, or nothing
	stays              // for it came after the input was taken, was withdrawn, or what the input has is held
	buried             // under a tombstone: that a certificate was revoked is remembered
)

func newComparison(b *builder, bases *store.Generation, carried *store.LineWriter, older *olderResponses) *comparison {
	c := &comparison{builder: b, bases: bases, carried: carried, older: older, held: b.heldKeys(), answers: make(map[index.Shard]*change)}
	if bases == nil {
		c.answers[index.Everything] = &change{}
		return c
	}
	for i, l := range bases.Manifest().Segments {
		c.answers[l.Shard] = &change{now: bases.Segments()[i].Info().Keys}
	}
	return c
}

// compare compares what the previous generation answers by old.
func (c *comparison) compare(old store.LiveRecord) error {
	var stay []index.CertID
	for i := range old.CertIDs {
		id := &old.CertIDs[i]
		count := c.shardOf(id)
		count.before++
		switch c.fateOf(old, id, count) {
		case stays:
			stay = append(stay, *id)
		case buried:
			c.kept++
			if err := c.carried.Bury(old.Record, id); err != nil {
				return err
			}
		}
	}
	if len(stay) == 0 {
		return nil
	}
	if is := c.issuers.Find(&stay[0]); is != nil && !old.Tombstone() {
		for i := range stay {
			c.inventory.CoverID(is, &stay[i])
		}
	}
	c.kept += uint64(len(stay))
	return c.carried.Add(old.Record, stay...)
}

// shards are those that are replaced, in order: all of one number.
func (c *comparison) shards() []index.Shard {
	return slices.SortedFunc(maps.Keys(c.answers), func(a, b index.Shard) int { return cmp.Compare(a.Index, b.Index) })
}

// shardOf is the count of the shard of id, which is replaced.
func (c *comparison) shardOf(id *index.CertID) *change {
	if c.bases == nil {
		return c.answers[index.Everything]
	}
	of := c.bases.Manifest().Segments[0].Shard.Of
	return c.answers[index.ShardOf(id.SerialHash(), of)]
}

// fateOf compares old, which the previous generation answers for id, with the bases.
func (c *comparison) fateOf(old store.LiveRecord, id *index.CertID, count *change) fate {
	var rec index.Record
	found := false
	if c.bases != nil {
		rec, found, _ = c.bases.Lookup(id.Key(), id) // no error: the self-check has read it all
	}
	came := c.before.Segments[old.Line].Created.After(c.config.AsOf) || !found && c.held[id.Key()]
	switch {
	case found && !outranks(old.Record, rec):
		return goes
	case c.carried != nil && (came || found && old.Tombstone() && c.ledger.Rejects(rule.OCSPPreviousNewer)):
		if !found {
			count.now++
		}
		return stays
	case found:
		if !old.Tombstone() {
			c.checkOlder(old.Record, rec, id)
		}
		return goes
	case old.StatusOf(id) != index.Revoked:
		return goes
	}
	return c.vanished(old.Record, id, count)
}

// outranks reports whether old stands against rec: it is newer or, as a tombstone, of
// the same moment, for then rec is what was withdrawn.
func outranks(old, rec index.Record) bool {
	return old.Newer(&rec) || old.Tombstone() && !rec.Tombstone() && !rec.Newer(&old)
}

// vanished decides about a certificate, revoked in the previous generation, of which
// the input has nothing.
func (c *comparison) vanished(old index.Record, id *index.CertID, count *change) fate {
	mattered := true
	if !old.Tombstone() {
		mattered = c.checkVanished(id)
	} else if line, known := c.lineOf(id); known {
		mattered = !line.Expired(c.config.At) || line.Retained(c.config.At)
	}
	switch {
	case c.carried == nil || c.config.Forget || !mattered:
		return goes
	case old.Tombstone():
		count.now++
		return stays
	}
	return buried
}

// lineOf is what the inventory says of a certificate.
func (c *comparison) lineOf(id *index.CertID) (line inventory.Line, known bool) {
	if is := c.issuers.Find(id); is != nil {
		return c.inventory.Find(is, id.Serial)
	}
	return line, false
}

// checkShrunk checks each shard that was replaced, or all together where all were.
func (c *comparison) checkShrunk() error {
	shards := c.shards()
	if len(shards) == int(shards[0].Of) {
		var total change
		for _, n := range c.answers {
			total.before += n.before
			total.now += n.now
		}
		return c.builder.checkShrunk(total.now, total.before, "")
	}
	for _, shard := range shards {
		n := c.answers[shard]
		if err := c.builder.checkShrunk(n.now, n.before, " in shard "+shard.String()); err != nil {
			return err
		}
	}
	return nil
}

// checkOlder judges rec, which the segment has for id: it is older than what the
// previous generation had.
func (c *comparison) checkOlder(old, rec index.Record, id *index.CertID) {
	at, ok := c.older.places[string(id.Serial)]
	if !ok {
		at = rule.Whole(c.config.Out)
	}
	serial := fmt.Sprintf("%x", id.Serial)
	if c.ledger.Found(rule.OCSPPreviousNewer, at, serial, rule.Because(
		"thisUpdate %s, producedAt %s is older than thisUpdate %s, producedAt %s in the previous generation, and no newer response is among the inputs",
		rule.UTC(rec.ThisUpdate()), rule.UTC(rec.ProducedAt()), rule.UTC(old.ThisUpdate()), rule.UTC(old.ProducedAt()))) || rec.Tombstone() {
		return
	}
	now := rec.StatusOf(id)
	if broken := ocsp.Unrevoked(old, id, now); broken != rule.None { // what was forced is an older response, not that
		c.ledger.Found(broken, at, serial, func() string { return ocsp.UnrevokedReason(rec.ThisUpdate(), now, old) })
	}
}

// checkVanished judges that a certificate, revoked in the previous generation, has no
// response any more, and reports whether somebody may still ask for it.
func (c *comparison) checkVanished(id *index.CertID) bool {
	broken, until := rule.OCSPPreviousVanished, ""
	if line, known := c.lineOf(id); known {
		switch {
		case !line.Expired(c.config.At):
			broken = rule.OCSPPreviousMissing
		case line.Retained(c.config.At):
			broken = rule.OCSPPreviousMissingCS
		default:
			return false
		}
		until = fmt.Sprintf("; the certificate expires %s", rule.UTC(line.NotAfter))
	}
	c.ledger.Found(broken, rule.Whole(c.config.Out), fmt.Sprintf("%x", id.Serial), rule.Because(
		"revoked in the previous generation and without a response by %s now%s", id.Alg, until))
	return true
}
