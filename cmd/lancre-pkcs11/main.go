//go:build cgo

// Command lancre-pkcs11 signs by a key in an HSM, for a parent that asks on its standard
// input: lancre sign starts it as
//
//	--key "exec:lancre-pkcs11 --module /usr/lib/softhsm/libsofthsm2.so --token ca --label ocsp --pin-file pin"
//
// Package sign/child specifies what the two say to each other. The PIN, the HSM's library
// and its crashes stay in this process; where a session with the HSM ends, so does the
// process, and the parent starts it anew.
//
// The exit status is 0 when standard input ends, 1 if the HSM fails, and 78 if it makes no
// sense to start again: wrong usage, a PIN that is wrong, a key that is not there.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"lancre/internal/secret"
	"lancre/internal/usage"
	"lancre/sign/child"
)

// Exit statuses.
const (
	exitFailed   = 1
	exitHopeless = child.ExitHopeless
)

// errHopeless is part of errors that another start would meet again.
var errHopeless = errors.New("starting again does not help")

// Options say which key of which token signs, and how.
type options struct {
	module   string // the HSM's library
	token    string // its label; "" if there is one token
	label    string // CKA_LABEL of the key
	id       string // CKA_ID of the key, in hex
	pinFile  string
	pinEnv   string // the name of a variable
	sessions int    // and so signatures at a time
}

func main() {
	o := new(options)
	ran := false
	cmd := newCommand(o, func() error { ran = true; return run(o) })
	err := cmd.Execute()
	switch {
	case err == nil:
	case !ran:
		usage.Report(os.Stderr, cmd, err)
		os.Exit(exitHopeless)
	default:
		fmt.Fprintf(os.Stderr, "lancre-pkcs11: %v\n", err)
		if errors.Is(err, errHopeless) {
			os.Exit(exitHopeless)
		}
		os.Exit(exitFailed)
	}
}

func newCommand(o *options, run func() error) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lancre-pkcs11 --module LIBRARY [--token LABEL] {--label LABEL | --id HEX} [--pin-file FILE | --pin-env NAME]",
		Short: "Sign by a key in an HSM, for lancre sign",
		Long: `Lancre-pkcs11 is what lancre sign starts as --key "exec:lancre-pkcs11 ..." to sign by a
key in an HSM, through the PKCS #11 library of its vendor. It reads requests on standard
input and ends with it.

The PIN comes from the first line of --pin-file, which only its owner may read, from the
environment variable that --pin-env names, or is asked for on the terminal.`,
		Example: `  lancre sign ocsp --key "exec:lancre-pkcs11 --module /usr/lib/softhsm/libsofthsm2.so --token ca --label ocsp --pin-file /run/credentials/pin" ...`,
		Args:    cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error { return o.check() },
		RunE:    func(*cobra.Command, []string) error { return run() },
	}
	f := cmd.Flags()
	f.StringVar(&o.module, "module", "", "the PKCS #11 `LIBRARY` of the HSM's vendor")
	f.StringVar(&o.token, "token", "", "the `LABEL` of the token (default the only one)")
	f.StringVar(&o.label, "label", "", "the `LABEL` of the private key")
	f.StringVar(&o.id, "id", "", "the CKA_ID of the private key, in `HEX`")
	f.StringVar(&o.pinFile, "pin-file", "", "`FILE` whose first line is the PIN")
	f.StringVar(&o.pinEnv, "pin-env", "", "`NAME` of the environment variable that holds the PIN")
	f.IntVar(&o.sessions, "sessions", 16, "have up to `N` signatures in the making")
	if err := errors.Join(cmd.MarkFlagRequired("module"), cmd.MarkFlagFilename("module"), cmd.MarkFlagFilename("pin-file")); err != nil {
		panic(err) // a wrong name, which every start would show
	}
	cmd.MarkFlagsOneRequired("label", "id")
	cmd.MarkFlagsMutuallyExclusive("pin-file", "pin-env")
	cmd.AddCommand(usage.Man("1"))
	usage.Prepare(cmd)
	return cmd
}

// maxSessions is more than any HSM works at a time.
const maxSessions = 1024

func (o *options) check() error {
	if o.sessions < 1 || o.sessions > maxSessions {
		return fmt.Errorf("%d sessions; want 1 to %d", o.sessions, maxSessions)
	}
	return nil
}

// pin is the PIN of the token with that label.
func (o *options) pin(label string) (string, error) {
	switch {
	case o.pinFile != "":
		line, err := secret.ReadLine(o.pinFile)
		return string(line), err
	case o.pinEnv != "":
		pin := os.Getenv(o.pinEnv)
		if pin == "" {
			return "", fmt.Errorf("the environment variable %s, which is to hold the PIN, is empty", o.pinEnv)
		}
		return pin, nil
	}
	line, err := secret.Ask("PIN of token " + label)
	return string(line), err
}

// run signs until standard input ends or the HSM fails.
func run(o *options) error {
	t, err := open(o)
	if err != nil {
		return err
	}
	signal.Ignore(syscall.SIGINT) // it is for the parent, who may want one more signature
	if err := child.Serve(os.Stdin, os.Stdout, t, o.sessions); err != nil {
		return err // others may be signing, for as long as they like: nothing is closed
	}
	return t.close()
}
