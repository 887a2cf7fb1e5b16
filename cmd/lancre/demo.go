package main

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"lancre/build"
	"lancre/build/demo"
	"lancre/index"
	"lancre/internal/durable"
	"lancre/pages"
	"lancre/sign/key"
)

// A demoJob is what lancre demo is told to make.
type demoJob struct {
	dir          string
	responses    uint64
	certificates uint64 // responses / len(options.Hashes)
	caKey        string // "" for a fresh one
	options      demo.Options
}

func newDemo() *cobra.Command {
	var j demoJob
	var hashes []string
	cmd := &cobra.Command{
		Use:   "demo --out DIR",
		Short: "Make a throw-away CA, signed responses and a store to try Lancre with",
		Long: `Demo makes a CA with a fresh key that is never written, or with the one that --ca-key
names, and with it, in DIR:

  issuer.pem             the CA's certificate
  good.pem, revoked.pem  two certificates to ask about
  responses.der          OCSP responses, one after another; one in 50 is revoked
  certificates.csv       the list of the CA's certificates, for lancre sign
  static/                a CRL, the CA's certificate and pages, by host and path
  store/                 all of it, as lancre build publishes it
  lancre.toml            for lancre follow: what is put into spool/, what changes in static/
                         and, with --ca-key, in certificates.csv

Made again in the same DIR, it is a new CA and the next generation of the store.`,
		Example: `  lancre demo --out demo
  lancre demo --out demo --responses 1000000 --key p256 --hash sha1
  lancre demo --out demo --responses 2000 --key rsa2048 --delegated
  lancre demo --out demo --ca-key ca.key`,
		DisableFlagsInUseLine: true,
		Args:                  takes(),
		PreRunE: func(*cobra.Command, []string) (err error) {
			if j.options.Hashes, err = parseAll(hashes, index.ParseHashAlg); err != nil {
				return err
			}
			return j.complete()
		},
		RunE: work(func(cmd *cobra.Command, _ []string) error { return j.run(cmd) }),
	}
	f := cmd.Flags()
	f.StringVar(&j.dir, "out", "", "make everything in `DIR`, which must be absent, empty or made by demo")
	f.Uint64Var(&j.responses, "responses", 10_000, "sign `N` responses, one for each certificate and hash algorithm")
	f.StringVar((*string)(&j.options.Key), "key", string(demo.P256), "key `TYPE`: p256 or rsa2048")
	f.StringVar(&j.caKey, "ca-key", "", "take the CA's key from `KEY`, a PEM file, to sign by it later")
	f.BoolVar(&j.options.Delegated, "delegated", false, "sign by a responder certificate that is in each response, not by the CA")
	f.StringSliceVar(&hashes, "hash", []string{"sha1", "sha256"}, "hash `ALGORITHM` of the CertIDs: sha1, sha256, sha384 or sha512 (repeatable)")
	must(cmd.MarkFlagRequired("out"))
	must(cmd.MarkFlagDirname("out"))
	must(cmd.MarkFlagFilename("ca-key"))
	cmd.MarkFlagsMutuallyExclusive("key", "ca-key")
	completeFlag(cmd, "key", string(demo.P256), string(demo.RSA2048))
	completeFlag(cmd, "hash", "sha1", "sha256", "sha384", "sha512")
	return cmd
}

// complete checks what cobra cannot.
func (j *demoJob) complete() error {
	if k := j.options.Key; k != demo.P256 && k != demo.RSA2048 {
		return fmt.Errorf("key type %q: want %s or %s", k, demo.P256, demo.RSA2048)
	}
	n := uint64(len(j.options.Hashes))
	if n == 0 || j.responses%n != 0 || j.responses < 2*n {
		return fmt.Errorf("%d responses for %d hash algorithms: want a multiple, for at least 2 certificates (a good and a revoked one)", j.responses, n)
	}
	j.certificates = j.responses / n
	return nil
}

// demoMark is the file by which demo knows a directory as its own.
const demoMark = "made-by-lancre-demo.txt"

