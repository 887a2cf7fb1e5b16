package bench

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"sync"
	"testing"
	"time"

	"lancre/build"
	"lancre/build/demo"
	"lancre/index"
)

// dir holds everything that the benchmarks write.
var dir string

func TestMain(m *testing.M) {
	var err error
	if dir, err = os.MkdirTemp("", "lancre-bench-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// records is the size of the corpus.
func records() uint64 {
	if n, err := strconv.ParseUint(os.Getenv("LANCRE_BENCH_RECORDS"), 10, 64); err == nil && n > 0 {
		return n
	}
	return 1_000_000
}

// A corpus is a CA with its answers, as a file of responses and as a store.
type corpus struct {
	ca        *demo.CA
	n         uint64
	issuer    string // PEM file
	responses string // DER, one after another
	store     string
}

// unsigned is the corpus that look-ups are measured on; it is made once a run.
var unsigned = sync.OnceValue(func() *corpus {
	c, err := makeCorpus("unsigned", demo.Options{Hashes: []index.HashAlg{index.SHA1}, Unsigned: true}, records())
	if err != nil {
		panic(err)
	}
	return c
})

func makeCorpus(name string, o demo.Options, n uint64) (*corpus, error) {
	ca, err := demo.New(o)
	if err != nil {
		return nil, err
	}
	base := filepath.Join(dir, name)
	if err := os.Mkdir(base, 0o755); err != nil {
		return nil, err
	}
	c := &corpus{ca: ca, n: n, issuer: filepath.Join(base, "issuer.der"), responses: filepath.Join(base, "responses.der"), store: filepath.Join(base, "store")}
	if err := os.WriteFile(c.issuer, ca.Issuer.Raw, 0o644); err != nil {
		return nil, err
	}
	if err := writeResponses(ca, c.responses, n); err != nil {
		return nil, err
	}
	if o.Unsigned {
		cfg := c.config(c.store)
		cfg.SkipSignatures = true
		_, err = build.Run(context.Background(), cfg)
		return c, err
	}
	return c, nil
}

// writeResponses collects garbage less often: of what signing leaves nearly all is.
func writeResponses(ca *demo.CA, path string, n uint64) error {
	defer debug.SetGCPercent(debug.SetGCPercent(1000))
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return ca.WriteResponses(context.Background(), f, n, nil)
}

// config is that of a build of the corpus.
func (c *corpus) config(out string) build.Config {
	return build.Config{Out: out, Issuers: []string{c.issuer}, Responses: []string{c.responses}, At: c.ca.ProducedAt}
}

// certID is that of certificate i.
func (c *corpus) certID(i uint64) index.CertID {
	id, _ := c.ca.CertID(c.ca.Certificate(i), index.SHA1)
	return id
}

// sample are CertIDs spread over the corpus in random order: enough of them for
// their records not to stay in the processor's caches.
func (c *corpus) sample(n int) []index.CertID {
	ids := make([]index.CertID, n)
	var state uint64 = 1
	for i := range ids {
		state = state*6364136223846793005 + 1442695040888963407 // Knuth's MMIX generator
		ids[i] = c.certID((state >> 33) % c.n)
	}
	return ids
}

// absent are CertIDs that the store does not have.
func absent(ids []index.CertID) []index.CertID {
	missing := make([]index.CertID, len(ids))
	for i, id := range ids {
		id.Serial = binary.BigEndian.AppendUint64([]byte{0x7f, 0xff}, uint64(i))
		missing[i] = id
	}
	return missing
}

// perSecond reports how many things of a kind were done in a second.
func perSecond(b *testing.B, n uint64, what string, took time.Duration) {
	b.ReportMetric(float64(n)/took.Seconds(), what+"/s")
}
