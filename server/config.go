package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

// Config is everything an operator decides about a Server. Begin with
// DefaultConfig: the zero value of a field is a setting, not "the default".
type Config struct {
	// Store is the STORE directory. It must exist; it need not hold a
	// generation yet.
	Store string

	// Prefixes are the paths below which OCSP is answered, such as "/ocsp":
	// GET /ocsp/MFEw… and POST /ocsp. None means the root.
	Prefixes []string

	// DefaultHost is the host whose files a request for an unknown host, or for
	// none, is served. Empty means that such a request finds only the files
	// published for any host.
	DefaultHost string

	// MalformedStatus is the HTTP status of an OCSP malformedRequest: 400, or 200
	// for clients that read the OCSP status of nothing else.
	MalformedStatus int

	// ExpiredStatus is the HTTP status of the tryLater that stands in for a
	// response that is expired, not valid yet or withdrawn: 503, which lets a
	// CDN turn to another edge, or 200.
	ExpiredStatus int

	// NegativeMaxAge lets caches keep an unauthorized answer. Zero, as RFC 9919
	// section 7.2 wants it, makes them ask again; some seconds blunt a flood of
	// requests for serials that do not exist, and delay new certificates as much.
	NegativeMaxAge time.Duration

	// CapMaxAge bounds how long caches keep an OCSP response, and so how long a
	// revocation stays unseen behind a CDN that is not purged.
	CapMaxAge time.Duration

	// FreshWithin is the age of the manifest beyond which /freshz says stale.
	FreshWithin time.Duration

	// DrainWait is how long the server goes on as usual after Shutdown began,
	// not ready, so that routers and load balancers can turn away from it.
	DrainWait time.Duration

	// Drain is how long after that it answers with Connection: close before
	// the listeners close.
	Drain time.Duration

	// MaxConns bounds the open connections of all public listeners; further ones
	// are closed when they come. 0 leaves it to the limit of open files.
	MaxConns int

	// MaxConnsPerPeer bounds those of one IPv4 address or IPv6 /64. 0 is no bound;
	// behind a CDN or proxy nothing else is right.
	MaxConnsPerPeer int

	// MaxRate bounds the requests a second of one IPv4 address or IPv6 /64;
	// further ones are answered 503 and tryLater. 0 is no bound, as above.
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

// Check finds what is wrong with the settings by themselves, and brings Prefixes
// and DefaultHost into the form that requests are compared with. New does it too.
func (c *Config) Check() error {
	if s := c.MalformedStatus; s != http.StatusBadRequest && s != http.StatusOK {
		return fmt.Errorf("malformed status is %d: want 400 or 200", s)
	}
	if s := c.ExpiredStatus; s != http.StatusServiceUnavailable && s != http.StatusOK {
		return fmt.Errorf("expired status is %d: want 503 or 200", s)
	}
	if min(c.NegativeMaxAge, c.CapMaxAge, c.FreshWithin, c.Drain, c.DrainWait) < 0 {
		return errors.New("a duration is negative: want 0 or more")
	}
	if min(c.MaxConns, c.MaxConnsPerPeer, c.MaxRate) < 0 {
		return errors.New("a limit is negative: want 0, for none, or more")
	}
	c.DefaultHost = strings.TrimSuffix(strings.ToLower(c.DefaultHost), ".")
	return c.checkPrefixes()
}

func (c *Config) checkStore() error {
	info, err := os.Stat(c.Store)
	if err != nil {
		return fmt.Errorf("store: %w: lancre build makes one", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("store %q is a file: want the directory that lancre build wrote", c.Store)
	}
	return nil
}

func (c *Config) checkPrefixes() error {
	prefixes := make([]string, len(c.Prefixes))
	for i, p := range c.Prefixes {
		if !strings.HasPrefix(p, "/") || strings.ContainsAny(p, "?#%") {
			return fmt.Errorf("prefix %q: want a path as it is on the wire, such as /ocsp", p)
		}
		prefixes[i] = strings.TrimRight(p, "/")
	}
	// Longest first, so that of /a and /a/b the one that says more is cut.
	slices.SortFunc(prefixes, func(a, b string) int { return len(b) - len(a) })
	c.Prefixes = prefixes
	return nil
}

// cutPrefix returns what follows the OCSP prefix of path, and whether path is
// below one.
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
