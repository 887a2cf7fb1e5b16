// Package usage is what the command lines of lancre and lancred have in common:
//
//   - A flag that holds one value takes one; given twice, it is an error.
//   - A flag that does not exist is answered with the one that may be meant.
//   - Wrong usage is one line that says what is wrong, and a hint.
//   - --version says which build this is.
package usage

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lancre/internal/legible"
	"lancre/internal/version"
)

// Prepare makes root and all commands below it, whose flags are declared, keep to
// what the package comment says. Errors are left to the caller to print.
func Prepare(root *cobra.Command) {
	root.Version = version.String()
	root.SilenceErrors = true
	root.SilenceUsage = true
	root.SetFlagErrorFunc(suggest)
	takeOne(root)
}

// Report writes what is wrong with the usage of cmd.
func Report(w io.Writer, cmd *cobra.Command, err error) {
	path := cmd.CommandPath()
	fmt.Fprintf(w, "%s: %s\nhint: %q shows the usage and an example\n", path, legible.Text(err.Error()), path+" --help")
}

// takeOne has every flag of cmd and of the commands below it that is no list refuse
// a second value.
func takeOne(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if _, list := f.Value.(pflag.SliceValue); !list {
			f.Value = &single{Value: f.Value}
		}
	})
	for _, sub := range cmd.Commands() {
		takeOne(sub)
	}
}

// A single is a flag's value that is set once.
type single struct {
	pflag.Value
	set bool
}

// Set implements pflag.Value.
func (s *single) Set(value string) error {
	if s.set {
		return fmt.Errorf("it is %q already: give it once", s.String())
	}
	s.set = true
	return s.Value.Set(value)
}

// suggest adds to the error about a flag that cmd does not have the one that is
// spelled most like it.
func suggest(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return err
	}
	name := unknown.GetSpecifiedName()
	if letters := unknown.GetSpecifiedShortnames(); letters != "" {
		name = letters // -issuer
	}
	best, meant := nearest, ""
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if d := distance(name, f.Name); d < best && 2*d < len(name) {
			best, meant = d, f.Name
		}
	})
	if meant == "" {
		return err
	}
	return fmt.Errorf("%w: did you mean --%s?", err, meant)
}

// nearest is from how many changed letters on two names are not taken for each
// other: one more than the two that cobra allows where it suggests commands.
const nearest = 3

// distance is how many letters must be added, left out or changed to make b of a
// (Levenshtein 1966).
func distance(a, b string) int {
	row := make([]int, len(b)+1) // row[j] is the distance from what was read of a to b[:j]
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			changed := diagonal
			if a[i] != b[j] {
				changed++
			}
			diagonal = row[j+1]
			row[j+1] = min(changed, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
