package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// execute runs one command line inside this process.
func execute(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	status = run(t.Context(), args, strings.NewReader(""), &out, &err)
	return status, out.String(), err.String()
}

func TestWrongUsage(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"", "lancre: a command is missing"},
		{"--nonsense", "lancre: unknown flag: --nonsense"},
		{"veryfi store", `lancre: unknown command "veryfi" for "lancre"`},
		{"build", "lancre build: no store directory to publish to (--out)"},
		{"build --out store", "lancre build: nothing to publish: name responses (--responses), static files (--static) or both"},
		{"build --out store --responses x.der", "lancre build: responses cannot be checked without their issuer's certificate (--issuer)"},
		{"build --out store --static www --profile strict", `lancre build: profile "strict": want one of private, br,`},
		{"build --out store --static www --at yesterday", `lancre build: invalid argument "yesterday" for "--at" flag`},
		{"build --out store --static www --max-rejects some", `lancre build: invalid argument "some" for "--max-rejects"`},
		{"build --out store --static www more", `lancre build: unexpected argument "more": it takes flags only`},
		{"build --out", "lancre build: flag needs an argument: --out"},
		{"verify", "lancre verify: 0 arguments []: want 1 (STORE)"},
		{"verify a b", `lancre verify: 2 arguments ["a" "b"]: want 1 (STORE)`},
		{"verify --force store", "lancre verify: unknown flag: --force"},
		{"gc", "lancre gc: 0 arguments []: want 1 (STORE)"},
		{"inspect", "lancre inspect: 0 arguments []: want 1 (STORE)"},
		{"inspect store --serial 01", "name its issuer with --issuer FILE"},
		{"inspect store --hash sha1", "name its issuer with --issuer FILE"},
		{"inspect store --out x.der", "name its issuer with --issuer FILE"},
		{"inspect store --issuer ca.pem", "--issuer alone names no certificate"},
		{"inspect store --issuer ca.pem --serial xyz", `serial "xyz": want a positive number in hexadecimal`},
		{"inspect store --issuer ca.pem --serial 01 --hash md5", `hash algorithm "md5": want sha1, sha256, sha384 or sha512`},
		{"inspect store --issuer ca.pem --serial 01 --cert x.pem", "[serial cert] are set none of the others can be"},
		{"pages --domain example.org --ca X", "lancre pages: no directory to write to: name it with --out DIR"},
		{"pages --out www --ca X", `lancre pages: domain "": want a host name in lower case`},
		{"pages --out www --domain example.org", `lancre pages: name of the CA "": want the name`},
		{"pages --out www --domain example.org --ca X --contact me", `contact "me": want a URL such as`},
		{"pages --out www --domain example.org --ca X --hosts i", `hosts ["i"]: want o, c or both among them`},
		{"pages --out www --domain example.org --ca X --languages en,tlh", `language "tlh": there is no such translation; lancre pages --list lists`},
		{"pages --out www --domain example.org --ca X --languages en --default fr", `default language "fr" is not among those to be written`},
		{"pages --out www --domain example.org --ca X --updated today", `invalid argument "today" for "--updated"`},
		{"demo", `lancre demo: required flag(s) "out" not set`},
		{"demo --out d --key dsa", `key type "dsa": want p256 or rsa2048`},
		{"demo --out d --hash md5", `hash algorithm "md5"`},
		{"demo --out d --responses 5", "5 responses for 2 hash algorithms: want a multiple"},
		{"demo --out d --responses 1 --hash sha1", "1 responses for 1 hash algorithms: want a multiple, for at least 2 certificates"},
		{"demo --out d --responses -2", `invalid argument "-2" for "--responses"`},
	} {
		t.Run(tt.line, func(t *testing.T) {
			t.Chdir(t.TempDir()) // where nothing must appear
			status, stdout, stderr := execute(t, strings.Fields(tt.line)...)
			if status != exitUsage {
				t.Errorf("exit status %d, want %d", status, exitUsage)
			}
			if !strings.Contains(stderr, tt.want) || !strings.Contains(stderr, "\nhint: ") || stdout != "" {
				t.Errorf("stderr %q, want %q and a hint in it; stdout %q, want none", stderr, tt.want, stdout)
			}
		})
	}
}

