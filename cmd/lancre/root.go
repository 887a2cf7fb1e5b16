package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"lancre/internal/interrupt"
	"lancre/internal/usage"
)

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "lancre",
		Short: "Publish OCSP responses and CRLs that were signed in advance",
		Long: `Lancre checks OCSP responses, CRLs and issuer certificates that a CA signed
in advance, and packs them into a store, which lancred serves.

Exit status: 0 done, 1 the input was rejected or a problem was found, 2 wrong usage.`,
		Example: `  lancre demo --out demo
  lancre build --out store --issuer ca.pem --responses responses.der --static www
  lancre verify store`,
		PreRunE: func(*cobra.Command, []string) error {
			return errors.New("a command is missing")
		},
		Run: func(*cobra.Command, []string) {}, // not reached: without it, cobra takes no command for a call for help
	}
	root.AddCommand(newBuild(), newAdd(), newMerge(), newSign(), newHeld(), newRollback(), newDiff(), newFollow(), newInit(), newStatus(), newChecks(), newVerify(), newInspect(), newGC(), newPublish(), newRestore(), newProbe(), newKeygen(), newPages(), newDemo(), usage.Man("1"))
	usage.Prepare(root)
	return root
}

// A problem is what a command found to be wrong with its input or the system. All
// other errors come from cobra or from a PreRunE: they are about the usage.
type problem struct{ error }

func (p problem) Unwrap() error { return p.error }

// work makes a command's RunE of what it does.
func work(do func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := do(cmd, args)
		if errors.Is(err, context.Canceled) {
			err = errors.New("interrupted before the end")
		}
		if err != nil {
			err = problem{err}
		}
		return err
	}
}

// look makes a command's RunE of what it does, which only reads: an interrupt ends it
// wherever it is.
func look(do func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return work(func(cmd *cobra.Command, args []string) error {
		_, err := interrupt.Do(cmd.Context(), func() (struct{}, error) { return struct{}{}, do(cmd, args) })
		return err
	})
}

// takes demands exactly the named arguments.
func takes(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		if len(names) == 0 {
			return fmt.Errorf("unexpected argument %q: it takes flags only", args[0])
		}
		return fmt.Errorf("%d arguments %q: want %d (%s)", len(args), args, len(names), strings.Join(names, " "))
	}
}

// completeStore offers directories where a command takes a STORE.
func completeStore(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// completeFlag offers fixed values for a flag that the command has.
func completeFlag(cmd *cobra.Command, flag string, values ...string) {
	must(cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)))
}

// must is for errors that mean a wrong flag name in this program: every start of
// it would show them.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// timeLayouts are the forms in which times are read.
var timeLayouts = []string{time.RFC3339}

// atFlag adds --at, the moment that time checks use.
func atFlag(cmd *cobra.Command, at *time.Time) {
	cmd.Flags().Var((*moment)(at), "at",
		"the `TIME` (RFC 3339) that time checks use, such as 2026-03-01T12:00:00Z (default now)")
	completeFlag(cmd, "at", time.Now().UTC().Format(time.RFC3339))
}

// A moment is a time on the command line, from 1970 on: earlier ones a store cannot have.
type moment time.Time

// Set implements pflag.Value.
func (m *moment) Set(text string) error {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.Unix() < 0 {
		return errors.New("want a time from 1970 on, such as 2026-03-01T12:00:00Z")
	}
	*m = moment(at)
	return nil
}

// String implements pflag.Value.
func (m *moment) String() string {
	if time.Time(*m).IsZero() {
		return ""
	}
	return time.Time(*m).Format(time.RFC3339)
}

// Type implements pflag.Value.
func (m *moment) Type() string { return "time" }
