package build

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"lancre/build/ca"
	"lancre/build/crl"
	"lancre/build/static"
	"lancre/index/store"
	"lancre/internal/durable"
)

// serialsDir is where a store keeps what its CRLs list, one file for each CRL by its
// SHA-256: a CRL that has not changed is not parsed by every run that adds something.
// It can be removed at any time; the next run makes it again.
const serialsDir = "serials"

// listedBy is what the CRLs among files, which the store has, list, by issuer.
func (b *builder) listedBy(files []store.FileLine) ([]crl.Revocations, error) {
	several := make([][]*crl.Serials, len(b.issuers.List))
	seen := make(map[string]bool)
	for i := range files {
		f := &files[i]
		if f.ContentType != store.TypeCRL || seen[f.SHA256] {
			continue
		}
		seen[f.SHA256] = true
		s, is, err := b.serialsOf(f)
		if err != nil {
			return nil, err
		}
		if is != nil {
			several[is.Number] = append(several[is.Number], s)
		}
	}
	all := make([]crl.Revocations, len(several))
	for i, s := range several {
		if s != nil {
			all[i] = crl.Together(s)
		}
	}
	return all, nil
}

// previousFiles are those of the previous generation, as package static asks them.
type previousFiles struct{ *builder }

// Read implements static.Previous.
func (p previousFiles) Read(f *store.FileLine) ([]byte, error) {
	return store.ReadFile(p.config.Out, f)
}

// KnownCRL implements static.Previous.
func (p previousFiles) KnownCRL(f *store.FileLine) (*crl.CRL, *ca.Issuer, error) {
	s, is, err := p.serialsOf(f)
	if is == nil || err != nil {
		return nil, nil, err
	}
	return s.CRL(), is, nil
}

// serialsOf is what the CRL f lists, and whose it is; nil if that issuer is not
// configured. It parses the CRL only the first time.
func (b *builder) serialsOf(f *store.FileLine) (*crl.Serials, *ca.Issuer, error) {
	path := filepath.Join(b.config.Out, serialsDir, f.SHA256)
	if data, err := os.ReadFile(path); err == nil {
		if s, err := crl.ParseSerials(data); err == nil {
			return s, b.issuerOf(s), nil
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	data, err := store.ReadFile(b.config.Out, f)
	if err != nil {
		return nil, nil, err
	}
	c, broken := crl.Parse(data)
	if broken != nil || c.OfAttributes() {
		return nil, nil, nil // of an earlier version, which took it, or of other certificates: nothing is compared with it
	}
	is := static.SignerOf(c, b.issuers)
	if is == nil {
		return nil, nil, nil
	}
	s := crl.NewSerials(c, is.KeyHash())
	if s == nil {
		return nil, nil, nil
	}
	if err := durable.MakeDir(filepath.Dir(path)); err != nil {
		return nil, nil, err
	}
	return s, is, durable.WriteBytes(path, s.Encode())
}

// issuerOf is who signed the CRL of s, if configured.
func (b *builder) issuerOf(s *crl.Serials) *ca.Issuer {
	for _, is := range b.issuers.List {
		if is.KeyHash() == s.Key && bytes.Equal(is.Cert.RawSubject, s.Name) {
			return is
		}
	}
	return nil
}