// claim makes the directory, or checks that what is in it may be replaced.
func (j *demoJob) claim() error {
	if err := os.MkdirAll(j.dir, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(j.dir)
	if err != nil {
		return err
	}
	_, err = os.Lstat(filepath.Join(j.dir, demoMark))
	if errors.Is(err, fs.ErrNotExist) && len(entries) > 0 {
		return fmt.Errorf("%s is not empty (it has %q) and was not made by demo (it has no %s): name another directory, or empty it",
			j.dir, entries[0].Name(), demoMark)
	}
	return durable.WriteBytes(filepath.Join(j.dir, demoMark), []byte("Lancre demo made this directory and may replace everything in it.\n"))
}

func (j *demoJob) run(cmd *cobra.Command) error {
	if err := j.claim(); err != nil {
		return err
	}
	if j.caKey != "" {
		signer, err := key.Open(j.caKey, key.Options{Log: cmd.ErrOrStderr()})
		if err != nil {
			return err
		}
		defer signer.Close()
		j.options.CAKey = signer
	}
	ca, err := demo.New(j.options)
	if err != nil {
		return err
	}
	if err := j.writeFiles(ca); err != nil {
		return err
	}
	if err := j.writeConfig(); err != nil {
		return err
	}
	if err := j.writeResponses(cmd, ca); err != nil {
		return err
	}
	c := build.DefaultConfig()
	c.Out, c.Origin = j.path("store"), demo.PageHost
	c.Issuers, c.Responses, c.Static = []string{j.path("issuer.pem")}, []string{j.path("responses.der")}, []string{j.path("static")}
	c.Force, c.ReplaceAll = checkIDs("force"), true // each demo has a CA of its own
	report, err := buildStore(cmd, c)
	if err != nil {
		return errors.Join(err, report.WriteSummary(cmd.OutOrStdout()))
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d responses of a new CA, published as generation %d of %s\n", j.dir, report.Responses.Published, report.Generation, c.Out)
	return err
}

// demoConfig has lancre follow publish what changes.
const demoConfig = `store = "store"
issuers = ["issuer.pem"]
admin = "127.0.0.1:0"

[[spool]]
dir = "spool"

[[static]]
dir = "static"
`

// demoSign has it sign, too, by the key that is named.
const demoSign = `
[[sign]]
key = %q
certificates = "certificates.csv"
serial = "hex"
every = "1s"
`

// writeConfig writes what lancre follow needs.
func (j *demoJob) writeConfig() error {
	text := demoConfig
	if j.caKey != "" {
		file, err := filepath.Abs(j.caKey)
		if err != nil {
			return err
		}
		text += fmt.Sprintf(demoSign, file)
	}
	return errors.Join(
		os.RemoveAll(j.path("spool")), // what it has is of another CA
		os.RemoveAll(j.path("signed")),
		os.Mkdir(j.path("spool"), 0o755),
		durable.WriteBytes(j.path("lancre.toml"), []byte(text)),
	)
}

func (j *demoJob) path(name ...string) string {
	return filepath.Join(j.dir, filepath.Join(name...))
}

// writeFiles writes everything but the responses and the store.
func (j *demoJob) writeFiles(ca *demo.CA) error {
	crl, err := ca.CRL(j.certificates)
	if err != nil {
		return err
	}
	files := map[string][]byte{
		"issuer.pem": encodePEM(ca.Issuer.Raw),
		filepath.Join("static", demo.CRLHost, demo.CRLPath):   crl,
		filepath.Join("static", demo.IssuerHost, "index.der"): ca.Issuer.Raw,
	}
	for i, name := range []string{"good.pem", "revoked.pem"} {
		cert, err := ca.Issue(ca.Certificate(uint64(i)))
		if err != nil {
			return err
		}
		files[name] = encodePEM(cert.Raw)
	}
	for name, content := range files {
		if err := os.MkdirAll(filepath.Dir(j.path(name)), 0o755); err != nil {
			return err
		}
		if err := durable.WriteBytes(j.path(name), content); err != nil {
			return err
		}
	}
	if err := j.writePages(ca); err != nil {
		return err
	}
	return durable.WriteFile(j.path("certificates.csv"), func(w io.Writer) error { return ca.WriteList(w, j.certificates) })
}

// writePages writes the page for people in all languages.
func (j *demoJob) writePages(ca *demo.CA) error {
	all := pagesJob{out: j.path("static"), site: pages.Site{Domain: demo.PageHost, CA: ca.Issuer.Subject.CommonName}}
	if err := all.complete(); err != nil {
		return err
	}
	return all.write()
}

func (j *demoJob) writeResponses(cmd *cobra.Command, ca *demo.CA) error {
	m := newMeter(cmd.ErrOrStderr(), "signed")
	defer m.clear()
	return durable.WriteFile(j.path("responses.der"), func(w io.Writer) error {
		return ca.WriteResponses(cmd.Context(), w, j.certificates, func(written uint64) {
			m.show(int64(written), int64(j.responses), written)
		})
	})
}

func encodePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
