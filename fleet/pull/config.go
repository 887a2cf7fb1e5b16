package pull

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"lancre/index/store"
)

// Config is everything an operator decides about a Puller. Begin with DefaultConfig: the
// zero value of a field is a setting, not "the default".
type Config struct {
	// From are the URLs of the sources, http or https, below which each has a store's
	// files: URL/manifest and URL/objects/<sha256>. They are asked in this order: the
	// cache of the site first, the bucket behind it last.
	From []string

	// Trust has the keys by which manifests must be signed. Without it, whoever is
	// between can put anything in the place of what the origin published.
	Trust *store.Trust

	// Store is the directory that is kept like the sources. It is made if it is not
	// there, but not its parents. No one else may write to it.
	Store string

	// Every is how often the manifest is asked for, give or take a fifth. 5 s by
	// default: 1 s is right at a cache that holds the manifest for as long.
	Every time.Duration

	// MaxSize is how many octets the objects of one generation can have. More is
	// refused: whoever has the key could fill the disk with it. 1 TiB by default.
	MaxSize int64

	// MaxBandwidth is how many octets a second are fetched of objects that are not
	// needed yet. 1 MiB by default: a shard of 234 MB takes four minutes.
	MaxBandwidth int64

	// Lag is how long a generation waits here, its objects fetched, before it is
	// installed. Zero, the default, is right for most of a fleet; some tens of seconds
	// on part of it leave time to see on the rest what a bad generation does.
	Lag time.Duration

	// Health is the admin URL of the lancred that serves Store, such as
	// http://127.0.0.1:9090: where it does not serve what was installed, the generation
	// before is put back. Empty, the default, asks nobody.
	Health string

	// HealthWithin is how long lancred may take for that. 60 s by default: more than it
	// takes to read what is new in a generation.
	HealthWithin time.Duration

	// AcceptExpired has an empty store take a manifest that has expired. One that has a
	// generation always takes a newer one.
	AcceptExpired bool

	// Log receives what an operator should know.
	Log *slog.Logger

	// Now is the clock that is compared with times in manifests.
	Now func() time.Time
}

// DefaultConfig is what an edge wants, but for From, Trust and Store.
func DefaultConfig() Config {
	return Config{
		Every:        5 * time.Second,
		MaxSize:      1 << 40,
		MaxBandwidth: 1 << 20,
		HealthWithin: time.Minute,
		Log:          slog.Default(),
		Now:          time.Now,
	}
}

// leastBandwidth is the smallest MaxBandwidth: below it a source would seem to hang.
const leastBandwidth = 2 * leastProgress / int64(patience/time.Second)

// Check finds what is wrong with the settings by themselves.
func (c *Config) Check() error {
	switch {
	case c.Log == nil || c.Now == nil:
		return errors.New("there is no log or no clock: begin with DefaultConfig")
	case c.Store == "":
		return errors.New("no store: name the directory that is to be kept like the sources")
	case len(c.From) == 0:
		return errors.New("no source: give one URL to fetch from, or several")
	case c.Every <= 0:
		return fmt.Errorf("every is %v: want more than 0s", c.Every)
	case c.MaxSize <= 0:
		return fmt.Errorf("max size is %d: want 1 octet or more", c.MaxSize)
	case c.MaxBandwidth < leastBandwidth:
		return fmt.Errorf("max bandwidth is %d octets a second: want %d or more", c.MaxBandwidth, leastBandwidth)
	case c.Lag < 0:
		return fmt.Errorf("lag is %v: want 0s or more", c.Lag)
	case c.HealthWithin <= 0:
		return fmt.Errorf("health within is %v: want more than 0s", c.HealthWithin)
	}
	for _, from := range c.From {
		if err := checkURL(from); err != nil {
			return fmt.Errorf("source %w", err)
		}
	}
	if c.Health == "" {
		return nil
	}
	return checkURL(c.Health)
}

// checkURL wants the URL of a directory.
func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return fmt.Errorf("%q: %w", text, err)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("%q: want a URL such as http://cache.example.org/store", text)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Contains(text, "#"):
		return fmt.Errorf("%q: want a URL without user, query and fragment: edges hold no credentials", u.Redacted())
	}
	return nil
}
