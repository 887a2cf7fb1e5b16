package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"lancre/index/store"
)

// objectsOf are all objects that a manifest with its Files wants to be there.
func objectsOf(m *store.Manifest) []store.Object { return append(m.Objects(), m.Coming...) }

// upload puts the objects of m that are not in the bucket, or may soon be removed. Those
// that the manifest there names, too, are taken to be: sweep sees whether they are.
func (p *Publisher) upload(ctx context.Context, m *store.Manifest, there state, r *Result) error {
	shared := make(map[string]bool)
	if now := there.manifest; now != nil {
		if now.ReadFiles(p.config.Store, nil) != nil {
			now.Files = nil // those that are there are found one by one
		}
		for _, o := range objectsOf(now) {
			shared[o.SHA256] = true
		}
	}
	wanted := slices.DeleteFunc(objectsOf(m), func(o store.Object) bool { return shared[o.SHA256] })
	return p.putAll(ctx, wanted, p.lies, r)
}

// lies reports whether the bucket has o, and for so short a time that no sweep removes
// it while it is relied on.
func (p *Publisher) lies(ctx context.Context, o store.Object) (bool, error) {
	ctx, cancel := p.brief(ctx, 0)
	defer cancel()
	e, err := p.bucket.Stat(ctx, objectName(o.SHA256))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	aged := p.config.Retain > 0 && p.now().Sub(e.Modified) > p.config.Retain/2
	return e.Size == o.Size && !aged, err
}

// putAll puts those objects, some at a time, of which there says that they are not.
func (p *Publisher) putAll(ctx context.Context, objects []store.Object, there func(context.Context, store.Object) (bool, error), r *Result) error {
	var total, done int64
	var objectsDone uint64
	for _, o := range objects {
		total += o.Size
	}
	var mu sync.Mutex // over the counts
	put := func(ctx context.Context, o store.Object) error {
		ok, err := there(ctx, o)
		if err != nil {
			return err
		}
		if !ok {
			err = p.putObject(ctx, o)
		}
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		done, objectsDone = done+o.Size, objectsDone+1
		if p.config.Progress != nil {
			p.config.Progress(done, total, objectsDone)
		}
		if !ok {
			r.Objects++
			r.Octets += o.Size
		}
		return nil
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(p.config.Parallel)
	for _, o := range objects {
		g.Go(func() error { return put(ctx, o) })
	}
	return g.Wait()
}

// putObject puts an object of the store.
func (p *Publisher) putObject(ctx context.Context, o store.Object) error {
	path := store.ObjectPath(p.config.Store, o.SHA256)
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() != o.Size {
		return fmt.Errorf("%s has %d octets, the manifest says %d: lancre verify says what else is wrong", path, info.Size(), o.Size)
	}
	return p.put(ctx, objectName(o.SHA256), f, o.Size)
}
