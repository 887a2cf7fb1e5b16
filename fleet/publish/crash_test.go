package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync/atomic"
	"testing"
)

// A fragile bucket is a good one until the request with the number last, counted from
// 1. That and all later ones fail: with late, once they were done.
type fragile struct {
	Bucket
	last int64
	late bool
	n    atomic.Int64
}

var errCrash = errors.New("crashed")

// do makes a request.
func (f *fragile) do(request func() error) error {
	n := f.n.Add(1)
	if n < f.last || f.late && n == f.last {
		if err := request(); err != nil {
			return err
		}
	}
	if n >= f.last {
		return errCrash
	}
	return nil
}

func (f *fragile) Open(ctx context.Context, name string) (r io.ReadCloser, tag string, err error) {
	err = f.do(func() (err error) { r, tag, err = f.Bucket.Open(ctx, name); return err })
	if err != nil && r != nil {
		r.Close()
	}
	return r, tag, err
}

func (f *fragile) Put(ctx context.Context, name string, content io.Reader, size int64) error {
	return f.do(func() error { return f.Bucket.Put(ctx, name, content, size) })
}

func (f *fragile) Swap(ctx context.Context, name string, content []byte, tag string) error {
	return f.do(func() error { return f.Bucket.Swap(ctx, name, content, tag) })
}

func (f *fragile) Stat(ctx context.Context, name string) (e Entry, err error) {
	err = f.do(func() (err error) { e, err = f.Bucket.Stat(ctx, name); return err })
	return e, err
}

func (f *fragile) List(ctx context.Context, dir string) (list []Entry, err error) {
	err = f.do(func() (err error) { list, err = f.Bucket.List(ctx, dir); return err })
	return list, err
}

func (f *fragile) Remove(ctx context.Context, name string) error {
	return f.do(func() error { return f.Bucket.Remove(ctx, name) })
}

// Whichever request is the last that a publication can make, done or not, the bucket has
// one generation or the other, whole; and the next publication makes it good.
func TestPublishIsCutShort(t *testing.T) {
	for last, done := int64(1), false; !done; last++ {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d, late %v", last, late), func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "bucket")
				at, o := openTarget(t, dir, dir), newOrigin(t)
				before := o.add("one")
				o.mustPublish(at.bucket)
				after := o.add("two")
				f := &fragile{Bucket: at.bucket, last: last, late: late}
				r, err := o.publish(f, func(c *Config) { c.Parallel = 1 })
				done = f.n.Load() < last
				if done != (err == nil) || !done && !errors.Is(err, errCrash) {
					t.Errorf("after %d requests: %v", f.n.Load(), err)
				}
				want := before
				if now := at.manifest(t); now.Digest() == after.Digest() {
					want = after
				}
				if r.Published && want == before {
					t.Error("said to be published, and is not")
				}
				at.whole(t, want)
				o.mustPublish(at.bucket)
				at.whole(t, after)
				at.sound(t, before)
			})
		}
	}
}

// The first publication, of a bucket where nothing is, is no other.
func TestFirstPublishIsCutShort(t *testing.T) {
	for last, done := int64(1), false; !done; last++ {
		dir := filepath.Join(t.TempDir(), "bucket")
		at, o := openTarget(t, dir, dir), newOrigin(t)
		m := o.add("one")
		f := &fragile{Bucket: at.bucket, last: last}
		_, err := o.publish(f, func(c *Config) { c.Parallel = 1 })
		if done = f.n.Load() < last; done != (err == nil) {
			t.Errorf("after %d requests: %v", f.n.Load(), err)
		}
		if at.manifest(t) != nil {
			at.whole(t, m)
		}
		o.mustPublish(at.bucket)
		at.whole(t, m)
	}
}
