package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"lancre/build"
	"lancre/index/store"
	"lancre/internal/legible"
)

func newVerify() *cobra.Command {
	var json bool
	var missing inventoryQuestion
	var trusted []string
	cmd := &cobra.Command{
		Use:   "verify STORE [--inventory FILE --issuer FILE...]",
		Short: "Check a store: the manifest, every object and every record",
		Long: `Verify reads the whole store: the manifest, the SHA-256 of every object it
names, and every record of every segment. It prints each fault with the file, the
offset and the name of the check, and ends with status 1 if there is one. It does
not check signatures of responses: build did, and the objects are what build made if
their SHA-256 is right. With --trust, the manifest must be signed by one of the keys.

It also says what has expired, as the manifest and the CRLs tell it: that is no fault
of the store, and the status stays 0.

With --inventory it also looks for certificates of that file, as build takes it, that
have not expired and are not answered by a response.`,
		Example: `  lancre verify store
  lancre verify store --json
  lancre verify store --inventory all.csv --issuer ca.pem`,
		DisableFlagsInUseLine: true,
		Args:                  takes("STORE"),
		ValidArgsFunction:     completeStore,
		PreRunE:               func(*cobra.Command, []string) error { return missing.complete() },
		RunE: look(func(cmd *cobra.Command, args []string) error {
			return errors.Join(runVerify(cmd.OutOrStdout(), args[0], trusted, json, missing.at), missing.ask(args[0]))
		}),
	}
	trustFlag(cmd, &trusted)
	jsonFlag(cmd, &json)
	f := cmd.Flags()
	f.StringVar(&missing.inventory, "inventory", "", "look for certificates of the CSV `FILE` that are not answered")
	f.StringArrayVar(&missing.issuers, "issuer", nil, "`FILE` of CA certificates that the inventory names (repeatable)")
	atFlag(cmd, &missing.at)
	must(cmd.MarkFlagFilename("inventory", "csv"))
	must(cmd.MarkFlagFilename("issuer"))
	cmd.MarkFlagsRequiredTogether("inventory", "issuer")
	return cmd
}

// An inventoryQuestion is what verify is asked about certificates that there are.
type inventoryQuestion struct {
	inventory string
	issuers   []string
	at        time.Time
}

func (q *inventoryQuestion) complete() error {
	if q.at.IsZero() {
		q.at = time.Now()
	}
	return nil
}

// ask returns an error if unexpired certificates lack an answer.
func (q *inventoryQuestion) ask(dir string) error {
	if q.inventory == "" {
		return nil
	}
	gaps, err := build.Missing(dir, q.issuers, q.inventory, q.at)
	if err != nil {
		return err
	}
	var errs []error
	for _, g := range gaps {
		errs = append(errs, fmt.Errorf("%s: %d of %d unexpired certificates of %s have no response, or not by every hash algorithm; the first: %s",
			q.inventory, g.Missing, g.Assigned, g.Issuer.Cert.Subject, g.First))
	}
	return errors.Join(errs...)
}

// A verdict is what verify found, as --json prints it.
type verdict struct {
	Store      string       `json:"store"`
	Generation uint64       `json:"generation"` // like the counts 0 where there is no manifest to be read
	Segments   int          `json:"segments"`
	Records    uint64       `json:"records"`
	Files      int          `json:"files"`
	Faults     []faultFacts `json:"faults"` // empty if the store is good
	Expired    expiredFacts `json:"expired"`
}

// expiredFacts are what is past its nextUpdate.
type expiredFacts struct {
	CertIDs uint64      `json:"cert_ids"`       // whose answers expired before this hour began
	Since   time.Time   `json:"since,omitzero"` // the hour of the first of them
	CRLs    []fileFacts `json:"crls"`
}

func newExpiredFacts(m *store.Manifest, at time.Time) expiredFacts {
	e := expiredFacts{CRLs: []fileFacts{}}
	for _, d := range m.Due { // in the order of their hours
		if d.Kind != store.DueResponses || d.Hour.Add(time.Hour).After(at) {
			continue
		}
		if e.CertIDs == 0 {
			e.Since = d.Hour
		}
		e.CertIDs += d.Count
	}
	for i := range m.Files {
		if f := &m.Files[i]; !f.Expires.IsZero() && !f.Expires.After(at) {
			e.CRLs = append(e.CRLs, newFileFacts(f))
		}
	}
	return e
}

func (e *expiredFacts) write(out io.Writer, at time.Time) {
	if e.CertIDs > 0 {
		fmt.Fprintf(out, "%d CertIDs are answered by expired responses, the first since the hour from %s on: have them signed again, and publish them\n",
			e.CertIDs, when(e.Since.Unix(), at))
	}
	for _, f := range e.CRLs {
		fmt.Fprintf(out, "CRL %s has expired: nextUpdate %s: have it signed again, and publish it\n", legible.Line(f.URL), when(f.Expires.Unix(), at))
	}
}

// faultFacts is one fault.
type faultFacts struct {
	File   string `json:"file"`
	Offset *int64 `json:"offset,omitempty"` // absent where it is not at one place of a segment
	Check  string `json:"check"`
	Reason string `json:"reason"`
}

func runVerify(out io.Writer, dir string, trusted []string, json bool, at time.Time) error {
	trust, err := readTrust(trusted)
	if err != nil {
		return err
	}
	v := verdict{Store: dir, Faults: []faultFacts{}, Expired: expiredFacts{CRLs: []fileFacts{}}}
	err = store.Verify(dir, trust, func(f *store.Fault) {
		if !json {
			fmt.Fprintln(out, legible.Line(f.Error()))
			return
		}
		v.Faults = append(v.Faults, newFaultFacts(f))
	})
	if err != nil {
		err = fmt.Errorf("%w: do not serve it; build it again, or copy it again from where it verifies", err)
	}
	if m, e := store.ReadManifest(dir); e == nil { // otherwise that is one of the faults
		v.Generation, v.Segments, v.Records, v.Files = m.Generation, len(m.Segments), records(m), len(m.Files)
		v.Expired = newExpiredFacts(m, at)
	}
	switch {
	case json:
		return errors.Join(writeJSON(out, v), err)
	case err == nil:
		v.Expired.write(out, at)
		_, err = fmt.Fprintf(out, "%s: no fault in generation %d: segments: %d, records: %d, files: %d\n",
			dir, v.Generation, v.Segments, v.Records, v.Files)
	}
	return err
}

func newFaultFacts(f *store.Fault) faultFacts {
	facts := faultFacts{File: f.File, Check: f.Check, Reason: f.Reason}
	if f.Offset >= 0 {
		facts.Offset = &f.Offset
	}
	return facts
}

// records counts the responses and tombstones in all segments of m.
func records(m *store.Manifest) (n uint64) {
	for _, s := range m.Segments {
		n += s.Records
	}
	return n
}
