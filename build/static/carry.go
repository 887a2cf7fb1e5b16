package static

import (
	"slices"

	"lancre/build/ca"
	"lancre/build/crl"
	"lancre/build/rule"
	"lancre/index/store"
)

// carry enters the files that stay of the previous generation, where no other has
// taken their place. They were checked when they came: now only what others say of
// them, or beside them, is looked at.
func (t *tree) carry() error {
	objects := make(map[string]*file) // by SHA-256
	for i := range t.config.Carried {
		f := &t.config.Carried[i]
		at := target{f.Host, f.Path}
		if t.taken[at] != nil {
			continue
		}
		s := objects[f.SHA256]
		if s == nil {
			var err error
			if s, err = t.carriedFile(f); err != nil {
				return err
			}
			objects[f.SHA256] = s
			t.files = append(t.files, s)
		}
		t.taken[at] = s
		s.targets = append(s.targets, at)
		t.lines = append(t.lines, *f)
	}
	return nil
}

// carriedFile is one of the previous generation, as far as it is looked at: a CRL that is
// known is not read again, nor is what no check asks for.
func (t *tree) carriedFile(f *store.FileLine) (s *file, err error) {
	s = &file{name: target{f.Host, f.Path}.url() + " of the previous generation", sha256: f.SHA256, size: f.Size, carried: true}
	switch f.ContentType {
	case store.TypeCRL:
		s.crl, s.by, err = t.carriedCRL(f)
	case store.TypeCertificate, store.TypeCMS:
		s.content, err = t.reread(f)
	}
	return s, err
}

func (t *tree) carriedCRL(f *store.FileLine) (*crl.CRL, *ca.Issuer, error) {
	if c, by, err := t.config.Previous.KnownCRL(f); c != nil || err != nil {
		return c, by, err
	}
	c, err := t.reread(f)
	if c.crl == nil {
		return nil, nil, err
	}
	return c.crl, SignerOf(c.crl, t.config.Issuers), nil
}

// reread reads a file of the previous generation. What cannot be recognised any more
// holds nothing.
func (t *tree) reread(f *store.FileLine) (content, error) {
	data, err := t.config.Previous.Read(f)
	if err != nil {
		return content{}, err
	}
	c, _ := recognise(data)
	return c, nil
}

// checkCarried enters what new CRLs have shown of one that stays: what it was found to
// break by itself was judged when it came.
func (t *tree) checkCarried(o *crlObject) {
	for _, f := range o.findings.All() {
		if slices.Contains([]rule.Check{rule.CRLFullDiffers, rule.CRLShardIDP, rule.CRLEntryDiffers}, f.Check) {
			t.ledger.Found(f.Check, rule.Whole(o.name), f.Serial, func() string { return f.Reason })
		}
	}
}
