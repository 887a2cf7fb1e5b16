package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/index/store"
)

// TestMain makes this test binary also the lancre program that scripts run, and one that
// says how much memory it took.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"lancre": main, "lancre-measured": measured})
}

// TestScripts runs the program as a person does: one script a feature.
//
// The commands that the scripts have besides those of testscript:
//
//	exits STATUS PROGRAM ARG...   run it; it must end with just that status
//	flip FILE OFFSET              invert the octet there; a negative OFFSET counts from the end
//	cut FILE N                    take N octets off the end
//	begins FILE1 FILE2            FILE2 must begin with the octets of FILE1
//	same DIR1 DIR2                both must hold the same files with the same content
//	take FROM TO FILE1 FILE2      write responses FROM to TO, counted from 0 and TO not included, of FILE1 to FILE2
//	ca FILE [KEY]                 make a CA and write its certificate to FILE, its key to KEY
//	signs FILE AGE SERIAL=STATUS...
//	                              write responses of that CA to FILE, good or revoked; thisUpdate is AGE before $NOW,
//	                              nextUpdate four days after that
//	generation VAR STORE          set $VAR to the number of the generation that the store has
//	concat FILE... TO             write what the FILEs have to TO
//	follow FILE                   start lancre follow with the configuration FILE; $ADMIN is the URL of its admin address
//	follows PATTERN...            wait for a line of its log that matches all PATTERNs
//	tell SIGNAL                   send it a signal: HUP, TERM or KILL
//	ended                         wait until it has ended, with status 0
//	moved FILE                    wait until FILE is not there any more
//	alike FILE1 FILE2             wait until both have the same content
//	object VAR STORE PATTERN      set $VAR to the object on the line, of the manifest or its list of files, that PATTERN matches
//
// $NOW is the time at which the script begins, in RFC 3339.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("NOW", time.Now().UTC().Format(time.RFC3339))
			env.Values[caKey{}], env.Values[followKey{}] = new(scriptCA), new(scriptFollow)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":      exits,
			"flip":       flip,
			"cut":        cut,
			"begins":     begins,
			"same":       same,
			"object":     object,
			"generation": generation,
			"take":       take,
			"ca":         ca,
			"signs":      signs,
			"concat":     concat,
			"follow":     follow,
			"follows":    follows,
			"tell":       tell,
			"ended":      ended,
			"moved":      moved,
			"alike":      alike,
		},
	})
}

// arguments ends the script unless there are n of them and the command is not negated.
func arguments(ts *testscript.TestScript, neg bool, args []string, n int) {
	if neg || len(args) != n {
		ts.Fatalf("want %d arguments and no negation, got %q", n, args)
	}
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS PROGRAM ARG...")
	}
	status := 0
	err := ts.Exec(args[1], args[2:]...)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		status = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%s: %v", args[1], err)
	}
	if strconv.Itoa(status) != args[0] {
		ts.Fatalf("exit status %d, want %s", status, args[0])
	}
}

func flip(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2)
	data := []byte(ts.ReadFile(args[0]))
	offset, err := strconv.Atoi(args[1])
	ts.Check(err)
	if offset < 0 {
		offset += len(data)
	}
	data[offset] ^= 0xff
	replace(ts, ts.MkAbs(args[0]), data)
}

func cut(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2)
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	data := []byte(ts.ReadFile(args[0]))
	replace(ts, ts.MkAbs(args[0]), data[:len(data)-n])
}

// replace replaces a file, which may be read-only, by another of that name.
func replace(ts *testscript.TestScript, path string, data []byte) {
	ts.Check(os.Remove(path))
	ts.Check(os.WriteFile(path, data, 0o644))
}

func begins(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2)
	short, long := ts.ReadFile(args[0]), ts.ReadFile(args[1])
	if short == "" || len(long) < len(short) || long[:len(short)] != short {
		ts.Fatalf("%s (%d octets) does not begin with the octets of %s (%d)", args[1], len(long), args[0], len(short))
	}
}

func same(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2)
	a, b := tree(ts, args[0]), tree(ts, args[1])
	for name := range a {
		if content, ok := b[name]; !ok || content != a[name] {
			ts.Fatalf("%s is not the same in %s and %s", name, args[0], args[1])
		}
	}
	if len(a) != len(b) {
		ts.Fatalf("%s has %d files, %s %d", args[0], len(a), args[1], len(b))
	}
}

// tree is the content of all files below dir, by name.
func tree(ts *testscript.TestScript, dir string) map[string]string {
	files := make(map[string]string)
	root := ts.MkAbs(dir)
	ts.Check(filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		files[path[len(root):]] = ts.ReadFile(path)
		return nil
	}))
	return files
}

var sha256Pattern = regexp.MustCompile(`[0-9a-f]{64}`)

func generation(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2)
	m, err := store.ReadManifest(ts.MkAbs(args[1]))
	ts.Check(err)
	ts.Setenv(args[0], strconv.FormatUint(m.Generation, 10))
}

func object(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 3)
	path := func(sum string) string { return filepath.Join(args[1], "objects", sum) }
	lines := ts.ReadFile(filepath.Join(args[1], "manifest"))
	if list := sha256Pattern.FindString(regexp.MustCompile(`(?m)^files .*$`).FindString(lines)); list != "" {
		lines += ts.ReadFile(path(list))
	}
	sum := sha256Pattern.FindString(regexp.MustCompile(`(?m)^.*` + args[2] + `.*$`).FindString(lines))
	if sum == "" {
		ts.Fatalf("no object on a line that matches %s", args[2])
	}
	ts.Setenv(args[0], path(sum))
}

func take(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 4)
	from, err := strconv.Atoi(args[0])
	ts.Check(err)
	to, err := strconv.Atoi(args[1])
	ts.Check(err)
	rest := cryptobyte.String(ts.ReadFile(args[2]))
	var taken []byte
	for n := 0; !rest.Empty(); n++ {
		var der cryptobyte.String
		if !rest.ReadASN1Element(&der, asn1.SEQUENCE) {
			ts.Fatalf("%s is no concatenation of DER", args[2])
		}
		if n >= from && n < to {
			taken = append(taken, der...)
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[3]), taken, 0o644))
}
