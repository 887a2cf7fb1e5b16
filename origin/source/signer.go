package source

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"lancre/build/rule"
	"lancre/internal/database"
	"lancre/internal/secret"
	"lancre/sign/certificates"
	"lancre/sign/key"
)

// A Signer is a CA's list of certificates and a key: what the tables of sources that sign
// have in common, as lancre sign ocsp and crl have it in their flags.
type Signer struct {
	Issuer         string `toml:"issuer"`          // file of the CA's certificate. Default: the one of the configuration
	Key            string `toml:"key"`             // a PEM file, or exec:PROGRAM
	PassphraseFile string `toml:"passphrase_file"` // whose first line is that of the key

	Certificates string   `toml:"certificates"`
	Query        string   `toml:"query"`
	Schema       string   `toml:"schema"`
	Serial       string   `toml:"serial"`
	MaxShrink    *float64 `toml:"max_shrink"` // percent. Default: 5

	// What the configuration says for all sources: the issuers and the rules.
	Issuers  []string       `toml:"-"`
	Profiles []rule.Profile `toml:"-"`

	list certificates.List
	key  *key.Key // nil before it is opened

	watch   *watch
	changes <-chan struct{}
}

// prepare checks what the configuration says of it, whose paths are relative to base.
func (s *Signer) prepare(base string) error {
	switch {
	case s.Issuer == "" && len(s.Issuers) != 1:
		return fmt.Errorf("no issuer, and the configuration has %d: want issuer = \"FILE\"", len(s.Issuers))
	case s.Issuer == "":
		s.Issuer = s.Issuers[0]
	default:
		s.Issuer = within(base, s.Issuer)
	}
	if s.Key == "" {
		return errors.New(`no key: want key = "FILE", or "exec:PROGRAM"`)
	}
	if !strings.HasPrefix(s.Key, key.ExecPrefix) {
		s.Key = within(base, s.Key)
	}
	s.PassphraseFile = inBase(base, s.PassphraseFile)
	s.list = certificates.List{Source: s.listIn(base), Query: s.Query, Schema: s.Schema, Serial: certificates.Base(s.Serial)}
	s.watch = newWatch()
	s.changes = s.watch.subscribe()
	return nil
}

// inBase is path, which is relative to base, if there is one.
func inBase(base, path string) string {
	if path == "" {
		return ""
	}
	return within(base, path)
}

// listIn is the list, which if it is a file is relative to base.
func (s *Signer) listIn(base string) string {
	if database.Names(s.Certificates) || s.Certificates == "" {
		return addressIn(base, s.Certificates)
	}
	prefix, file := "", s.Certificates
	if rest, isIndex := strings.CutPrefix(file, certificates.OpenSSLPrefix); isIndex {
		prefix, file = certificates.OpenSSLPrefix, rest
	}
	return prefix + within(base, file)
}

// open opens the key, and watches the list if it is a file.
func (s *Signer) open() (err error) {
	if s.key == nil {
		s.key, err = key.Open(s.Key, key.Options{Log: os.Stderr, Passphrase: func(string) ([]byte, error) {
			if s.PassphraseFile == "" {
				return nil, errors.New("want passphrase_file: there is nobody to ask")
			}
			return secret.ReadLine(s.PassphraseFile)
		}})
		if err != nil {
			return err
		}
	}
	if !database.Names(s.list.Source) {
		_ = s.watch.add(filepath.Dir(strings.TrimPrefix(s.list.Source, certificates.OpenSSLPrefix))) // else the next round is in time
		s.watch.forget()
	}
	return nil
}

// Rewind implements Source: each round looks at what was signed before.
func (s *Signer) Rewind(Position) error { return nil }

// Close implements Source.
func (s *Signer) Close() {
	s.watch.close()
	if s.key != nil {
		s.key.Close()
		s.key = nil
	}
}
