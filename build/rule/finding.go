package rule

import (
	"fmt"
	"time"

	"lancre/internal/legible"
)

// A Finding is a rule that an input breaks, and how.
type Finding struct {
	Check  Check
	Place  Place  // of the input, or in it
	Serial string // hex, of the certificate that it is about; empty if it is of none, or not known
	Reason string
	Count  uint64    // how often the input breaks it; 0 where that is not counted
	Also   []Finding // of a rejection: what else rejects the input
}

// Broken is the finding of a parser, which knows neither place nor serial number: c
// is broken, and the reason why.
func Broken(c Check, format string, args ...any) *Finding {
	return &Finding{Check: c, Reason: spelled(fmt.Sprintf(format, args...))}
}

// maxReason is the longest reason, in octets: some with two names of CAs in it and all
// that can be said of them. What is longer is somebody's attempt to fill a report.
const maxReason = 2000

// spelled is a reason as it is kept: legible, whatever names are in it, and not too long.
func spelled(reason string) string { return legible.Brief(reason, maxReason) }

// maxSerial is the longest serial number that is spelled, in octets: twice what any may have.
const maxSerial = 40

// Because is a reason, to be spelled when somebody asks. It costs memory before
// that: where inputs come by the million, write the function out.
func Because(format string, args ...any) func() string {
	return func() string { return fmt.Sprintf(format, args...) }
}

// UTC spells Unix seconds as reasons do.
func UTC(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }

// A Place is where in the inputs something was found.
type Place struct {
	Source string `json:"source"`           // file name, "-" for standard input, or database without its password
	Member string `json:"member,omitempty"` // name inside a tar archive
	Offset int64  `json:"offset"`           // of the first octet, after decompression; meaningless if Line or Row > 0; -1: all of it
	Line   int    `json:"line,omitempty"`   // from 1, in a text form
	Row    int    `json:"row,omitempty"`    // from 1, of a query
}

// Whole is the place of what is wrong with a source as a whole.
func Whole(source string) Place { return Place{Source: source, Offset: -1} }

// String is the place in one line, whatever is in its names.
func (p Place) String() string {
	s := legible.Line(p.Source)
	if p.Member != "" {
		s += "(" + legible.Line(p.Member) + ")"
	}
	switch {
	case p.Offset < 0:
		return s
	case p.Row > 0:
		return fmt.Sprintf("%s row %d", s, p.Row)
	case p.Line > 0:
		return fmt.Sprintf("%s line %d", s, p.Line)
	}
	return fmt.Sprintf("%s offset %d", s, p.Offset)
}
