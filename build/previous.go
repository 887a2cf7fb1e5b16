package build

import (
	"fmt"

	"lancre/build/ca"
	"lancre/build/inventory"
	"lancre/build/ocsp"
	"lancre/build/rule"
	"lancre/index"
	"lancre/index/store"
)

// openPrevious opens the generation that is being replaced, if there is one. One
// that cannot be opened is as none where the operator wants that.
func (b *builder) openPrevious() error {
	if b.publication.Previous() == nil {
		return nil
	}
	g, err := store.Open(b.config.Out)
	if err == nil {
		b.previous = g
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
	return fmt.Errorf("%d faults in the build as a whole; the first: %s", len(list), list[0])
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

// comparePrevious looks for what the previous generation answers and the finished
// segment, nil if there is none, does not say any more, or says by an older response;
// and whether it answers for fewer CertIDs.
func (b *builder) comparePrevious(s *index.Segment, older *olderResponses) error {
	if b.previous == nil {
		return nil
	}
	before := len(b.ledger.Rejections())
	c := comparison{segment: s, older: older, config: b.config, issuers: b.issuers, inventory: b.inventory, ledger: b.ledger}
	var answered uint64
	err := b.previous.Live(func(old store.LiveRecord) bool {
		answered += uint64(len(old.CertIDs))
		c.compare(old)
		return len(b.ledger.Rejections())-before < rejectionMargin
	})
	if err != nil {
		if err := b.halt(rule.StorePrevious, "nothing more can be compared with the previous generation: %v", err); err != nil {
			return err
		}
	}
	if err := b.refused(before); err != nil {
		return err
	}
	var answers uint64
	if s != nil {
		answers = s.Info().Keys
	}
	return b.checkShrunk(answers, answered)
}

// A comparison is of records of the previous generation with the finished segment.
type comparison struct {
	segment   *index.Segment // nil if there is none
	older     *olderResponses
	config    *Config
	issuers   *ca.Issuers
	inventory *inventory.Inventory
	ledger    *rule.Ledger
}

// compare compares what the previous generation answers by old.
func (c *comparison) compare(old store.LiveRecord) {
	if old.Tombstone() || old.Status() != index.Revoked && c.older.count == 0 {
		return
	}
	for i := range old.CertIDs {
		c.compareID(old.Record, &old.CertIDs[i])
	}
}

// compareID compares what the previous generation has for id.
func (c *comparison) compareID(old index.Record, id *index.CertID) {
	var rec index.Record
	found := false
	if c.segment != nil {
		rec, found, _ = c.segment.Lookup(id.Key(), id) // no error: the self-check has read it all
	}
	switch {
	case found && old.Newer(rec):
		c.checkOlder(old, rec, id)
	case !found && old.StatusOf(id) == index.Revoked:
		c.checkVanished(id)
	}
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
		"thisUpdate %s, producedAt %s is older than thisUpdate %s, producedAt %s in the previous generation, and no newer response is among the inputs (to allow this once: --force %s)",
		rule.UTC(rec.ThisUpdate()), rule.UTC(rec.ProducedAt()), rule.UTC(old.ThisUpdate()), rule.UTC(old.ProducedAt()), rule.OCSPPreviousNewer)) || rec.Tombstone() {
		return
	}
	now := rec.StatusOf(id)
	if broken := ocsp.Unrevoked(old, id, now); broken != rule.None { // what was forced is an older response, not that
		c.ledger.Found(broken, at, serial, func() string { return ocsp.UnrevokedReason(broken, rec.ThisUpdate(), now, old) })
	}
}

// checkVanished judges that a certificate, revoked in the previous generation, has no
// response any more.
func (c *comparison) checkVanished(id *index.CertID) {
	broken, until := rule.OCSPPreviousVanished, ""
	if is := c.issuers.Find(id); is != nil {
		if line, known := c.inventory.Find(is, id.Serial); known {
			switch {
			case !line.Expired(c.config.At):
				broken = rule.OCSPPreviousMissing
			case line.Retained(c.config.At):
				broken = rule.OCSPPreviousMissingCS
			default:
				return
			}
			until = fmt.Sprintf("; the certificate expires %s", rule.UTC(line.NotAfter))
		}
	}
	c.ledger.Found(broken, rule.Whole(c.config.Out), fmt.Sprintf("%x", id.Serial), rule.Because(
		"revoked in the previous generation and without a response by %s now%s", id.Alg, until))
}
