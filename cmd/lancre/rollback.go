package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lancre/index/store"
)

// listedLosses is how many certificates a refused rollback lists: about a screenful.
const listedLosses = 20

func newRollback() *cobra.Command {
	var generation uint64
	var force bool
	var at time.Time
	var flags signingFlags
	cmd := &cobra.Command{
		Use:   "rollback STORE --generation N",
		Short: "Publish what an earlier generation had, as a new one",
		Long: `Rollback publishes what generation N named as a new generation, with the marks of its
sources: what came since is read again from there. gc keeps the generations that one
can go back to; lancre diff says what would change.

It refuses to make a revoked certificate good, to answer by a response that has
expired, and to lose certificates that came since, and lists these, unless forced.`,
		Example: `  lancre diff store 1790000000 1790000300
  lancre rollback store --generation 1790000000
  lancre rollback store --generation 1790000000 --force`,
		DisableFlagsInUseLine: true,
		Args:                  takes("STORE"),
		ValidArgsFunction:     completeStore,
		RunE: work(func(cmd *cobra.Command, args []string) error {
			if at.IsZero() {
				at = time.Now()
			}
			signing, err := flags.read()
			if err != nil {
				return err
			}
			return runRollback(cmd, args[0], generation, force, signing, at)
		}),
	}
	f := cmd.Flags()
	f.Uint64Var(&generation, "generation", 0, "go back to generation `N`")
	f.BoolVar(&force, "force", false, "go back whatever is lost by it")
	flags.register(cmd)
	atFlag(cmd, &at)
	must(cmd.MarkFlagRequired("generation"))
	return cmd
}

func runRollback(cmd *cobra.Command, dir string, generation uint64, force bool, signing store.Signing, at time.Time) error {
	current, err := store.OpenAnswers(dir, nil)
	if err != nil {
		return err
	}
	defer current.Close()
	now := current.Manifest()
	if now.Generation == generation {
		return fmt.Errorf("generation %d is the current one", generation)
	}
	if err := now.CheckClock(at); err != nil {
		return err
	}
	earlier, err := store.OpenPast(dir, generation, current)
	if err != nil {
		return err
	}
	defer earlier.Close()
	if !force {
		if err := refuseLosses(current, earlier, at); err != nil {
			return err
		}
	}
	m, err := store.Rollback(dir, generation, now.Generation, signing, at)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "published generation %d with what %d had\n", m.Generation, generation)
	return err
}

// refuseLosses is an error that lists what going back would lose; nil if nothing.
func refuseLosses(current, earlier *store.Generation, at time.Time) error {
	var list strings.Builder
	counts := make(map[store.LossKind]int)
	total := 0
	err := store.Losses(current, earlier, at, func(l store.Loss) bool {
		counts[l.What]++
		if total++; total <= listedLosses {
			fmt.Fprintf(&list, "\n  %s: %v", l.What, &l.ID)
		}
		return true
	})
	if err != nil || total == 0 {
		return err
	}
	if more := total - listedLosses; more > 0 {
		fmt.Fprintf(&list, "\n  … and %d more", more)
	}
	return fmt.Errorf("going back to generation %d would be a loss, by CertID: %d unrevoked, %d expired, %d lost (to do it all the same: --force)%s",
		earlier.Manifest().Generation, counts[store.Unrevoked], counts[store.Expired], counts[store.Lost], &list)
}
