// Package crls signs the CRLs of a CA from the list of its certificates: one full CRL, or
// shards of it, each at the URL that certificates name.
//
// A run, in order:
//
//	previous  the CRLs that stand at the URLs now                      previous.go
//	list      read once; what is revoked goes to a file as entries     list.go
//	judge     what must not happen stops the run here                  list.go
//	sign      a CRL whose entries changed, or that is old              run.go
//
// The CRLs before are all that is remembered: their numbers, and that what they list was
// revoked. What a CRL is in octets, and how a long one fits into little memory, is for
// package crl below sign.
package crls

import (
	"cmp"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"lancre/build/rule"
	"lancre/sign/certificates"
	"lancre/sign/safeguard"
)

// Config says which CRLs a run signs. DefaultConfig fills in what has a default.
type Config struct {
	// Issuer is the file of the CA's certificate, PEM or DER.
	Issuer string

	// Key is the CA's. Optional with DryRun.
	Key crypto.Signer

	// List is where the certificates are listed. Its Issuer is filled in.
	List certificates.List

	// Static is the directory into which CRLs are written, by the host and path of
	// their URL, and in which those before are found: what lancre build --static reads.
	Static string

	// URL is where clients fetch the CRL, octet for octet as certificates name it. With
	// Shards it has the word {shard}, in whose place the name of each comes.
	URL string

	// Shards are those that the CRL is cut into. Optional: one full CRL.
	Shards Shards

	// Validity is nextUpdate − thisUpdate. Default: 7 days.
	Validity time.Duration

	// Every is the age from which a CRL is signed anew that says the same as before. It
	// is what NextCRLPublish promises. Default: a day.
	Every time.Duration

	// Subordinates says that the certificates are CAs' own: shards say so, the CRL may
	// hold for a year, and a revocation needs a reason.
	Subordinates bool

	// KeepExpired is for how many years after a certificate's expiry its entry stays;
	// for code signing, 10. Default: none, but each stands on a CRL once after expiry.
	KeepExpired int

	// MaxShrink is of the entries before, which stay on the CRL all the same, and Force of
	// Forceable.
	safeguard.Settings

	// Forget takes entries off the CRL whose certificates are gone from the list: where
	// rows are deleted after expiry.
	Forget bool

	// Profiles are the rules that the CRLs are to be held to. Default: private.
	Profiles []rule.Profile

	// DryRun says what would be signed, and signs nothing.
	DryRun bool

	// Log gets a line for each CRL that was signed. Optional: none.
	Log *slog.Logger

	clock func() time.Time // time.Now; another one in tests
}

// What Force can lift.
const (
	// ForceHold takes certificates off the CRL that were on hold and are good now, in a
	// private PKI.
	ForceHold = "sign.hold"

	// ForceClock has the clock be right that differs much from the CRLs before.
	ForceClock = safeguard.Clock
)

// Forceable lists what Force can lift.
func Forceable() []string { return []string{ForceHold, ForceClock} }

// DefaultConfig is a Config with every default.
func DefaultConfig() Config {
	return Config{
		Validity: 7 * day,
		Every:    day,
		Settings: safeguard.Default(),
		Profiles: []rule.Profile{rule.Private},
		clock:    time.Now,
	}
}

const day = 24 * time.Hour

// The longest validities of public CAs: "at most ten days", "at most twelve months" (BR
// section 7.2), where both ends count and so a second less goes.
const (
	maxValidity   = 10*day - time.Second
	maxValidityCA = 366*day - time.Second
)

// Check says what is missing in c or contradicts itself; nil if nothing does. Run begins
// with it.
func (c *Config) Check() error {
	switch {
	case c.Issuer == "":
		return errors.New("no certificate of the CA (--issuer)")
	case c.Static == "":
		return errors.New("no directory for the CRLs (--static)")
	case len(c.Profiles) == 0:
		return errors.New("no rules to keep (--profile): private if no other")
	case c.KeepExpired < 0:
		return fmt.Errorf("entries are kept for %d years after expiry (--keep-expired); want 0 or more", c.KeepExpired)
	case c.Forced(ForceHold) && c.rejects(rule.CRLEntryReasonProfile):
		return fmt.Errorf("%s cannot be forced under these profiles, which know no hold", ForceHold)
	}
	return cmp.Or(c.Settings.Check(Forceable()), c.checkTimes(), c.checkURL(), c.List.Check())
}

func (c *Config) checkTimes() error {
	longest := maxValidity
	if c.Subordinates {
		longest = maxValidityCA
	}
	switch v := c.Validity; {
	case v < time.Minute || v%time.Second != 0:
		return fmt.Errorf("a validity of %s (--validity): want whole seconds, a minute at least", v)
	case c.rejects(rule.CRLTimeValidity) && v > longest:
		return fmt.Errorf("a validity of %s (--validity): want at most %s under these profiles", v, longest)
	case c.Every < 0 || c.Every > v/2:
		return fmt.Errorf("CRLs are signed anew after %s (--every); want 0 up to half of their validity of %s, so that one that fails does not matter", c.Every, v)
	}
	return nil
}

// rejects reports whether a build under the profiles rejects what breaks a rule.
func (c *Config) rejects(check rule.Check) bool {
	return rule.Under(c.Profiles)[check] == rule.Rejects
}
