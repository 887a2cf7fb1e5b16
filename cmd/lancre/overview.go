package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"lancre/index"
	"lancre/index/store"
)

// An overview is what a store holds, as inspect --json prints it.
type overview struct {
	Store      string         `json:"store"`
	Origin     string         `json:"origin"`
	Generation uint64         `json:"generation"`
	Created    time.Time      `json:"created"`
	Stale      time.Time      `json:"expires,omitzero"`    // from when on it is
	SignedBy   []string       `json:"signed_by,omitempty"` // as it says itself: verify --trust sees whether that is so
	At         time.Time      `json:"at"`                  // when it is looked at
	Segments   []segmentFacts `json:"segments"`
	Issuers    []*issuerCount `json:"issuers"`
	Expiry     *expiry        `json:"expiry"`
	Files      []fileFacts    `json:"files"`
}

// segmentFacts is one segment, in look-up order.
type segmentFacts struct {
	Role       string       `json:"role"`
	Shard      string       `json:"shard"` // I/OF
	SHA256     string       `json:"sha256"`
	Records    uint64       `json:"records"` // tombstones included
	Tombstones uint64       `json:"tombstones"`
	CertIDs    uint64       `json:"cert_ids"`
	Live       uint64       `json:"live"`    // CertIDs for which this segment answers
	Created    time.Time    `json:"created"` // when it came into the stack
	Size       int64        `json:"size"`    // octets, of which in
	Sections   sectionFacts `json:"sections"`
	ThisUpdate time.Time    `json:"latest_this_update,omitzero"`
	NextUpdate time.Time    `json:"earliest_next_update,omitzero"`
}

// sectionFacts are the octets in each section of a segment.
type sectionFacts struct {
	Records int64 `json:"records"`
	Slots   int64 `json:"slots"`
	Issuers int64 `json:"issuers"`
	Shapes  int64 `json:"shapes"`
}

// fileFacts is one static file.
type fileFacts struct {
	URL         string    `json:"url"` // host and path
	ContentType string    `json:"content_type"`
	Size        int64     `json:"size"` // octets
	SHA256      string    `json:"sha256"`
	Expires     time.Time `json:"expires,omitzero"` // nextUpdate of a CRL
}

func newFileFacts(f *store.FileLine) fileFacts {
	return fileFacts{f.Host + f.Path, f.ContentType, f.Size, f.SHA256, f.Expires}
}

// newOverview looks at g, opened from dir, at the time at.
func newOverview(g *store.Generation, dir string, at time.Time) (*overview, error) {
	c, err := count(g, at)
	if err != nil {
		return nil, err
	}
	c.expiry.finish()
	m := g.Manifest()
	o := &overview{
		Store: dir, Origin: m.Origin, Generation: m.Generation, Created: m.Created, Stale: m.Expires, SignedBy: m.Signers(), At: at.UTC().Truncate(time.Second),
		Segments: []segmentFacts{}, Issuers: c.issuers(g.Files()), Expiry: &c.expiry, Files: []fileFacts{},
	}
	for i, s := range g.Segments() {
		o.Segments = append(o.Segments, newSegmentFacts(&m.Segments[i], s.Info(), c.live[i]))
	}
	for _, f := range m.Files {
		o.Files = append(o.Files, newFileFacts(&f))
	}
	return o, nil
}

func newSegmentFacts(line *store.SegmentLine, info index.Info, live uint64) segmentFacts {
	return segmentFacts{
		Role: line.Role, Shard: line.Shard.String(), SHA256: line.SHA256,
		Live: live, Created: line.Created, Records: info.Records, Tombstones: info.Tombstones, CertIDs: info.Keys,
		Size: info.Size, Sections: sectionFacts(info.Sections),
		ThisUpdate: unixTime(info.MaxThisUpdate), NextUpdate: unixTime(info.MinNextUpdate),
	}
}

