package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/spf13/cobra"

	"lancre/fleet/publish"
	"lancre/internal/admin"
	"lancre/probe"
)

// probeFlags are what the command line of probe says beside the Config.
type probeFlags struct {
	from    string
	trusted []string
	serials []string
	json    bool
	every   time.Duration
	admin   string
}

func newProbe() *cobra.Command {
	c := probe.DefaultConfig()
	var f probeFlags
	cmd := &cobra.Command{
		Use:   "probe --at URL... {--store STORE | --from URL}",
		Short: "Ask edges, caches and CDNs whether the world sees what was published",
		Long: `Probe asks every --at for all files of a store, and for the status of certificates: a
sample of one shard, those that deltas revoked in the last hour, and each --serial. It
asks by GET, escaped and not, and by POST, as clients do, and says what differs from the
store in octets, how far behind it is, and what is wrong with signatures, times and
headers. Files are asked for at --at by their own host names.

--from reads what is published as an edge does: the manifest, and of the objects what is
needed, into a temporary directory. Signatures are verified by the CA certificates that
the store publishes, or by those of --issuer.

It ends with status 1 if anything is wrong. With --every it asks again and again, logs
JSON on standard error, and has /metrics at --admin, until SIGTERM or SIGINT.
docs/PROBE.md has what each fault means.`,
		Example: `  lancre probe --store store --at http://127.0.0.1
  lancre probe --from https://status.example.org/lancre --trust origin.pub --at http://o.example.org --allow 12h
  lancre probe --from s3://status/lancre --trust origin.pub --at http://192.0.2.1 --at http://192.0.2.2 --every 1m --admin 127.0.0.1:9093`,
		DisableFlagsInUseLine: true,
		Args:                  takes(),
		PreRunE:               func(*cobra.Command, []string) error { return f.complete(&c) },
		RunE: work(func(cmd *cobra.Command, _ []string) (err error) {
			if c.Trust, err = readTrust(f.trusted); err != nil {
				return err
			}
			p, err := probe.New(c)
			if err != nil {
				return err
			}
			defer p.Close()
			if f.every > 0 {
				return f.monitor(cmd, p)
			}
			return f.once(cmd, p)
		}),
	}
	f.register(cmd, &c)
	return cmd
}

func (f *probeFlags) register(cmd *cobra.Command, c *probe.Config) {
	flags := cmd.Flags()
	flags.StringArrayVar(&c.At, "at", nil, "ask at `URL`, such as http://o.example.org (repeatable)")
	flags.StringVar(&c.Store, "store", "", "compare with the current generation of `STORE`, and with those before")
	flags.StringVar(&f.from, "from", "", "compare with what is published at `URL`: s3://BUCKET/PREFIX, http://HOST/PREFIX, https or a directory")
	trustFlag(cmd, &f.trusted)
	flags.IntVar(&c.Sample, "sample", c.Sample, "ask about `N` certificates at random")
	flags.StringArrayVar(&f.serials, "serial", nil, "ask about the certificate with the serial number `HEX`, too (repeatable)")
	flags.StringArrayVar(&c.Issuers, "issuer", nil, "verify signatures by the CA certificates in `FILE`, not those that are published (repeatable)")
	flags.DurationVar(&c.Allow, "allow", c.Allow, "call a place behind only after this `DURATION`: caches hold responses for up to 12h unless they are purged")
	flags.DurationVar(&c.Timeout, "timeout", c.Timeout, "give up a question after this `DURATION`")
	jsonFlag(cmd, &f.json)
	flags.DurationVar(&f.every, "every", 0, "ask each time that this `DURATION` has passed (default once)")
	flags.StringVar(&f.admin, "admin", "", "with --every, serve /metrics on `ADDR`, which must not be public")
	must(cmd.MarkFlagDirname("store"))
	must(cmd.MarkFlagFilename("issuer", "pem", "der", "crt"))
}

// complete adds to c what the flags say, and reports what they lack.
func (f *probeFlags) complete(c *probe.Config) (err error) {
	if f.from != "" {
		if c.From, err = publish.OpenSource(f.from); err != nil {
			return err
		}
	}
	for _, text := range f.serials {
		serial, err := parseSerial(text)
		if err != nil {
			return err
		}
		c.Serials = append(c.Serials, serial)
	}
	switch {
	case f.every < 0:
		return fmt.Errorf("--every %v: want more than none", f.every)
	case f.every > 0 && f.json:
		return errors.New("--json is for one round: with --every, logs and /metrics say what was found")
	case f.every == 0 && f.admin != "":
		return errors.New("--admin is for --every: a single round has no metrics")
	}
	return c.Check()
}

// once asks one round, and prints what was found.
func (f *probeFlags) once(cmd *cobra.Command, p *probe.Prober) error {
	r, err := p.Round(cmd.Context())
	if err != nil {
		return err
	}
	if f.json {
		err = writeJSON(cmd.OutOrStdout(), r)
	} else {
		err = printProbe(cmd.OutOrStdout(), r)
	}
	if err == nil && !r.Sound() {
		err = errors.New("not everything is answered as it was published")
	}
	return err
}

// monitor asks until it is interrupted.
func (f *probeFlags) monitor(cmd *cobra.Command, p *probe.Prober) error {
	log := slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), nil))
	m := probe.NewMonitor(p)
	if f.admin != "" {
		ln, err := net.Listen("tcp", f.admin)
		if err != nil {
			return fmt.Errorf("admin: %w", err)
		}
		log.Info("admin listening", "addr", ln.Addr().String())
		s := admin.NewServer(m.Admin(), log)
		go s.Serve(ln)
		defer s.Close()
	}
	m.Run(cmd.Context(), f.every, log)
	if err := cmd.Context().Err(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// printProbe says r in words: a line for each place, then one for each kind of fault.
func printProbe(out io.Writer, r *probe.Report) error {
	t := newTable(out)
	t.columns("place", "answers", "current", "behind", "faults")
	for _, p := range r.Places {
		faults := 0
		for _, f := range p.Faults {
			faults += f.Count
		}
		t.columns(p.URL, p.Answers, p.Current, lateWords(&p), faults)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, p := range r.Places {
		for _, f := range p.Faults {
			t.columns(p.URL, fmt.Sprintf("%s ×%d", f.Kind, f.Count), f.Example)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return printAsked(out, r)
}

// printAsked says what was asked, and what could not be told.
func printAsked(out io.Writer, r *probe.Report) error {
	unverified, ahead := 0, 0
	for _, p := range r.Places {
		unverified += p.Unverified
		ahead += p.Ahead
	}
	t := newTable(out)
	t.row("compared with", "generation %d, published %s", r.Generation, formatTime(r.Created))
	t.row("asked for", "files: %d, CertIDs at random: %d, revoked in the last hour: %d", r.Files, r.Sample, r.Revoked)
	if ahead > 0 {
		t.row("ahead", "%d answers, of their CA and newer than the store: what was read of it is behind", ahead)
	}
	if unverified > 0 {
		t.row("not verified", "%d signatures of issuers that are not known: name them with --issuer FILE", unverified)
	}
	return t.Flush()
}

// lateWords says how many answers of p were right once, and for how long they have not
// been.
func lateWords(p *probe.Place) string {
	if p.Late == 0 {
		return "0"
	}
	lag := time.Duration(p.Lag * float64(time.Second)).Round(time.Second)
	if p.Generation == 0 {
		return fmt.Sprintf("%d, for more than %v", p.Late, lag)
	}
	return fmt.Sprintf("%d, for %v: generation %d", p.Late, lag, p.Generation)
}
