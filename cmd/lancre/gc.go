package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"lancre/index/store"
	"lancre/internal/legible"
)

func newGC() *cobra.Command {
	keep := store.DefaultKeep
	cmd := &cobra.Command{
		Use:   "gc STORE",
		Short: "Remove the objects of earlier generations",
		Long: `Gc removes what earlier generations have to themselves, but for the last ones, which
rollback can go back to, and what was cut short, and lists it. An edge that serves
an earlier generation from this very directory keeps what it has open; one that has
still to copy it cannot any more. What others have in the making is spared, and so is
an object that came in the last hour and that no generation here has: its manifest may
be on its way.`,
		Example: `  lancre gc store
  lancre gc store --keep 0 --keep-for 0s`,
		DisableFlagsInUseLine: true,
		Args:                  takes("STORE"),
		ValidArgsFunction:     completeStore,
		PreRunE: func(*cobra.Command, []string) error {
			if keep.Generations < 0 || keep.Since < 0 {
				return fmt.Errorf("--keep %d, --keep-for %s: they cannot be negative", keep.Generations, keep.Since)
			}
			return nil
		},
		RunE: work(func(cmd *cobra.Command, args []string) error { return runGC(cmd, args[0], keep) }),
	}
	f := cmd.Flags()
	f.IntVar(&keep.Generations, "keep", keep.Generations, "keep the last `N` generations before the current one")
	f.DurationVar(&keep.Since, "keep-for", keep.Since, "keep all generations of the last `DURATION`, too")
	return cmd
}

func runGC(cmd *cobra.Command, dir string, keep store.Keep) error {
	removed, gcErr := store.GC(dir, keep, time.Now())
	out := cmd.OutOrStdout()
	var octets int64
	for _, r := range removed { // those before an error, too
		octets += r.Size
		if _, err := fmt.Fprintf(out, "%s %d\n", legible.Line(r.Name), r.Size); err != nil {
			return err
		}
	}
	if gcErr != nil {
		return gcErr
	}
	_, err := fmt.Fprintf(out, "removed: %d, octets: %d\n", len(removed), octets)
	return err
}
