// Package corpus makes what the benchmarks build stores of: a CA and its responses.
package corpus

import (
	"context"
	"os"
	"path/filepath"

	"lancre/build"
	"lancre/build/demo"
	"lancre/index"
)

// A Corpus is a CA, and the files from which its answers are built.
type Corpus struct {
	CA        *demo.CA
	N         uint64 // certificates
	Dir       string // what is made for the corpus goes here
	Issuer    string // certificate, DER
	Responses string // DER, one after another, by number of the certificate
}

// Make makes a CA with the options o, its CertIDs by SHA-1, and the responses for its
// first n certificates, in the directory dir, which must not exist.
func Make(ctx context.Context, dir string, o demo.Options, n uint64) (*Corpus, error) {
	c, err := New(dir, o, n)
	if err != nil {
		return nil, err
	}
	return c, c.Sign(ctx)
}

// New is Make without the responses.
func New(dir string, o demo.Options, n uint64) (*Corpus, error) {
	o.Hashes = []index.HashAlg{index.SHA1}
	ca, err := demo.New(o)
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	c := &Corpus{ca, n, dir, filepath.Join(dir, "issuer.der"), filepath.Join(dir, "responses.der")}
	return c, os.WriteFile(c.Issuer, ca.Issuer.Raw, 0o644)
}

// Sign writes the responses, again if need be: the same certificates and times, other
// signatures.
func (c *Corpus) Sign(ctx context.Context) error {
	f, err := os.Create(c.Responses)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := c.CA.WriteResponses(ctx, f, c.N, nil); err != nil {
		return err
	}
	return f.Sync() // so that the disk is quiet when something is measured
}

// Config is that of a build of the corpus into the store out.
func (c *Corpus) Config(out string) build.Config {
	cfg := build.DefaultConfig()
	cfg.Out, cfg.Issuers, cfg.Responses, cfg.At = out, []string{c.Issuer}, []string{c.Responses}, c.CA.ProducedAt
	return cfg
}
