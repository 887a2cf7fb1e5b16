package source

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"lancre/build/input"
	"lancre/build/rule"
	"lancre/index"
	"lancre/internal/database"
	"lancre/internal/durable"
	"lancre/internal/secret"
	"lancre/sign"
	"lancre/sign/certificates"
	"lancre/sign/key"
)

// A Sign is a CA's list of certificates, and its key: responses for what is new in it, has
// changed or is due are signed as lancre sign ocsp does, and published.
type Sign struct {
	Common
	Issuer         string `toml:"issuer"`          // file of the CA's certificate. Default: the one of the configuration
	Responder      string `toml:"responder"`       // file of the responder's, if the key is the responder's
	Key            string `toml:"key"`             // a PEM file, or exec:PROGRAM
	PassphraseFile string `toml:"passphrase_file"` // whose first line is that of the key

	// The list, as the flags of lancre sign ocsp name it.
	Certificates string `toml:"certificates"`
	Query        string `toml:"query"`
	Schema       string `toml:"schema"`
	Serial       string `toml:"serial"`

	Hash      []string  `toml:"hash"`       // default: sha1 and sha256
	Validity  Duration  `toml:"validity"`   // default: a week
	Refresh   []float64 `toml:"refresh"`    // default: [0.25, 0.375]
	Rate      float64   `toml:"rate"`       // default: no limit
	Parallel  int       `toml:"parallel"`   // default: 16
	MaxShrink *float64  `toml:"max_shrink"` // percent. Default: 5

	// Dir is where responses are between being signed and being published. Default: signed.
	Dir string `toml:"dir"`

	// What the configuration says for all sources: the store, the issuers and the rules.
	Store    string         `toml:"-"`
	Issuers  []string       `toml:"-"`
	Profiles []rule.Profile `toml:"-"`

	config sign.Config
	key    *key.Key // nil before it is opened

	watch   *watch
	changes <-chan struct{}
}

// Prepare checks what the configuration says of it, whose paths are relative to base.
func (s *Sign) Prepare(base string) error {
	if s.Issuer == "" && len(s.Issuers) != 1 {
		return fmt.Errorf("no issuer, and the configuration has %d: want issuer = \"FILE\"", len(s.Issuers))
	}
	if s.Key == "" {
		return errors.New(`no key: want key = "FILE", or "exec:PROGRAM"`)
	}
	s.watch = newWatch()
	s.changes = s.watch.subscribe()
	if s.Dir == "" {
		s.Dir = "signed"
	}
	s.Dir, s.PassphraseFile = within(base, s.Dir), inBase(base, s.PassphraseFile)
	if !strings.HasPrefix(s.Key, key.ExecPrefix) {
		s.Key = within(base, s.Key)
	}
	if err := s.prepareConfig(base); err != nil {
		return err
	}
	return s.Common.check()
}

// inBase is path, which is relative to base, if there is one.
func inBase(base, path string) string {
	if path == "" {
		return ""
	}
	return within(base, path)
}

// prepareConfig makes what is the same in every round.
func (s *Sign) prepareConfig(base string) (err error) {
	c := sign.DefaultConfig()
	c.Issuer, c.Responder = inBase(base, s.Issuer), inBase(base, s.Responder)
	if c.Issuer == "" {
		c.Issuer = s.Issuers[0]
	}
	c.List = certificates.List{Source: s.listIn(base), Query: s.Query, Schema: s.Schema, Serial: certificates.Base(s.Serial)}
	c.Store, c.Out, c.Rate, c.Profiles = s.Store, s.Dir, s.Rate, s.Profiles
	c.Validity = s.Validity.Or(c.Validity)
	if len(s.Hash) > 0 {
		c.Hashes = nil
		for _, name := range s.Hash {
			alg, err := index.ParseHashAlg(name)
			if err != nil {
				return err
			}
			c.Hashes = append(c.Hashes, alg)
		}
	}
	if n := len(s.Refresh); n == 2 {
		c.Refresh = [2]float64(s.Refresh)
	} else if n != 0 {
		return fmt.Errorf("refresh = %v: want two parts of the validity, as [0.25, 0.375]", s.Refresh)
	}
	if s.Parallel != 0 {
		c.Parallel = s.Parallel
	}
	if s.MaxShrink != nil {
		c.MaxShrink = *s.MaxShrink
	}
	c.Log = slog.New(slog.NewJSONHandler(os.Stderr, nil))
	s.config = c
	return c.Check()
}

// listIn is the list, which if it is a file is relative to base.
func (s *Sign) listIn(base string) string {
	if database.Names(s.Certificates) || s.Certificates == "" {
		return addressIn(base, s.Certificates)
	}
	prefix, file := "", s.Certificates
	if rest, isIndex := strings.CutPrefix(file, certificates.OpenSSLPrefix); isIndex {
		prefix, file = certificates.OpenSSLPrefix, rest
	}
	return prefix + within(base, file)
}

// Settings implements Source.
func (s *Sign) Settings() Settings {
	set := s.Common.settings("sign", 5*time.Second)
	set.Changes = s.changes
	return set
}

// String says what is read.
func (s *Sign) String() string { return "certificates of " + s.config.List.Name() + ", to sign" }

// Rewind implements Source: each round looks at what the store says.
func (s *Sign) Rewind(Position) error { return nil }

// Close implements Source.
func (s *Sign) Close() {
	s.watch.close()
	if s.key != nil {
		s.key.Close()
		s.key = nil
	}
}

// roundTime is how long a round goes on signing before the list is read again: so long can
// a revocation wait that comes meanwhile.
const roundTime = 10 * time.Second

// Read implements Source: what an earlier round has signed is published, and then what is
// signed now, a chunk as soon as it is there.
func (s *Sign) Read(ctx context.Context, to Publisher) error {
	if err := s.open(); err != nil {
		return err
	}
	left, err := sign.Chunks(s.Dir)
	for i := 0; i < len(left) && err == nil; i++ {
		err = s.publish(ctx, to, left[i])
	}
	if err != nil {
		return err
	}
	began := time.Now()
	c := s.config
	c.Key = s.key
	c.Chunk = func(name string) (bool, error) {
		if err := s.publish(ctx, to, name); err != nil {
			return false, err
		}
		if time.Since(began) < roundTime {
			return true, nil
		}
		s.watch.signal() // for the next round to begin at once
		return false, nil
	}
	_, err = sign.Run(ctx, c)
	return err
}

// open opens the key, makes the directory, and watches the list if it is a file.
func (s *Sign) open() (err error) {
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
	if err := durable.MakeDir(s.Dir); err != nil {
		return err
	}
	if list := s.config.List.Source; !database.Names(list) {
		_ = s.watch.add(filepath.Dir(strings.TrimPrefix(list, certificates.OpenSSLPrefix))) // else the next round is in time
		s.watch.forget()
	}
	return nil
}

// publish publishes a chunk, which then goes.
func (s *Sign) publish(ctx context.Context, to Publisher, name string) error {
	sink := &publishing{ctx: ctx, to: to, batch: new(input.Batch)}
	if err := new(input.Scanner).Scan(ctx, []string{name}, sink); err != nil {
		return err
	}
	if err := sink.flush(); err != nil {
		return err
	}
	return os.Remove(name)
}
