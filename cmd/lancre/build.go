package main

import (
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"lancre/build"
	"lancre/build/rule"
	"lancre/internal/durable"
)

const buildHelp = `Build checks every input and publishes what passes as a new generation of the
store. It replaces, in one step, what the store held when the input was taken: what it
was given since, by add, stays, and of revoked certificates that the input lacks a
tombstone stays until the inventory says that they have expired. An input that is
rejected is named with its place and the reason, and fails the build, unless
--max-rejects allows it. A build that fails publishes nothing.

SRC is a directory, a file, or - for standard input. What it holds is known from
its content: one OCSP response in DER or many, one after another; responses in
base64, separated by white space; PEM blocks "OCSP RESPONSE"; a tar of any of
these; any of these under gzip or zstd. Or SRC is a database: sqlite:FILE,
postgres://USER@HOST/NAME or mysql://USER@HOST/NAME, of which --query selects one
column, each value one response in DER or base64.

--inventory names a file with a line for each certificate, and a header that names
the columns: serial in hexadecimal digits, notAfter as 2027-03-01T12:00:00Z, issuer as
the key_id or subject in a report, and optionally caIssuers and cRLDistributionPoints,
the URLs of the issuer's certificate and CRL that the certificate names, separated by
spaces. Certificates that have not expired must have a response, no others may be
good, and the http URLs are compared with what is published.

"lancre checks" lists what inputs are checked for. --warn and --error change what
one check leads to. A check against the previous generation of the store, such as
that no revoked certificate becomes good, is passed over by --force: name it for
the one build in which the difference is meant.

--hold names checks whose offenders are not to stop the others: a response that breaks
one is put aside, counts as no rejection, and is tried again by every build and add,
until it passes or lancre held drops it.

DIR/<host>/<path> is published at exactly that host and path, DIR/_/<path> at that
path of any host. Files named index.der, index.p7c or index.html are published at
the "/" of their folder as well. DIR/urls.csv, with the header url,file, names further
URLs of these files, with a port or https, say, as certificates spell them.`

