package server

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"lancre/index/store"
)

// Config is everything an operator decides about a Server. Begin with
// DefaultConfig: the zero value of a field is a setting, not "the default".
type Config struct {
	// Store is the STORE directory. It must exist; it need not hold a generation yet,
	// but then nothing else either.
	Store string

	// Trust is whose signature a manifest must have; nil asks for none.
	Trust *store.Trust

	// Prefixes are the paths below which OCSP is answered, such as "/ocsp":
	// GET /ocsp/MFEw… and POST /ocsp. None means the root. They are spelled as on
	// the wire, without percent signs; a slash at the end does not matter.
	Prefixes []string

	// DefaultHost is the host whose files a request for an unknown host, or for
	// none, is served. Empty means that such a request finds only the files
	// published for any host. Case and a dot at the end do not matter.
	DefaultHost string

	// MalformedStatus is the HTTP status of an OCSP malformedRequest: 400, the
	// default, or 200 for clients that read the OCSP status of nothing else.
	MalformedStatus int

	// ExpiredStatus is the HTTP status of the tryLater that stands in for a
	// response that is expired, not valid yet or withdrawn: 503, the default, which
	// lets a CDN turn to another edge, or 200.
	ExpiredStatus int

	// NegativeMaxAge lets caches keep an unauthorized answer. Zero, the default and
	// what RFC 9919 section 7.2 wants, makes them ask again; some seconds blunt a flood
	// of requests for serials that do not exist, and delay new certificates as much.
	NegativeMaxAge time.Duration

	// CapMaxAge bounds how long caches keep an OCSP response, and so how long a
	// revocation stays unseen behind a CDN that is not purged. 12 h by default; zero
	// lets them keep none.
	CapMaxAge time.Duration

	// FreshWithin is the age beyond which /freshz says stale: that of the manifest, or
	// that of what it says of when a source was last read. 24 h by default; with zero it is
	// fresh in its first second only.
	FreshWithin time.Duration

	// DrainWait is how long the server goes on as usual after Shutdown began,
	// not ready, so that routers and load balancers can turn away from it. Zero, the
	// default, is right where nobody reads /readyz.
	DrainWait time.Duration

	// Drain is how long after that it answers with Connection: close before
	// the listeners close. 300 ms by default; with zero a request may fail.
	Drain time.Duration

	// MaxConns bounds the open connections of all public listeners; further ones
	// are closed when they come. 0, the default, leaves it to the limit of open files.
	MaxConns int

	// MaxConnsPerPeer bounds those of one IPv4 address or IPv6 /64. 0, the default, is
	// no bound; behind a CDN or proxy nothing else is right.
	MaxConnsPerPeer int

	// MaxRate bounds the requests a second of one IPv4 address or IPv6 /64;
	// further ones are answered 503 and tryLater. 0, the default, is no bound, as above.
	MaxRate int

	// Log receives what an operator should know; never one line a request.
	Log *slog.Logger

	// Now is the clock. It must be safe for concurrent use.
	Now func() time.Time
}

// DefaultConfig is what a public responder wants, but for the Store.
func DefaultConfig() Config {
	return Config{
		MalformedStatus: http.StatusBadRequest,
		ExpiredStatus:   http.StatusServiceUnavailable,
		CapMaxAge:       12 * time.Hour,         // half of the day in which a revocation must be published (TLS BR 4.9.7)
		FreshWithin:     24 * time.Hour,         // that day
		Drain:           300 * time.Millisecond, // with it no request failed in restarts under load; without it a few did
		Log:             slog.Default(),
		Now:             time.Now,
	}
}

// Check finds what is wrong with the settings by themselves: whether Store is there
// is seen when it is opened. New does it too.
func (c *Config) Check() error {
	if s := c.MalformedStatus; s != http.StatusBadRequest && s != http.StatusOK {
		return fmt.Errorf("malformed status is %d: want 400 or 200", s)
	}
	if s := c.ExpiredStatus; s != http.StatusServiceUnavailable && s != http.StatusOK {
		return fmt.Errorf("expired status is %d: want 503 or 200", s)
	}
	if c.Log == nil || c.Now == nil {
		return errors.New("there is no log or no clock: begin with DefaultConfig")
	}
	return cmp.Or(c.checkDurations(), c.checkLimits(), c.checkPrefixes())
}

func (c *Config) checkDurations() error {
	for _, d := range []struct {
		of    string
		value time.Duration
	}{
		{"negative max age", c.NegativeMaxAge},
		{"cap max age", c.CapMaxAge},
		{"fresh within", c.FreshWithin},
		{"drain wait", c.DrainWait},
		{"drain", c.Drain},
	} {
		if d.value < 0 {
			return fmt.Errorf("%s is %v: want 0s or more", d.of, d.value)
		}
	}
	return nil
}

func (c *Config) checkLimits() error {
	for _, l := range []struct {
		of    string
		value int
	}{
		{"max conns", c.MaxConns},
		{"max conns per peer", c.MaxConnsPerPeer},
		{"max rate", c.MaxRate},
	} {
		if l.value < 0 {
			return fmt.Errorf("%s is %d: want 0, for no bound, or more", l.of, l.value)
		}
	}
	return nil
}

func (c *Config) checkPrefixes() error {
	for _, p := range c.Prefixes {
		if !strings.HasPrefix(p, "/") || strings.ContainsAny(p, "?#%") {
			return fmt.Errorf("prefix %q: want a path as it is on the wire, such as /ocsp", p)
		}
	}
	return nil
}

// checkStore returns what the system says of the Store.
func (c *Config) checkStore() (os.FileInfo, error) {
	info, err := os.Stat(c.Store)
	if err != nil {
		return nil, fmt.Errorf("store: %w: lancre build makes one", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("store %q is a file: want the directory that lancre build wrote", c.Store)
	}
	return info, nil
}

// checkContent wants Store to be a store, or what may become one: an empty directory,
// but for what a file system or a copy under way puts there.
func (c *Config) checkContent() error {
	entries, err := os.ReadDir(c.Store)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	other := ""
	for _, e := range entries {
		switch name := e.Name(); {
		case name == "manifest" || name == "objects":
			return nil
		case name != "lost+found" && !strings.HasPrefix(name, "."):
			other = name
		}
	}
	if other == "" {
		return nil
	}
	return fmt.Errorf("%q is no store: it has no manifest and no objects, but %q: want the directory that lancre build wrote, or an empty one, to wait there for the first generation",
		c.Store, other)
}

// wire is c with DefaultHost and Prefixes in the form that requests are compared with.
func (c Config) wire() Config {
	c.DefaultHost = strings.TrimSuffix(strings.ToLower(c.DefaultHost), ".")
	c.Prefixes = slices.Clone(c.Prefixes)
	for i, p := range c.Prefixes {
		c.Prefixes[i] = strings.TrimRight(p, "/")
	}
	// Longest first, so that of /a and /a/b the one that says more is cut.
	slices.SortFunc(c.Prefixes, func(a, b string) int { return len(b) - len(a) })
	return c
}

// cutPrefix returns what follows the OCSP prefix of path, and whether path is
// below one. c is as wire makes it.
func (c *Config) cutPrefix(path []byte) (rest []byte, ok bool) {
	if len(c.Prefixes) == 0 {
		return path, true
	}
	for _, p := range c.Prefixes {
		if len(path) >= len(p) && string(path[:len(p)]) == p && (len(path) == len(p) || path[len(p)] == '/') {
			return path[len(p):], true
		}
	}
	return nil, false
}
