package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"lancre/build/rule"
)

func newChecks() *cobra.Command {
	var names []string
	var asJSON bool
	var profiles []rule.Profile
	cmd := &cobra.Command{
		Use:   "checks [--profile RULES]... [--json]",
		Short: "List what a build checks its inputs for",
		Long: `Checks lists every check that a build makes: its id, what breaking it leads to under
the profiles, the option of build that makes an error a warning, the rule and where
the rule comes from. Profiles add up: what is an error in one of them is an error.`,
		Example: `  lancre checks
  lancre checks --profile br --profile ms
  lancre checks --profile br --json`,
		DisableFlagsInUseLine: true,
		Args:                  takes(),
		PreRunE: func(*cobra.Command, []string) (err error) {
			profiles, err = parseAll(names, rule.ParseProfile)
			return err
		},
		RunE: work(func(cmd *cobra.Command, _ []string) error {
			list := rule.Describe(profiles...)
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), list)
			}
			return writeChecks(cmd.OutOrStdout(), list)
		}),
	}
	profileFlag(cmd, &names)
	jsonFlag(cmd, &asJSON)
	return cmd
}

// writeChecks writes a line for each check.
func writeChecks(w io.Writer, list []rule.Description) error {
	t := newTable(w)
	for _, c := range list {
		lowered := ""
		if c.Lowered != "" {
			lowered = "--" + c.Lowered
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s (%s)\n", c.ID, c.Severity, lowered, c.Rule, c.Clause)
	}
	return t.Flush()
}

// profileFlag adds --profile, the rules that inputs are checked against.
func profileFlag(cmd *cobra.Command, names *[]string) {
	cmd.Flags().StringSliceVar(names, "profile", []string{rule.Private.String()}, "`RULES` to check against: private, br, ms, moz, cs or smime (repeatable)")
	completeFlag(cmd, "profile", rule.ProfileNames()...)
}

// checkIDs lists the checks that an option makes warnings, all checks for "".
func checkIDs(option string) (ids []string) {
	for _, c := range rule.Describe() {
		if option == "" || c.Lowered == option {
			ids = append(ids, c.ID)
		}
	}
	return ids
}
