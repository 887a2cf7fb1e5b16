package publish

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"lancre/index/store"
)

// objectsOf are all objects that a manifest with its Files wants to be there.
func objectsOf(m *store.Manifest) []store.Object { return append(m.Objects(), m.Coming...) }

// here are those of objectsOf that the store has, but for what is amiss: of what is
// coming, one that was restored has nothing.
func (p *Publisher) here(m *store.Manifest) []store.Object {
	return append(m.Objects(), slices.DeleteFunc(slices.Clone(m.Coming), func(o store.Object) bool {
		_, err := os.Stat(store.ObjectPath(p.config.Store, o.SHA256))
		return errors.Is(err, fs.ErrNotExist)
	})...)
}

// upload puts the objects of m that are not in the bucket, or may soon be removed. Those
// that the manifest there names, too, are taken to be: sweep sees whether they are.
func (p *Publisher) upload(ctx context.Context, m *store.Manifest, there state, r *Result) error {
	shared := make(map[string]bool)
	if now := there.manifest; now != nil && !p.config.Force { // else it may name what never was there
		if now.ReadFiles(p.config.Store, nil) != nil {
			now.Files = nil // those that are there are found one by one
		}
		for _, o := range objectsOf(now) {
			shared[o.SHA256] = true
		}
	}
	wanted := slices.DeleteFunc(p.here(m), func(o store.Object) bool { return shared[o.SHA256] })
	return p.putAll(ctx, wanted, p.has, r)
}

// has reports whether the bucket has o, and for so short a time that no sweep removes
// it while it is relied on.
func (p *Publisher) has(ctx context.Context, o store.Object) (bool, error) {
	ctx, cancel := p.brief(ctx, 0)
	defer cancel()
	e, err := p.bucket.Stat(ctx, objectName(o.SHA256))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	aged := p.config.Retain > 0 && p.now().Sub(e.Modified) > p.config.Retain/2
	return e.Size == o.Size && !aged, err
}

// putAll puts the objects that the bucket does not have, some at a time.
func (p *Publisher) putAll(ctx context.Context, objects []store.Object, has func(context.Context, store.Object) (bool, error), r *Result) error {
	var total, done int64
	var objectsDone uint64
	for _, o := range objects {
		total += o.Size
	}
	var mu sync.Mutex // over the counts
	put := func(ctx context.Context, o store.Object) error {
		ok, err := has(ctx, o)
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
	f, err := os.Open(store.ObjectPath(p.config.Store, o.SHA256))
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() != o.Size {
		return fmt.Errorf("%s has %d octets, the manifest says %d: lancre verify says what else is wrong", f.Name(), info.Size(), o.Size)
	}
	return p.put(ctx, objectName(o.SHA256), &objectReader{file: f, object: o, hash: sha256.New()}, o.Size)
}

// An objectReader reads an object of the store. Where that is not what its name says, the
// last octets are not read but an error: so it does not come into the bucket, whoever
// reads.
type objectReader struct {
	file   *os.File
	object store.Object
	hash   hash.Hash
	done   int64
}

// Read implements io.Reader.
func (r *objectReader) Read(p []byte) (int, error) {
	n, err := r.file.Read(p)
	r.hash.Write(p[:n])
	if r.done += int64(n); n > 0 && r.done >= r.object.Size {
		if sum := hex.EncodeToString(r.hash.Sum(nil)); sum != r.object.SHA256 {
			return 0, fmt.Errorf("%s has sha256 %s: it was changed or damaged; lancre verify says what else is wrong", r.file.Name(), sum)
		}
	}
	return n, err
}

// Seek implements io.Seeker, to begin again and for nothing else.
func (r *objectReader) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekStart {
		return 0, errors.New("an object is read from its beginning")
	}
	r.hash.Reset()
	r.done = 0
	return r.file.Seek(0, io.SeekStart)
}
