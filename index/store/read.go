package store

import (
	"fmt"
	"io"
	"path/filepath"
)

// ReadManifest reads and parses the manifest of the store dir and its list of files.
// If there is no manifest, the error is an fs.ErrNotExist.
func ReadManifest(dir string) (*Manifest, error) { return readManifest(dir, nil) }

// readManifest is ReadManifest, but takes a list of files that old, if not nil, has
// from there.
func readManifest(dir string, old *Manifest) (*Manifest, error) {
	return readManifestAt(dir, filepath.Join(dir, manifestName), old)
}

// readManifestAt reads the manifest at path, of a generation whose objects are in dir.
func readManifestAt(dir, path string, old *Manifest) (*Manifest, error) {
	text, err := readAtMost(path, maxManifestSize)
	if err != nil {
		return nil, fmt.Errorf("no manifest: %w", err)
	}
	m, err := ParseManifest(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	switch {
	case m.List.Count == 0: // or version 1, whose file lines are in the manifest
		return m, nil
	case old != nil && old.List == m.List:
		m.Files = old.Files
		return m, nil
	}
	list, err := m.listReference().read(objectsOf(dir))
	if err == nil {
		err = m.loadFiles(list)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return m, nil
}

// readAtMost reads a regular file that has at most limit octets.
func readAtMost(path string, limit int64) ([]byte, error) {
	f, _, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("%s: more than %d octets: this is no manifest", path, limit)
	}
	return text, err
}

// manifestText is the text of the manifest of dir, nil if it cannot be read.
func manifestText(dir string) []byte {
	text, err := readAtMost(filepath.Join(dir, manifestName), maxManifestSize)
	if err != nil {
		return nil
	}
	return text
}
