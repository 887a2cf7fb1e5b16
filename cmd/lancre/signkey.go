package main

import (
	"crypto"
	"log/slog"

	"github.com/spf13/cobra"

	"lancre/internal/secret"
	"lancre/sign/key"
)

// A keyFlag is which key signs, as the command line has it.
type keyFlag struct {
	spec           string
	passphraseFile string
}

// keyHelp explains it.
const keyHelp = `KEY is a file with a private key in PEM that only its owner can read, or exec:PROGRAM and
its arguments: a program that holds the key, such as lancre-pkcs11. The passphrase of a
file comes from --passphrase-file, or is asked for on the terminal.`

func (k *keyFlag) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&k.spec, "key", "", "`KEY` to sign with: a PEM file, or exec:PROGRAM")
	f.StringVar(&k.passphraseFile, "passphrase-file", "", "`FILE` whose first line is the passphrase of the key")
	must(cmd.MarkFlagFilename("key"))
	must(cmd.MarkFlagFilename("passphrase-file"))
}

// use opens the key, has do sign by it, and closes it. For a dry run there is none.
func (k *keyFlag) use(cmd *cobra.Command, dryRun bool, do func(crypto.Signer, *slog.Logger) error) error {
	log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
	if dryRun {
		return do(nil, log)
	}
	opened, err := key.Open(k.spec, key.Options{Log: cmd.ErrOrStderr(), Passphrase: k.passphrase})
	if err != nil {
		return err
	}
	defer opened.Close()
	return do(opened, log)
}

// passphrase is that of the key in a file.
func (k *keyFlag) passphrase(file string) ([]byte, error) {
	if k.passphraseFile != "" {
		return secret.ReadLine(k.passphraseFile)
	}
	return secret.Ask("passphrase of " + file)
}
