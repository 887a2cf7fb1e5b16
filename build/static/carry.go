package static

import (
	"slices"

	"lancre/build/rule"
	"lancre/index/store"
)

// carry enters the files that stay of the previous generation, where no other has
// taken their place. They were checked when they came: now only what others say of
// them, or beside them, is looked at.
func (t *tree) carry() {
	objects := make(map[string]*file) // by SHA-256
	for _, f := range t.config.Carried {
		at := target{f.Host, f.Path}
		if t.taken[at] != nil {
			continue
		}
		s := objects[f.SHA256]
		if s == nil {
			s = t.carriedFile(f)
			objects[f.SHA256] = s
			t.files = append(t.files, s)
		}
		t.taken[at] = s
		s.targets = append(s.targets, at)
		t.lines = append(t.lines, f.FileLine)
	}
}

// carriedFile is one of the previous generation, as it would be read. What cannot be
// recognised any more is published as it was.
func (t *tree) carriedFile(f store.File) *file {
	s := &file{name: target{f.Host, f.Path}.url() + " of the previous generation", sha256: f.SHA256, size: f.Size, carried: true}
	if c, broken := recognise(f.Body); broken == nil {
		s.content = c
	}
	if s.crl != nil {
		s.by = SignerOf(s.crl, t.config.Issuers)
	}
	return s
}

// checkCarried enters what new CRLs have shown of one that stays: what it was found to
// break by itself was judged when it came.
func (t *tree) checkCarried(o *crlObject) {
	for _, f := range o.findings.All() {
		if slices.Contains([]rule.Check{rule.CRLFullDiffers, rule.CRLShardIDP, rule.CRLEntryDiffers}, f.Check) {
			t.ledger.Found(f.Check, f.Place, f.Serial, func() string { return f.Reason })
		}
	}
}
