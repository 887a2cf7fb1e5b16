package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func newSign() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sign",
		Short: "Sign what a store publishes, by a CA's list of certificates and its key",
		Long: `Sign makes what lancre build, add and follow read, for a CA that has a list of its
certificates and a key. It listens on nothing, and writes and shows no key.`,
		Example: `  lancre sign ocsp --issuer ca.pem --key ca.key --certificates openssl:index.txt --store store --out new.der
  lancre sign crl --issuer ca.pem --key ca.key --certificates openssl:index.txt --static www --url http://c.example.org/ca.crl`,
		PreRunE: func(*cobra.Command, []string) error {
			return errors.New("what to sign is missing: ocsp or crl")
		},
		Run: func(*cobra.Command, []string) {}, // not reached: without it, cobra takes no command for a call for help
	}
	cmd.AddCommand(newSignOCSP(), newSignCRL())
	return cmd
}
