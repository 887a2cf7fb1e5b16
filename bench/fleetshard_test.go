package bench

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"testing"

	"lancre/build"
	"lancre/build/demo"
	"lancre/index"
	"lancre/index/store"
)

// announced is for how long a new shard is announced: an edge fetches one of 15 MB in 12 s at
// linkRate, and polls within 6.
const announced = 20 * time.Second

// A replacer replaces the shards of a fleet's base, one after another, by responses that
// are newer.
type replacer struct {
	fleet    *benchFleet
	keys     *store.Keys
	inputs   []string // of the first shards
	ctx      context.Context
	stop     context.CancelFunc
	replaced int
}

// newReplacer signs what some shards are to be replaced by.
func newReplacer(b *testing.B, f *benchFleet) *replacer {
	b.Helper()
	r := &replacer{fleet: f}
	var err error
	r.keys, err = store.ReadKeys(f.key())
	must(b, err)
	r.ctx, r.stop = context.WithCancel(b.Context())
	ca := *unsigned().CA
	ca.ProducedAt = ca.ProducedAt.Add(time.Second)
	inputs := make(map[uint32]*bufio.Writer)
	for i := range uint32(fleetShards) {
		file, err := os.Create(filepath.Join(f.dir, fmt.Sprintf("shard%d.der", i)))
		must(b, err)
		defer file.Close()
		r.inputs, inputs[i] = append(r.inputs, file.Name()), bufio.NewWriter(file)
	}
	for i := range unsigned().N {
		must(b, writeInto(inputs, &ca, ca.Certificate(i)))
	}
	for _, w := range inputs {
		must(b, w.Flush())
	}
	return r
}

// writeInto signs for a certificate whose shard has an input.
func writeInto(inputs map[uint32]*bufio.Writer, ca *demo.CA, c demo.Certificate) error {
	id, _ := ca.CertID(c, index.SHA1)
	w := inputs[index.ShardOf(id.SerialHash(), fleetShards).Index]
	if w == nil {
		return nil
	}
	der, err := ca.Sign(c, index.SHA1)
	if err != nil {
		return err
	}
	_, err = w.Write(der)
	return err
}

// run replaces shards until it is stopped.
func (r *replacer) run() {
	for i, input := range r.inputs {
		if err := r.replace(index.Shard{Index: uint32(i), Of: fleetShards}, input); err != nil {
			if r.ctx.Err() == nil {
				r.fleet.b.Error(err)
			}
			return
		}
		r.replaced++
	}
}

// replace does what lancre add --shards does, but verifies no signature, for there is none.
func (r *replacer) replace(shard index.Shard, input string) error {
	c := unsigned().Config(r.fleet.store)
	c.SkipSignatures, c.Responses, c.Signing = true, []string{input}, store.Signing{Keys: r.keys}
	c.AsOf, c.At, c.Announce = c.At, time.Now(), announced
	_, err := build.Add(r.ctx, build.Addition{Config: c, Replace: []index.Shard{shard}})
	return err
}
