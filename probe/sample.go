package probe

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"time"

	"lancre/index"
	"lancre/index/store"
)

const (
	// lately is for how long a revocation is asked for by name: that long it is news.
	lately = time.Hour

	// maxRevoked bounds how many of those are asked about, at random, after a mass
	// revocation.
	maxRevoked = 10_000
)

// A question is what a place is asked, and what the store has for it: the response for a
// certificate, or a file.
type question struct {
	id      *index.CertID // nil for a file
	want    []byte        // the response
	slashes bool          // to be asked with many slashes in its target
	file    *store.FileLine
}

// A catalogue is what a round asks.
type catalogue struct {
	questions []question
	revoked   uint64 // CertIDs that were revoked lately, asked about or not
	sample    int    // CertIDs of the sample
}

// questions are those of this round.
func (p *Prober) questions(ctx context.Context, j *judge) (*catalogue, error) {
	c := new(catalogue)
	m := p.reference.now()
	for i := range m.Files {
		c.questions = append(c.questions, question{file: &m.Files[i]})
	}
	revoked, err := p.reference.revokedSince(ctx, p.cfg.Now())
	if err != nil {
		return nil, err
	}
	sample, err := p.reference.sample(ctx, p.cfg.Sample, p.cfg.Now())
	if err != nil {
		return nil, err
	}
	named, err := p.named(ctx, j)
	if err != nil {
		return nil, err
	}
	c.revoked, c.sample = revoked.seen, len(sample.kept)
	certificates := slices.Concat(named, revoked.kept, sample.kept)
	if len(certificates) > 0 {
		first := certificates[0]
		first.slashes = true
		certificates = append(certificates, first)
	}
	c.questions = append(c.questions, certificates...)
	return c, nil
}

// A reservoir keeps some of what it sees, each with the same chance.
type reservoir struct {
	kept []question
	room int
	seen uint64
}

// add has v see a CertID that r answers.
func (v *reservoir) add(id *index.CertID, r index.Record) {
	v.seen++
	at := v.seen - 1
	if at >= uint64(v.room) {
		if at = rand.Uint64N(v.seen); at >= uint64(v.room) {
			return
		}
	} else {
		v.kept = append(v.kept, question{})
	}
	own := id.Clone()
	v.kept[at] = question{id: &own, want: r.AppendResponse(nil)}
}

// sample takes n CertIDs that an edge answers at the time at, at random from one shard.
func (r *reference) sample(ctx context.Context, n int, at time.Time) (*reservoir, error) {
	v := &reservoir{room: n}
	if n == 0 {
		return v, nil
	}
	shard := anyShard(r.now())
	g, err := r.open(ctx, r.now(), shard)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	return v, g.LiveIn([]index.Shard{shard}, func(live store.LiveRecord) bool {
		if live.Currency(at.Unix()) == index.Current {
			for i := range live.CertIDs {
				v.add(&live.CertIDs[i], live.Record)
			}
		}
		return ctx.Err() == nil
	})
}

// anyShard is one of the shards that m has a base of, at random; everything if it has
// none.
func anyShard(m *store.Manifest) index.Shard {
	shards := []index.Shard{}
	for _, line := range m.Segments {
		if line.Role == store.RoleBase {
			shards = append(shards, line.Shard)
		}
	}
	if len(shards) == 0 {
		return index.Everything
	}
	return shards[rand.IntN(len(shards))]
}

// revokedSince finds what the deltas of the last hour revoke. When something was revoked
// is what its response says, or when that was made: CAs date revocations back.
func (r *reference) revokedSince(ctx context.Context, at time.Time) (*reservoir, error) {
	since := at.Add(-lately)
	v := &reservoir{room: maxRevoked}
	deltas, lines := deltasSince(r.now(), since)
	if len(lines) == 0 {
		return v, nil
	}
	g, err := r.openLines(ctx, deltas)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	return v, g.Live(func(live store.LiveRecord) bool {
		for i := range live.CertIDs {
			id := &live.CertIDs[i]
			if live.Currency(at.Unix()) == index.Current && revokedAfter(live.Record, id, since) && !replaced(r.now(), lines[live.Line], id) {
				v.add(id, live.Record)
			}
		}
		return ctx.Err() == nil
	})
}

// deltasSince are the delta lines of m from the newest to the last that came after since,
// and where in m they stand.
func deltasSince(m *store.Manifest, since time.Time) (deltas *store.Manifest, lines []int) {
	deltas = &store.Manifest{Generation: m.Generation}
	last := -1
	for i, line := range m.Segments {
		if line.Role == store.RoleDelta && line.Created.After(since) {
			last = i
		}
	}
	for i, line := range m.Segments[:last+1] {
		if line.Role == store.RoleDelta {
			deltas.Segments = append(deltas.Segments, line)
			lines = append(lines, i)
		}
	}
	return deltas, lines
}

func revokedAfter(r index.Record, id *index.CertID, since time.Time) bool {
	s, ok := r.CertStatus(id)
	return ok && s.Status == index.Revoked && max(s.RevokedAt, r.ProducedAt()) >= since.Unix()
}

// replaced reports whether a base above line i of m answers for id in its place.
func replaced(m *store.Manifest, i int, id *index.CertID) bool {
	return slices.ContainsFunc(m.Segments[:i], func(l store.SegmentLine) bool {
		return l.Role == store.RoleBase && l.Shard.Covers(id.SerialHash())
	})
}

// named are the certificates with the serial numbers of the Config, of whichever issuer.
func (p *Prober) named(ctx context.Context, j *judge) (list []question, err error) {
	for _, serial := range p.cfg.Serials {
		found, err := p.withSerial(ctx, j, serial)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("serial %x: the store has no response of the %d issuers that are known: name more with --issuer FILE", serial, len(j.issuers.List))
		}
		list = append(list, found...)
	}
	return list, nil
}

func (p *Prober) withSerial(ctx context.Context, j *judge, serial []byte) (found []question, err error) {
	shard := index.ShardOf((&index.CertID{Serial: serial}).SerialHash(), index.MaxShards)
	g, err := p.reference.open(ctx, p.reference.now(), shard)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	for _, is := range j.issuers.List {
		for id := range is.CertIDs(serial) {
			r, ok, err := g.Lookup(id.Key(), &id)
			if err != nil {
				return nil, err
			}
			if ok && r.Currency(p.cfg.Now().Unix()) == index.Current {
				own := id.Clone()
				found = append(found, question{id: &own, want: r.AppendResponse(nil)})
			}
		}
	}
	return found, nil
}

// asks are the questions that at can be asked. A file of every host is asked for at the
// host of at, unless that has a file of its own there.
func (c *catalogue) asks(at *url.URL) (list []question) {
	own := make(map[string]bool)
	for _, q := range c.questions {
		if q.file != nil && q.file.Host == hostOf(at) {
			own[q.file.Path] = true
		}
	}
	for _, q := range c.questions {
		if q.file == nil || q.file.Host != store.AnyHost || !own[q.file.Path] {
			list = append(list, q)
		}
	}
	return list
}
