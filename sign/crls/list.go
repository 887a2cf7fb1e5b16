package crls

import (
	"context"
	"fmt"
	"time"

	"lancre/build/crl"
	"lancre/build/rule"
	"lancre/index"
	"lancre/sign/certificates"
)

// read reads the list, makes the entries, and stops the run for what must not happen.
func (r *run) read(ctx context.Context) error {
	reading, err := r.List.Read(ctx, r.report.At, r.row)
	r.report.Rows, r.report.Foreign = reading.Rows, reading.Foreign
	if err != nil {
		return err
	}
	if err := r.vanished(); err != nil {
		return err
	}
	for _, t := range r.targets {
		serial, err := t.entries.Twice(&t.fresh)
		if err != nil {
			return err
		}
		if serial != nil {
			return fmt.Errorf("certificates %s: %w", r.List.Name(), twice(serial))
		}
	}
	return nil
}

func twice(serial []byte) error {
	return fmt.Errorf("serial %x is listed twice, and as revoked: want a row for each certificate", serial)
}

// row takes in one certificate of the list.
func (r *run) row(c *certificates.Certificate) error {
	l := r.memory.find(c.Serial)
	if c.Status != index.Revoked {
		r.report.Good++
		if l == nil {
			return nil
		}
		return r.listedButGood(c, l)
	}
	r.report.Revoked++
	if err := r.checkReason(c); err != nil {
		return err
	}
	t, err := r.target(c)
	if err != nil {
		return err
	}
	if l != nil && r.targets[l.target] != t {
		return fmt.Errorf("serial %x is of the CRL %s, but the CRL before that lists it is %s: a certificate names one URL, for ever", c.Serial, t.url, r.targets[l.target].url)
	}
	if r.outlived(c, t) {
		r.report.Expired++
		t.drop(l)
		return nil
	}
	return r.enter(c, t, l)
}

// enter adds the entry of a certificate; where l is not nil, the CRL before has one.
func (r *run) enter(c *certificates.Certificate, t *target, l *listed) error {
	// A list may come from a host whose clock is ahead by less than it may be: no entry is
	// later than the CRL.
	revoked := min(c.RevokedAt, r.thisUpdate(t))
	entry, err := t.entries.Add(c.Serial, revoked, c.Reason)
	switch {
	case err != nil:
		return err
	case l == nil:
		t.added++
		t.fresh.Add(c.Serial)
		return nil
	case l.seen:
		return twice(c.Serial)
	}
	l.seen = true
	if !r.memory.says(l, entry) { // as it mostly does
		if before := r.memory.entry(l); before.Revoked != revoked || before.Reason != c.Reason {
			t.altered++
		}
	}
	return nil
}

// drop leaves out what the CRL before says in l, if it does.
func (t *target) drop(l *listed) {
	if l != nil {
		l.seen = true
		t.removed++
	}
}

// target is the CRL of a certificate.
func (r *run) target(c *certificates.Certificate) (*target, error) {
	if r.Shards.names == nil {
		return r.targets[0], nil
	}
	shard := r.Shards.of(c)
	if t, ok := r.byShard[shard]; ok {
		return t, nil
	}
	if shard == "" {
		return nil, fmt.Errorf("serial %x is revoked and has no shard: it would be on no CRL", c.Serial)
	}
	names := r.Shards.names
	return nil, fmt.Errorf("serial %x is revoked and of shard %q: want %s to %s (--crl-shards)", c.Serial, shard, names[0], names[len(names)-1])
}

// checkReason refuses what no CRL may say under the profiles.
func (r *run) checkReason(c *certificates.Certificate) error {
	switch c.Reason {
	case crl.ReasonCA, crl.ReasonHold, crl.ReasonAA:
		if r.rejects(rule.CRLEntryReasonProfile) {
			return fmt.Errorf("serial %x: reason %d, which public CAs must not give (%s)", c.Serial, c.Reason, rule.CRLEntryReasonProfile)
		}
	case crl.ReasonAbsent:
		if r.Subordinates && r.rejects(rule.CRLEntryReasonMissing) {
			return fmt.Errorf("serial %x: a CA's certificate is revoked without a reason (%s)", c.Serial, rule.CRLEntryReasonMissing)
		}
	}
	return nil
}

// outlived reports whether a revoked certificate needs no entry any more: it expired, and
// a CRL of later than that lists it, as RFC 5280 section 3.3 asks. That before does if
// the certificate was revoked by then.
func (r *run) outlived(c *certificates.Certificate, t *target) bool {
	if t.before == nil {
		return false
	}
	if c.NotAfter >= t.before.ThisUpdate { // as most, and years are dear to add
		return false
	}
	end := time.Unix(c.NotAfter, 0).UTC().AddDate(r.KeepExpired, 0, 0).Unix()
	return end < t.before.ThisUpdate && c.RevokedAt <= t.before.ThisUpdate
}

// listedButGood handles a certificate that the CRL before lists and that is good now. The
// entry stays; it goes only where a hold is lifted on purpose.
func (r *run) listedButGood(c *certificates.Certificate, l *listed) error {
	t := r.targets[l.target]
	if l.seen {
		return nil
	}
	e := r.memory.entry(l)
	if e.Reason == crl.ReasonHold && r.Forced(ForceHold) {
		t.drop(l)
		return nil
	}
	r.report.contradicts(c)
	return t.carry(l, &e)
}

// carry keeps an entry as the CRL before has it.
func (t *target) carry(l *listed, e *crl.Entry) error {
	l.seen = true
	_, err := t.entries.Add(e.Serial, e.Revoked, e.Reason)
	return err
}

// vanished handles what the CRLs before list and the list lacks: it stays, for nobody
// has said that it is good, unless the operator says that such rows are deleted.
func (r *run) vanished() error {
	for i := range r.memory.slots {
		l := &r.memory.slots[i]
		if l.offset == 0 || l.seen {
			continue
		}
		e := r.memory.entry(l)
		r.report.vanishes(e.Serial)
		t := r.targets[l.target]
		if r.Forget {
			t.drop(l)
		} else if err := t.carry(l, &e); err != nil {
			return err
		}
	}
	gone, all := r.report.Vanished, r.memory.count
	if !r.Forget && r.Shrunk(uint64(gone), uint64(all)) {
		return fmt.Errorf("certificates %s: of %d certificates on the CRLs before, %d are not in the list (such as serial %s), more than %v %%: is it whole? If rows are deleted after expiry, say --forget",
			r.List.Name(), all, gone, r.report.VanishedFirst, r.MaxShrink)
	}
	return nil
}

// contradicted is the error that the list has certificates good that are on a CRL.
func (r *run) contradicted() error {
	n := r.report.Contradicted
	if n == 0 {
		return nil
	}
	return fmt.Errorf("certificates %s: %d are good that the CRLs before list, the first is %s: they stay listed; if they were on hold, see --force %s", r.List.Name(), n, r.report.ContradictedFirst, ForceHold)
}
