package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestReadManifestRefuses(t *testing.T) {
	tests := []struct {
		name string
		make func(path string) error
		want string
	}{
		{"nothing there", func(string) error { return nil }, "no manifest: open "},
		{"directory", func(p string) error { return os.Mkdir(p, 0o755) }, "is not a regular file: d"},
		{"FIFO", mkfifo, "is not a regular file: p"},
		{"empty", func(p string) error { return os.WriteFile(p, nil, 0o644) }, `manifest: line 1: "", want "lancre store 2"`},
		{"huge", func(p string) error {
			if err := os.WriteFile(p, []byte("lancre store 2\n"), 0o644); err != nil {
				return err
			}
			return os.Truncate(p, MaxManifestSize+1)
		}, "manifest: more than 4194304 octets"},
		{"half copied", func(p string) error {
			text := sampleManifest().Encode()
			return os.WriteFile(p, text[:len(text)/2], 0o644)
		}, "manifest: the last line is not"},
		{"without its list of files", func(p string) error {
			return os.WriteFile(p, sampleManifest().Encode(), 0o644)
		}, "manifest line 19: open "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := test.make(filepath.Join(dir, "manifest")); err != nil {
				t.Fatal(err)
			}
			_, err := ReadManifest(dir)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want %q in it", err, test.want)
			}
			// Only where there is nothing is a store new.
			if got, want := errors.Is(err, fs.ErrNotExist), test.name == "nothing there"; got != want {
				t.Errorf("error is an fs.ErrNotExist: %v, want %v", got, want)
			}
		})
	}
}

func TestReadManifestReadsTheListOfFiles(t *testing.T) {
	dir := t.TempDir()
	published := publishSample(t, dir, "sample")
	m, err := ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(m, published) {
		t.Errorf("got\n%+v\nwant\n%+v", m, published)
	}
}
