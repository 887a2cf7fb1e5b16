package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"lancre/build"
	"lancre/build/rule"
	"lancre/index"
)

func newAdd() *cobra.Command {
	a := build.Addition{Config: build.DefaultConfig()}
	var profiles []string
	var shards, reportFile string
	var signing signingFlags
	cmd := &cobra.Command{
		Use:   "add STORE [--issuer FILE]... [--responses SRC]... [--static DIR]... [--withdraw FILE] [--unpublish HOST/PATH]...",
		Short: "Add responses, files and withdrawals to what a store has",
		Long: `Add checks its input as build does and publishes what is new as one more layer of the
store, a new generation that shares everything else with the one before: it takes as
long as the input is large, however large the store is.

Each response is compared with what is answered for its certificates. One that is not
newer is rejected; one that says the same is counted and left out. Where nothing is
new, nothing is published. A file below DIR takes the place of the one at its host and
path; --unpublish removes one; all other files stay.

--withdraw names a CSV file with the column serial, in hexadecimal digits, and issuer
where there are several: these certificates are answered tryLater from then on, and
what was said of them is remembered.

--shards I,J,.../N replaces the whole base of these shards of N by what the responses
have of them, as a build does for all: with the checks of a build against what is gone.
Responses for other shards are counted and left out.

See lancre build for SRC, DIR and the checks, and lancre merge for what keeps the
number of layers small.`,
		Example: `  lancre add store --issuer ca.pem --responses new.der
  lancre add store --static www
  lancre add store --issuer ca.pem --withdraw mistaken.csv
  lancre add store --issuer ca.pem --responses all.der --shards 3,7/16
  lancre add store --issuer ca.pem --responses new.der --hold ocsp.previous-conflict --hold ocsp.previous-revoked`,
		DisableFlagsInUseLine: true,
		Args:                  takes("STORE"),
		ValidArgsFunction:     completeStore,
		PreRunE: func(cmd *cobra.Command, args []string) (err error) {
			a.Out, a.Stdin = args[0], cmd.InOrStdin()
			if a.Profiles, err = parseAll(profiles, rule.ParseProfile); err != nil {
				return err
			}
			if a.Replace, err = parseShards(shards); err != nil {
				return err
			}
			return a.Check()
		},
		RunE: work(func(cmd *cobra.Command, _ []string) (err error) {
			if a.Signing, err = signing.read(); err != nil {
				return err
			}
			clear := showProgress(cmd, &a.Config)
			report, err := build.Add(cmd.Context(), a)
			clear()
			return writeReport(cmd, report, err, reportFile)
		}),
	}
	inputFlags(cmd, &a.Config, &profiles, &reportFile)
	signing.register(cmd)
	f := cmd.Flags()
	f.StringVar(&a.Withdraw, "withdraw", "", "take back the responses of the certificates in CSV `FILE`: serial and, where there are several issuers, issuer")
	f.StringArrayVar(&a.Unpublish, "unpublish", nil, "remove the file at `HOST/PATH` (repeatable)")
	f.StringVar(&shards, "shards", "", "replace the base of these shards, as `I,J/N`, by what the responses have of them")
	f.TimeVar(&a.AsOf, "as-of", a.AsOf, timeLayouts, "with --shards, the `TIME` (RFC 3339) at which the input was taken: what the store was given later stays (default --at)")
	announceFlag(cmd, &a.Config)
	f.BoolVar(&a.Forget, "forget", false, "with --shards, leave no tombstone of revoked certificates that the input does not have")
	must(cmd.MarkFlagFilename("withdraw", "csv"))
	cmd.MarkFlagsOneRequired("responses", "static", "withdraw", "unpublish")
	return cmd
}

// parseShards reads a list of shards of one number, as 3,7/16; none is none.
func parseShards(text string) (list []index.Shard, err error) {
	if text == "" {
		return nil, nil
	}
	numbers, of, ok := strings.Cut(text, "/")
	n, err := strconv.ParseUint(of, 10, 32)
	if !ok || err != nil {
		return nil, fmt.Errorf("--shards %s: want I,J/N, as 3,7/16", text)
	}
	for number := range strings.SplitSeq(numbers, ",") {
		i, err := strconv.ParseUint(number, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("--shards %s: %q is no number", text, number)
		}
		s := index.Shard{Index: uint32(i), Of: uint32(n)}
		switch {
		case n > index.MaxShards || !(index.Shard{Of: uint32(n)}).Valid():
			return nil, fmt.Errorf("--shards %s: of %d shards; want a power of two up to %d", text, n, index.MaxShards)
		case !s.Valid():
			return nil, fmt.Errorf("--shards %s: there is no shard %d of %d: they are 0 to %d", text, i, n, n-1)
		}
		for _, other := range list {
			if other == s {
				return nil, errors.New("--shards " + text + ": names shard " + number + " twice")
			}
		}
		list = append(list, s)
	}
	return list, nil
}
