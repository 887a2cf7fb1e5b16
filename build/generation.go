package build

import (
	"fmt"
	"time"

	"lancre/build/rule"
	"lancre/index"
)

// rhythm is by when the status of a new certificate must be available (BR
// section 4.9.9), so that a generation must follow the other as fast.
const rhythm = 15 * time.Minute

// checkMoment compares the moment of the build with the previous generation.
func (b *builder) checkMoment() error {
	m := b.before
	if m == nil {
		return nil
	}
	at := b.config.At
	if age := at.Sub(m.Created); age > rhythm {
		b.ledger.Found(rule.BuildRhythm, rule.Whole(b.config.Out), "", rule.Because(
			"the previous generation is of %s, %s ago, want at most %s: new certificates had no answer for so long", rule.UTC(m.Created.Unix()), age, rhythm))
	}
	newest, what := m.Created, "was created"
	if produced := b.newestProduced(); produced.After(newest) {
		newest, what = produced, "has a response produced"
	}
	if !at.Add(index.MaxSkew * time.Second).Before(newest) {
		return nil
	}
	return b.halt(rule.BuildClock, "it is %s by the clock of this host or --at, but the previous generation %s %s", rule.UTC(at.Unix()), what, rule.UTC(newest.Unix()))
}

// halt enters that the build as a whole breaks a rule, and returns an error if
// that ends it.
func (b *builder) halt(c rule.Check, format string, args ...any) error {
	reason := rule.Because(format, args...)
	if b.ledger.Found(c, rule.Whole(b.config.Out), "", reason) {
		return fmt.Errorf("%s (to publish it all the same: %s)", reason(), c.Option())
	}
	return nil
}

// newestProduced is the latest producedAt in the previous generation.
func (b *builder) newestProduced() time.Time {
	var newest int64
	if b.previous != nil {
		for _, s := range b.previous.Segments() {
			newest = max(newest, s.Info().MaxProducedAt)
		}
	}
	return time.Unix(newest, 0)
}

// checkShrunk compares how many CertIDs are answered, in all or where it says, with how
// many were before.
func (b *builder) checkShrunk(now, before uint64, where string) error {
	limit := b.config.MaxShrink
	if now >= before || float64(before-now)*100 <= limit*float64(before) {
		return nil
	}
	return b.halt(rule.BuildShrunk, "%d CertIDs are answered%s, more than %v %% (--max-shrink) fewer than the %d of the previous generation: is a source cut or not named?", now, where, limit, before)
}
