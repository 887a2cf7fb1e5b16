// Package source reads what a CA has changed, from wherever the CA puts it, and hands it
// to whoever publishes it.
//
//	Spool      files that appear in a directory            spool.go
//	Database   rows of a query                             database.go
//	Command    the standard output of a program            command.go
//	Static     a tree of CRLs, certificates and pages      static.go
//	CRLURL     a CRL that a CA publishes itself            crlurl.go
//	Sign       a list of certificates, and a key           sign.go
//	SignCRL    the same, for CRLs                          signcrl.go
//
// Each reads in rounds. A round that returns nil has read everything that there was and
// has had it published; one that fails is repeated, and whatever it had read before, it
// may read again: what is answered already is left out by the publisher. So nothing is
// acknowledged, moved away or marked as read, before it was published.
package source

import (
	"context"
	"fmt"
	"time"

	"lancre/build/input"
	"lancre/build/rule"
)

// A Source is read by one goroutine.
type Source interface {
	fmt.Stringer // what is read, for a person

	// Settings says what the publisher must know of it. They do not change.
	Settings() Settings

	// Read is one round.
	Read(ctx context.Context, to Publisher) error

	// Rewind says how far the source was read by what the store says: before the first
	// round, and when the store has gone back to an earlier generation. What came since
	// is read again.
	Rewind(to Position) error

	// Close gives back what Read has opened.
	Close()
}

// Settings are what sources have in common.
type Settings struct {
	Name    string          // in logs and metrics
	Kind    string          // what its table is called in the configuration
	Mark    string          // name of its mark in the manifest; empty if it has none
	Every   time.Duration   // the longest time between rounds
	Silence time.Duration   // how long ago the last good round may be before the store says so
	Changes <-chan struct{} // says that a round is worth while; nil if nothing does
}

// A Position is how far a source was read.
type Position struct {
	Sequence uint64 // of the last publication that the store has
	Mark     string // that the source gave to Publisher.Mark; empty if it gave none
}

// A Publisher publishes what a source has read.
type Publisher interface {
	// Publish returns when the change is durable, or when nothing of it is new. An error
	// says that nothing was published; what is wrong with the change itself is none.
	Publish(ctx context.Context, c Change) (Outcome, error)

	// Mark has the next publication say how far the source was read.
	Mark(value string)
}

// A Change is responses, or a tree of static files.
type Change struct {
	Batch  *input.Batch
	Static string          // a directory, as of Config.Static of package build
	Except map[string]bool // files in it that are passed over
}

// An Outcome is what came of a change.
type Outcome struct {
	Sequence uint64           // of the publication that has it
	Refused  []rule.Rejection // what was not published; of files, then none was
}

// Common is what the tables of all sources have in the configuration.
type Common struct {
	// Name is what the source is called in logs and metrics: letters, digits and
	// hyphens, and none twice. Default: the kind, with a number where there are several.
	Name string `toml:"name"`

	// Every is the longest time between two rounds.
	Every Duration `toml:"every"`

	// Silence is how long the source may not be read before edges are told that what
	// they serve is old. Default: three times Every.
	Silence Duration `toml:"silence"`
}

// settings are those of a source of that kind, with its defaults.
func (c *Common) settings(kind string, every time.Duration) Settings {
	s := Settings{Name: c.Name, Kind: kind, Every: c.Every.Or(every), Silence: time.Duration(c.Silence)}
	if s.Silence == 0 {
		s.Silence = 3 * s.Every
	}
	return s
}

func (c *Common) check() error {
	if c.Every < 0 || c.Silence < 0 {
		return fmt.Errorf("every = %s, silence = %s: neither can be negative", c.Every, c.Silence)
	}
	return nil
}

// A Duration is a time as it is written in the configuration: "1m30s".
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

func (d Duration) String() string { return time.Duration(d).String() }

// Or is d, or otherwise where that is not set.
func (d Duration) Or(otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return time.Duration(d)
}

const (
	// maxBatch is how many responses are published at once, and maxOctets how many
	// octets they have: what takes a fraction of a second to check, so that nothing
	// waits for longer behind a source that has much, and some megabytes of memory.
	maxBatch  = 4096
	maxOctets = 4 << 20
)

// full reports whether a batch is to be published before more is added to it.
func full(b *input.Batch) bool { return b.Len() >= maxBatch || b.Size() >= maxOctets }