// unixTime is a time in Unix seconds; 0 is none.
func unixTime(unix int64) time.Time {
	if unix == 0 {
		return time.Time{}
	}
	return time.Unix(unix, 0).UTC()
}

// write says it in words.
func (o *overview) write(out io.Writer) error {
	w := newTable(out)
	w.row("store", "%s", o.Store)
	w.row("origin", "%s", o.Origin)
	w.row("generation", "%d", o.Generation)
	w.row("created", "%s", formatTime(o.Created))
	if !o.Stale.IsZero() {
		w.row("stale from", "%s", formatTime(o.Stale))
	}
	if len(o.SignedBy) > 0 {
		w.row("signed by", "%s", strings.Join(o.SignedBy, ", "))
	}
	o.writeStack(w)
	for i := range o.Segments[:min(len(o.Segments), detailed)] {
		o.Segments[i].write(w, o.At)
	}
	for _, i := range o.Issuers {
		i.write(w)
	}
	o.Expiry.write(w, o.At)
	for _, f := range o.Files {
		w.row("file", "%s", f.URL)
		w.row("  content", "%s, %d octets, sha256 %s", f.ContentType, f.Size, f.SHA256)
		if !f.Expires.IsZero() {
			w.row("  nextUpdate", "%s", when(f.Expires.Unix(), o.At))
		}
	}
	return w.Flush()
}

// detailed is how many segments, of the newest, are told of at length.
const detailed = 4

// writeStack draws the order of look-up, the newest line on top.
func (o *overview) writeStack(w table) {
	if len(o.Segments) == 0 {
		return
	}
	w.columns("stack", "role", "shard", "records", "live", "octets", "age")
	for i := range o.Segments {
		s := &o.Segments[i]
		age := "unknown"
		if !s.Created.IsZero() {
			age = o.At.Sub(s.Created).Round(time.Second).String()
		}
		w.columns("  line "+strconv.Itoa(i+1), s.Role, s.Shard, s.Records, s.Live, s.Size, age)
	}
}

func (s *segmentFacts) write(w table, at time.Time) {
	each := func(octets int64) string {
		return fmt.Sprintf("%d octets, %.1f a record", octets, float64(octets)/float64(max(s.Records, 1)))
	}
	w.row("segment", "%s %s sha256 %s", s.Role, s.Shard, s.SHA256)
	w.row("  records", "%d, of them tombstones: %d; CertIDs: %d", s.Records, s.Tombstones, s.CertIDs)
	w.row("  size", "%s, of which in", each(s.Size))
	w.row("    records", "%s", each(s.Sections.Records))
	w.row("    slots", "%s", each(s.Sections.Slots))
	w.row("    issuers", "%s", each(s.Sections.Issuers))
	w.row("    shapes", "%s", each(s.Sections.Shapes))
	if !s.NextUpdate.IsZero() {
		w.row("  thisUpdate", "latest %s", when(s.ThisUpdate.Unix(), at))
		w.row("  nextUpdate", "earliest %s", when(s.NextUpdate.Unix(), at))
	}
}

func (i *issuerCount) write(w table) {
	name := i.Issuer
	if i.Key != "" {
		name += ", " + i.Key
	}
	w.row("issuer", "%s", name)
	for _, c := range i.CertIDs {
		w.row("  "+c.Hash, "good: %d, revoked: %d, unknown: %d, tombstones: %d", c.Good, c.Revoked, c.Unknown, c.Tombstones)
	}
	for _, s := range i.Signers {
		w.row("  signer", "%s: %d responses", s, s.Responses)
	}
}

func formatTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// when is a time in Unix seconds, and how far it is from the time at.
func when(unix int64, at time.Time) string {
	t := time.Unix(unix, 0)
	distance := t.Sub(at).Round(time.Second)
	if distance <= 0 {
		return fmt.Sprintf("%s (%s ago)", formatTime(t), -distance)
	}
	return fmt.Sprintf("%s (in %s)", formatTime(t), distance)
}