// commands are all of ours, those of commands included; help and completion are cobra's.
func commands() []*cobra.Command { return below(newRoot()) }

// below is cmd and the commands below it.
func below(cmd *cobra.Command) []*cobra.Command {
	list := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		list = append(list, below(sub)...)
	}
	return list
}

// Each example line must be one that its command would accept.
func TestExamplesAreValid(t *testing.T) {
	for _, cmd := range commands() {
		lines := strings.Split(strings.TrimSpace(cmd.Example), "\n")
		for _, line := range lines {
			_, args, ok := strings.Cut(line, "lancre ")
			if !ok {
				t.Errorf("%s: the example %q does not run lancre", cmd.Name(), line)
				continue
			}
			checkUsage(t, words(args))
		}
	}
}

// words splits a line as a shell does: what is in quotes is one word, or part of one.
func words(line string) []string {
	list := regexp.MustCompile(`(?:[^\s'"]|'[^']*'|"[^"]*")+`).FindAllString(line, -1)
	for i := range list {
		list[i] = strings.NewReplacer(`'`, "", `"`, "").Replace(list[i])
	}
	return list
}

// checkUsage does all that cobra does with a command line but run it.
func checkUsage(t *testing.T, args []string) {
	t.Helper()
	root := newRoot()
	cmd, rest, err := root.Find(args)
	if err == nil {
		err = cmd.ParseFlags(rest)
	}
	if err == nil {
		err = cmd.ValidateArgs(cmd.Flags().Args())
	}
	if err == nil && cmd.PreRunE != nil {
		err = cmd.PreRunE(cmd, cmd.Flags().Args())
	}
	if err == nil {
		err = cmd.ValidateRequiredFlags()
	}
	if err == nil {
		err = cmd.ValidateFlagGroups()
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a file that an example names need not be here
		t.Errorf("lancre %s: %v", strings.Join(args, " "), err)
	}
}

func TestEveryCommandIsDocumented(t *testing.T) {
	for _, cmd := range commands() {
		if cmd.Short == "" || cmd.Long == "" || cmd.Example == "" {
			t.Errorf("%s: want a short and a long text and an example", cmd.Name())
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" || (f.Shorthand != "" && f.Name != "help" && f.Name != "version") {
				t.Errorf("%s --%s: usage %q, shorthand %q: want a text, and long flags only", cmd.Name(), f.Name, f.Usage, f.Shorthand)
			}
		})
		for _, line := range strings.Split(cmd.Long, "\n") {
			if len(line) > 90 {
				t.Errorf("%s: a line of %d characters in its help: %q", cmd.Name(), len(line), line)
			}
		}
	}
}

func TestInterruptedWorkIsAProblem(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, err bytes.Buffer
	dir := t.TempDir()
	status := run(ctx, []string{"demo", "--out", dir, "--responses", "1000"}, strings.NewReader(""), &out, &err)
	if want := "lancre demo: interrupted before the end\n"; status != exitProblem || err.String() != want {
		t.Errorf("exit status %d, stderr %q; want %d, %q", status, &err, exitProblem, want)
	}
}

func TestCompletion(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"__complete ver", "verify\t"},
		{"__complete build --profile s", "smime\n"},
		{"__complete demo --key r", "rsa2048\n"},
		{"__complete inspect store --hash sha5", "sha512\n"},
		{"__complete verify", "verify\t"},
	} {
		if status, stdout, _ := execute(t, strings.Fields(tt.line)...); status != exitDone || !strings.Contains(stdout, tt.want) {
			t.Errorf("%s: status %d, %q, want %q in it", tt.line, status, stdout, tt.want)
		}
	}
	if _, stdout, _ := execute(t, "__complete", "gc", ""); !strings.HasPrefix(stdout, ":16\n") { // ShellCompDirectiveFilterDirs
		t.Errorf("gc completes to %q, want directories", stdout)
	}
}
