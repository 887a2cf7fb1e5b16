package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"lancre/index/store"
)

func newVerify() *cobra.Command {
	return &cobra.Command{
		Use:   "verify STORE",
		Short: "Check a store: the manifest, every object and every record",
		Long: `Verify reads the whole store: the manifest, the SHA-256 of every object it
names, and every record of every segment. It prints each fault with the file and
offset, and ends with status 1 if there is one. It does not check signatures: build
did, and the objects are what build made if their SHA-256 is right.`,
		Example:               `  lancre verify store`,
		DisableFlagsInUseLine: true,
		Args:                  takes("STORE"),
		ValidArgsFunction:     completeStore,
		RunE:                  work(runVerify),
	}
}

func runVerify(cmd *cobra.Command, args []string) error {
	dir, out := args[0], cmd.OutOrStdout()
	if err := store.Verify(dir, func(fault error) { fmt.Fprintln(out, fault) }); err != nil {
		return fmt.Errorf("%w: do not serve it; build it again, or copy it again from where it verifies", err)
	}
	m, err := store.ReadManifest(dir)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: no fault in generation %d: segments: %d, records: %d, files: %d\n",
		dir, m.Generation, len(m.Segments), records(m), len(m.Files))
	return err
}

// records counts the responses and tombstones in all segments of m.
func records(m *store.Manifest) (n uint64) {
	for _, s := range m.Segments {
		n += s.Records
	}
	return n
}
