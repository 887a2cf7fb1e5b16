// Package build turns what a CA signed in advance (OCSP responses, CRLs, issuer
// certificates) into a store that edges can serve. It is where all judgement
// happens: every response is parsed, checked against the standards and the
// root programs (checks.go), its signature verified, and only then packed.
//
//	sources ─► batches ─► parse, check, verify ─► pack in input order ─┐
//	                      (all cores)                                  ├─► self-check ─► publish
//	static folders ─► type from content ─► check ──────────────────────┘
//
// Nothing is skipped silently: what is not published is a [Rejection] with its
// place and reason. A build that fails publishes nothing. The same inputs,
// options and [Config].At give the same octets, whatever the number of workers.
package build

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"lancre/index/store"
)

// Config says what one build reads, how it judges it and where it publishes.
type Config struct {
	// Out is the store directory, made if absent.
	Out string

	// Origin is the publisher's name in the manifest, for people and logs:
	// visible ASCII without spaces. Optional: the first host with static files,
	// else "lancre".
	Origin string

	// Issuers are files of CA certificates, PEM or DER, one or more each. A
	// response is published only if all its CertIDs name one of them.
	Issuers []string

	// Responses are the sources of OCSP responses, read in this order: a
	// directory (walked in sorted order), a file, "-" for Stdin, or a database
	// (sqlite:FILE, postgres://… or mysql://…). What a file holds is recognised
	// from its content; see source.go and database.go.
	Responses []string

	// Query selects the responses of a database: one column, DER or base64.
	// Optional: DefaultQuery.
	Query string

	// Stdin is what the source "-" reads. Optional unless "-" is named.
	Stdin io.Reader

	// Static are directories whose DIR/<host>/<path> is published at exactly
	// that host and path, DIR/_/<path> at that path of any host.
	Static []string

	// Profiles are the rule sets to check against; a check that rejects in one
	// of them rejects. Optional: ProfilePrivate alone.
	Profiles []Profile

	// Inventory is a CSV file of every certificate that the issuers have assigned a
	// serial number to. Each that has not expired must have a response, and none
	// that is not there a good one. Its first line names the columns serial (hex),
	// notAfter (RFC 3339) and issuer (key_id or subject as in a Report), and may name
	// caIssuers: URLs, separated by spaces, at which the certificate says that its
	// issuer's is to be had. Optional.
	Inventory string

	// Warn and Error name checks, by id, that only warn or that reject, whatever
	// the profiles say. Optional.
	Warn, Error []string

	// Force names checks against the previous generation that only warn: what
	// they refuse is meant, in this build. Optional.
	Force []string

	// At is the moment that time checks use and the manifest is created at, in
	// whole seconds. Optional: now.
	At time.Time

	// MaxRejects is how many rejected responses a build may have and still
	// publish the others. It says nothing of static files: one that is rejected
	// always fails the build, for its URL would vanish.
	MaxRejects int

	// MaxMissing is how many unexpired certificates in the Inventory may be without a
	// response: as many as are issued between the making of the two.
	MaxMissing int

	// MaxCRLSize is how many octets a CRL may have. Optional: as many as any file.
	MaxCRLSize int64

	// MaxShrink is how many records fewer than the previous generation a new one may
	// have, in percent. Optional: DefaultMaxShrink.
	MaxShrink *float64

	// Workers is how many goroutines check responses. Optional: GOMAXPROCS. It
	// does not influence what is published.
	Workers int

	// Progress is called after every few hundred responses, on the goroutine
	// that called Run. Optional.
	Progress func(Progress)

	// SkipSignatures leaves signatures unverified, so that a benchmark can
	// measure everything else. No command sets it.
	SkipSignatures bool
}

// Progress is how far a build has come.
type Progress struct {
	Bytes      int64  // octets read from the sources, compressed as they lie there
	TotalBytes int64  // what Bytes will be at the end; 0 if not known (a pipe, a directory)
	Responses  uint64 // responses read, rejected ones included
	Rejected   uint64
}

// Validate says what is missing in c or contradicts itself; nil if nothing does.
// Run begins with it.
func (c Config) Validate() error {
	_, err := c.complete()
	return err
}

// complete returns c with the defaults filled in, or says what is missing.
func (c Config) complete() (Config, error) {
	if c.Out == "" {
		return c, errors.New("no store directory to publish to (--out)")
	}
	if len(c.Responses) == 0 && len(c.Static) == 0 {
		return c, errors.New("nothing to publish: name responses (--responses), static files (--static) or both")
	}
	if len(c.Responses) > 0 && len(c.Issuers) == 0 {
		return c, errors.New("responses cannot be checked without their issuer's certificate (--issuer)")
	}
	if strings.ContainsFunc(c.Origin, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return c, fmt.Errorf("origin %q: want visible ASCII without spaces", c.Origin)
	}
	if err := c.checkStdin(); err != nil {
		return c, err
	}
	if err := c.checkDatabases(); err != nil {
		return c, err
	}
	if c.Inventory != "" && len(c.Issuers) == 0 {
		return c, errors.New("an inventory (--inventory) needs the certificates of the issuers in it (--issuer)")
	}
	if c.MaxRejects < 0 {
		return c, fmt.Errorf("the number of rejects allowed is %d; it cannot be negative", c.MaxRejects)
	}
	if c.MaxMissing < 0 || c.MaxMissing > 0 && c.Inventory == "" {
		return c, fmt.Errorf("the number of certificates that may be without a response (--max-missing) is %d; want 0 or more, and an inventory (--inventory)", c.MaxMissing)
	}
	if c.MaxCRLSize < 0 {
		return c, fmt.Errorf("a CRL may have %d octets (--max-crl-size); want 1 or more", c.MaxCRLSize)
	}
	if c.MaxCRLSize == 0 {
		c.MaxCRLSize = store.MaxFileSize
	}
	if c.MaxShrink == nil {
		limit := DefaultMaxShrink
		c.MaxShrink = &limit
	}
	if !(*c.MaxShrink >= 0 && *c.MaxShrink <= 100) { // nor is it no number
		return c, fmt.Errorf("a store may shrink by %v %% (--max-shrink); want 0 to 100", *c.MaxShrink)
	}
	if len(c.Profiles) == 0 {
		c.Profiles = []Profile{ProfilePrivate}
	}
	if c.At.IsZero() {
		c.At = time.Now()
	}
	if _, _, err := c.severities(); err != nil {
		return c, err
	}
	c.At = c.At.UTC().Truncate(time.Second)
	if c.Workers <= 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	return c, nil
}

func (c *Config) checkStdin() error {
	var named int
	for _, src := range c.Responses {
		if src == stdinSource {
			named++
		}
	}
	if named > 1 {
		return fmt.Errorf("standard input (-) is named as a source %d times; it can be read once", named)
	}
	if named == 1 && c.Stdin == nil {
		return errors.New("standard input (-) is named as a source, but there is none")
	}
	return nil
}
