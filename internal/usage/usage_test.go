package usage

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// newProgram has one command, and flags of every kind on both.
func newProgram() *cobra.Command {
	run := func(*cobra.Command, []string) error { return nil }
	root := &cobra.Command{Use: "program", RunE: run}
	root.Flags().String("store", "", "")
	root.Flags().Duration("drain", time.Second, "")
	build := &cobra.Command{Use: "build", RunE: run}
	build.Flags().String("out", "", "")
	build.Flags().StringArray("issuer", nil, "")
	build.Flags().StringSlice("warn", nil, "")
	build.Flags().Bool("json", false, "")
	root.AddCommand(build)
	root.SetOut(io.Discard)
	Prepare(root)
	return root
}

func TestUsage(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"--store a --drain 2s", ""},
		{"--store a --store b", `program: invalid argument "b" for "--store" flag: it is "a" already: give it once`},
		{"--store a --store a", `program: invalid argument "a" for "--store" flag: it is "a" already: give it once`},
		{"--drain 2s --drain 3s", `program: invalid argument "3s" for "--drain" flag: it is "2s" already: give it once`},
		{"--drain soon", `program: invalid argument "soon" for "--drain" flag: time: invalid duration "soon"`},
		{"build --issuer a --issuer b --warn a --warn b,c", ""},
		{"build --json --json", `program build: invalid argument "true" for "--json" flag: it is "true" already: give it once`},

		{"build --isuer a", "program build: unknown flag: --isuer: did you mean --issuer?"},
		{"build --isseur a", "program build: unknown flag: --isseur: did you mean --issuer?"},
		{"build --warm a", "program build: unknown flag: --warm: did you mean --warn?"},
		{"build -issuer a", "program build: unknown shorthand flag: 'i' in -issuer: did you mean --issuer?"},
		{"build --store a", "program build: unknown flag: --store"},         // which another command has
		{"build --oo a", "program build: unknown flag: --oo"},               // as short as what it would take to mend it
		{"build --responses a", "program build: unknown flag: --responses"}, // like none
		{"-x", "program: unknown shorthand flag: 'x' in -x"},
	} {
		root := newProgram()
		root.SetArgs(strings.Fields(c.line))
		cmd, err := root.ExecuteC()
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v, want no error", c.line, err)
			}
			continue
		}
		if err == nil {
			t.Errorf("%s: no error, want %q", c.line, c.want)
			continue
		}
		var out bytes.Buffer
		Report(&out, cmd, err)
		want := c.want + "\nhint: \"" + cmd.CommandPath() + " --help\" shows the usage and an example\n"
		if out.String() != want {
			t.Errorf("%s:\n got %s\nwant %s", c.line, &out, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0},
		{"abc", "bc", 1}, {"abc", "ab", 1}, {"abc", "axc", 1}, {"abc", "xabc", 1}, {"abc", "acb", 2},
		{"kitten", "sitting", 3},
	} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("from %q to %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
