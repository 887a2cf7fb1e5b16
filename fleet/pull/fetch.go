package pull

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"lancre/index/store"
)

const (
	// parallel is how many objects are fetched at a time: enough to fill a link of
	// 1 Gbit/s over 50 ms with CRLs of 70 KB, and few enough for one cache to serve 50
	// edges.
	parallel = 8

	// spare is left free on the disk, in octets: for manifests, and what others write.
	spare = 64 << 20

	// worthwhile is how many octets must have come of an object, before the connection
	// broke, for the same source to be asked for the rest at once.
	worthwhile = 1 << 20
)

// fetch brings in what m needs and the store has not.
func (p *Puller) fetch(ctx context.Context, m *store.Manifest) error {
	if m.List.Count > 0 && m.Files == nil {
		if err := p.fetchAll(ctx, p.missing([]store.Object{m.List.Object})); err != nil {
			return err
		}
		var known *store.Manifest
		if p.installed != nil {
			known = p.installed.manifest
		}
		if err := m.ReadFiles(p.cfg.Store, known); err != nil {
			return err
		}
		if size := sizeOf(m.Objects()); size > p.cfg.MaxSize {
			return refuse("size", "generation %d has %d octets with its files, more than the %d of --max-size", m.Generation, size, p.cfg.MaxSize)
		}
	}
	return p.fetchAll(ctx, p.missing(m.Objects()))
}

// missing are those of objects that the store has not, not whole, or damaged.
func (p *Puller) missing(objects []store.Object) (missing []store.Object) {
	for _, o := range objects {
		info, err := os.Lstat(store.ObjectPath(p.cfg.Store, o.SHA256))
		if err != nil || !info.Mode().IsRegular() || info.Size() != o.Size || p.damaged.has(o.SHA256) {
			missing = append(missing, o)
		}
	}
	return missing
}

// fetchAll fetches objects, several at a time, the small ones first: deltas before bases.
// It stops at the first that cannot be had.
func (p *Puller) fetchAll(ctx context.Context, objects []store.Object) error {
	if len(objects) == 0 {
		return nil
	}
	if slices.ContainsFunc(objects, func(o store.Object) bool { return slices.Contains(p.coming, o) }) {
		p.ahead.stop() // which may be at one of them
	}
	if err := p.makeRoom(objects); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan store.Object)
	var workers sync.WaitGroup
	for range min(parallel, len(objects)) {
		workers.Go(func() {
			for o := range queue {
				if err := p.fetchOne(ctx, o, func(int) {}); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, o := range slices.SortedStableFunc(slices.Values(objects), func(a, b store.Object) int { return cmp.Compare(a.Size, b.Size) }) {
		select {
		case queue <- o:
		case <-ctx.Done():
		}
	}
	close(queue)
	workers.Wait()
	return context.Cause(ctx)
}

// fetchOne fetches an object from the first source that has it: past its caches where
// they have something else in its place.
func (p *Puller) fetchOne(ctx context.Context, o store.Object, pace func(int)) error {
	var errs []error
	gone := true
	for _, s := range p.inOrder() {
		err := p.fetchFrom(ctx, s, o, "", pace)
		if wrong(err) {
			p.metrics.failed("digest")
			p.log.Warn("a source has something else in the place of an object", "source", s.url, "object", o.SHA256, "err", err)
			err = p.fetchFrom(ctx, s, o, pastCaches(), pace)
		}
		if err == nil {
			p.damaged.remove(o.SHA256)
			return nil
		}
		if ctx.Err() != nil || local(err) {
			return err
		}
		if !absent(err) {
			s.stuck.Store(time.Now().Unix()) // or each object would wait for it
		}
		gone = gone && absent(err)
		errs = append(errs, err)
	}
	if gone {
		p.metrics.failed("absent")
		return &goneError{o, errors.Join(errs...)}
	}
	p.metrics.failed("source")
	return errors.Join(errs...)
}

// fetchFrom fetches what has not come yet of an object from one source, which is asked
// again at once where the connection broke but brought something.
func (p *Puller) fetchFrom(ctx context.Context, s *source, o store.Object, query string, pace func(int)) error {
	part, err := p.incoming.Part(o)
	if err != nil {
		return err
	}
	defer part.Close()
	for part.Have() < o.Size || o.Size == 0 {
		before := part.Have()
		err := s.object(ctx, o, query, part, func(n int) {
			p.beat()
			p.metrics.fetched.Add(float64(n))
			pace(n)
		})
		switch {
		case err == nil:
			return part.Finish()
		case wrong(err):
			return errors.Join(err, part.Restart())
		case ctx.Err() != nil || local(err) || part.Have()-before < worthwhile:
			return err
		}
	}
	return part.Finish()
}

// A goneError says that no source has an object.
type goneError struct {
	object store.Object
	err    error
}

func (e *goneError) Error() string {
	return fmt.Sprintf("no source has object %s: %v", e.object.SHA256, e.err)
}

// wrong reports whether something else came in place of an object.
func wrong(err error) bool {
	if status, ok := errors.AsType[*statusError](err); ok {
		return status.status == http.StatusRequestedRangeNotSatisfiable
	}
	_, ok := errors.AsType[*store.WrongObjectError](err)
	return ok
}

// local reports whether err is of this host's disk, which no other source can help.
func local(err error) bool {
	_, path := errors.AsType[*fs.PathError](err)
	_, link := errors.AsType[*os.LinkError](err)
	return path || link
}

// makeRoom sees to it that objects find room: first what no generation of interest has
// goes.
func (p *Puller) makeRoom(objects []store.Object) error {
	if err := p.incoming.Keep(p.wanted(objects)); err != nil {
		return err
	}
	need := sizeOf(objects) + spare
	for _, o := range objects {
		need -= p.incoming.Reserved(o)
	}
	free, err := freeOctets(p.cfg.Store)
	if err != nil || free >= need {
		return err
	}
	if err := p.prune(0, objects); err != nil {
		return err
	}
	if free, err = freeOctets(p.cfg.Store); err == nil && free < need {
		p.metrics.failed("room")
		err = fmt.Errorf("%s has room for %d octets, and %d are to come, %d of them to be left free: make room", p.cfg.Store, free, need, spare)
	}
	return err
}

// freeOctets is how much can be written to the file system of dir.
func freeOctets(dir string) (int64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return 0, os.NewSyscallError("statfs", err)
	}
	return int64(fs.Bavail) * fs.Bsize, nil
}

// prune removes the objects of all generations but the one that is installed, so many
// before it, those that wait, the one that may be put back, and those that come.
func (p *Puller) prune(generations int, coming []store.Object) error {
	p.pruned = time.Now()
	if p.installed == nil {
		return nil // gc cannot tell what is garbage
	}
	removed, err := store.GC(p.cfg.Store, store.Keep{Generations: generations, Objects: p.wanted(coming)}, time.Now())
	if len(removed) > 0 {
		p.log.Info("removed what earlier generations had", "files", len(removed))
	}
	return err
}

// wanted are the names of objects and of all that is to stay, or is on its way, beside
// what is installed.
func (p *Puller) wanted(objects []store.Object) map[string]bool {
	names := make(map[string]bool)
	for _, o := range objects {
		names[o.SHA256] = true
	}
	add := func(o *offer) {
		for _, object := range o.manifest.Objects() {
			names[object.SHA256] = true
		}
		for _, object := range o.manifest.Coming {
			names[object.SHA256] = true
		}
	}
	for _, w := range p.waiting {
		add(w.offer)
	}
	for _, o := range []*offer{p.installed, p.trial.good} {
		if o != nil {
			add(o)
		}
	}
	return names
}
