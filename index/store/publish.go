package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// A Publication is a new generation of a store, about to be published: its Objects,
// and the number that it gets. It holds the store's lock, against other writers and
// gc. The old generation stays whole whatever happens, for nothing names the new
// objects before Commit replaces the manifest.
//
// Its methods are not safe for concurrent use.
type Publication struct {
	*Objects
	lock     *os.File // nil when the publication is over
	previous *Manifest
}

// patience is how long a publication waits for another one to end, which takes
// milliseconds, or for a gc. Tests have less.
var patience = 30 * time.Second

// Begin prepares dir for a new generation and locks it. The caller ends the
// Publication by Commit or Close.
func Begin(dir string) (*Publication, error) {
	objects, err := OpenObjects(dir)
	if err != nil {
		return nil, err
	}
	p, err := objects.Begin()
	if err != nil {
		objects.Close()
	}
	return p, err
}

// Begin locks the store, for which it waits a while, to publish a generation that o
// was made for. What was prepared before, without the lock, may not hold any more:
// Previous tells.
func (o *Objects) Begin() (*Publication, error) {
	l, err := lock(o.dir, patience)
	if err != nil {
		return nil, err
	}
	previous, err := ReadManifest(o.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.Close()
		return nil, err
	}
	return &Publication{o, l, previous}, nil
}

// Close ends p: what was added and no manifest names goes, and the store is unlocked.
// After Commit it does nothing.
func (p *Publication) Close() {
	p.Objects.Close()
	if p.lock != nil {
		p.lock.Close()
		p.lock = nil
	}
}

// Previous is the manifest that is being replaced; nil in a new store.
func (p *Publication) Previous() *Manifest { return p.previous }

// answers is what Previous answers, opened beside old; nil in a new store.
func (p *Publication) answers(old *Generation) (*Generation, error) {
	if p.previous == nil {
		return nil, nil
	}
	return openAnswers(objectsOf(p.dir), p.previous, old)
}

// counts are those of Previous. A manifest of version 1 does not say them: then they
// are counted.
func (p *Publication) counts() (*Counts, error) {
	switch {
	case p.previous == nil:
		return NewCounts(), nil
	case p.previous.version1 == "":
		return p.previous.Counts(), nil
	}
	g, err := p.answers(nil)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	return g.Count()
}

// Commit publishes m: it sets m.Generation to the one after Previous (1 in a new store)
// unless it is higher already, by Date, m.Parent, the time at which segment lines came
// into the stack where they have none, and m.List, sorts m.Files, takes out of m.Coming what
// has come, signs and replaces the manifest durably and ends the publication. Previous
// stays in the store's history.
//
// Objects that m names and Previous does not must be there, from this publication
// or an earlier one; the others are not looked at. After an error the old
// generation stands and the publication is still to be ended by Close; only if the
// very last step failed, the sync of the directory, m is already visible.
func (p *Publication) Commit(m *Manifest) error {
	if err := p.signing.check(p.previous); err != nil {
		return err
	}
	p.signing.apply(m)
	m.Generation, m.Parent = max(1, m.Generation), ""
	if p.previous != nil {
		m.Generation, m.Parent = max(p.previous.Generation+1, m.Generation), p.previous.Digest()
	}
	for i := range m.Segments {
		if m.Segments[i].Created.IsZero() {
			m.Segments[i].Created = m.Created
		}
	}
	list := m.SetFiles(m.Files)
	m.dropArrived()
	if err := m.check(); err != nil {
		return fmt.Errorf("new manifest: %w", err)
	}
	if err := checkFiles(m.Files, firstFileLine); err != nil {
		return fmt.Errorf("new list of files: %w", err)
	}
	if list != nil && (p.previous == nil || p.previous.List != m.List) {
		if _, _, err := p.AddObject(bytes.NewReader(list)); err != nil {
			return err
		}
	}
	text, err := p.signing.Keys.sign(m.Encode())
	if err != nil {
		return fmt.Errorf("signing the new manifest: %w", err)
	}
	if err := p.publish(m, text, p.previous); err != nil {
		return err
	}
	p.Close()
	return nil
}
