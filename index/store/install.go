package store

import (
	"errors"
	"fmt"
	"io/fs"
)

// Install makes text, a manifest that was made elsewhere, the store's, octet for
// octet, and ends o, to which the objects that the store lacked were added. It
// returns what text says. Whether that generation may follow the one before is for
// the caller to judge. After an error the store is as it was, and o is still to be
// closed.
func (o *Objects) Install(text []byte) (*Manifest, error) {
	m, err := ParseManifest(text)
	if err != nil {
		return nil, fmt.Errorf("manifest to install: %w", err)
	}
	if err := m.readList(o.find); err != nil {
		return nil, fmt.Errorf("manifest to install: %w", err)
	}
	l, err := lock(o.dir, patience)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	// What the manifest in place names was looked at when it came. One that cannot be
	// read says nothing, and is to be replaced.
	before, err := ReadManifest(o.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		before = nil
	}
	return m, o.publish(m, text, before)
}
