package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"lancre/index/store"
)

func newVerify() *cobra.Command {
	var json bool
	cmd := &cobra.Command{
		Use:   "verify STORE",
		Short: "Check a store: the manifest, every object and every record",
		Long: `Verify reads the whole store: the manifest, the SHA-256 of every object it
names, and every record of every segment. It prints each fault with the file, the
offset and the name of the check, and ends with status 1 if there is one. It does
not check signatures: build did, and the objects are what build made if their
SHA-256 is right.`,
		Example: `  lancre verify store
  lancre verify store --json`,
		DisableFlagsInUseLine: true,
		Args:                  takes("STORE"),
		ValidArgsFunction:     completeStore,
		RunE:                  work(func(cmd *cobra.Command, args []string) error { return runVerify(cmd.OutOrStdout(), args[0], json) }),
	}
	jsonFlag(cmd, &json)
	return cmd
}

// A verdict is what verify found, as --json prints it.
type verdict struct {
	Store      string       `json:"store"`
	Generation uint64       `json:"generation"` // like the counts 0 where there is no manifest to be read
	Segments   int          `json:"segments"`
	Records    uint64       `json:"records"`
	Files      int          `json:"files"`
	Faults     []faultFacts `json:"faults"` // empty if the store is good
}

// faultFacts is one fault.
type faultFacts struct {
	File   string `json:"file"`
	Offset *int64 `json:"offset,omitempty"` // absent where it is not at one place of a segment
	Check  string `json:"check"`
	Reason string `json:"reason"`
}

func runVerify(out io.Writer, dir string, json bool) error {
	v := verdict{Store: dir, Faults: []faultFacts{}}
	err := store.Verify(dir, func(f *store.Fault) {
		if !json {
			fmt.Fprintln(out, f)
			return
		}
		v.Faults = append(v.Faults, newFaultFacts(f))
	})
	if err != nil {
		err = fmt.Errorf("%w: do not serve it; build it again, or copy it again from where it verifies", err)
	}
	if m, e := store.ReadManifest(dir); e == nil { // otherwise that is one of the faults
		v.Generation, v.Segments, v.Records, v.Files = m.Generation, len(m.Segments), records(m), len(m.Files)
	}
	switch {
	case json:
		return errors.Join(writeJSON(out, v), err)
	case err == nil:
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
