package source

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"lancre/build/input"
	"lancre/index"
	"lancre/internal/durable"
	"lancre/sign"
)

// A Sign is a CA's list of certificates, and its key: responses for what is new in it, has
// changed or is due are signed as lancre sign ocsp does, and published.
type Sign struct {
	Common
	Signer
	Responder string `toml:"responder"` // file of the responder's certificate, if the key is the responder's

	Hash     []string  `toml:"hash"`     // default: sha1 and sha256
	Validity Duration  `toml:"validity"` // default: a week
	Refresh  []float64 `toml:"refresh"`  // default: [0.25, 0.375]
	Rate     float64   `toml:"rate"`     // default: no limit
	Parallel int       `toml:"parallel"` // default: 128

	// Dir is where responses are between being signed and being published. Default: signed.
	Dir string `toml:"dir"`

	// Store is that of the configuration.
	Store string `toml:"-"`

	config sign.Config
}

// Prepare checks what the configuration says of it, whose paths are relative to base.
func (s *Sign) Prepare(base string) error {
	if err := s.prepare(base); err != nil {
		return err
	}
	if s.Dir == "" {
		s.Dir = "signed"
	}
	s.Dir = within(base, s.Dir)
	if err := s.prepareConfig(base); err != nil {
		return err
	}
	return s.Common.check()
}

// prepareConfig makes what is the same in every round.
func (s *Sign) prepareConfig(base string) error {
	c := sign.DefaultConfig()
	c.Issuer, c.Responder, c.List = s.Issuer, inBase(base, s.Responder), s.list
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

// Settings implements Source.
func (s *Sign) Settings() Settings {
	set := s.Common.settings("sign", 5*time.Second)
	set.Changes = s.changes
	return set
}

// String says what is read.
func (s *Sign) String() string { return "certificates of " + s.list.Name() + ", to sign" }

// roundTime is how long a round goes on signing before the list is read again: so long can
// a revocation wait that comes meanwhile.
const roundTime = 10 * time.Second

// Read implements Source: what an earlier round has signed is published, and then what is
// signed now, a chunk as soon as it is there.
func (s *Sign) Read(ctx context.Context, to Publisher) error {
	if err := s.open(); err != nil {
		return err
	}
	if err := durable.MakeDir(s.Dir); err != nil {
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
