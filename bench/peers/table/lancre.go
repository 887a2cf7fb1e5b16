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
		return &segment{generation: g}, g.Warm(func() {})
	}}
}

type segment struct {
	generation *store.Generation
	rec        index.Record // what was found last
}

func (t *segment) Find(key []byte) (byte, bool) {
	if !t.find(key) {
		return 0, false
	}
	return byte(t.rec.ProducedAt()), true
}

func (t *segment) AppendValue(dst, key []byte) ([]byte, bool) {
	if !t.find(key) {
		return dst, false
	}
	return t.rec.AppendResponse(dst), true
}

func (t *segment) find(key []byte) bool {
	id := CertID(key)
	found, err := t.generation.LookupInto(id.Key(), &id, &t.rec, nil)
	return found && err == nil
}

func (t *segment) Close() error { return t.generation.Close() }
