package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"lancre/fleet/publish"
	"lancre/index"
	"lancre/index/store"
)

const (
	// maxPast is how many generations an answer is looked for in: two hours of a store that
	// says once a minute that nothing is new.
	maxPast = 120

	// maxList bounds a list of files, in octets, as package store does.
	maxList = 32 << 20
)

// A reference is what the places should answer by: the generation that is published, and
// those before it.
type reference struct {
	dir   string         // with the objects
	from  publish.Source // of those that dir lacks; nil if dir is the store
	trust *store.Trust
	known []*store.Manifest // newest first, after refresh at least one
}

// now is the generation that is published.
func (r *reference) now() *store.Manifest { return r.known[0] }

// refresh reads the manifest.
func (r *reference) refresh(ctx context.Context) (err error) {
	var m *store.Manifest
	if r.from == nil {
		_, m, err = store.ReadSigned(r.dir, r.trust)
	} else {
		m, err = r.fetchManifest(ctx)
	}
	if err != nil {
		return err
	}
	if len(r.known) > 0 && r.now().Generation >= m.Generation {
		return nil // the same, or from a cache that is behind
	}
	r.known = slices.Insert(r.known, 0, m)
	r.known = r.known[:min(len(r.known), maxPast)]
	if r.from == nil {
		return nil
	}
	return r.prune()
}

// remember adds to what is known the generations that the history of the store has.
// What cannot be read is not remembered: gc may be at work.
func (r *reference) remember() error {
	if r.from != nil {
		return nil
	}
	numbers, err := store.History(r.dir)
	if err != nil {
		return err
	}
	for _, n := range numbers[:min(len(numbers), maxPast)] {
		i, found := slices.BinarySearchFunc(r.known, n, func(m *store.Manifest, n uint64) int { return cmp.Compare(n, m.Generation) })
		if found {
			continue
		}
		if m, err := store.ReadPast(r.dir, n); err == nil {
			r.known = slices.Insert(r.known, i, m)
		}
	}
	return nil
}

// open opens what m answers in the shards.
func (r *reference) open(ctx context.Context, m *store.Manifest, shards ...index.Shard) (*store.Generation, error) {
	part := &store.Manifest{Generation: m.Generation}
	for _, line := range m.Segments {
		if slices.ContainsFunc(shards, line.Shard.Overlaps) {
			part.Segments = append(part.Segments, line)
		}
	}
	return r.openLines(ctx, part)
}

// openLines opens m, a part of a manifest.
func (r *reference) openLines(ctx context.Context, m *store.Manifest) (*store.Generation, error) {
	if err := r.fetch(ctx, m.Objects()); err != nil {
		return nil, err
	}
	return store.OpenPart(r.dir, m, nil)
}

// fetchManifest reads what is published elsewhere.
func (r *reference) fetchManifest(ctx context.Context) (*store.Manifest, error) {
	body, _, err := r.from.Open(ctx, "manifest")
	if err != nil {
		return nil, err
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, store.MaxManifestSize+1))
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	m, _, err := r.trust.Open(text)
	if err != nil {
		return nil, err
	}
	if m.List.Count == 0 {
		return m, nil
	}
	if m.List.Size > maxList {
		return nil, fmt.Errorf("list of files of %d octets, more than the %d that are read", m.List.Size, maxList)
	}
	if err := r.fetch(ctx, []store.Object{m.List.Object}); err != nil {
		return nil, err
	}
	return m, m.ReadFiles(r.dir, nil)
}

// fetch brings in those of objects that are not there.
func (r *reference) fetch(ctx context.Context, objects []store.Object) error {
	if r.from == nil {
		return nil
	}
	in, err := store.OpenIncoming(r.dir)
	if err != nil {
		return err
	}
	defer in.Close()
	for _, o := range objects {
		if _, err := os.Stat(store.ObjectPath(r.dir, o.SHA256)); err == nil {
			continue
		}
		if err := r.fetchOne(ctx, in, o); err != nil {
			return fmt.Errorf("object %s: %w", o.SHA256, err)
		}
	}
	return nil
}

func (r *reference) fetchOne(ctx context.Context, in *store.Incoming, o store.Object) error {
	body, _, err := r.from.Open(ctx, "objects/"+o.SHA256)
	if err != nil {
		return err
	}
	defer body.Close()
	part, err := in.Part(o)
	if err != nil {
		return err
	}
	defer part.Close()
	if err := part.Restart(); err != nil { // what is left of a round that failed
		return err
	}
	if _, err := io.Copy(part, body); err != nil {
		return err
	}
	return part.Finish()
}

// prune removes what was fetched and no generation that is known has.
func (r *reference) prune() error {
	named := make(map[string]bool)
	for _, m := range r.known {
		for _, o := range m.Objects() {
			named[o.SHA256] = true
		}
	}
	entries, err := os.ReadDir(filepath.Dir(store.ObjectPath(r.dir, "any")))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if e.Type().IsRegular() && !named[e.Name()] {
			err = errors.Join(err, os.Remove(store.ObjectPath(r.dir, e.Name())))
		}
	}
	return err
}
