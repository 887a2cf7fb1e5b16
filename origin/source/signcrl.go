package source

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"lancre/internal/durable"
	"lancre/sign/crls"
)

// A SignCRL is a CA's list of certificates, and the CA's key: a CRL that would say something
// else than before, or is due, is signed as lancre sign crl does, into a tree of its own,
// and published. It is a source by itself, for the CA's key may be elsewhere than that of
// responses, or fail when that does not.
type SignCRL struct {
	Common
	Signer
	URL          string   `toml:"url"`          // of the CRL that certificates name; with {shard} in it, of each shard
	Shards       string   `toml:"shards"`       // 1-128 or serial-mod:128. Default: one full CRL
	Validity     Duration `toml:"validity"`     // default: a week
	Renew        Duration `toml:"renew"`        // the age from which one that says the same is signed again. Default: a day
	Subordinates bool     `toml:"subordinates"` // the certificates are CAs' own
	KeepExpired  int      `toml:"keep_expired"` // years
	Forget       bool     `toml:"forget"`       // rows are deleted after expiry

	// Dir is the tree: what it has at HOST/PATH is the CRL before. Default: crls.
	Dir string `toml:"dir"`

	config crls.Config
	tree   *Static
}

// Prepare checks what the configuration says of it, whose paths are relative to base.
func (s *SignCRL) Prepare(base string) (err error) {
	if err := s.prepare(base); err != nil {
		return err
	}
	if s.Dir == "" {
		s.Dir = "crls"
	}
	s.tree = &Static{Dir: s.Dir}
	if err := s.tree.Prepare(base); err != nil {
		return err
	}
	c := crls.DefaultConfig()
	c.Issuer, c.List, c.Static, c.URL, c.Profiles = s.Issuer, s.list, s.tree.Dir, s.URL, s.Profiles
	c.Validity, c.Every = s.Validity.Or(c.Validity), s.Renew.Or(c.Every)
	c.Subordinates, c.KeepExpired, c.Forget = s.Subordinates, s.KeepExpired, s.Forget
	if s.MaxShrink != nil {
		c.MaxShrink = *s.MaxShrink
	}
	if c.Shards, err = crls.ParseShards(s.Shards); err != nil {
		return err
	}
	c.Log = slog.New(slog.NewJSONHandler(os.Stderr, nil))
	s.config = c
	return errors.Join(c.Check(), s.Common.check())
}

// Settings implements Source.
func (s *SignCRL) Settings() Settings {
	set := s.Common.settings("sign_crl", time.Minute)
	set.Changes = s.changes
	return set
}

// String says what is read.
func (s *SignCRL) String() string {
	return "certificates of " + s.list.Name() + ", for the CRL " + s.URL
}

// Rewind implements Source: the tree is compared with what the store has now.
func (s *SignCRL) Rewind(to Position) error { return s.tree.Rewind(to) }

// Close implements Source.
func (s *SignCRL) Close() {
	s.tree.Close()
	s.Signer.Close()
}

// Read implements Source. Where some CRLs could not be signed, or list what is good in the
// list, those that are signed are published all the same.
func (s *SignCRL) Read(ctx context.Context, to Publisher) error {
	if err := s.open(); err != nil {
		return err
	}
	if err := durable.MakeDir(s.tree.Dir); err != nil {
		return err
	}
	c := s.config
	c.Key = s.key
	_, err := crls.Run(ctx, c)
	return errors.Join(err, s.tree.Read(ctx, to))
}
