package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"lancre/build/demo"
	"lancre/index"
)

// An added is additions to a store that has an older answer for each certificate, beside
// verifying alone.
type added struct {
	Responses uint64 `json:"responses"`
	Rate      spread `json:"rate"`   // responses a second, from the first octet read to the published generation
	Verify    spread `json:"verify"` // signatures a second, all cores doing nothing else
	Ratio     spread `json:"ratio"`
}

func (r *runner) measureAdd(ctx context.Context) error {
	c, err := r.makeCorpus(ctx, "added", demo.Options{Key: demo.P256}, r.signed/2)
	if err != nil {
		return err
	}
	defer os.RemoveAll(c.Dir)
	base := filepath.Join(c.Dir, "base")
	if _, err := r.pack(ctx, c, base); err != nil {
		return err
	}
	if err := c.signAgain(ctx); err != nil {
		return err
	}
	v, err := newVerifier(c)
	if err != nil {
		return err
	}
	var rates, verified, ratios []float64
	for round := range r.rounds {
		alone, err := v.rate(r.duration)
		if err != nil {
			return err
		}
		store := filepath.Join(c.Dir, fmt.Sprint("store", round))
		if err := linkStore(base, store); err != nil {
			return err
		}
		p, err := r.pack(ctx, c, store, "--add")
		if err != nil {
			return err
		}
		if p.Responses != c.N {
			return fmt.Errorf("%d of %d responses were added", p.Responses, c.N)
		}
		rates, verified, ratios = append(rates, p.perSecond()), append(verified, alone), append(ratios, p.perSecond()/alone)
	}
	a := &r.results.Added
	*a = added{c.N, spreadOf(rates), spreadOf(verified), spreadOf(ratios)}
	t := newTable("added", "responses/s", "signatures/s alone", "ratio")
	t.row(a.Responses, a.Rate, a.Verify, a.Ratio)
	return t.Flush()
}

// signAgain writes newer responses of the same certificates.
func (c *corpus) signAgain(ctx context.Context) error {
	c.CA.ProducedAt = c.CA.ProducedAt.Add(time.Second)
	return c.Sign(ctx)
}

// linkStore makes a store of the objects of another, by links.
func linkStore(from, to string) error {
	return filepath.Walk(from, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if info.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		return os.Link(path, filepath.Join(to, rel))
	})
}

// A merged is a merge of a base of a large store with deltas that have newer responses for
// one in sixteen of its certificates, beside an unverified build of as many.
type merged struct {
	Responses uint64 `json:"responses"`
	Deltas    int    `json:"deltas"`
	Rate      spread `json:"rate"`  // responses of the new base, a second
	Build     spread `json:"build"` // of the build
	Ratio     spread `json:"ratio"`
	Anon      spread `json:"anon"` // the most anonymous memory, octets
	Peak      spread `json:"peak"` // that of mapped files included
	Size      spread `json:"size"` // of the base, to that of the build
}

// mergedDeltas is how many deltas are absorbed.
const mergedDeltas = 8

func (r *runner) measureMerge(ctx context.Context) error {
	c, err := r.makeCorpus(ctx, "merged", demo.Options{Unsigned: true}, r.many)
	if err != nil {
		return err
	}
	defer os.RemoveAll(c.Dir)
	m, err := r.mergeRounds(ctx, c)
	if err != nil {
		return err
	}
	r.results.Merged = m
	t := newTable("merged", "responses/s", "built/s", "ratio", "anonymous MB", "peak MB", "size to a build's")
	t.row(m.Responses, m.Rate, m.Build, m.Ratio, m.Anon.times(1e-6), m.Peak.times(1e-6), m.Size)
	return t.Flush()
}

// mergeRounds lets builds of c and merges take turns.
func (r *runner) mergeRounds(ctx context.Context, c *corpus) (m merged, err error) {
	grown := filepath.Join(c.Dir, "grown")
	if _, err := r.pack(ctx, c, grown, "--unverified"); err != nil {
		return m, err
	}
	part, err := r.growBase(ctx, c, grown)
	if err != nil {
		return m, err
	}
	var rates, builds, ratios, anons, peaks, sizes []float64
	for round := range min(r.rounds, 3) {
		store := filepath.Join(c.Dir, fmt.Sprint("store", round))
		built, err := r.pack(ctx, c, store, "--unverified")
		if err != nil {
			return m, err
		}
		if err := os.RemoveAll(store); err != nil {
			return m, err
		}
		if err := linkStore(grown, store); err != nil {
			return m, err
		}
		p, err := r.pack(ctx, part, store, "--merge")
		if err != nil {
			return m, err
		}
		rates, builds, ratios = append(rates, p.perSecond()), append(builds, built.perSecond()), append(ratios, p.perSecond()/built.perSecond())
		anons, peaks = append(anons, float64(p.PeakAnon)), append(peaks, float64(p.PeakRSS))
		sizes = append(sizes, float64(p.Size)/float64(built.Size))
		if err := os.RemoveAll(store); err != nil {
			return m, err
		}
	}
	return merged{c.N, mergedDeltas, spreadOf(rates), spreadOf(builds), spreadOf(ratios), spreadOf(anons), spreadOf(peaks), spreadOf(sizes)}, nil
}

// growBase adds deltas to the store of c, each with newer responses of other certificates.
// It returns what the last was made of.
func (r *runner) growBase(ctx context.Context, c *corpus, store string) (*corpus, error) {
	newer := *c.Corpus
	part := &corpus{&newer}
	newer.N, newer.Responses = c.N/(16*mergedDeltas), c.Responses+".newer"
	newer.CA.ProducedAt = newer.CA.ProducedAt.Add(time.Second)
	for i := range uint64(mergedDeltas) {
		if err := part.signFrom(i * newer.N); err != nil {
			return nil, err
		}
		if _, err := r.pack(ctx, part, store, "--add", "--unverified"); err != nil {
			return nil, err
		}
	}
	return part, nil
}

// signFrom writes the responses of N certificates from the given one on.
func (c *corpus) signFrom(first uint64) error {
	f, err := os.Create(c.Responses)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	for i := first; i < first+c.N; i++ {
		der, err := c.CA.Sign(c.CA.Certificate(i), index.SHA1)
		if err != nil {
			return err
		}
		w.Write(der) // Flush tells
	}
	return w.Flush()
}
