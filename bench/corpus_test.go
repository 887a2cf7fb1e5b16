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

	"lancre/bench/corpus"
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

// A packed is a corpus and its store.
type packed struct {
	*corpus.Corpus
	store string
}

// unsigned is what look-ups are measured on; it is made once a run.
var unsigned = sync.OnceValue(func() packed {
	p, err := makeUnsigned()
	if err != nil {
		panic(err)
	}
	return p
})

func makeUnsigned() (p packed, err error) {
	// Less often: of what signing leaves nearly all is garbage.
	defer debug.SetGCPercent(debug.SetGCPercent(1000))
	ctx := context.Background()
	c, err := corpus.Make(ctx, filepath.Join(dir, "unsigned"), demo.Options{Unsigned: true}, records())
	if err != nil {
		return p, err
	}
	p = packed{c, filepath.Join(c.Dir, "store")}
	cfg := c.Config(p.store)
	cfg.SkipSignatures = true
	_, err = build.Run(ctx, cfg)
	return p, err
}

// certID is that of certificate i.
func (p packed) certID(i uint64) index.CertID {
	id, _ := p.CA.CertID(p.CA.Certificate(i), index.SHA1)
	return id
}

// sample are CertIDs spread over the corpus in random order: enough of them for
// their records not to stay in the processor's caches.
func (p packed) sample(n int) []index.CertID {
	ids := make([]index.CertID, n)
	var state uint64 = 1
	for i := range ids {
		state = state*6364136223846793005 + 1442695040888963407 // Knuth's MMIX generator
		ids[i] = p.certID((state >> 33) % p.N)
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
