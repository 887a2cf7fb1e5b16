package store

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"lancre/index"
)

// Counts are what a manifest says of the CertIDs that have an answer. They change
// with every answer that changes, so that nobody has to walk a store for them.
type Counts struct {
	live map[issuerKey]*LiveCount
	last *LiveCount       // of these, the one asked for last: most answers in a row have one issuer
	due  map[int64]uint64 // by hour since 1970: CertIDs whose response has its nextUpdate then
}

type issuerKey struct {
	alg       index.HashAlg
	name, key string
}

// NewCounts are those of nothing.
func NewCounts() *Counts {
	return &Counts{live: make(map[issuerKey]*LiveCount), due: make(map[int64]uint64)}
}

// Counts are those that m says.
func (m *Manifest) Counts() *Counts {
	c := NewCounts()
	for _, l := range m.Live {
		c.live[issuerKey{l.Alg, l.NameHash, l.KeyHash}] = &l
	}
	for _, d := range m.Due {
		if d.Kind == DueResponses {
			c.due[d.Hour.Unix()/3600] = d.Count
		}
	}
	return c
}

// Answers is how many CertIDs have an answer, tombstones included.
func (c *Counts) Answers() (n uint64) {
	for _, l := range c.live {
		n += l.Good + l.Revoked + l.Unknown + l.Tombstone
	}
	return n
}

// Add enters that rec answers for id.
func (c *Counts) Add(rec index.Record, id *index.CertID) { c.enter(rec, id, 1) }

// Remove enters that rec answers for id no more.
func (c *Counts) Remove(rec index.Record, id *index.CertID) { c.enter(rec, id, ^uint64(0)) }

// of is the count of id's issuer.
func (c *Counts) of(id *index.CertID) *LiveCount {
	if l := c.last; l == nil || l.Alg != id.Alg || l.NameHash != string(id.NameHash) || l.KeyHash != string(id.KeyHash) {
		c.last = c.ofKey(issuerKey{id.Alg, string(id.NameHash), string(id.KeyHash)})
	}
	return c.last
}

func (c *Counts) ofKey(key issuerKey) *LiveCount {
	l := c.live[key]
	if l == nil {
		l = &LiveCount{Alg: key.alg, NameHash: key.name, KeyHash: key.key}
		c.live[key] = l
	}
	return l
}

// enter adds one, or takes one away, which is to add the greatest number.
func (c *Counts) enter(rec index.Record, id *index.CertID, one uint64) {
	l := c.of(id)
	switch {
	case rec.Tombstone():
		l.Tombstone += one
		return // it has no nextUpdate
	case rec.StatusOf(id) == index.Good:
		l.Good += one
	case rec.StatusOf(id) == index.Revoked:
		l.Revoked += one
	default:
		l.Unknown += one
	}
	c.due[rec.NextUpdate()/3600] += one
}

// Bury enters that a tombstone answers for id in place of rec, a response.
func (c *Counts) Bury(rec index.Record, id *index.CertID) {
	c.Remove(rec, id)
	c.of(id).Tombstone++
}

// Unbury takes Bury back.
func (c *Counts) Unbury(rec index.Record, id *index.CertID) {
	c.Add(rec, id)
	c.of(id).Tombstone--
}

// Merge enters all that other was told to enter.
func (c *Counts) Merge(other *Counts) {
	for key, o := range other.live {
		l := c.ofKey(key)
		l.Good += o.Good
		l.Revoked += o.Revoked
		l.Unknown += o.Unknown
		l.Tombstone += o.Tombstone
	}
	for hour, count := range other.due {
		c.due[hour] += count
	}
}

// subtract takes away all that other was told to enter.
func (c *Counts) subtract(other *Counts) {
	for key, o := range other.live {
		l := c.ofKey(key)
		l.Good -= o.Good
		l.Revoked -= o.Revoked
		l.Unknown -= o.Unknown
		l.Tombstone -= o.Tombstone
	}
	for hour, count := range other.due {
		c.due[hour] -= count
	}
}

// Fill writes c into m, and when the CRLs among m.Files are due.
func (c *Counts) Fill(m *Manifest) {
	m.Live, m.Due = nil, nil
	for _, l := range c.live {
		if l.Good|l.Revoked|l.Unknown|l.Tombstone != 0 {
			m.Live = append(m.Live, *l)
		}
	}
	crls := make(map[int64]uint64)
	for _, f := range m.Files {
		if f.ContentType == TypeCRL && !f.Expires.IsZero() {
			crls[f.Expires.Unix()/3600]++
		}
	}
	appendDue(m, DueCRLs, crls)
	appendDue(m, DueResponses, c.due)
	slices.SortFunc(m.Live, compareLive)
	slices.SortFunc(m.Due, compareDue)
}

func appendDue(m *Manifest, kind string, hours map[int64]uint64) {
	for hour, count := range hours {
		if count != 0 {
			m.Due = append(m.Due, DueCount{kind, time.Unix(hour*3600, 0).UTC(), count})
		}
	}
}

// countIn are the Counts of some shards, which do not overlap: those that the manifest
// says, where these are all.
func (g *Generation) countIn(shards []index.Shard) (*Counts, error) {
	var all coverage
	for _, s := range shards {
		all.add(&SegmentLine{Role: RoleBase, Shard: s})
	}
	if all.all(index.Everything) && g.manifest.version1 == "" {
		return g.manifest.Counts(), nil
	}
	return g.count(shards)
}

// Count walks g for its Counts.
func (g *Generation) Count() (*Counts, error) { return g.count(everything) }

// count walks the segments on all processors.
func (g *Generation) count(shards []index.Shard) (*Counts, error) {
	defer runtime.KeepAlive(g)
	all := NewCounts()
	for i, line := range g.manifest.Segments {
		if !slices.ContainsFunc(shards, line.Shard.Overlaps) {
			continue
		}
		if err := g.countLine(i, shards, all); err != nil {
			return nil, fmt.Errorf("object %s: %w", line.SHA256, err)
		}
	}
	return all, nil
}

// countLine adds what a segment line answers to counts.
func (g *Generation) countLine(line int, shards []index.Shard, counts *Counts) error {
	w, err := g.walk(line, shards)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var parts []*Counts
	err = g.segments[line].Gather(func() func(index.Record) error {
		part, own := NewCounts(), w
		mu.Lock()
		parts = append(parts, part)
		mu.Unlock()
		return func(rec index.Record) error {
			ids, err := own.visit(rec)
			for i := range ids {
				part.Add(rec, &ids[i])
			}
			return err
		}
	})
	for _, part := range parts {
		counts.Merge(part)
	}
	return err
}
