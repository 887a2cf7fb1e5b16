package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"lancre/index"
	"lancre/index/store"
)

func newInspect() *cobra.Command {
	var q question
	var hash string
	cmd := &cobra.Command{
		Use:   "inspect STORE [--issuer FILE {--serial HEX | --cert FILE}]",
		Short: "Say what a store holds, or what it answers for one certificate",
		Long: `Inspect says what a store holds: its generation, segments and files, how many
responses there are by issuer and status, and until when they hold.

With --issuer and --serial or --cert it says what an edge answers for that one
certificate, or writes the response to a file. Without --hash, it takes the first
that the store has of sha1, sha256, sha384 and sha512.`,
		Example: `  lancre inspect store
  lancre inspect store --issuer ca.pem --serial 03f1c2a90be1
  lancre inspect store --issuer ca.pem --cert www.pem --hash sha256 --out www.der`,
		DisableFlagsInUseLine: true,
		Args:                  takes("STORE"),
		ValidArgsFunction:     completeStore,
		PreRunE:               func(*cobra.Command, []string) error { return q.complete(hash) },
		RunE: work(func(cmd *cobra.Command, args []string) error {
			g, err := store.Open(args[0])
			if err != nil {
				return err
			}
			defer g.Close()
			if q.issuerFile != "" {
				return q.answer(g, args[0], cmd.OutOrStdout())
			}
			return writeOverview(cmd.OutOrStdout(), g, args[0], q.at)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&q.issuerFile, "issuer", "", "`FILE` with the certificate of the issuer, PEM or DER")
	f.StringVar(&q.serialHex, "serial", "", "serial number in `HEX`, as openssl x509 -serial prints it")
	f.StringVar(&q.certFile, "cert", "", "`FILE` with the certificate to ask about, PEM or DER")
	f.StringVar(&hash, "hash", "", "hash `ALGORITHM` of the CertID: sha1, sha256, sha384 or sha512 (default any)")
	f.StringVar(&q.out, "out", "", "write the response to `FILE` in DER; - is standard output")
	atFlag(cmd, &q.at)
	must(cmd.MarkFlagFilename("issuer"))
	must(cmd.MarkFlagFilename("cert"))
	cmd.MarkFlagsMutuallyExclusive("serial", "cert")
	completeFlag(cmd, "hash", "sha1", "sha256", "sha384", "sha512")
	return cmd
}

// writeOverview says what g, opened from dir, holds and how fresh it is at the
// time at.
func writeOverview(out io.Writer, g *store.Generation, dir string, at time.Time) error {
	m := g.Manifest()
	w := newTable(out)
	w.row("store", "%s", dir)
	w.row("origin", "%s", m.Origin)
	w.row("generation", "%d", m.Generation)
	w.row("created", "%s", m.Created.Format(time.RFC3339))
	for i, s := range g.Segments() {
		line, info := &m.Segments[i], s.Info()
		w.row("segment", "%s %d/%d sha256 %s", line.Role, line.Shard.Index, line.Shard.Of, line.SHA256)
		w.row("  records", "%d, of them tombstones: %d; CertIDs: %d", info.Records, info.Tombstones, info.Keys)
		w.row("  octets", "%d, %.1f a record", info.Size, float64(info.Size)/float64(max(info.Records, 1)))
		w.row("  thisUpdate", "latest %s", when(info.MaxThisUpdate, at))
		w.row("  nextUpdate", "earliest %s", when(info.MinNextUpdate, at))
	}
	counts, err := count(g)
	if err != nil {
		return err
	}
	for i, c := range counts {
		if i == 0 || c.name != counts[i-1].name {
			w.row("issuer", "%s", c.name)
		}
		w.row("  "+c.alg.String(), "good: %d, revoked: %d, unknown: %d, tombstones: %d",
			c.status[index.Good], c.status[index.Revoked], c.status[index.Unknown], c.tombstones)
	}
	for _, f := range g.Files() {
		w.row("file", "%s%s", f.Host, f.Path)
		w.row("  content", "%s, %d octets, sha256 %s", f.ContentType, f.Size, f.SHA256)
		if !f.Expires.IsZero() {
			w.row("  nextUpdate", "%s", when(f.Expires.Unix(), at))
		}
	}
	return w.Flush()
}

// when is a time in Unix seconds, and how far it is from the time at.
func when(unix int64, at time.Time) string {
	if unix == 0 {
		return "-"
	}
	t := time.Unix(unix, 0).UTC()
	distance := t.Sub(at).Round(time.Second)
	if distance <= 0 {
		return fmt.Sprintf("%s (%s ago)", t.Format(time.RFC3339), -distance)
	}
	return fmt.Sprintf("%s (in %s)", t.Format(time.RFC3339), distance)
}
