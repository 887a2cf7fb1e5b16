package main

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"lancre/build"
	"lancre/build/rule"
	"lancre/internal/durable"
)

const buildHelp = `Build checks every input and publishes what passes as a new generation of the
store. It replaces everything the store held before, in one step. An input that is
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

DIR/<host>/<path> is published at exactly that host and path, DIR/_/<path> at that
path of any host. Files named index.der, index.p7c or index.html are published at
the "/" of their folder as well. DIR/urls.csv, with the header url,file, names further
URLs of these files, with a port or https, say, as certificates spell them.`

func newBuild() *cobra.Command {
	c := build.DefaultConfig()
	var profiles []string
	var reportFile string
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
		RunE: work(func(cmd *cobra.Command, _ []string) error { return runBuild(cmd, c, reportFile) }),
	}
	f := cmd.Flags()
	f.StringVar(&c.Out, "out", "", "publish to `STORE`, which is made if absent")
	f.StringVar(&c.Origin, "origin", "", "`NAME` of the publisher in the manifest (default the first host of --static)")
	f.StringArrayVar(&c.Issuers, "issuer", nil, "`FILE` of CA certificates, PEM or DER (repeatable)")
	f.StringArrayVar(&c.IssuerNames, "issuer-name", nil, "`FILE` of a certificate that spells the name of its --issuer otherwise than that does (repeatable)")
	f.StringArrayVar(&c.Responses, "responses", nil, "`SRC` of OCSP responses (repeatable)")
	f.StringVar(&c.Query, "query", c.Query, "`SQL` that selects the responses of a database (default those of cfssl's table that hold)")
	f.Lookup("query").DefValue = "" // for the help, which says it in words
	f.StringArrayVar(&c.Static, "static", nil, "`DIR` of CRLs, certificates and pages (repeatable)")
	profileFlag(cmd, &profiles)
	f.StringSliceVar(&c.Warn, "warn", nil, "have `CHECK` only warn (repeatable)")
	f.StringSliceVar(&c.Error, "error", nil, "have `CHECK` reject (repeatable)")
	f.StringSliceVar(&c.Force, "force", nil, "have `CHECK`, against the previous generation, only warn (repeatable)")
	f.StringVar(&c.Inventory, "inventory", "", "CSV `FILE` of all certificates: serial,notAfter,issuer (hex, RFC 3339, key_id or subject), caIssuers and cRLDistributionPoints (URLs)")
	f.IntVar(&c.MaxRejects, "max-rejects", 0, "publish although up to `N` responses were rejected")
	f.IntVar(&c.MaxMissing, "max-missing", 0, "publish although up to `N` unexpired certificates of --inventory have no response")
	f.Int64Var(&c.MaxCRLSize, "max-crl-size", c.MaxCRLSize, "refuse a CRL of more than `OCTETS`")
	f.Float64Var(&c.MaxShrink, "max-shrink", c.MaxShrink, "refuse a generation with more than `PERCENT` fewer records than the previous one")
	f.StringVar(&reportFile, "report", "", "write all that was found to `FILE`, as JSON, also if the build fails")
	atFlag(cmd, &c.At)
	must(cmd.MarkFlagRequired("out"))
	must(cmd.MarkFlagDirname("out"))
	must(cmd.MarkFlagDirname("static"))
	must(cmd.MarkFlagFilename("issuer"))
	must(cmd.MarkFlagFilename("issuer-name"))
	must(cmd.MarkFlagFilename("inventory", "csv"))
	cmd.MarkFlagsOneRequired("responses", "static")
	completeFlag(cmd, "warn", checkIDs("warn")...)
	completeFlag(cmd, "error", checkIDs("")...)
	completeFlag(cmd, "force", checkIDs("force")...)
	return cmd
}

func runBuild(cmd *cobra.Command, c build.Config, reportFile string) error {
	report, err := buildStore(cmd, c)
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
	m := newMeter(cmd.ErrOrStderr(), "checked")
	defer m.clear()
	c.Progress = func(p build.Progress) { m.show(p.Bytes, p.TotalBytes, p.Responses) }
	return build.Run(cmd.Context(), c)
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
