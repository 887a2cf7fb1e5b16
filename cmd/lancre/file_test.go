package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lancre/build/demo"
)

func TestWriteFileReplacesAllAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := writeBytes(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left")
	err := writeFile(path, func(w io.Writer) error {
		io.WriteString(w, "half")
		return full
	})
	if !errors.Is(err, full) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want %v at %s", err, full, path)
	}
	checkFile(t, path, "old")
	if err := writeBytes(path, []byte("new")); err != nil {
		t.Fatal(err)
	}
	checkFile(t, path, "new")
}

// checkFile demands that path is alone in its directory, readable by all, and
// has the content want.
func checkFile(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q (error %v), want %q", path, got, err, want)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o644 {
		t.Errorf("%s has mode %v (error %v), want 0644", path, info.Mode(), err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("temporary files are left: %v", entries)
	}
}

func TestReadCertificates(t *testing.T) {
	ca, err := demo.New(demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := ca.Issue(ca.Certificate(0))
	if err != nil {
		t.Fatal(err)
	}
	issuerPEM, leafPEM := encodePEM(ca.Issuer.Raw), encodePEM(leaf.Raw)
	key := []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
	for name, tt := range map[string]struct {
		content []byte
		want    []string // subjects
		err     string
	}{
		"der":       {content: ca.Issuer.Raw, want: []string{"Lancre demo CA"}},
		"two der":   {content: slices.Concat(ca.Issuer.Raw, leaf.Raw), want: []string{"Lancre demo CA", "good.demo.test"}},
		"pem":       {content: issuerPEM, want: []string{"Lancre demo CA"}},
		"pem chain": {content: slices.Concat([]byte("comment\n"), leafPEM, key, issuerPEM), want: []string{"good.demo.test", "Lancre demo CA"}},
		"key":       {content: key, err: "no certificate in it"},
		"empty":     {content: nil, err: "no certificate in it"},
		"text":      {content: []byte("certificate"), err: "not a certificate in PEM or DER"},
		"cut der":   {content: ca.Issuer.Raw[:100], err: "not a certificate in PEM or DER"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(path, tt.content, 0o600); err != nil {
				t.Fatal(err)
			}
			certs, err := readCertificates(path)
			var got []string
			for _, c := range certs {
				got = append(got, c.Subject.CommonName)
			}
			if !slices.Equal(got, tt.want) || (err == nil) != (tt.err == "") {
				t.Errorf("%v, error %v; want %v, %q", got, err, tt.want, tt.err)
			}
			if err != nil && (!strings.Contains(err.Error(), tt.err) || !strings.Contains(err.Error(), path)) {
				t.Errorf("error %v, want %q and the file's name", err, tt.err)
			}
		})
	}
}
