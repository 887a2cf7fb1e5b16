package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"lancre/index/store"
)

func newKeygen() *cobra.Command {
	var name, out string
	cmd := &cobra.Command{
		Use:   "keygen --name NAME --out DIR",
		Short: "Make a key that signs the manifests of an origin",
		Long: `Keygen makes an Ed25519 key that signs manifests of the origin NAME. It writes the
private key to DIR/NAME+HASH.key, readable by its owner only, and the public one to
DIR/NAME+HASH.pub, and prints that. HASH is a part of the key's, so that the next key of
the origin lies beside it.

The private key is for --manifest-key of what publishes, and stays at the origin. The
public one is for --trust, on every edge: what is not signed by it is not served there.`,
		Example: `  lancre keygen --name origin.example.org --out /etc/lancre
  lancre build --out store --static www --manifest-key /etc/lancre/origin.example.org+0a1b2c3d.key
  lancre verify store --trust /etc/lancre/origin.example.org+0a1b2c3d.pub`,
		DisableFlagsInUseLine: true,
		Args:                  takes(),
		RunE: work(func(cmd *cobra.Command, _ []string) error {
			pair, err := store.GenerateKey(name, out)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "private key: %s\npublic key: %s\n%s\n", pair.Private, pair.Public, pair.Key)
			return err
		}),
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "`NAME` of the origin, as in its manifests: origin.example.org")
	f.StringVar(&out, "out", "", "write the two files to `DIR`")
	must(cmd.MarkFlagRequired("name"))
	must(cmd.MarkFlagRequired("out"))
	must(cmd.MarkFlagDirname("out"))
	return cmd
}

// signingFlags are those of commands that publish.
type signingFlags struct {
	keys    []string
	expires time.Duration
}

func (s *signingFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&s.keys, "manifest-key", nil, "sign the manifest with the private key in `FILE` (repeatable, while one key takes the place of another)")
	f.DurationVar(&s.expires, "expires", 0, "have edges call the generation stale this `DURATION` after it was made, and go on serving it (default never)")
	must(cmd.MarkFlagFilename("manifest-key", "key"))
}

// read returns what the flags say.
func (s *signingFlags) read() (signing store.Signing, err error) {
	signing.Expires = s.expires
	if len(s.keys) > 0 {
		signing.Keys, err = store.ReadKeys(s.keys...)
	}
	return signing, err
}

func trustFlag(cmd *cobra.Command, files *[]string) {
	cmd.Flags().StringArrayVar(files, "trust", nil, "want the manifest to be signed by a public key in `FILE` (repeatable)")
	must(cmd.MarkFlagFilename("trust", "pub"))
}

// readTrust reads the public keys that --trust names; nil if there are none.
func readTrust(files []string) (*store.Trust, error) {
	if len(files) == 0 {
		return nil, nil
	}
	return store.ReadTrust(files...)
}
