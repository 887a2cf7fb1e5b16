// Package probe asks what a store publishes as the world does, through an edge, a cache
// or a CDN, and says how what comes back differs from what the store has.
//
// A round asks each place for every file of the manifest, and for the status of
// certificates: a sample of one shard, another one each round, so that a round costs as
// much however large the store is; all that were revoked in the last hour, by the deltas
// of the manifest; and those that are named. It asks in several ways, as clients do, and
// compares octets. What differs is looked for in the generations before: an answer that
// was right some time ago is behind, one that never was is wrong.
//
// It tells what a client would hold against an answer, too: signature, times, headers.
// It follows no redirect and unpacks nothing, for many clients do not.
package probe

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"lancre/fleet/publish"
	"lancre/index/store"
)

// A Config says what is asked for, and where.
type Config struct {
	// At are the URLs that are asked, each http://HOST or https://HOST, with what path OCSP
	// responses are below. Files are asked for there by the host at which they are published.
	At []string

	// Store is the directory of the store that is published; if empty, From is where it is
	// published. Of a Store, the history says what was published before; of what is published
	// elsewhere, only what earlier rounds saw.
	Store string
	From  publish.Source

	Trust   *store.Trust // whose signature the manifest must have; nil asks for none
	Issuers []string     // files of CA certificates; those that the store publishes if empty

	Sample  int      // certificates of the sample
	Serials [][]byte // of certificates to ask about as well: content octets of the INTEGER

	// Allow is how far behind a place may be without fault. An edge takes seconds; what no one
	// purges, caches keep for as long as they are told to: an hour for CRLs, half a day for
	// responses.
	Allow time.Duration

	Timeout time.Duration    // for one question
	Now     func() time.Time // the clock
}

// DefaultConfig is what is usual, without a store and a place.
func DefaultConfig() Config {
	return Config{Sample: 1000, Allow: time.Minute, Timeout: 30 * time.Second, Now: time.Now}
}

// Check returns what is wrong with c.
func (c *Config) Check() error {
	switch {
	case (c.Store == "") == (c.From == nil):
		return fmt.Errorf("want one of --store STORE and --from URL: what should be answered?")
	case len(c.At) == 0:
		return fmt.Errorf("no place to ask: want --at URL, such as http://o.example.org")
	case c.Sample < 0:
		return fmt.Errorf("--sample %d: want a number from 0", c.Sample)
	case c.Timeout <= 0:
		return fmt.Errorf("--timeout %v: want more than none", c.Timeout)
	}
	for i, at := range c.At {
		u, err := url.Parse(at)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			return fmt.Errorf("--at %q: want http://HOST[/PATH], or https", at)
		}
		if slices.Contains(c.At[:i], at) {
			return fmt.Errorf("--at %q twice: once is enough", at)
		}
	}
	return nil
}

// A Prober asks. It must be closed. Its rounds come one after another.
type Prober struct {
	cfg       Config
	reference *reference
	places    []*place
}

// New makes a Prober of a Config that Check has nothing against.
func New(c Config) (*Prober, error) {
	ref := &reference{dir: c.Store, from: c.From, trust: c.Trust}
	if c.From != nil {
		dir, err := os.MkdirTemp("", "lancre-probe-")
		if err != nil {
			return nil, err
		}
		ref.dir = dir
	}
	p := &Prober{cfg: c, reference: ref}
	for _, at := range c.At {
		p.places = append(p.places, newPlace(at, c.Timeout))
	}
	return p, nil
}

// Close removes what was fetched.
func (p *Prober) Close() error {
	for _, at := range p.places {
		at.client.CloseIdleConnections()
	}
	if p.cfg.From == nil {
		return nil
	}
	return os.RemoveAll(p.reference.dir)
}

// Round asks every place once. The error says why what should be answered is not known;
// what is wrong with a place is in the Report.
func (p *Prober) Round(ctx context.Context) (*Report, error) {
	began := p.cfg.Now()
	if err := p.reference.refresh(ctx); err != nil {
		return nil, err
	}
	judge, err := p.newJudge(ctx)
	if err != nil {
		return nil, err
	}
	q, err := p.questions(ctx, judge)
	if err != nil {
		return nil, err
	}
	tallies := make([]*tally, len(p.places))
	var asked sync.WaitGroup
	for i, at := range p.places {
		tallies[i] = newTally(at.url)
		asked.Go(func() { at.askAll(ctx, q, judge, tallies[i]) })
	}
	asked.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := p.settle(ctx, tallies); err != nil {
		return nil, err
	}
	return p.report(began, q, tallies), nil
}

// hostOf is the host that a URL names.
func hostOf(at *url.URL) string { return strings.ToLower(strings.TrimSuffix(at.Hostname(), ".")) }
