package store

import (
	"fmt"
	"io"
	"path/filepath"
)

// ReadManifest reads and parses the manifest of the store dir and its list of files.
// If there is no manifest, the error is an fs.ErrNotExist.
// Its signatures are not looked at.
func ReadManifest(dir string) (*Manifest, error) { return readManifest(dir, nil, nil) }

// ReadSigned is ReadManifest of a manifest that trust opens, and returns its octets as
// well, signatures and all.
func ReadSigned(dir string, trust *Trust) (signed []byte, m *Manifest, err error) {
	path := filepath.Join(dir, manifestName)
	if signed, err = readAtMost(path, MaxManifestSize); err != nil {
		return nil, nil, fmt.Errorf("no manifest: %w", err)
	}
	if m, _, err = trust.Open(signed); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return signed, m, m.ReadFiles(dir)
}

// ReadFiles sets the Files of m, a manifest that was parsed, from its list of files, an
// object of the store dir.
func (m *Manifest) ReadFiles(dir string) error {
	if err := m.readList(objectsOf(dir)); err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	return nil
}

// readManifest is ReadManifest of a manifest that trust opens, but takes a list of files
// that old, if not nil, has from there.
func readManifest(dir string, trust *Trust, old *Manifest) (*Manifest, error) {
	return readManifestAt(dir, filepath.Join(dir, manifestName), trust, old)
}

// readManifestAt reads the manifest at path, of a generation whose objects are in dir.
func readManifestAt(dir, path string, trust *Trust, old *Manifest) (*Manifest, error) {
	m, err := parseManifestAt(path, trust)
	if err != nil {
		return nil, err
	}
	if old != nil && m.List.Count > 0 && old.List == m.List {
		m.Files = old.Files
		return m, nil
	}
	return m, m.ReadFiles(dir)
}

// parseManifestAt is readManifestAt without the list of files.
func parseManifestAt(path string, trust *Trust) (*Manifest, error) {
	text, err := readAtMost(path, MaxManifestSize)
	if err != nil {
		return nil, fmt.Errorf("no manifest: %w", err)
	}
	m, _, err := trust.Open(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// readList reads the list of files of m, which ParseManifest left. A manifest of
// version 1 has its file lines itself.
func (m *Manifest) readList(find finder) error {
	if m.List.Count == 0 {
		return nil
	}
	list, err := m.listReference().read(find)
	if err != nil {
		return err
	}
	return m.loadFiles(list)
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
		err = fmt.Errorf("%s: more than %d octets, the most that it can have", path, limit)
	}
	return text, err
}

// ManifestText returns the manifest of the store dir as it is, with what signatures it
// has. If there is none, the error is an fs.ErrNotExist.
func ManifestText(dir string) ([]byte, error) {
	return readAtMost(filepath.Join(dir, manifestName), MaxManifestSize)
}

// manifestText is the text of the manifest of dir, nil if it cannot be read.
func manifestText(dir string) []byte {
	text, err := ManifestText(dir)
	if err != nil {
		return nil
	}
	return text
}
