package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"lancre/index/store"
)

func newGC() *cobra.Command {
	return &cobra.Command{
		Use:   "gc STORE",
		Short: "Remove the objects of earlier generations",
		Long: `Gc removes the objects that the manifest does not name, and what a build that
was cut short left behind, and lists them. An edge that serves an earlier generation
from this very directory keeps what it has open; one that has still to copy it
cannot any more.`,
		Example:               `  lancre gc store`,
		DisableFlagsInUseLine: true,
		Args:                  takes("STORE"),
		ValidArgsFunction:     completeStore,
		RunE:                  work(runGC),
	}
}

func runGC(cmd *cobra.Command, args []string) error {
	removed, gcErr := store.GC(args[0])
	out := cmd.OutOrStdout()
	var octets int64
	for _, r := range removed { // those before an error, too
		octets += r.Size
		if _, err := fmt.Fprintf(out, "%s %d\n", r.Name, r.Size); err != nil {
			return err
		}
	}
	if gcErr != nil {
		return gcErr
	}
	_, err := fmt.Fprintf(out, "removed: %d, octets: %d\n", len(removed), octets)
	return err
}
