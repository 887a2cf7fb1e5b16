package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"lancre/fleet/publish"
	"lancre/index/store"
)

func newPublish() *cobra.Command {
	c := publish.DefaultConfig()
	var to string
	var trusted []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "publish STORE --to {s3://BUCKET/PREFIX | DIR}",
		Short: "Copy a store to where edges fetch it: a bucket or a directory",
		Long: `Publish copies the current generation of a store to a bucket of S3-compatible storage,
or to a directory: first the objects that are not there, then, in one step, the
manifest. Edges see the generation before or this one, whole. What a crash left half
done is made good by publishing again, and so is what the bucket has lost: that is seen
when there is nothing new to publish, and once an hour.

It replaces only what this store has published: another origin that publishes to the
same place is found out, and neither loses anything. Storage that does not heed
If-Match cannot tell: that takes --single-writer, and somebody who sees to it.

Endpoint and credentials of a bucket are those of the tools of AWS, from the
environment (AWS_ENDPOINT_URL_S3, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
AWS_SESSION_TOKEN, AWS_PROFILE), their files or the metadata of the machine.

Replaced manifests, and what they name, stay for --retain: all of an hour, then one an
hour. Objects that nothing names are removed when they were there for as long.

--canary asks a lancred beside the origin, which serves STORE, to load the generation;
what it refuses is not published. --on-publish runs a shell command after a publication
that changed something, with lines "serial ALG NAMEHASH KEYHASH SERIAL" and
"url HOST/PATH" of what is answered otherwise now, or "everything", to purge a CDN by.`,
		Example: `  lancre publish store --to s3://status/lancre
  lancre publish store --to s3://status --trust origin.pub --canary http://127.0.0.1:9090
  lancre publish store --to /srv/www/lancre --retain 48h`,
		DisableFlagsInUseLine: true,
		Args:                  takes("STORE"),
		ValidArgsFunction:     completeStore,
		PreRunE: func(_ *cobra.Command, args []string) error {
			c.Store = args[0]
			return c.Check()
		},
		RunE: work(func(cmd *cobra.Command, _ []string) (err error) {
			if c.Trust, err = readTrust(trusted); err != nil {
				return err
			}
			return runPublish(cmd, c, to, asJSON)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&to, "to", "", "publish to `PLACE`: s3://BUCKET/PREFIX, or a directory, which is made if absent")
	trustFlag(cmd, &trusted)
	f.DurationVar(&c.Retain, "retain", c.Retain, "keep what was replaced this `DURATION`; 0s for ever")
	f.StringVar(&c.Canary, "canary", "", "publish only what the lancred with the admin `URL` serves from the store, such as http://127.0.0.1:9090")
	f.StringVar(&c.OnPublish, "on-publish", "", "run the shell `COMMAND` when something was published, with what changed on its standard input")
	f.BoolVar(&c.SingleWriter, "single-writer", false, "publish to storage that does not heed If-Match: no other origin publishes there")
	f.BoolVar(&c.Force, "force", false, "replace what is there, although this store has not published it")
	f.IntVar(&c.Parallel, "parallel", c.Parallel, "put `N` objects at a time")
	f.DurationVar(&c.Timeout, "timeout", c.Timeout, "give up a request after this `DURATION`, and a second more for each 256 KiB")
	jsonFlag(cmd, &asJSON)
	must(cmd.MarkFlagRequired("to"))
	must(cmd.MarkFlagDirname("to"))
	return cmd
}

func runPublish(cmd *cobra.Command, c publish.Config, to string, asJSON bool) error {
	bucket, err := publish.OpenBucket(to)
	if err != nil {
		return err
	}
	m := newMeter(cmd.ErrOrStderr(), "put", "objects")
	c.Progress = m.show
	p, err := publish.New(c, bucket)
	if err != nil {
		return err
	}
	r, err := p.Publish(cmd.Context())
	m.clear()
	if asJSON {
		return errors.Join(writeJSON(cmd.OutOrStdout(), r), err)
	}
	if err != nil && !r.Published {
		return err
	}
	what := "is there already"
	if r.Published {
		what = "published"
	}
	_, printErr := fmt.Fprintf(cmd.OutOrStdout(), "generation %d %s: objects put: %d, %s; removed: %d\n",
		r.Generation, what, r.Objects, humanize.IBytes(uint64(r.Octets)), r.Removed)
	return errors.Join(printErr, err)
}

func newRestore() *cobra.Command {
	r := publish.Restoration{Timeout: publish.DefaultConfig().Timeout}
	var from string
	var trusted []string
	cmd := &cobra.Command{
		Use:   "restore --from URL --trust FILE --out STORE",
		Short: "Make a store of what is published, for an origin that lost its own",
		Long: `Restore makes a store of the generation that is published at URL: s3://BUCKET/PREFIX, as
lancre publish takes it, http://HOST/PREFIX or https, as edges do, or a directory. What
is published from it next follows what is published now.

What was never published is not restored: responses that were held, and generations to
go back to. If the bucket is lost, too, copy the store of an edge, and publish that.`,
		Example: `  lancre restore --from s3://status/lancre --trust origin.pub --out store
  lancre restore --from https://status.example.org/lancre --trust origin.pub --out store`,
		DisableFlagsInUseLine: true,
		Args:                  takes(),
		RunE: work(func(cmd *cobra.Command, _ []string) (err error) {
			if r.Trust, err = readTrust(trusted); err != nil {
				return err
			}
			if r.From, err = publish.OpenSource(from); err != nil {
				return err
			}
			return runRestore(cmd, r)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&from, "from", "", "restore from `URL`: s3://BUCKET/PREFIX, http://HOST/PREFIX, https or a directory")
	trustFlag(cmd, &trusted)
	f.StringVar(&r.Store, "out", "", "make `STORE`, which must not have a generation yet")
	must(cmd.MarkFlagRequired("from"))
	must(cmd.MarkFlagRequired("out"))
	must(cmd.MarkFlagDirname("out"))
	return cmd
}

func runRestore(cmd *cobra.Command, r publish.Restoration) error {
	meter := newMeter(cmd.ErrOrStderr(), "fetched", "objects")
	r.Progress = meter.show
	m, err := publish.Restore(cmd.Context(), r)
	meter.clear()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "restored generation %d of %s, created %s%s\n",
		m.Generation, m.Origin, formatTime(m.Created), agedNote(m, time.Now()))
	return err
}

// agedNote warns of a manifest that is stale: somebody may have put back an old one.
func agedNote(m *store.Manifest, now time.Time) string {
	if m.Expires.IsZero() || now.Before(m.Expires) {
		return ""
	}
	return fmt.Sprintf(": it expired %s, see that nothing newer was published", formatTime(m.Expires))
}
