package origin

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"lancre/index/store"
	"lancre/internal/status"
	"lancre/internal/version"
)

// Remedies are those of docs/OPERATIONS.md, which has more on each.
const (
	remedyPublish = "A full disk, a clock that is behind, a store that is locked: the text says which."
	remedySource  = "What it would have brought is not lost, but late: the text says what failed."
	remedyTarget  = "Credentials, the network, another origin that publishes there: the text says which. The newest generation goes there as soon as it can."
	remedyUpkeep  = "What comes is published all the same: the text says why."
	remedyHeld    = "lancre held STORE lists them with their reasons: have them signed again, or drop them."
)

// page is what there is to see, for operators.
func (f *Follower) page() *status.Page {
	host, _ := os.Hostname() // "" is as good as any
	now := time.Now().UTC()
	p := &status.Page{Program: "lancre follow", Version: version.String(), Host: host, At: now, Problems: []status.Problem{}}
	s, err := f.Status()
	if err != nil {
		p.Problems = append(p.Problems, status.Problem{What: err.Error(), Remedy: remedyPublish, Grave: true})
		p.Tables = []status.Table{f.recent.Table()}
		return p
	}
	p.Problems, p.Facts = problems(s), facts(s, now)
	if m, err := store.ReadManifest(f.config.Store); err == nil {
		p.Stack = status.Stack(m, now)
	}
	p.Tables = []status.Table{sourceTable(s), targetTable(s), f.recent.Table()}
	return p
}

// problems are what somebody has to do something about, the gravest first.
func problems(s *Status) []status.Problem {
	list := []status.Problem{}
	if s.Reason != "" {
		list = append(list, status.Problem{What: "Nothing can be published: " + s.Reason, Remedy: remedyPublish, Grave: true})
	}
	for _, x := range s.Sources {
		if x.Failures > 0 {
			list = append(list, status.Problem{What: fmt.Sprintf("Source %s failed %d times in a row: %s", x.Name, x.Failures, x.Failure), Remedy: remedySource, Grave: true})
		}
	}
	for _, x := range s.Targets {
		if x.Failures > 0 {
			list = append(list, status.Problem{What: fmt.Sprintf("Edges get nothing new from %s: publishing there failed %d times in a row: %s", x.To, x.Failures, x.Failure), Remedy: remedyTarget, Grave: true})
		}
	}
	for _, x := range s.Upkeep {
		if x.Failures > 0 {
			list = append(list, status.Problem{What: fmt.Sprintf("%s failed %d times in a row: %s", x.Name, x.Failures, x.Failure), Remedy: remedyUpkeep})
		}
	}
	if s.Held > 0 {
		list = append(list, status.Problem{What: fmt.Sprintf("%d responses are put aside", s.Held), Remedy: remedyHeld})
	}
	return list
}

func facts(s *Status, now time.Time) []status.Fact {
	ago := func(t time.Time) string {
		if t.IsZero() {
			return "never"
		}
		return max(0, now.Sub(t)).Round(time.Second).String() + " ago"
	}
	return []status.Fact{
		{Name: "store", Value: s.Store},
		{Name: "generation", Value: fmt.Sprintf("%d of %s, published %s", s.Generation, s.Origin, ago(s.Created))},
		{Name: "sources", Value: "all read " + ago(s.Checked)},
		{Name: "CertIDs", Value: fmt.Sprintf("%d good, %d revoked, %d unknown, %d without a current response", s.Good, s.Revoked, s.Unknown, s.TryLater)},
		{Name: "layers", Value: fmt.Sprintf("%d bases, %d deltas, %d octets", s.Bases, s.Deltas, s.Octets)},
		{Name: "files", Value: strconv.FormatUint(s.Files, 10)},
		{Name: "held", Value: strconv.FormatUint(s.Held, 10)},
	}
}

func sourceTable(s *Status) status.Table {
	t := status.Table{Title: "Sources, since the start", Head: []string{"name", "kind", "read", "added", "identical", "refused", "held"}}
	for _, x := range s.Sources {
		t.Rows = append(t.Rows, []string{
			x.Name, x.Kind, x.Read.UTC().Format(time.RFC3339), strconv.FormatUint(x.Added, 10), strconv.FormatUint(x.Identical, 10),
			strconv.FormatUint(x.Refused, 10), strconv.FormatUint(x.Held, 10),
		})
	}
	return t
}

func targetTable(s *Status) status.Table {
	t := status.Table{Title: "Where it is published", Head: []string{"name", "to", "generation", "current"}}
	for _, x := range s.Targets {
		current := "never"
		if !x.Current.IsZero() {
			current = x.Current.UTC().Format(time.RFC3339)
		}
		t.Rows = append(t.Rows, []string{x.Name, x.To, strconv.FormatUint(x.Generation, 10), current})
	}
	return t
}
