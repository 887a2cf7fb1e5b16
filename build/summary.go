package build

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"lancre/build/rule"
	"lancre/index"
	"lancre/internal/legible"
)

const (
	// summarySegments is how many segments a summary lists.
	summarySegments = 8

	// summaryLines is how many rejections, or what is held, a summary lists: about a
	// screenful. The JSON report has them all.
	summaryLines = 20

	// summaryPlaces is how many places a summary names of what a check rejects.
	summaryPlaces = 4
)

// A summary is a report in the making for a person: a name and what it is, by the line.
type summary struct{ *tabwriter.Writer }

func (s summary) row(name, format string, args ...any) { // Flush reports errors
	fmt.Fprintf(s, "%s\t%s\n", name, legible.Line(fmt.Sprintf(format, args...)))
}

// more says how many lines there would be beyond those listed.
func (s summary) more(name string, count int) {
	if count > 0 {
		s.row(name, "… and %d more", count)
	}
}

// WriteSummary writes the report for a person: of what was not published only what is in
// the way.
func (r *Report) WriteSummary(w io.Writer) error {
	s := summary{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	switch {
	case r.Generation > 0:
		s.row("published", "generation %d of %s (%s)", r.Generation, r.Store, r.Origin)
	case r.Unchanged:
		s.row("published", "nothing, for nothing is new")
	default:
		s.row("published", "nothing")
	}
	for _, o := range r.Overrides {
		s.row("override", "%s: %s in place of %s (--%s)", o.Check, o.To, o.From, o.Option)
	}
	if r.Generation > 0 || r.Unchanged {
		s.done(r)
	} else if n := r.Responses; n.Read > 0 {
		s.row("responses", "%d read, %d rejected", n.Read, n.Rejected)
	}
	s.found(r)
	return s.Flush()
}

// done says what was published.
func (s summary) done(r *Report) {
	n := r.Responses
	s.row("responses", "%d read, %d rejected, %d published, %d superseded, %d identical, %d tombstones%s",
		n.Read, n.Rejected, n.Published, n.Superseded, n.Identical, n.Tombstones, n.others())
	for _, i := range r.Issuers {
		s.row("issuer", "%s: %d good, %d revoked, %d unknown", i.Subject, i.Good, i.Revoked, i.Unknown)
	}
	for _, x := range r.Segments[:min(len(r.Segments), summarySegments)] {
		s.row("segment", "%d octets, %.1f a response, earliest nextUpdate %s%s",
			x.Size, x.BytesPerResponse, formatNext(x.NextUpdate), ofShard(x.Shard))
	}
	s.more("segment", len(r.Segments)-summarySegments)
	s.row("files", "%d", len(r.Files))
	s.row("time", "%.1f s, of which %.1f s checking and %.1f s self-check", r.TotalSeconds, r.CheckSeconds, r.VerifySeconds)
}

// found says what was held, warned of and rejected.
func (s summary) found(r *Report) {
	for _, x := range r.Held[:min(len(r.Held), summaryLines)] {
		s.row("held", "%s serial %s: %s [%s]", x.Place, x.Serial, x.Reason, x.Check)
	}
	s.more("held", len(r.Held)-summaryLines)
	for _, x := range r.Warnings {
		s.row("warning", "%d× %s; first %s: %s", x.Count, x.Check, x.Place, x.Reason)
	}
	all := groups(r.Rejections)
	for _, g := range all[:min(len(all), summaryLines)] {
		s.rejected(g)
	}
	s.more("rejected", len(all)-summaryLines)
}

// rejected says of the inputs that one check rejects what the first has, and where others lie.
func (s summary) rejected(g []rule.Rejection) {
	if len(g) == 1 {
		s.row("rejected", "%s", g[0])
		return
	}
	s.row("rejected", "%d× %s; first %s", len(g), g[0].Check, g[0])
	var places []string
	for _, x := range g[1:min(len(g), summaryPlaces)] {
		places = append(places, x.Where())
	}
	if rest := len(g) - summaryPlaces; rest > 0 {
		places = append(places, fmt.Sprintf("and %d more", rest))
	}
	s.row("", "also %s", strings.Join(places, ", "))
}

// groups are the rejections by check, in the order in which a check first rejected something.
func groups(list []rule.Rejection) (all [][]rule.Rejection) {
	at := make(map[string]int)
	for _, x := range list {
		i, ok := at[x.Check]
		if !ok {
			i, all = len(all), append(all, nil)
			at[x.Check] = i
		}
		all[i] = append(all[i], x)
	}
	return all
}

// others are the counts that are rarely other than 0, for a summary.
func (n *ResponseCounts) others() (text string) {
	for _, c := range []struct {
		count uint64
		what  string
	}{{n.Kept, "kept"}, {n.Held, "held"}, {n.Outside, "outside the shards"}, {n.Overtaken, "overtaken"}} {
		if c.count > 0 {
			text += fmt.Sprintf(", %d %s", c.count, c.what)
		}
	}
	return text
}

// ofShard says of which shard a segment is, if not of everything.
func ofShard(shard string) string {
	if shard == index.Everything.String() {
		return ""
	}
	return ", shard " + shard
}

// formatNext is the earliest nextUpdate of a segment, which tombstones alone have not.
func formatNext(t time.Time) string {
	if t.IsZero() {
		return "none"
	}
	return t.Format(time.RFC3339)
}
