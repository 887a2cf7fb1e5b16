package build

import (
	"fmt"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"

	"lancre/build/ocsp"
	"lancre/build/rule"
	"lancre/index"
	"lancre/index/store"
	"lancre/internal/parallel"
)

// An output is one segment in the making, of responses and of tombstones: the base of
// a shard, or a delta.
type output struct {
	shard  index.Shard
	writer *index.Writer
	sample sample
	count  uint64 // responses and tombstones that were added

	// What came of it, to be read when finished is closed.
	finished chan struct{}
	path     string
	stats    index.Stats
	line     store.SegmentLine
	err      error // of finishing it, or of making it an object
	broken   error // what the self-check found
}

// outputs are those of one run: certificates are told apart by their shard of so many.
type outputs struct {
	of      uint32
	byShard []*output // by number; nil for a shard that nothing is made of
}

// newOutputs begins a segment for each of the shards, which are of the same number, in
// the directory dir.
func newOutputs(dir string, shards []index.Shard) (*outputs, error) {
	o := &outputs{of: shards[0].Of, byShard: make([]*output, shards[0].Of)}
	for _, s := range shards {
		w, err := index.NewWriter(dir, s)
		if err != nil {
			o.abort()
			return nil, err
		}
		o.byShard[s.Index] = &output{shard: s, writer: w, finished: make(chan struct{})}
	}
	return o, nil
}

func (o *outputs) abort() {
	for _, out := range o.byShard {
		if out != nil && out.writer != nil {
			out.writer.Abort()
		}
	}
}

// add adds e to the outputs of all certificates that it is about, and der, if it is a
// response, to their samples. It reports to how many that was.
func (o *outputs) add(e *index.Entry, subjects []ocsp.Subject, der []byte) (to int, err error) {
	for i := range subjects {
		n := o.number(&subjects[i])
		out := o.byShard[n]
		if out == nil || slices.ContainsFunc(subjects[:i], func(s ocsp.Subject) bool { return o.number(&s) == n }) {
			continue
		}
		if err := out.writer.Add(e); err != nil {
			return to, fmt.Errorf("segment: %w", err)
		}
		out.count++
		to++
		if der != nil {
			out.sample.add(der)
		}
	}
	return to, nil
}

// number is that of the shard of a certificate.
func (o *outputs) number(s *ocsp.Subject) uint32 {
	id := index.CertID{Serial: s.Serial}
	return index.ShardOf(id.SerialHash(), o.of).Index
}

// finish makes objects of the outputs, checks that they can be read back, and returns
// their lines. A delta to which nothing was added is left out.
func (b *builder) finish(o *outputs, role string) (lines []store.SegmentLine, total index.Stats, err error) {
	defer o.abort()
	wanted := slices.DeleteFunc(slices.Clone(o.byShard), func(out *output) bool {
		return out == nil || role == store.RoleDelta && out.count == 0
	})
	stop := finishAhead(wanted, func(out *output) { out.finish(b.objects, role) })
	defer stop() // before they are aborted
	for _, out := range wanted {
		<-out.finished
		if err := b.checkFinished(out); err != nil {
			return nil, total, err
		}
		b.report.segment(out.line, out.stats)
		addStats(&total, out.stats)
		lines = append(lines, out.line)
	}
	b.report.pack(total)
	return lines, total, nil
}

// finishAhead has the outputs finished in their order, as many at a time as there are
// processors. stop waits for those in hand, and has no more be finished.
func finishAhead(wanted []*output, finish func(*output)) (stop func()) {
	var stopped atomic.Bool
	all := make(chan struct{})
	go func() {
		defer close(all)
		parallel.Each(len(wanted), func() func(int) {
			return func(i int) {
				if !stopped.Load() {
					finish(wanted[i])
					close(wanted[i].finished)
				}
			}
		})
	}()
	return func() {
		stopped.Store(true)
		<-all
	}
}

// finish completes the file of the segment and makes it an object. Meanwhile it checks that
// the segment can be read back: a sum of the whole takes one processor alone.
func (out *output) finish(objects *store.Objects, role string) {
	if out.path, out.stats, out.err = out.writer.Finish(); out.err != nil {
		return
	}
	out.writer = nil
	made, err := index.Open(out.path) // before the path goes, as it does if there is such an object
	if err != nil {
		out.broken = err
		return
	}
	defer made.Close()
	var adding sync.WaitGroup
	adding.Go(func() {
		out.line, out.err = objects.AddSegment(out.path, role, out.shard, out.stats.Info)
	})
	out.broken = selfCheck(made, out.stats.Info, &out.sample)
	adding.Wait()
}

// checkFinished reports what is wrong with a finished output.
func (b *builder) checkFinished(out *output) error {
	if out.broken != nil {
		b.ledger.Found(rule.BuildSelfCheck, rule.Whole(out.path), "", out.broken.Error)
		return fmt.Errorf("self-check of the new segment: %w", out.broken)
	}
	return out.err
}

// addStats adds up what is counted of several segments.
func addStats(total *index.Stats, s index.Stats) {
	if total.Conflicts == 0 {
		total.Conflict = s.Conflict
	}
	total.Records += s.Records
	total.Tombstones += s.Tombstones
	total.Keys += s.Keys
	total.Superseded += s.Superseded
	total.Identical += s.Identical
	total.Conflicts += s.Conflicts
}

// allShards are the shards that the base is cut into: as many as are wanted or, where
// nobody says, as there are.
func (b *builder) allShards() []index.Shard {
	of := uint32(b.config.Shards)
	if of == 0 {
		of = 1
		if b.previous != nil {
			for _, l := range b.previous.Manifest().Segments {
				if l.Role == store.RoleBase {
					of = max(of, l.Shard.Of)
				}
			}
		}
	}
	shards := make([]index.Shard, of)
	for i := range shards {
		shards[i] = index.Shard{Index: uint32(i), Of: of}
	}
	return shards
}

// checkShardCount says what is wrong with a number of shards; nil if nothing is.
func checkShardCount(n int) error {
	if n < 0 || n > index.MaxShards || n > 0 && bits.OnesCount(uint(n)) != 1 {
		return fmt.Errorf("%d shards (--shards): want a power of two up to %d", n, index.MaxShards)
	}
	return nil
}
