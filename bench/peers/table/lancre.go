package table

import (
	"context"
	"path/filepath"

	"lancre/bench/corpus"
	"lancre/build"
	"lancre/index"
	"lancre/index/store"
)

// Lancre is a store that lancre builds from c, which entries came from.
func Lancre(c *corpus.Corpus) Kind {
	return Kind{"lancre", func(dir string, _ []Entry) (Table, error) {
		out := filepath.Join(dir, "store")
		cfg := c.Config(out)
		cfg.SkipSignatures = true
		if _, err := build.Run(context.Background(), cfg); err != nil {
			return nil, err
		}
		g, err := store.Open(out)
		if err != nil {
			return nil, err
		}
		return &segment{g}, g.Warm(func() {})
	}}
}

type segment struct{ generation *store.Generation }

func (t *segment) Find(key []byte) (byte, bool) {
	rec, found := t.get(key)
	if !found {
		return 0, false
	}
	return byte(rec.ProducedAt()), true
}

func (t *segment) AppendValue(dst, key []byte) ([]byte, bool) {
	rec, found := t.get(key)
	if !found {
		return dst, false
	}
	return rec.AppendResponse(dst), true
}

func (t *segment) get(key []byte) (index.Record, bool) {
	id := CertID(key)
	rec, found, err := t.generation.Lookup(id.Key(), &id)
	return rec, found && err == nil
}

func (t *segment) Close() error { return t.generation.Close() }
