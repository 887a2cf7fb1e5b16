package store

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"lancre/internal/durable"
)

// historyName is the directory of the manifests that were replaced, each under the
// number of its generation. What they name, gc spares while it keeps them.
const historyName = "history"

func historyPath(dir string, generation uint64) string {
	return filepath.Join(dir, historyName, strconv.FormatUint(generation, 10))
}

// keepManifest puts the manifest of dir, if there is one, into its history.
func keepManifest(dir string) error {
	text := manifestText(dir)
	if text == nil {
		return nil // a new store, or one whose manifest is to be replaced for it cannot be read
	}
	m, err := ParseManifest(text)
	if err != nil {
		return nil // likewise
	}
	if err := durable.MakeDir(filepath.Join(dir, historyName)); err != nil {
		return err
	}
	err = os.Link(filepath.Join(dir, manifestName), historyPath(dir, m.Generation))
	if errors.Is(err, fs.ErrExist) { // a generation that was published, rolled back and is replaced again
		return nil
	}
	if err != nil {
		return err
	}
	return durable.SyncDir(filepath.Join(dir, historyName))
}

// History lists the generations that the history of dir has, the newest first.
func History(dir string) ([]uint64, error) {
	entries, err := os.ReadDir(filepath.Join(dir, historyName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []uint64
	for _, e := range entries {
		n, err := strconv.ParseUint(e.Name(), 10, 64)
		if err == nil && strconv.FormatUint(n, 10) == e.Name() { // else it is not ours
			list = append(list, n)
		}
	}
	slices.SortFunc(list, func(a, b uint64) int { return cmp.Compare(b, a) })
	return list, nil
}

// WasPublished reports whether the history of dir has m, a manifest that is published
// elsewhere.
func WasPublished(dir string, m *Manifest) bool {
	past, err := parseManifestAt(historyPath(dir, m.Generation), nil)
	return err == nil && past.Digest() == m.Digest()
}

// ReadPast reads the manifest of a generation that is being served or is in the
// history of dir, with its list of files.
func ReadPast(dir string, generation uint64) (*Manifest, error) {
	m, err := ReadManifest(dir)
	if err == nil && m.Generation == generation {
		return m, nil
	}
	m, err = readManifestAt(dir, historyPath(dir, generation), nil, nil)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("generation %d is not in the history: %w; gc keeps the last ones", generation, err)
	}
	return m, err
}

// OpenPast opens such a generation, beside old if that is not nil, as Reopen does.
func OpenPast(dir string, generation uint64, old *Generation) (*Generation, error) {
	m, err := ReadPast(dir, generation)
	if err != nil {
		return nil, err
	}
	return openManifest(objectsOf(dir), m, old)
}
