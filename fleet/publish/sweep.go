package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"lancre/index/store"
)

// maxList bounds a list of files, in octets, as package store does.
const maxList = 32 << 20

// sweep puts what the bucket should have of m, its current generation, and has lost, and
// removes what has been there for Retain and nobody needs any more, if it is time to.
func (p *Publisher) sweep(ctx context.Context, m *store.Manifest, r *Result) error {
	due, err := p.sweepIsDue(ctx, r)
	if err == nil && due {
		err = p.sweepNow(ctx, m, r)
	}
	if err != nil {
		return fmt.Errorf("generation %d is published, but what it lacks was not seen, or what is old not removed: %w", m.Generation, err)
	}
	return nil
}

// sweepIsDue reports whether the last sweep, by whatever Publisher, is SweepEvery ago,
// or r says that there is nothing else to do.
func (p *Publisher) sweepIsDue(ctx context.Context, r *Result) (bool, error) {
	if !r.Published {
		return true, nil
	}
	if p.swept.IsZero() {
		ctx, cancel := p.brief(ctx, 0)
		defer cancel()
		e, err := p.bucket.Stat(ctx, sweptName)
		if errors.Is(err, fs.ErrNotExist) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		p.swept = e.Modified
	}
	return p.now().Sub(p.swept) >= p.config.SweepEvery, nil
}

func (p *Publisher) sweepNow(ctx context.Context, m *store.Manifest, r *Result) error {
	entries, err := p.list(ctx, objectsDir)
	if err != nil {
		return err
	}
	if err := p.repair(ctx, m, entries, r); err != nil {
		return err
	}
	if p.config.Retain > 0 {
		if err := p.removeOld(ctx, m, entries, r); err != nil {
			return err
		}
	}
	p.swept = p.now()
	return p.put(ctx, sweptName, strings.NewReader("swept\n"), int64(len("swept\n")))
}

// listOctets is the room that a list may have, in octets: a million entries of 300.
const listOctets = 300 << 20

func (p *Publisher) list(ctx context.Context, dir string) ([]Entry, error) {
	ctx, cancel := p.brief(ctx, listOctets)
	defer cancel()
	return p.bucket.List(ctx, dir)
}

// repair puts the objects of m that are not among entries. A damaged one of the right
// size is not seen: edges tell.
func (p *Publisher) repair(ctx context.Context, m *store.Manifest, entries []Entry, r *Result) error {
	have := make(map[string]int64, len(entries))
	for _, e := range entries {
		have[e.Name] = e.Size
	}
	return p.putAll(ctx, p.here(m), func(_ context.Context, o store.Object) (bool, error) {
		size, ok := have[objectName(o.SHA256)]
		return ok && size == o.Size, nil
	}, r)
}

// removeOld removes manifests that are not kept any longer, then the objects that
// neither m nor any of those that are kept names.
func (p *Publisher) removeOld(ctx context.Context, m *store.Manifest, entries []Entry, r *Result) error {
	past, err := p.list(ctx, historyDir)
	if err != nil {
		return err
	}
	kept, old := p.thinOut(past)
	named, err := p.namedBy(ctx, kept)
	if err != nil {
		return err
	}
	for _, o := range objectsOf(m) {
		named[o.SHA256] = true
	}
	for _, e := range entries {
		if !named[e.Name[len(objectsDir)+1:]] && p.now().Sub(e.Modified) > p.config.Retain {
			old = append(old, e)
		}
	}
	for _, e := range old {
		ctx, cancel := p.brief(ctx, 0)
		err := p.bucket.Remove(ctx, e.Name)
		cancel()
		if err != nil {
			return err
		}
		r.Removed++
	}
	return nil
}

// thinOut says which manifests of the history are kept, and which go: of the last hour
// all are kept, before that the last one of each hour, and none for longer than Retain.
func (p *Publisher) thinOut(past []Entry) (kept, old []Entry) {
	slices.SortFunc(past, func(a, b Entry) int {
		return cmp.Or(b.Modified.Compare(a.Modified), cmp.Compare(b.Name, a.Name))
	})
	var hour time.Time
	for _, e := range past {
		age := p.now().Sub(e.Modified)
		h := e.Modified.Truncate(time.Hour)
		if age > p.config.Retain || age > time.Hour && h.Equal(hour) {
			old = append(old, e)
			continue
		}
		kept, hour = append(kept, e), h
	}
	return kept, old
}

// namedBy are the objects that any of the manifests names. One that cannot be read is
// an error, for then nobody knows what it needs. Each is read once by a Publisher, and so
// is each list of files.
func (p *Publisher) namedBy(ctx context.Context, manifests []Entry) (map[string]bool, error) {
	named, used := make(map[string]bool), make(map[string][]string)
	for _, e := range manifests {
		names, ok := p.known[e.Name]
		if !ok {
			var err error
			if names, err = p.readNames(ctx, e.Name); err != nil {
				return nil, err
			}
		}
		used[e.Name] = names
		for _, n := range names {
			named[n] = true
			files, isList := p.known[n]
			for _, file := range files {
				named[file] = true
			}
			if isList {
				used[n] = files
			}
		}
	}
	p.known = used
	return named, nil
}

// readNames are the objects that the manifest called name names, but those on its list
// of files, which it enters into known.
func (p *Publisher) readNames(ctx context.Context, name string) (names []string, err error) {
	text, _, err := p.read(ctx, name, store.MaxManifestSize)
	if err != nil {
		return nil, err
	}
	m, err := store.ParseManifest(text) // by whatever key it was signed then
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for _, o := range objectsOf(m) {
		names = append(names, o.SHA256)
	}
	list := m.List.SHA256
	if _, ok := p.known[list]; ok || list == "" {
		return names, nil
	}
	text, _, err = p.read(ctx, objectName(list), maxList)
	if errors.Is(err, fs.ErrNotExist) { // nobody can use that generation any more
		return names, nil
	}
	if err != nil {
		return nil, err
	}
	files, err := store.ParseFiles(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", objectName(list), err)
	}
	for _, f := range files {
		p.known[list] = append(p.known[list], f.SHA256)
	}
	return names, nil
}
