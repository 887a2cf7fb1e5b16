package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"lancre/build/demo"
)

// A built is a build that verifies signatures, beside verifying alone.
type built struct {
	Kind        string  `json:"kind"`
	Rate        spread  `json:"rate"`   // responses a second, from the first octet read to the published store
	Verify      spread  `json:"verify"` // signatures a second, all cores doing nothing else
	Ratio       spread  `json:"ratio"`
	PerResponse float64 `json:"octets"` // of the segment
}

// signedKinds are the ways that responses are signed.
var signedKinds = []struct {
	name string
	demo.Options
	part uint64 // of size.signed
}{
	{"p256", demo.Options{Key: demo.P256}, 1},
	{"p256-delegated", demo.Options{Key: demo.P256, Delegated: true}, 1},
	{"rsa2048", demo.Options{Key: demo.RSA2048}, 2},
	{"rsa2048-delegated", demo.Options{Key: demo.RSA2048, Delegated: true}, 2},
}

func (r *runner) measureBuild(ctx context.Context) error {
	r.results.Builds = nil
	for _, kind := range signedKinds {
		c, err := r.makeCorpus(ctx, kind.name, kind.Options, r.signed/kind.part)
		if err != nil {
			return err
		}
		b, err := r.buildRounds(ctx, kind.name, c)
		if err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
		r.results.Builds = append(r.results.Builds, b)
		if err := os.RemoveAll(c.Dir); err != nil {
			return err
		}
	}
	t := newTable("build", "responses/s", "signatures/s alone", "ratio", "octets a response")
	for _, b := range r.results.Builds {
		t.row(b.Kind, b.Rate, b.Verify, b.Ratio, b.PerResponse)
	}
	return t.Flush()
}

// buildRounds lets builds and verification alone take turns.
func (r *runner) buildRounds(ctx context.Context, name string, c *corpus) (built, error) {
	v, err := newVerifier(c)
	if err != nil {
		return built{}, err
	}
	b := built{Kind: name}
	var rates, verified, ratios []float64
	for round := range r.rounds {
		alone, err := v.rate(r.duration)
		if err != nil {
			return built{}, err
		}
		p, err := r.pack(ctx, c, filepath.Join(c.Dir, fmt.Sprint("store", round)))
		if err != nil {
			return built{}, err
		}
		rates, verified, ratios = append(rates, p.perSecond()), append(verified, alone), append(ratios, p.perSecond()/alone)
		b.PerResponse = p.perResponse()
	}
	b.Rate, b.Verify, b.Ratio = spreadOf(rates), spreadOf(verified), spreadOf(ratios)
	return b, nil
}

// measureLargeBuild packs without verification, as many responses as there are
// behind the servers and then ten times as many or what --many says.
func (r *runner) measureLargeBuild(ctx context.Context) error {
	if _, err := r.makeSmall(ctx); err != nil {
		return err
	}
	if err := r.makeLarge(ctx); err != nil {
		return err
	}
	r.results.Large = nil
	for round := range min(r.rounds, 3) {
		for _, c := range []*corpus{r.small, r.large} {
			store := filepath.Join(c.Dir, fmt.Sprint("round", round))
			p, err := r.pack(ctx, c, store, "--unverified")
			if err != nil {
				return err
			}
			r.results.Large = append(r.results.Large, p)
			if err := os.RemoveAll(store); err != nil {
				return err
			}
		}
	}
	t := newTable("responses", "seconds", "of these self-check", "responses/s", "ns a response", "octets a response", "peak MB", "anonymous MB")
	for _, p := range r.results.Large {
		t.row(p.Responses, p.Seconds, p.VerifySeconds, p.perSecond(), 1e9/p.perSecond(), p.perResponse(), float64(p.PeakRSS)/1e6, float64(p.PeakAnon)/1e6)
	}
	return t.Flush()
}

// makeLarge makes the corpus of the large store, whose generations 1 and 2 have
// other signatures and are otherwise alike. Their manifests are kept as
// manifest.1 and manifest.2 beside the store, whose own is generation 1's.
func (r *runner) makeLarge(ctx context.Context) (err error) {
	if r.large != nil {
		return nil
	}
	began := time.Now()
	c, err := r.makeCorpus(ctx, "large", demo.Options{Unsigned: true}, r.many)
	if err != nil {
		return err
	}
	sampled := c.sample(r.asked)
	first, err := r.generation(ctx, c, 1, sampled)
	if err != nil {
		return err
	}
	if err := c.Sign(ctx); err != nil {
		return err
	}
	second, err := r.generation(ctx, c, 2, sampled)
	if err != nil {
		return err
	}
	if _, err := c.save("get", c.exchanges(get, sampled, first, second)); err != nil {
		return err
	}
	fmt.Printf("%d responses, made and built twice in %v\n\n", r.many, time.Since(began).Round(time.Second))
	r.large = c
	return c.install(1)
}

// generation builds the large store's generation number, and returns the
// responses of the sampled certificates.
func (r *runner) generation(ctx context.Context, c *corpus, number int, sampled []uint64) ([][]byte, error) {
	if _, err := r.pack(ctx, c, c.store(), "--unverified"); err != nil {
		return nil, err
	}
	if err := os.Link(filepath.Join(c.store(), "manifest"), c.manifest(number)); err != nil {
		return nil, err
	}
	return c.bodies(sampled)
}

func (c *corpus) store() string { return filepath.Join(c.Dir, "store") }
func (c *corpus) manifest(number int) string {
	return filepath.Join(c.Dir, fmt.Sprint("manifest.", number))
}

// install makes the generation number the store's, by rename.
func (c *corpus) install(number int) error {
	next := filepath.Join(c.Dir, "next")
	if err := os.Link(c.manifest(number), next); err != nil {
		return err
	}
	// A rename onto another link of the same file does nothing but is no error.
	defer os.Remove(next)
	return os.Rename(next, filepath.Join(c.store(), "manifest"))
}
