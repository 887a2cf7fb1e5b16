package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"lancre/build/held"
	"lancre/internal/legible"
)

func newHeld() *cobra.Command {
	var drop []string
	var all, asJSON bool
	cmd := &cobra.Command{
		Use:   "held STORE [--drop SHA256]... [--drop-all]",
		Short: "List the responses that were put aside, and drop them",
		Long: `Held lists the responses that build and add put aside, since they broke a check named
by --hold, the oldest first: their SHA-256, since when, the certificate, the check and
the reason. They lie in STORE/held, as PEM, and are tried again by every build and add.
--drop forgets one, --drop-all forgets all of them; the next generation counts them no
more.`,
		Example: `  lancre held store
  lancre held store --json
  lancre held store --drop 5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9`,
		DisableFlagsInUseLine: true,
		Args:                  takes("STORE"),
		ValidArgsFunction:     completeStore,
		RunE: work(func(cmd *cobra.Command, args []string) error {
			box, err := held.Open(args[0])
			if err != nil {
				return err
			}
			if all || len(drop) > 0 {
				return dropHeld(cmd, box, drop, all)
			}
			return listHeld(cmd, box, asJSON)
		}),
	}
	f := cmd.Flags()
	f.StringSliceVar(&drop, "drop", nil, "forget the response with this `SHA256` (repeatable)")
	f.BoolVar(&all, "drop-all", false, "forget all of them")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	cmd.MarkFlagsMutuallyExclusive("drop", "drop-all")
	cmd.MarkFlagsMutuallyExclusive("drop", "json")
	return cmd
}

func listHeld(cmd *cobra.Command, box *held.Box, asJSON bool) error {
	out := cmd.OutOrStdout()
	if asJSON {
		return writeJSON(out, box.List())
	}
	for _, r := range box.List() {
		if _, err := fmt.Fprintln(out, legible.Line(fmt.Sprintf("%s %s %s serial %s: %s [%s]", r.Name, r.Since.Format(time.RFC3339), r.Place, r.Serial, r.Reason, r.Check))); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "held: %d\n", box.Len())
	return err
}

func dropHeld(cmd *cobra.Command, box *held.Box, names []string, all bool) error {
	if all {
		names = nil
		for _, r := range box.List() {
			names = append(names, r.Name)
		}
	}
	for _, name := range names {
		if err := box.Drop(name); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "dropped: %d, held: %d\n", len(names), box.Len())
	return err
}
