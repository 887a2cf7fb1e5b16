package main

import (
	"crypto"
	"errors"
	"log/slog"

	"github.com/spf13/cobra"

	"lancre/build/rule"
	"lancre/sign/certificates"
	"lancre/sign/crls"
)

const signCRLHelp = `Crl signs the CRL of a CA from the list of its certificates, or its shards, and writes
each below --static, where lancre build finds it, at the host and path of its URL. What
stands there is the CRL before: what it lists stays listed, and the new one has a greater
number. A CRL that would say the same is left alone until it is --every old.

Without --crl-shards it is one full CRL. With 1-128, the column shard of the list names
the CRL of each certificate, in the place of {shard} in the URL; with serial-mod:128, the
serial number modulo 128, plus one, does. The URL is that in the certificates, octet for
octet.

A certificate that expired leaves the CRL once it stood on one of later than that. One
that is gone from the list stays on the CRL, unless --forget says that rows are deleted;
one that is good in the list but was revoked before stays, and is an error; --force
sign.hold lets it go if it was on hold.

SRC is as for lancre sign ocsp. The key is the CA's: sign where that is reached, apart
from the daily responses.`

func newSignCRL() *cobra.Command {
	c := crls.DefaultConfig()
	var profiles []string
	var keys keyFlag
	var shards string
	cmd := &cobra.Command{
		Use:   "crl --issuer FILE --key KEY --certificates SRC --static DIR --url URL [--crl-shards SHARDS]",
		Short: "Sign the CRL of a CA, whole or in shards",
		Long:  signCRLHelp + "\n\n" + keyHelp,
		Example: `  lancre sign crl --issuer ca.pem --key ca.key --certificates openssl:index.txt --static www --url http://c.example.org/ca.crl
  lancre sign crl --issuer ca.pem --key "exec:lancre-pkcs11 --module /usr/lib/hsm.so --label ca" --certificates all.csv --serial hex --static www --url 'http://c.example.org/{shard}.crl' --crl-shards 1-128 --profile br`,
		DisableFlagsInUseLine: true,
		Args:                  takes(),
		PreRunE: func(*cobra.Command, []string) (err error) {
			if c.Profiles, err = parseAll(profiles, rule.ParseProfile); err != nil {
				return err
			}
			if c.Shards, err = crls.ParseShards(shards); err != nil {
				return err
			}
			return c.Check()
		},
		RunE: work(func(cmd *cobra.Command, _ []string) error {
			return keys.use(cmd, c.DryRun, func(key crypto.Signer, log *slog.Logger) error {
				c.Key, c.Log = key, log
				report, err := crls.Run(cmd.Context(), c)
				if report != nil {
					err = errors.Join(err, report.WriteSummary(cmd.OutOrStdout()))
				}
				return err
			})
		}),
	}
	keys.add(cmd)
	listFlags(cmd, &c.List)
	f := cmd.Flags()
	f.StringVar(&c.Issuer, "issuer", "", "`FILE` of the CA's certificate, PEM or DER")
	f.StringVar(&c.Static, "static", "", "write CRLs to `DIR`/HOST/PATH")
	f.StringVar(&c.URL, "url", "", "the `URL` of the CRL that certificates name; with {shard} in it, of each shard")
	f.StringVar(&shards, "crl-shards", "", "cut the CRL into these `SHARDS`: 1-128, by the list's column shard, or serial-mod:128")
	f.DurationVar(&c.Validity, "validity", c.Validity, "`TIME` from thisUpdate to nextUpdate")
	f.DurationVar(&c.Every, "every", c.Every, "sign again what says the same after this `TIME`")
	f.BoolVar(&c.Subordinates, "subordinates", false, "the certificates are CAs' own")
	f.IntVar(&c.KeepExpired, "keep-expired", 0, "keep entries for `YEARS` after expiry: 10 for code signing")
	f.Float64Var(&c.MaxShrink, "max-shrink", c.MaxShrink, "sign nothing if the list lacks more than `PERCENT` of what the CRLs list")
	f.BoolVar(&c.Forget, "forget", false, "take off the CRL what is gone from the list")
	profileFlag(cmd, &profiles)
	f.StringSliceVar(&c.Force, "force", nil, "lift a `SAFEGUARD` for this run (repeatable)")
	f.BoolVar(&c.DryRun, "dry-run", false, "say what would be signed, and sign nothing")
	for _, name := range []string{"issuer", "certificates", "static", "url"} {
		must(cmd.MarkFlagRequired(name))
	}
	cmd.MarkFlagsOneRequired("key", "dry-run")
	must(cmd.MarkFlagFilename("issuer"))
	must(cmd.MarkFlagDirname("static"))
	completeFlag(cmd, "force", crls.Forceable()...)
	return cmd
}

// listFlags adds the flags that say where certificates are listed, and how.
func listFlags(cmd *cobra.Command, l *certificates.List) {
	f := cmd.Flags()
	f.StringVar(&l.Source, "certificates", "", "`SRC` of all certificates")
	f.StringVar(&l.Query, "query", "", "`SQL` that selects the certificates of a database")
	f.StringVar(&l.Schema, "schema", "", "the `NAME` of whose database it is: cfssl or boulder")
	f.StringVar((*string)(&l.Serial), "serial", "", "the `BASE` of serial numbers: hex or decimal")
	completeFlag(cmd, "schema", certificates.Schemas()...)
	completeFlag(cmd, "serial", string(certificates.Hex), string(certificates.Decimal))
}
