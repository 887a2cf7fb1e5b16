package main

import (
	"io"

	"github.com/spf13/cobra"

	"lancre/index/store"
	"lancre/internal/interrupt"
)

func newInspect() *cobra.Command {
	var q question
	var hash string
	cmd := &cobra.Command{
		Use:   "inspect STORE [--issuer FILE {--serial HEX | --cert FILE}]",
		Short: "Say what a store holds, or what it answers for one certificate",
		Long: `Inspect says what a store holds: its generation, segments and files, how many
responses there are by issuer, status and signer, what they take up, and when they
expire: a line a day, of a bar for each hour in UTC.

With --issuer and --serial or --cert it says what an edge answers for that one
certificate, or writes the response to a file. Without --hash, it takes the first
that the store has of sha1, sha256, sha384 and sha512.`,
		Example: `  lancre inspect store
  lancre inspect store --json
  lancre inspect store --issuer ca.pem --serial 03f1c2a90be1
  lancre inspect store --issuer ca.pem --cert www.pem --hash sha256 --out www.der`,
		DisableFlagsInUseLine: true,
		Args:                  takes("STORE"),
		ValidArgsFunction:     completeStore,
		PreRunE:               func(*cobra.Command, []string) error { return q.complete(hash) },
		RunE: func(cmd *cobra.Command, args []string) error {
			do := look(func(cmd *cobra.Command, args []string) error { return inspectAll(cmd.OutOrStdout(), args[0], &q) })
			if q.issuerFile != "" {
				do = work(func(cmd *cobra.Command, args []string) error { return inspectOne(cmd, args[0], &q) })
			}
			return do(cmd, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&q.issuerFile, "issuer", "", "`FILE` with the certificate of the issuer, PEM or DER")
	f.StringVar(&q.serialHex, "serial", "", "serial number in `HEX`, as openssl x509 -serial prints it")
	f.StringVar(&q.certFile, "cert", "", "`FILE` with the certificate to ask about, PEM or DER")
	f.StringVar(&hash, "hash", "", "hash `ALGORITHM` of the CertID: sha1, sha256, sha384 or sha512 (default any)")
	f.StringVar(&q.out, "out", "", "write the response to `FILE` in DER; - is standard output")
	jsonFlag(cmd, &q.json)
	atFlag(cmd, &q.at)
	must(cmd.MarkFlagFilename("issuer"))
	must(cmd.MarkFlagFilename("cert"))
	cmd.MarkFlagsMutuallyExclusive("serial", "cert")
	cmd.MarkFlagsMutuallyExclusive("json", "out")
	completeFlag(cmd, "hash", "sha1", "sha256", "sha384", "sha512")
	return cmd
}

func inspectAll(out io.Writer, dir string, q *question) error {
	g, err := store.Open(dir)
	if err != nil {
		return err
	}
	defer g.Close()
	o, err := newOverview(g, dir, q.at)
	switch {
	case err != nil:
		return err
	case q.json:
		return writeJSON(out, o)
	}
	return o.write(out)
}

func inspectOne(cmd *cobra.Command, dir string, q *question) error {
	ids, err := interrupt.Do(cmd.Context(), q.certIDs)
	if err != nil {
		return err
	}
	g, err := store.Open(dir)
	if err != nil {
		return err
	}
	defer g.Close()
	return q.answer(g, dir, ids, cmd.OutOrStdout())
}
