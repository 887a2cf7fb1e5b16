package probe

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"lancre/index"
	"lancre/index/store"
)

// settle says of each answer that differs from what the store had when it was asked for
// whether that is what it has by now, or had before.
func (p *Prober) settle(ctx context.Context, tallies []*tally) error {
	for _, t := range tallies {
		t.place.Generation = p.reference.now().Generation
	}
	var open []*difference
	for _, t := range tallies {
		for _, d := range t.differs {
			d.tally = t
			open = append(open, d)
		}
	}
	if len(open) == 0 {
		return nil
	}
	if err := p.reference.refresh(ctx); err != nil { // something may have been published meanwhile
		return err
	}
	if err := p.reference.remember(); err != nil {
		return err
	}
	for i := 0; i < len(p.reference.known) && len(open) > 0; i++ {
		open = p.settleBy(ctx, i, open)
	}
	for _, d := range open {
		p.settleUnknown(d)
	}
	return nil
}

// settleBy settles those of open that known generation i answers, counted from the newest,
// and returns the others. A generation that cannot be opened, for gc has been there or
// objects were never fetched, settles nothing of certificates.
func (p *Prober) settleBy(ctx context.Context, i int, open []*difference) (left []*difference) {
	m := p.reference.known[i]
	files := make(map[string]string) // SHA-256 by host and path
	for _, f := range m.Files {
		files[f.Host+f.Path] = f.SHA256
	}
	g, err := p.reference.open(ctx, m, shardsOf(open)...)
	if err == nil {
		defer g.Close()
	}
	for _, d := range open {
		right := false
		if f := d.question.file; f != nil {
			right = files[f.Host+f.Path] == d.sum
		} else if err == nil {
			right = d.answeredBy(g)
		}
		if right {
			p.settled(d, i)
		} else {
			left = append(left, d)
		}
	}
	return left
}

// shardsOf are those of the certificates that are asked about, in the finest division.
func shardsOf(open []*difference) (shards []index.Shard) {
	seen := make(map[index.Shard]bool)
	for _, d := range open {
		if d.question.file != nil {
			continue
		}
		shard := index.ShardOf(d.question.id.SerialHash(), index.MaxShards)
		if !seen[shard] {
			shards = append(shards, shard)
		}
		seen[shard] = true
	}
	return shards
}

// answeredBy reports whether g answers as d does.
func (d *difference) answeredBy(g *store.Generation) bool {
	id := d.question.id
	r, found, err := g.Lookup(id.Key(), id)
	if err != nil || !found {
		return err == nil && d.absent
	}
	return bytes.Equal(r.AppendResponse(nil), d.body)
}

// settled counts an answer that known generation i gives, and none that is newer.
func (p *Prober) settled(d *difference, i int) {
	t := d.tally
	if i == 0 {
		t.place.Current++
		return
	}
	m := p.reference.known[i]
	if m.Generation < t.place.Generation {
		t.place.Generation = m.Generation
	}
	lag := p.cfg.Now().Sub(p.reference.known[i-1].Created)
	t.late(lag)
	if lag > p.cfg.Allow {
		t.fault(Behind, d.question, d.how, fmt.Sprintf("the answer is that of generation %d, published %s, and has not been right for %v", m.Generation, utc(m.Created.Unix()), lag.Round(time.Second)))
	}
}

// settleUnknown counts an answer that no generation gives that is known: it is behind if
// it was signed by its CA before what the store has, ahead if after, and else wrong.
func (p *Prober) settleUnknown(d *difference) {
	t := d.tally
	oldest := p.reference.known[len(p.reference.known)-1]
	at := d.question.thisUpdate()
	switch {
	case d.absent && d.question.file == nil:
		t.fault(Wrong, d.question, d.how, "the answer is unauthorized, and no generation that is known lacks the certificate")
	case d.absent:
		t.fault(Status, d.question, d.how, fmt.Sprintf("status %d, and no generation that is known lacks it", d.status))
	case !d.signed || d.at == 0 || d.at == at:
		t.fault(Wrong, d.question, d.how, "the octets are not those of a generation that is known, nor known to be others of its CA")
	case d.at > at: // as from an edge that reads what is published sooner than we do
		t.place.Ahead++
	default:
		lag := p.cfg.Now().Sub(oldest.Created)
		t.late(lag)
		t.place.Generation = 0
		if lag > p.cfg.Allow {
			t.fault(Behind, d.question, d.how, fmt.Sprintf("thisUpdate is %s, that of the store %s; generation %d, published %s, had a newer one already", utc(d.at), utc(at), oldest.Generation, utc(oldest.Created.Unix())))
		}
	}
}

// late counts an answer that has not been right for so long.
func (t *tally) late(lag time.Duration) {
	t.place.Late++
	t.place.Lag = max(t.place.Lag, lag.Seconds())
}

// thisUpdate is that of what the store has, in Unix seconds.
func (q *question) thisUpdate() int64 {
	if q.file != nil {
		return q.file.LastModified.Unix()
	}
	var r index.Response
	if err := r.Parse(q.want); err != nil {
		return 0 // not of a store that was built
	}
	return r.ThisUpdate
}
