package build

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"lancre/index"
)

// A Report is what a build did. Run returns one with most errors too, for the
// rejections in it say what is wrong; then it counts what came before the stop.
type Report struct {
	Store      string    `json:"store"`
	Origin     string    `json:"origin"`
	Generation uint64    `json:"generation"` // 0: nothing was published
	At         time.Time `json:"at"`
	Profiles   []string  `json:"profiles"`

	// Overrides are the checks that have another severity than in the profiles.
	Overrides []Override `json:"overrides,omitempty"`

	Responses  ResponseCounts `json:"responses"`
	Issuers    []IssuerCounts `json:"issuers"` // in the order they were named
	Rejections []Rejection    `json:"rejections"`
	Warnings   []Warning      `json:"warnings"` // in the order of the check table
	Files      []File         `json:"files"`    // sorted by host, then path
	Segment    *Segment       `json:"segment,omitempty"`

	CheckSeconds  float64 `json:"check_seconds"`  // reading, checking and packing
	VerifySeconds float64 `json:"verify_seconds"` // the self-check of the finished segment
	TotalSeconds  float64 `json:"total_seconds"`
}

// ResponseCounts says what became of the responses.
type ResponseCounts struct {
	Read       uint64 `json:"read"`       // rejected ones included
	Rejected   uint64 `json:"rejected"`   // every Rejection with the place of a response
	Published  uint64 `json:"published"`  // records in the segment, tombstones not counted
	Superseded uint64 `json:"superseded"` // CertIDs for which a newer response was read as well
	Identical  uint64 `json:"identical"`  // CertIDs for which the same response was read again
	Tombstones uint64 `json:"tombstones"` // CertIDs that are ours, but have no current response
}

// IssuerCounts counts the certificates of one issuer that accepted responses are about.
type IssuerCounts struct {
	Subject string `json:"subject"` // RFC 2253 form
	KeyID   string `json:"key_id"`  // SHA-1 of the subjectPublicKey bits, hex: issuerKeyHash under sha1

	Good    uint64 `json:"good"`
	Revoked uint64 `json:"revoked"`
	Unknown uint64 `json:"unknown"`

	// CertIDs counts SingleResponses by their hash algorithm's name; a dual
	// response counts under both.
	CertIDs map[string]uint64 `json:"cert_ids"`

	byAlg [index.SHA512 + 1]uint64 // what CertIDs will say
}

// A Place is where in the inputs something was found.
type Place struct {
	Source string `json:"source"`           // file name, "-" for standard input, or database without its password
	Member string `json:"member,omitempty"` // name inside a tar archive
	Offset int64  `json:"offset"`           // of the first octet, after decompression; meaningless if Line or Row > 0; -1: all of it
	Line   int    `json:"line,omitempty"`   // from 1, in a text form
	Row    int    `json:"row,omitempty"`    // from 1, of a query
}

