package main

import (
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"lancre/build/rule"
	"lancre/index"
	"lancre/sign"
)

const signOCSPHelp = `Ocsp signs a response for each certificate of the list that has none in the store, or
one that says something else, or is due: revocations first, then what is new, then the
oldest. What it writes is for lancre build, add or follow.

SRC is openssl:FILE, the index of openssl ca; a CSV file; or sqlite:FILE,
postgres://USER@HOST/NAME or mysql://USER@HOST/NAME with --query or --schema. A CSV file
and a query have the columns
  serial       in the base that --serial says
  status       good or revoked
  not_after    as 2027-03-01T12:00:00Z, or Unix seconds
  revoked_at   the same; and reason, a number or nothing
and may have issuer (key_id or subject as lancre inspect gives them, or the subject key
identifier; certificates of others are left out), shard, and certificate, DER or PEM, in
place of serial and not_after.

--out is a directory, into which every chunk comes as a file of its own as soon as it is
signed, or a file, which has all of them at the end. A run that was broken off is gone on
with by the next one.

A certificate is good only by its row. One that was revoked stays so, whatever the list
says later; --force ocsp.previous-held lets one be good again that was on hold. A list
that lacks more than --max-shrink percent of what the store answers for ends the run
before anything is signed.

--shards I,J,.../N signs for all certificates of these shards of N, due or not, for
lancre add --shards to replace their base.

` + keyHelp

func newSignOCSP() *cobra.Command {
	c := sign.DefaultConfig()
	var hashes, profiles []string
	var keys keyFlag
	var refresh, shards string
	cmd := &cobra.Command{
		Use:   "ocsp --issuer FILE [--responder FILE] --key KEY --certificates SRC --store STORE --out FILE|DIR",
		Short: "Sign OCSP responses for what is new, has changed or is due",
		Long:  signOCSPHelp,
		Example: `  lancre sign ocsp --issuer ca.pem --key ca.key --certificates openssl:index.txt --no-store --store store --out new.der
  lancre sign ocsp --issuer ca.pem --responder ocsp.pem --key ocsp.key --certificates all.csv --serial hex --store store --out spool/
  lancre sign ocsp --issuer ca.pem --key ca.key --certificates sqlite:certs.db --schema cfssl --store store --out new.der --dry-run`,
		DisableFlagsInUseLine: true,
		Args:                  takes(),
		PreRunE: func(cmd *cobra.Command, _ []string) (err error) {
			if c.Hashes, err = parseAll(hashes, index.ParseHashAlg); err != nil {
				return err
			}
			if c.Profiles, err = parseAll(profiles, rule.ParseProfile); err != nil {
				return err
			}
			if c.Refresh, err = parseRefresh(refresh); err != nil {
				return err
			}
			if c.Shards, err = parseShards(shards); err != nil {
				return err
			}
			return c.Check()
		},
		RunE: work(func(cmd *cobra.Command, _ []string) error {
			return keys.use(cmd, c.DryRun, func(key crypto.Signer, log *slog.Logger) error {
				c.Key, c.Log = key, log
				report, err := sign.Run(cmd.Context(), c)
				if report != nil {
					err = errors.Join(err, report.WriteSummary(cmd.OutOrStdout()))
				}
				return err
			})
		}),
	}
	f := cmd.Flags()
	f.StringVar(&c.Issuer, "issuer", "", "`FILE` of the CA's certificate, PEM or DER")
	f.StringVar(&c.Responder, "responder", "", "`FILE` of a responder's certificate that the CA issued, if the key is the responder's")
	keys.add(cmd)
	listFlags(cmd, &c.List)
	f.BoolVar(&c.Subordinates, "subordinates", false, "the certificates are CAs' own")
	f.StringVar(&c.Store, "store", "", "`STORE` that answers for the certificates")
	f.BoolVar(&c.NoStore, "no-store", false, "there is no such store yet: sign for all")
	f.StringVar(&c.Out, "out", "", "write responses to `FILE`, or to files in an existing directory")
	f.StringSliceVar(&hashes, "hash", []string{"sha1", "sha256"}, "hash `ALGORITHM` of the CertIDs: sha1, sha256, sha384 or sha512 (repeatable)")
	f.DurationVar(&c.Validity, "validity", c.Validity, "`TIME` from thisUpdate to nextUpdate")
	f.StringVar(&refresh, "refresh", "0.25-0.375", "sign again after a `PART` of the validity, for each certificate another one")
	f.StringVar(&shards, "shards", "", "sign for all certificates of these shards, as `I,J/N`")
	f.Float64Var(&c.Rate, "rate", 0, "sign at most `N` responses a second (default as many as the key can)")
	f.IntVar(&c.Parallel, "parallel", c.Parallel, "ask for up to `N` signatures at a time")
	f.Uint64Var(&c.Max, "max", 0, "end after `N` responses (default no limit)")
	f.Float64Var(&c.MaxShrink, "max-shrink", c.MaxShrink, "sign nothing if the list lacks more than `PERCENT` of what the store answers for")
	profileFlag(cmd, &profiles)
	f.StringSliceVar(&c.Force, "force", nil, "lift a `SAFEGUARD` for this run (repeatable)")
	f.BoolVar(&c.DryRun, "dry-run", false, "say what would be signed, and sign nothing")
	for _, name := range []string{"issuer", "certificates", "store", "out"} {
		must(cmd.MarkFlagRequired(name))
	}
	cmd.MarkFlagsOneRequired("key", "dry-run")
	must(cmd.MarkFlagFilename("issuer"))
	must(cmd.MarkFlagFilename("responder"))
	must(cmd.MarkFlagDirname("store"))
	completeFlag(cmd, "hash", "sha1", "sha256", "sha384", "sha512")
	completeFlag(cmd, "force", sign.Forceable()...)
	return cmd
}

// parseRefresh reads two parts of a validity, as 0.25-0.375.
func parseRefresh(text string) (parts [2]float64, err error) {
	from, to, _ := strings.Cut(text, "-")
	if parts[0], err = strconv.ParseFloat(from, 64); err == nil {
		parts[1], err = strconv.ParseFloat(to, 64)
	}
	if err != nil {
		err = fmt.Errorf("--refresh %s: want two numbers, as 0.25-0.375", text)
	}
	return parts, err
}