func newBuild() *cobra.Command {
	c := build.DefaultConfig()
	var profiles []string
	var reportFile string
	var signing signingFlags
	cmd := &cobra.Command{
		Use:   "build --out STORE [--issuer FILE]... [--responses SRC]... [--static DIR]...",
		Short: "Check responses, CRLs and certificates and publish them as a store",
		Long:  buildHelp,
		Example: `  lancre build --out store --issuer ca.pem --responses responses.der --static www
  zcat today.gz | lancre build --out store --issuer ca.pem --responses - --profile br --profile moz
  lancre build --out store --issuer ca.pem --responses old/ --at 2026-03-01T12:00:00Z
  lancre build --out store --issuer ca.pem --responses responses.der --inventory all.csv --force ocsp.previous-revoked
  lancre build --out store --issuer ca.pem --responses sqlite:certs.db
  lancre build --out store --issuer ca.pem --responses postgres://ocsp@db/certs?sslmode=verify-full`,
		DisableFlagsInUseLine: true,
		Args:                  takes(),
		PreRunE: func(cmd *cobra.Command, _ []string) (err error) {
			c.Stdin = cmd.InOrStdin()
			if c.Profiles, err = parseAll(profiles, rule.ParseProfile); err != nil {
				return err
			}
			return c.Check()
		},
		RunE: work(func(cmd *cobra.Command, _ []string) (err error) {
			if c.Signing, err = signing.read(); err != nil {
				return err
			}
			return runBuild(cmd, c, reportFile)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&c.Out, "out", "", "publish to `STORE`, which is made if absent")
	inputFlags(cmd, &c, &profiles, &reportFile)
	signing.register(cmd)
	f.IntVar(&c.Shards, "shards", 0, "cut the base into `N` shards, a power of two (default as many as the store has)")
	f.TimeVar(&c.AsOf, "as-of", time.Time{}, timeLayouts, "the `TIME` (RFC 3339) at which the input was taken: what the store was given later stays (default --at)")
	announceFlag(cmd, &c)
	f.BoolVar(&c.ReplaceAll, "replace-all", false, "replace everything, also what the store was given since the input was taken")
	f.BoolVar(&c.Forget, "forget", false, "leave no tombstone of revoked certificates that the input does not have")
	must(cmd.MarkFlagRequired("out"))
	must(cmd.MarkFlagDirname("out"))
	cmd.MarkFlagsOneRequired("responses", "static")
	cmd.MarkFlagsMutuallyExclusive("as-of", "replace-all")
	cmd.MarkFlagsMutuallyExclusive("announce", "replace-all")
	return cmd
}

func announceFlag(cmd *cobra.Command, c *build.Config) {
	cmd.Flags().DurationVar(&c.Announce, "announce", 0, "announce the new bases for this `DURATION` before they answer, so that edges have fetched them by then")
}

// inputFlags adds the flags that say what is read and how it is judged.
func inputFlags(cmd *cobra.Command, c *build.Config, profiles *[]string, reportFile *string) {
	f := cmd.Flags()
	f.StringVar(&c.Origin, "origin", "", "`NAME` of the publisher in the manifest (default the one before, or the first host of --static)")
	f.StringArrayVar(&c.Issuers, "issuer", nil, "`FILE` of CA certificates, PEM or DER (repeatable)")
	f.StringArrayVar(&c.IssuerNames, "issuer-name", nil, "`FILE` of a certificate that spells the name of its --issuer otherwise than that does (repeatable)")
	f.StringArrayVar(&c.Responses, "responses", nil, "`SRC` of OCSP responses (repeatable)")
	f.StringVar(&c.Query, "query", c.Query, "`SQL` that selects the responses of a database (default those of cfssl's table that hold)")
	f.Lookup("query").DefValue = "" // for the help, which says it in words
	f.StringArrayVar(&c.Static, "static", nil, "`DIR` of CRLs, certificates and pages (repeatable)")
	profileFlag(cmd, profiles)
	f.StringSliceVar(&c.Warn, "warn", nil, "have `CHECK` only warn (repeatable)")
	f.StringSliceVar(&c.Error, "error", nil, "have `CHECK` reject (repeatable)")
	f.StringSliceVar(&c.Force, "force", nil, "have `CHECK`, against the previous generation, only warn (repeatable)")
	f.StringSliceVar(&c.Hold, "hold", nil, "put aside each response that breaks `CHECK`, for lancre held, and publish the others (repeatable)")
	f.StringVar(&c.Inventory, "inventory", "", "CSV `FILE` of all certificates: serial,notAfter,issuer (hex, RFC 3339, key_id or subject), caIssuers and cRLDistributionPoints (URLs)")
	f.IntVar(&c.MaxRejects, "max-rejects", 0, "publish although up to `N` responses were rejected")
	f.IntVar(&c.MaxMissing, "max-missing", 0, "publish although up to `N` unexpired certificates of --inventory have no response")
	f.Int64Var(&c.MaxUnpacked, "max-unpacked", c.MaxUnpacked, "unpack at most `OCTETS` of one source of responses")
	f.Int64Var(&c.MaxCRLSize, "max-crl-size", c.MaxCRLSize, "refuse a CRL of more than `OCTETS`")
	f.Float64Var(&c.MaxShrink, "max-shrink", c.MaxShrink, "refuse a generation with more than `PERCENT` fewer records than the previous one")
	f.StringVar(reportFile, "report", "", "write all that was found to `FILE`, as JSON, also if the build fails")
	atFlag(cmd, &c.At)
	must(cmd.MarkFlagDirname("static"))
	must(cmd.MarkFlagFilename("issuer"))
	must(cmd.MarkFlagFilename("issuer-name"))
	must(cmd.MarkFlagFilename("inventory", "csv"))
	completeFlag(cmd, "warn", checkIDs("warn")...)
	completeFlag(cmd, "error", checkIDs("")...)
	completeFlag(cmd, "force", checkIDs("force")...)
	completeFlag(cmd, "hold", rule.Holdable()...)
}

func runBuild(cmd *cobra.Command, c build.Config, reportFile string) error {
	report, err := buildStore(cmd, c)
	return writeReport(cmd, report, err, reportFile)
}

// writeReport shows what a run did, also one that ended with err, and writes it to the
// file, if one is named.
func writeReport(cmd *cobra.Command, report *build.Report, err error, reportFile string) error {
	if report == nil {
		return err
	}
	errs := []error{err, report.WriteSummary(cmd.OutOrStdout())}
	if reportFile != "" {
		errs = append(errs, durable.WriteFile(reportFile, func(w io.Writer) error { return writeJSON(w, report) }))
	}
	return errors.Join(errs...)
}

// buildStore runs a build that shows its progress on standard error.
func buildStore(cmd *cobra.Command, c build.Config) (*build.Report, error) {
	defer showProgress(cmd, &c)()
	return build.Run(cmd.Context(), c)
}

// showProgress has a run of c show its progress on standard error. The function that
// it returns clears that.
func showProgress(cmd *cobra.Command, c *build.Config) (clear func()) {
	m := newMeter(cmd.ErrOrStderr(), "checked", "responses")
	c.Progress = func(p build.Progress) { m.show(p.Bytes, p.TotalBytes, p.Responses) }
	return m.clear
}

// parseAll parses each of the values of a flag that can be repeated.
func parseAll[T any](values []string, parse func(string) (T, error)) ([]T, error) {
	var parsed []T
	for _, v := range values {
		p, err := parse(v)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, p)
	}
	return parsed, nil
}
