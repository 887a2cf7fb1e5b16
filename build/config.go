// Package build turns what a CA signed in advance (OCSP responses, CRLs, issuer
// certificates) into a store that edges can serve. It is where all judgement
// happens: every response is parsed, checked against the standards and the
// root programs, its signature verified, and only then packed.
//
//	sources ─► batches ─► parse, check, verify ─► pack in input order ─┐
//	                      (all cores)                                  ├─► self-check ─► publish
//	static folders ─► type from content ─► check ──────────────────────┘
//
// Nothing is skipped silently: what is not published is a [rule.Rejection] with its
// place and reason. A build that fails publishes nothing. The same inputs,
// options and [Config].At give the same octets, whatever the number of workers.
//
// This package is the hall: it runs the stages, looks at what came of all of them
// together and beside the previous generation, and reports. The rooms know their
// subject alone. Each imports those below it, and none of its row; the package at
// the root of the module tests that.
//
//	build                       Config, Run and Add, Report
//	├── ocsp    static          checks of responses; of files, and their list
//	│   ├── inventory           which certificates there are
//	│   │   └── ca      crl     issuers, keys, algorithms; a CRL and what it lists
//	└── input                   sources of responses (static asks it of directories, too)
//	    └── rule    der    certs    what is checked, and what was found; octets; files
//
// To add a check: declare it in rule/checks.go, do it in the room that knows its
// input, and make an input that breaks it, and one that just does not, in the
// vectors of this package. To add a form of input: input/source.go.
package build

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"lancre/build/input"
	"lancre/build/rule"
	"lancre/index/store"
)

// Config says what one build reads, how it judges it and where it publishes. Begin
// with DefaultConfig: every field means what it says, zero included.
type Config struct {
	// Out is the store directory, made if absent.
	Out string

	// Origin is the publisher's name in the manifest, for people and logs: visible
	// ASCII without spaces. If empty, the first host with static files, else "lancre".
	Origin string

	// Signing is how the manifest is signed. With keys, their origin is the Origin.
	Signing store.Signing

	// Issuers are files of CA certificates, PEM or DER, one or more each. A
	// response is published only if all its CertIDs name one of them.
	Issuers []string

	// IssuerNames are files of certificates, PEM or DER, one or more each, that the
	// Issuers issued with their name in another encoding than in their own certificate:
	// CertIDs hash it as it is there. Optional.
	IssuerNames []string

	// Responses are the sources of OCSP responses, read in this order: a
	// directory (walked in sorted order), a file, "-" for Stdin, or a database
	// (sqlite:FILE, postgres://… or mysql://…). What a file holds is recognised
	// from its content; see package input.
	Responses []string

	// Query selects the responses of a database: one column, DER or base64.
	// Default: input.DefaultQuery.
	Query string

	// Stdin is what the source "-" reads. Needed if that is named.
	Stdin io.Reader

	// Batch is what somebody has read already, beside the Responses. Optional.
	Batch *input.Batch

	// Static are directories whose DIR/<host>/<path> is published at exactly
	// that host and path, DIR/_/<path> at that path of any host, and whose
	// DIR/urls.csv names further URLs of these files.
	Static []string

	// Profiles are the rule sets to check against, at least one; a check that rejects
	// in one of them rejects. Default: rule.Private alone.
	Profiles []rule.Profile

	// Inventory is a CSV file of every certificate that the issuers have assigned a
	// serial number to. Each that has not expired must have a response, and none
	// that is not there a good one. Its first line names the columns serial (hex),
	// notAfter (RFC 3339) and issuer (key_id or subject as in a Report), and may name
	// caIssuers and cRLDistributionPoints: URLs, separated by spaces, at which the
	// certificate says that its issuer's, and its CRL, are to be had; and cA, true or
	// false: whether it is that of a CA. If empty, there is none.
	Inventory string

	// Warn and Error name checks, by id, that only warn or that reject, whatever
	// the profiles say.
	Warn, Error []string

	// Force names checks against the previous generation that only warn: what
	// they refuse is meant, in this build.
	Force []string

	// At is the moment that time checks use and the manifest is created at, in
	// whole seconds. If zero, it is when Run begins.
	At time.Time

	// MaxRejects is how many rejected responses a build may have and still
	// publish the others. It says nothing of static files: one that is rejected
	// always fails the build, for its URL would vanish. Default: 0.
	MaxRejects int

	// MaxMissing is how many unexpired certificates in the Inventory may be without a
	// response: as many as are issued between the making of the two. Default: 0.
	MaxMissing int

	// MaxUnpacked is how many octets may be unpacked of one source of responses, archives
	// and compression within others counted as often. Default: 256 GiB.
	MaxUnpacked int64

	// MaxCRLSize is how many octets a CRL may have. Default: as many as any file.
	MaxCRLSize int64

	// MaxShrink is how many records fewer than the previous generation a new one may
	// have, in percent. Default: 5. Certificates expire evenly; what goes beyond is
	// more likely a source that was cut or forgotten.
	MaxShrink float64

	// Shards is how many shards the base is cut into, a power of two up to
	// index.MaxShards. If 0, as many as the store has.
	Shards int

	// AsOf is when the input was taken. What the store has been given since then, and
	// the input does not have, stays. If zero, it is At.
	AsOf time.Time

	// Announce is for how long the new bases are announced before they answer, so that
	// edges have fetched them by then and nothing else waits for them. If 0, they are not.
	Announce time.Duration

	// ReplaceAll has nothing stay of the previous generation that is not among the
	// inputs, whenever it came and whatever it said.
	ReplaceAll bool

	// Forget lets go of certificates that were revoked and are not among the inputs,
	// of which a tombstone stays else until the Inventory says that they have expired.
	Forget bool

	// Hold names checks of which each response that breaks one is put aside, in
	// OUT/held, and does not count as rejected. What is held is tried again by every
	// run on the store.
	Hold []string

	// Except are files below Static that are passed over.
	Except map[string]bool

	// Workers is how many goroutines check responses. It does not influence what is
	// published. Default: GOMAXPROCS.
	Workers int

	// Progress, if not nil, is called after every few hundred responses, on the
	// goroutine that called Run.
	Progress func(Progress)

	// SkipSignatures leaves signatures unverified, so that a benchmark can
	// measure everything else. No command sets it.
	SkipSignatures bool
}

