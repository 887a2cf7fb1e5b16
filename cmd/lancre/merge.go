package main

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"lancre/index/store"
)

func newMerge() *cobra.Command {
	policy := store.DefaultMergePolicy
	size, after := humanize.IBytes(uint64(policy.MaxWrite)), time.Duration(policy.ExpiredAfter)*time.Second
	var at time.Time
	var asJSON bool
	var signing signingFlags
	cmd := &cobra.Command{
		Use:   "merge STORE",
		Short: "Make fewer layers of what was added, every answer as it was",
		Long: `Merge keeps the number of layers small that a look-up passes: eight neighbours of a
size become one of the next, and when the layers have a quarter of the octets of the
bases, the bases absorb them, the oldest first. Clients are answered octet for octet
what they were before; nothing is checked against the CA again, for it was when it
came. Additions go on meanwhile.

In bases, responses that have expired become tombstones, which clients are answered
the same (tryLater). These go after --expired-after; not those of certificates that
were revoked, unless --forget says so.

Run it after each add, or as often as you like: where nothing is to be done it does
nothing.`,
		Example: `  lancre merge store
  lancre merge store --max-write 64MiB
  lancre merge store --into-base`,
		DisableFlagsInUseLine: true,
		Args:                  takes("STORE"),
		ValidArgsFunction:     completeStore,
		PreRunE: func(*cobra.Command, []string) error {
			octets, err := humanize.ParseBytes(size)
			if err != nil || octets == 0 || octets > 1<<62 {
				return fmt.Errorf("--max-write %s: want a size, as 512MiB", size)
			}
			if after < 0 {
				return fmt.Errorf("--expired-after %s: it cannot be negative", after)
			}
			policy.MaxWrite, policy.ExpiredAfter = int64(octets), int64(after/time.Second)
			if policy.IntoBase {
				policy.MaxWrite = 0
			}
			if at.IsZero() {
				at = time.Now()
			}
			return nil
		},
		RunE: work(func(cmd *cobra.Command, args []string) (err error) {
			if policy.Signing, err = signing.read(); err != nil {
				return err
			}
			r, err := store.Merge(args[0], policy, at)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), r)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "generation %d: deltas joined: %d into %d, bases that absorbed: %d, octets written: %d, expired: %d, dropped: %d, lines: %d\n",
				r.Generation, r.Joined, r.Into, r.Absorbed, r.Written, r.Expired, r.Dropped, r.Lines)
			return err
		}),
	}
	f := cmd.Flags()
	f.StringVar(&size, "max-write", size, "begin no step when `SIZE` was written")
	f.BoolVar(&policy.IntoBase, "into-base", false, "have the bases absorb everything, however much that is")
	f.DurationVar(&after, "expired-after", after, "drop the tombstone of a response that was produced `DURATION` ago")
	f.BoolVar(&policy.Forget, "forget", false, "drop those of revoked certificates, too")
	signing.register(cmd)
	jsonFlag(cmd, &asJSON)
	atFlag(cmd, &at)
	return cmd
}
