package crls

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"lancre/internal/signtest"
)

// A cert is what a model knows of a certificate.
type cert struct {
	inList   bool
	revoked  *entry // in the list
	notAfter int64
	entry    *entry // on its CRL
}

// A model is what the CRLs must say, by the rules and nothing else.
type model struct {
	certs  map[int]*cert
	before map[string]int64 // thisUpdate, by shard
}

// run is what a run does. It returns the shards that change, and the number of
// certificates that were revoked and are good.
func (m *model) run(now int64) (changed map[string]bool, contradicted int) {
	changed = make(map[string]bool)
	for serial, c := range m.certs {
		shard := shardOf(serial)
		want := c.entry
		switch before, signed := m.before[shard]; {
		case c.inList && c.revoked != nil:
			want = c.revoked
			if signed && c.notAfter < before && c.revoked.revoked <= before {
				want = nil
			}
		case c.inList && c.entry != nil:
			contradicted++
		}
		if (want == nil) != (c.entry == nil) || want != nil && *want != *c.entry {
			changed[shard] = true
		}
		c.entry = want
	}
	for n := range 4 {
		shard := shardOf(n)
		if before, signed := m.before[shard]; !signed || now-before >= 24*3600 {
			changed[shard] = true
		}
	}
	for shard := range changed {
		m.before[shard] = now
	}
	return changed, contradicted
}

// Random lists, with rows that come, change, go and contradict themselves, are signed as
// the model has it.
func TestModel(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { testModel(t, rand.New(rand.NewPCG(seed, 16))) })
	}
}

func testModel(t *testing.T, random *rand.Rand) {
	w := newWorld(t, signtest.P256(), 0)
	w.sharded()
	m := &model{certs: make(map[int]*cert), before: make(map[string]int64)}
	for step := range 25 {
		w.later(time.Duration(1+random.IntN(72)) * time.Hour)
		now := w.now.Unix()
		for range random.IntN(8) {
			change(random, m, now)
		}
		clear(w.list)
		for serial, c := range m.certs {
			switch {
			case c.inList && c.revoked != nil:
				w.list[serial] = fmt.Sprintf("revoked,%d,%d,%d,%s", c.notAfter, c.revoked.revoked, c.revoked.reason, shardOf(serial))
			case c.inList:
				w.list[serial] = fmt.Sprintf("good,%d,,,", c.notAfter)
			}
		}
		changed, contradicted := m.run(now)
		report, err := w.run(func(c *Config) { c.MaxShrink = 100 })
		if (err != nil) != (contradicted > 0) || report.Contradicted != contradicted || len(report.Made) != len(changed) {
			t.Fatalf("step %d: %v; %d contradicted, %d signed; want %d, %d", step, err, report.Contradicted, len(report.Made), contradicted, len(changed))
		}
		want := make(map[int]entry)
		for serial, c := range m.certs {
			if c.entry != nil {
				want[serial] = *c.entry
			}
		}
		if got := w.listed(); !maps.Equal(got, want) {
			t.Fatalf("step %d: listed are %v, want %v", step, got, want)
		}
	}
}

// change changes something about one certificate.
func change(random *rand.Rand, m *model, now int64) {
	serial := 1 + random.IntN(40)
	c := m.certs[serial]
	if c == nil {
		c = &cert{inList: true, notAfter: now + int64(random.IntN(20*24*3600))}
		m.certs[serial] = c
	}
	switch random.IntN(6) {
	case 0, 1:
		c.revoked = &entry{now - int64(random.IntN(100*3600)), []int{1, 3, 4, 5, 6, 9}[random.IntN(6)]}
	case 2:
		c.revoked = nil
	case 3:
		c.inList = !c.inList
	}
}