func (p Place) String() string {
	s := p.Source
	if p.Member != "" {
		s += "(" + p.Member + ")"
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

// whole is the place of what is wrong with a source as a whole.
func whole(source string) Place { return Place{Source: source, Offset: -1} }

// A Rejection is one input that was not published.
type Rejection struct {
	Place  Place  `json:"place"`
	Serial string `json:"serial,omitempty"` // hex, of the first SingleResponse; empty if it could not be read
	Check  string `json:"check"`            // stable id of the check that failed, such as "ocsp.signature"
	Clause string `json:"clause"`           // where that check comes from, such as "RFC 6960 section 3.2"
	Reason string `json:"reason"`
}

func (r Rejection) String() string {
	serial := ""
	if r.Serial != "" {
		serial = " serial " + r.Serial
	}
	return fmt.Sprintf("%s%s: %s [%s]", r.Place, serial, r.Reason, r.Check)
}

// A Warning stands for all inputs that a check complained of without rejecting them.
type Warning struct {
	Check  string `json:"check"`
	Clause string `json:"clause"`
	Count  uint64 `json:"count"`
	Place  Place  `json:"place"` // of the first
	Serial string `json:"serial,omitempty"`
	Reason string `json:"reason"` // for the first
}

// A File is one published static file.
type File struct {
	Host         string    `json:"host"`
	Path         string    `json:"path"`
	ContentType  string    `json:"content_type"`
	Size         int64     `json:"size"` // octets
	SHA256       string    `json:"sha256"`
	LastModified time.Time `json:"last_modified"`
	Expires      time.Time `json:"expires,omitzero"` // zero if it has none
}

// A Segment is the published segment file.
type Segment struct {
	SHA256           string    `json:"sha256"`
	Size             int64     `json:"size"`    // octets
	Records          uint64    `json:"records"` // responses and tombstones
	Keys             uint64    `json:"keys"`    // CertIDs they are reachable under
	Shapes           int       `json:"shapes"`  // sets of octets that responses share
	Whole            uint64    `json:"whole"`   // responses stored whole, fitting no shape
	BytesPerResponse float64   `json:"bytes_per_response"`
	NextUpdate       time.Time `json:"next_update"` // the earliest
}

func (r *Report) reject(at Place, serial string, f finding) {
	r.Rejections = append(r.Rejections, Rejection{
		Place: at, Serial: serial, Check: f.check.String(), Clause: checkTable[f.check].clause, Reason: f.reason,
	})
}

// found enters that an input at a place, other than a response, breaks a rule. It
// reports whether that rejects the input.
func (b *builder) found(id check, at Place, serial, reason string) (rejected bool) {
	switch b.severity[id] {
	case rejects:
		b.report.reject(at, serial, finding{id, reason})
		return true
	case warns:
		b.warn(id, at, serial, reason)
	}
	return false
}

// warn enters a warning, whatever the severity of the check.
func (b *builder) warn(id check, at Place, serial, reason string) {
	b.warnings[id].add(&tally{count: 1, place: at, serial: serial, reason: reason})
}

// summaryRejections is how many rejections a summary lists: about a screenful.
// The JSON report has them all.
const summaryRejections = 20

// WriteSummary writes the report for a person.
func (r *Report) WriteSummary(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if r.Generation > 0 {
		fmt.Fprintf(tw, "published\tgeneration %d of %s (%s)\n", r.Generation, r.Store, r.Origin)
	} else {
		fmt.Fprintf(tw, "published\tnothing\n")
	}
	for _, o := range r.Overrides {
		fmt.Fprintf(tw, "override\t%s: %s in place of %s (--%s)\n", o.Check, o.To, o.From, o.Option)
	}
	n := r.Responses
	fmt.Fprintf(tw, "responses\t%d read, %d rejected, %d published, %d superseded, %d identical, %d tombstones\n",
		n.Read, n.Rejected, n.Published, n.Superseded, n.Identical, n.Tombstones)
	for _, i := range r.Issuers {
		fmt.Fprintf(tw, "issuer\t%s: %d good, %d revoked, %d unknown\n", i.Subject, i.Good, i.Revoked, i.Unknown)
	}
	if s := r.Segment; s != nil {
		fmt.Fprintf(tw, "segment\t%d octets, %.1f a response, earliest nextUpdate %s\n",
			s.Size, s.BytesPerResponse, s.NextUpdate.Format(time.RFC3339))
	}
	fmt.Fprintf(tw, "files\t%d\n", len(r.Files))
	fmt.Fprintf(tw, "time\t%.1f s, of which %.1f s checking and %.1f s self-check\n",
		r.TotalSeconds, r.CheckSeconds, r.VerifySeconds)
	for _, x := range r.Warnings {
		fmt.Fprintf(tw, "warning\t%d× %s; first %s: %s\n", x.Count, x.Check, x.Place, x.Reason)
	}
	for _, x := range r.Rejections[:min(len(r.Rejections), summaryRejections)] {
		fmt.Fprintf(tw, "rejected\t%s\n", x)
	}
	if more := len(r.Rejections) - summaryRejections; more > 0 {
		fmt.Fprintf(tw, "rejected\t… and %d more\n", more)
	}
	return tw.Flush()
}
