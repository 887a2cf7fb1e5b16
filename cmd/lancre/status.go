package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"lancre/origin"
)

func newStatus() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status STORE|URL",
		Short: "Say where a store stands, and the lancre follow that feeds it",
		Long: `Status says which generation a store is at, when its sources were read, how many
certificates it answers for, and what is put aside: by its manifest alone. With the URL of
the admin address of a lancre follow, it also says where each source stands.

It ends with status 1 if that cannot publish, or cannot read one of its sources, or reach
one of the places that it publishes to.`,
		Example: `  lancre status store
  lancre status http://127.0.0.1:9091
  lancre status http://127.0.0.1:9091 --json`,
		DisableFlagsInUseLine: true,
		Args:                  takes("STORE|URL"),
		ValidArgsFunction:     completeStore,
		RunE: look(func(cmd *cobra.Command, args []string) error {
			s, err := readStatus(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				err = writeJSON(cmd.OutOrStdout(), s)
			} else {
				err = printStatus(cmd.OutOrStdout(), s)
			}
			if err != nil {
				return err
			}
			return troubleOf(s)
		}),
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

// statusLimit is how long the answer of an admin address is waited for.
const statusLimit = 10 * time.Second

// readStatus asks a store, or an admin address.
func readStatus(of string) (*origin.Status, error) {
	if !strings.HasPrefix(of, "http://") && !strings.HasPrefix(of, "https://") {
		return origin.StatusOf(of)
	}
	client := http.Client{Timeout: statusLimit}
	r, err := client.Get(strings.TrimSuffix(of, "/") + "/status.json")
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(io.LimitReader(r.Body, 16<<20))
	if err != nil {
		return nil, err
	}
	if r.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: status %s: want the admin address of a lancre follow: %s", r.Request.URL, r.Status, body)
	}
	s := new(origin.Status)
	if err := json.Unmarshal(body, s); err != nil {
		return nil, fmt.Errorf("GET %s: this is no status: %w", r.Request.URL, err)
	}
	return s, nil
}

func printStatus(w io.Writer, s *origin.Status) error {
	t := newTable(w)
	t.row("store", "%s (%s)", s.Store, s.Origin)
	t.row("generation", "%d, published %s", s.Generation, ago(s.Created))
	t.row("sources read", "%s", ago(s.Checked))
	t.row("CertIDs", "%d good, %d revoked, %d unknown, %d without a current response", s.Good, s.Revoked, s.Unknown, s.TryLater)
	if !s.NextUpdate.IsZero() {
		t.row("first expires", "in the hour from %s", s.NextUpdate.Format(time.RFC3339))
	}
	t.row("files", "%d", s.Files)
	t.row("held", "%d", s.Held)
	t.row("layers", "%d bases, %d deltas, %s", s.Bases, s.Deltas, humanize.IBytes(uint64(s.Octets)))
	if s.Ready != nil {
		t.row("follow", "%s", orOK(s.Reason))
	}
	for _, x := range s.Sources {
		t.row("source "+x.Name, "read %s; %d added, %d identical, %d refused, %d held; %s", ago(x.Read), x.Added, x.Identical, x.Refused, x.Held, orOK(x.Failure))
	}
	for _, x := range s.Upkeep {
		t.row(x.Name, "%s", orOK(x.Failure))
	}
	for _, x := range s.Targets {
		t.row("to "+x.Name, "%s: generation %d, current %s; %s", x.To, x.Generation, ago(x.Current), orOK(x.Failure))
	}
	return t.Flush()
}

// ago is a time as a person reads it.
func ago(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return fmt.Sprintf("%s (%s)", t.UTC().Format(time.RFC3339), humanize.Time(t))
}

func orOK(failure string) string {
	if failure == "" {
		return "ok"
	}
	return failure
}

// troubleOf is what is wrong by s; nil if nothing is.
func troubleOf(s *origin.Status) error {
	if s.Reason != "" {
		return fmt.Errorf("nothing can be published: %s", s.Reason)
	}
	for _, x := range s.Sources {
		if x.Failures > 0 {
			return fmt.Errorf("source %s failed %d times in a row: %s", x.Name, x.Failures, x.Failure)
		}
	}
	for _, x := range s.Targets {
		if x.Failures > 0 {
			return fmt.Errorf("publishing to %s failed %d times in a row: %s", x.To, x.Failures, x.Failure)
		}
	}
	return nil
}
