package store

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// A Publication is a new generation of a store, in the making: its Objects, and
// the number that it gets. The old generation stays whole whatever happens, for
// nothing names the new objects before Commit replaces the manifest.
//
// Its methods are not safe for concurrent use.
type Publication struct {
	*Objects
	previous *Manifest
}

// Begin prepares dir for a new generation, as OpenObjects does. The caller ends the
// Publication by Commit or Close.
func Begin(dir string) (*Publication, error) {
	objects, err := OpenObjects(dir)
	if err != nil {
		return nil, err
	}
	previous, err := ReadManifest(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		objects.Close()
		return nil, err
	}
	return &Publication{objects, previous}, nil
}

// Previous is the manifest that is being replaced; nil in a new store.
func (p *Publication) Previous() *Manifest { return p.previous }

// Commit publishes m: it sets m.Generation to the one after Previous (1 in a new
// store), sorts m.Files, replaces the manifest durably and ends the publication.
// Objects that m names and Previous does not must be there, from this publication
// or an earlier one; the others are not looked at. After an error the old
// generation stands and the publication is still to be ended by Close; only if the
// very last step failed, the sync of the directory, m is already visible.
func (p *Publication) Commit(m *Manifest) error {
	m.Generation = 1
	if p.previous != nil {
		m.Generation = p.previous.Generation + 1
	}
	slices.SortFunc(m.Files, compareFiles)
	if err := m.check(); err != nil {
		return fmt.Errorf("new manifest: %w", err)
	}
	return p.publish(m, m.Encode(), p.previous)
}
