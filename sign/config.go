// Package sign has the status of a CA's certificates signed: it compares the list of
// them with what a store answers, and makes OCSP responses for what is new, has changed
// or is due.
//
// A run, in order:
//
//	list      read once, sorted on disk by serial number        list.go
//	state     what the store, and what was signed since, say    state.go
//	plan      what is to be signed, most urgent first           plan.go
//	sign      in parallel, a chunk of responses after another   chunks.go, worker.go
//	output    a file for each chunk, there to stay once named   output.go
//
// Nothing is kept between runs but what they made: the store is the state. A run that
// ends at any moment has said nothing that is not so, and the next one goes on.
package sign

import (
	"cmp"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"lancre/build/rule"
	"lancre/index"
	"lancre/sign/certificates"
	"lancre/sign/safeguard"
)

// Config says what a run signs. DefaultConfig fills in what has a default.
type Config struct {
	// Issuer is the file of the CA's certificate, PEM or DER, and Responder that of its
	// delegate's. Optional: without a Responder the CA signs itself.
	Issuer, Responder string

	// Key is the signer's. Many goroutines use it at a time. Optional with DryRun.
	Key crypto.Signer

	// List is where the certificates are listed. Its Issuer is filled in.
	List certificates.List

	// Subordinates says that they are CAs' certificates: their status may hold for a
	// year, and have the reasons that only these have.
	Subordinates bool

	// Store is the directory of the store that answers for them. There must be one,
	// unless NoStore says that there is none yet.
	Store   string
	NoStore bool

	// Out is a directory, into which each chunk of responses comes as a file of its
	// own, or the name of a file, which has all of them at the end.
	Out string

	// Hashes are the algorithms of the CertIDs: one response for each. Default: SHA-1
	// and SHA-256.
	Hashes []index.HashAlg

	// Validity is nextUpdate − thisUpdate. It ends with the certificate, if that leaves
	// enough. Default: 7 days, the longest that all root programs allow.
	Validity time.Duration

	// Refresh is after which part of its validity a response is due: each at a moment
	// of its own between the two, so that none bunch. Default: ¼ to ⅜.
	Refresh [2]float64

	// Shards are those whose certificates are signed, and then all of them, due or
	// not: for what replaces a base whole. Default: everything, and what is due.
	Shards []index.Shard

	// Rate is how many signatures are made a second, at most; 0 as many as the key can.
	Rate float64

	// Parallel is how many signatures are asked for at a time. Default: 128, for what
	// counts is how long a key takes to answer, not how many cores there are; and a
	// program that holds it takes and gives them by the dozen if more are asked for than
	// it can make at a time.
	Parallel int

	// Max ends the run after so many responses: those that come next are for the next
	// run, with a fresh look at the list. 0: no limit.
	Max uint64

	// MaxShrink is of the certificates that are answered for, and Force of Forceable.
	safeguard.Settings

	// Profiles are the rules that the responses are to be held to. Default: private.
	Profiles []rule.Profile

	// DryRun plans, and signs nothing.
	DryRun bool

	// Patience is how long a key that fails is tried again. Default: a minute.
	Patience time.Duration

	// Chunk is told of each chunk, by its name, when it is there, and may take it away. With
	// more false, or an error, the run ends: what is left is for the next one. Optional.
	Chunk func(name string) (more bool, err error)

	// Log gets a line for each chunk that was signed. Optional: none.
	Log *slog.Logger

	clock func() time.Time // time.Now; another one in tests
}

// What Force can lift.
const (
	// ForceHeld has certificates that were on hold become good, in a private PKI. It is
	// called as the check of a build that this breaks.
	ForceHeld = "ocsp.previous-held"

	// ForceClock has the clock be right that differs much from what was signed.
	ForceClock = safeguard.Clock
)

// Forceable lists what Force can lift.
func Forceable() []string { return []string{ForceHeld, ForceClock} }

// DefaultConfig is a Config with every default.
func DefaultConfig() Config {
	return Config{
		Hashes:   []index.HashAlg{index.SHA1, index.SHA256},
		Validity: 7 * 24 * time.Hour,
		Refresh:  [2]float64{0.25, 0.375},
		Parallel: 128,
		Settings: safeguard.Default(),
		Profiles: []rule.Profile{rule.Private},
		Patience: time.Minute,
		clock:    time.Now,
	}
}

// Check says what is missing in c or contradicts itself; nil if nothing does. Run begins
// with it.
func (c *Config) Check() error {
	switch {
	case c.Issuer == "":
		return errors.New("no certificate of the CA (--issuer)")
	case c.Store == "":
		return errors.New("no store (--store): it says what was signed before")
	case c.Out == "":
		return errors.New("no output (--out): name a file, or a directory for a file a chunk")
	case len(c.Hashes) == 0:
		return errors.New("no hash algorithm (--hash): sha1 and sha256 are what clients ask by")
	case len(c.Profiles) == 0:
		return errors.New("no rules to keep (--profile): private if no other")
	}
	if c.public() && c.Forced(ForceHeld) {
		return fmt.Errorf("%s cannot be forced under the profile %s, which knows no hold", ForceHeld, c.publicName())
	}
	return cmp.Or(c.Settings.Check(Forceable()), c.checkLimits(), c.checkValidity(), c.List.Check())
}

func (c *Config) checkLimits() error {
	from, to := c.Refresh[0], c.Refresh[1]
	switch {
	case !(from > 0 && from <= to && to < 0.5): // false of NaN, too
		return fmt.Errorf("responses are due after %v to %v of their validity (--refresh); want two parts above 0 and below 0.5, the smaller first", from, to)
	case !(c.Rate >= 0):
		return fmt.Errorf("%v signatures a second (--rate); want 0 or more", c.Rate)
	case c.Parallel < 1:
		return fmt.Errorf("%d signatures at a time (--parallel); want 1 or more", c.Parallel)
	}
	return nil
}

// The shortest and longest validities that public CAs may use (BR section 4.9.9, which
// counts both ends and so a second more; MS section 3.2.2).
const (
	minValidity          = 8 * time.Hour
	maxValidity          = 10*24*time.Hour - time.Second
	maxValidityMicrosoft = 7 * 24 * time.Hour
	maxValidityCA        = 366 * 24 * time.Hour
)

func (c *Config) checkValidity() error {
	shortest, longest := time.Minute, time.Duration(1<<63-1)
	if c.public() {
		shortest, longest = minValidity, maxValidity
		if slices.Contains(c.Profiles, rule.MS) {
			longest = maxValidityMicrosoft
		}
		if c.Subordinates {
			longest = maxValidityCA
		}
	}
	if v := c.Validity; v < shortest || v > longest || v%time.Second != 0 {
		return fmt.Errorf("a validity of %s (--validity): want whole seconds, under the profile %s from %s to %s", v, c.publicName(), shortest, longest)
	}
	return nil
}

// public reports whether the rules are not those of a private PKI alone, and publicName
// names the first of them.
func (c *Config) public() bool { return c.publicName() != rule.Private.String() }

func (c *Config) publicName() string {
	for _, p := range c.Profiles {
		if p != rule.Private {
			return p.String()
		}
	}
	return rule.Private.String()
}
