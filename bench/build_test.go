package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"lancre/bench/corpus"
	"lancre/build"
	"lancre/build/demo"
)

// BenchmarkBuild is a whole build from concatenated DER to a published store.
// Without signatures it packs the whole corpus; with them, as many responses as
// take some seconds.
func BenchmarkBuild(b *testing.B) {
	b.Run("unsigned", func(b *testing.B) {
		c := unsigned().Corpus
		cfg := c.Config("")
		cfg.SkipSignatures = true
		runBuilds(b, c, cfg)
	})
	for _, o := range []struct {
		name string
		n    uint64
		demo.Options
	}{
		{"p256", 100_000, demo.Options{Key: demo.P256}},
		{"rsa2048", 10_000, demo.Options{Key: demo.RSA2048}},
		{"p256-delegated", 100_000, demo.Options{Key: demo.P256, Delegated: true}},
	} {
		b.Run(o.name, func(b *testing.B) {
			c, err := corpus.Make(b.Context(), filepath.Join(dir, fmt.Sprintf("%s-%d", o.name, b.N)), o.Options, min(o.n, records()))
			if err != nil {
				b.Fatal(err)
			}
			runBuilds(b, c, c.Config(""))
		})
	}
}

func runBuilds(b *testing.B, c *corpus.Corpus, cfg build.Config) {
	b.Helper()
	b.ReportAllocs()
	var size int64
	for i := 0; b.Loop(); i++ {
		cfg.Out = filepath.Join(b.TempDir(), fmt.Sprint(i))
		report, err := build.Run(context.Background(), cfg)
		if err != nil {
			b.Fatal(err)
		}
		size = report.Segments[0].Size
	}
	perSecond(b, c.N*uint64(b.N), "responses", b.Elapsed())
	b.ReportMetric(float64(size)/float64(c.N), "octets/response")
}