// DefaultConfig returns the defaults. Out, and what to publish, are for the caller.
func DefaultConfig() Config {
	return Config{
		Query:       input.DefaultQuery,
		Profiles:    []rule.Profile{rule.Private},
		MaxUnpacked: input.DefaultMaxUnpacked,
		MaxCRLSize:  store.MaxFileSize,
		MaxShrink:   5,
		Workers:     runtime.GOMAXPROCS(0),
	}
}

// Progress is how far a build has come.
type Progress struct {
	Bytes      int64  // octets read from the sources, compressed as they lie there
	TotalBytes int64  // what Bytes will be at the end; 0 if not known (a pipe, a directory)
	Responses  uint64 // responses read, rejected ones included
	Rejected   uint64
}

// Check says what is missing in c or contradicts itself; nil if nothing does.
// Run begins with it.
func (c *Config) Check() error {
	if !c.readsResponses() && len(c.Static) == 0 && c.Out != "" {
		return errors.New("nothing to publish: name responses (--responses), static files (--static) or both")
	}
	return c.checkSettings()
}

// checkSettings is Check but for what there is to publish.
func (c *Config) checkSettings() error {
	if err := c.checkInputs(); err != nil {
		return err
	}
	if err := c.checkLimits(); err != nil {
		return err
	}
	_, _, err := c.severities()
	return err
}

func (c *Config) checkInputs() error {
	if c.Out == "" {
		return errors.New("no store directory to publish to (--out)")
	}
	if c.readsResponses() && len(c.Issuers) == 0 {
		return errors.New("responses cannot be checked without their issuer's certificate (--issuer)")
	}
	if strings.ContainsFunc(c.Origin, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("origin %q: want visible ASCII without spaces", c.Origin)
	}
	if signed := c.Signing.Keys.Origin(); signed != "" && c.Origin != "" && c.Origin != signed {
		return fmt.Errorf("origin %s (--origin), but the keys (--manifest-key) sign for %s only", c.Origin, signed)
	}
	if err := c.scanner().Check(c.Responses); err != nil {
		return err
	}
	if c.Inventory != "" && len(c.Issuers) == 0 {
		return errors.New("an inventory (--inventory) needs the certificates of the issuers in it (--issuer)")
	}
	if len(c.Profiles) == 0 {
		return errors.New("no rules to check against: name a profile (--profile), private if no other")
	}
	return nil
}

func (c *Config) checkLimits() error {
	if !c.At.IsZero() && c.At.Unix() < 0 {
		return fmt.Errorf("the moment of the build is %s (--at); want 1970 or later", c.At.UTC().Format(time.RFC3339))
	}
	if c.Announce < 0 {
		return fmt.Errorf("new bases are announced for %v (--announce); want 0s or more", c.Announce)
	}
	if c.MaxRejects < 0 {
		return fmt.Errorf("the number of rejects allowed is %d; it cannot be negative", c.MaxRejects)
	}
	if c.MaxMissing < 0 || c.MaxMissing > 0 && c.Inventory == "" {
		return fmt.Errorf("the number of certificates that may be without a response (--max-missing) is %d; want 0 or more, and an inventory (--inventory)", c.MaxMissing)
	}
	if err := checkShardCount(c.Shards); err != nil {
		return err
	}
	if c.MaxUnpacked < 0 {
		return fmt.Errorf("of a source, %d octets may be unpacked (--max-unpacked); want 0 or more", c.MaxUnpacked)
	}
	if c.MaxCRLSize < 1 {
		return fmt.Errorf("a CRL may have %d octets (--max-crl-size); want 1 or more", c.MaxCRLSize)
	}
	if !(c.MaxShrink >= 0 && c.MaxShrink <= 100) { // false of NaN, too
		return fmt.Errorf("a store may shrink by %v %% (--max-shrink); want 0 to 100", c.MaxShrink)
	}
	if c.Workers < 1 {
		return fmt.Errorf("responses are checked by %d goroutines; want 1 or more", c.Workers)
	}
	return nil
}

// readsResponses reports whether there are responses among the inputs.
func (c *Config) readsResponses() bool { return len(c.Responses) > 0 || c.Batch != nil }

// scanner reads the sources of responses.
func (c *Config) scanner() *input.Scanner {
	return &input.Scanner{Stdin: c.Stdin, Query: c.Query, MaxUnpacked: c.MaxUnpacked}
}

// severities are those of the build, and which of them the operator chose.
func (c *Config) severities() (rule.Severities, []rule.Override, error) {
	list := rule.Under(c.Profiles)
	chosen, err := list.Override(rule.Choice{Warn: c.Warn, Error: c.Error, Force: c.Force, Hold: c.Hold})
	return list, chosen, err
}

// moment is At, or now.
func (c *Config) moment() time.Time {
	at := c.At
	if at.IsZero() {
		at = time.Now()
	}
	return at.UTC().Truncate(time.Second)
}
