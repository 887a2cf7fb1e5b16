package build

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"lancre/build/crl"
	"lancre/index"
	"lancre/index/store"
)

// makeBases makes the bases of those shards of all responses, which are compared with
// what the CRLs list. It returns their lines, below the one of what is carried over.
func (b *builder) makeBases(ctx context.Context, shards []index.Shard, listed []crl.Revocations) ([]store.SegmentLine, error) {
	start := time.Now()
	p := b.newPacker(listed)
	if err := p.write(ctx, b.objects.TempDir(), shards); err != nil {
		return nil, err
	}
	b.report.CheckSeconds = time.Since(start).Seconds()
	start = time.Now()
	lines, total, err := b.finish(p.outputs, store.RoleBase)
	if err != nil {
		return nil, err
	}
	b.report.VerifySeconds = time.Since(start).Seconds()
	b.tried(p)
	before := len(b.ledger.Rejections())
	b.checkTogether(total)
	if err := b.refused(before); err != nil {
		return nil, err
	}
	return b.carryOver(lines, &p.older)
}

// carryOver compares the new bases with the previous generation, and puts a delta of
// what stays of that on top of them.
func (b *builder) carryOver(bases []store.SegmentLine, older *olderResponses) ([]store.SegmentLine, error) {
	made, err := b.objects.Open(&store.Manifest{Segments: bases}, nil)
	if err != nil {
		return nil, err
	}
	defer made.Close()
	if err := b.checkHashesAgree(made, len(bases)); err != nil {
		return nil, err
	}
	var carried *store.LineWriter
	if b.previous != nil && !b.config.ReplaceAll {
		carried = store.NewLineWriter(b.objects, index.Everything)
		defer carried.Abort()
	}
	if err := b.comparePrevious(made, carried, older); err != nil {
		return nil, err
	}
	before := len(b.ledger.Rejections())
	b.checkCoverage(bases)
	if err := b.refused(before); err != nil || carried == nil {
		return bases, err
	}
	line, err := carried.Finish(store.RoleDelta)
	if err != nil || line.Records == 0 {
		return bases, err
	}
	return append([]store.SegmentLine{line}, bases...), nil
}

// publishBases publishes what a build made: lines, bases below what is carried over,
// and files.
func (b *builder) publishBases(ctx context.Context, lines []store.SegmentLine, files []store.FileLine) error {
	if b.previous == nil && b.before != nil || b.config.ReplaceAll || len(lines) == 0 {
		return b.replaceAll(lines, files)
	}
	return b.rebase(ctx, lines, func(next *store.Manifest) (err error) {
		b.fill(next)
		next.Files, err = mergeFiles(b.filesBefore(), next.Files, files, false)
		return err
	})
}

// announce announces what was made, and waits for as long as that is wanted. In a new
// store there is nothing that could be held up.
func (b *builder) announce(ctx context.Context) error {
	if b.config.Announce == 0 || b.before == nil {
		return nil
	}
	if err := b.objects.Announce(b.config.At); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(b.config.Announce):
		return nil
	}
}

// rebase publishes lines in place of what the previous generation has for their shards.
func (b *builder) rebase(ctx context.Context, lines []store.SegmentLine, fill func(next *store.Manifest) error) error {
	if err := b.announce(ctx); err != nil {
		return err
	}
	r, err := store.NewRebase(b.objects, b.previous, lines)
	if err != nil {
		return err
	}
	defer r.Close()
	return b.publish(func(p *store.Publication) (*store.Manifest, error) {
		return r.Commit(p, fill)
	})
}

// replaceAll publishes lines and files in place of all that there was: if nobody has
// published anything meanwhile.
func (b *builder) replaceAll(lines []store.SegmentLine, files []store.FileLine) error {
	next := &store.Manifest{Segments: lines, Files: files}
	b.fill(next)
	if err := b.count(next); err != nil {
		return err
	}
	return b.publish(func(p *store.Publication) (*store.Manifest, error) {
		if now := p.Previous(); (now == nil) != (b.before == nil) || now != nil && now.Digest() != b.before.Digest() {
			return nil, store.ErrMoved
		}
		return next, p.Commit(next)
	})
}

// publish locks the store for commit, which makes a generation its current one. What is
// to be held is held before, and what was held and has passed goes after.
func (b *builder) publish(commit func(*store.Publication) (*store.Manifest, error)) error {
	if err := b.putAside(); err != nil {
		return err
	}
	p, err := b.objects.Begin()
	if err != nil {
		return err
	}
	defer p.Close()
	m, err := commit(p)
	if err != nil {
		return err
	}
	b.report.publish(m)
	return b.release()
}

// count has next say what it answers.
func (b *builder) count(next *store.Manifest) error {
	answers := &store.Manifest{Segments: next.Segments} // without the files, which need not be read for it
	g, err := b.objects.Open(answers, b.previous)
	if err != nil {
		return err
	}
	defer g.Close()
	counts, err := g.Count()
	if err != nil {
		return err
	}
	counts.Fill(next)
	return nil
}

// fill writes into next what is said of a generation as a whole.
func (b *builder) fill(next *store.Manifest) {
	next.Date(b.config.At)
	next.Checked, next.Origin = b.config.At, b.report.Origin
	next.Held = b.heldThen()
}

// mergeFiles is the list of files wanted, made from that of before, but where others have
// changed theirs meanwhile, in now: that stays. strict is for who wants to change some of
// them and leave the rest: where others have changed the same, it is an error.
func mergeFiles(before, now, wanted []store.FileLine, strict bool) ([]store.FileLine, error) {
	was, is, list := byPlace(before), byPlace(now), byPlace(wanted)
	places := maps.Clone(was)
	maps.Copy(places, is)
	for at := range places {
		switch theirs, there := is[at]; {
		case theirs == was[at]:
			continue
		case strict && list[at] != was[at] && list[at] != theirs:
			return nil, fmt.Errorf("%s%s: %w", at[0], at[1], store.ErrMoved)
		case there:
			list[at] = theirs
		default:
			delete(list, at)
		}
	}
	return slices.Collect(maps.Values(list)), nil
}

// filesBefore are those of the generation that is being replaced, or added to.
func (b *builder) filesBefore() []store.FileLine {
	if b.before == nil {
		return nil
	}
	return b.before.Files
}

// placeOf is where f is published.
func placeOf(f *store.FileLine) [2]string { return [2]string{f.Host, f.Path} }

func byPlace(files []store.FileLine) map[[2]string]store.FileLine {
	lines := make(map[[2]string]store.FileLine, len(files))
	for i := range files {
		lines[placeOf(&files[i])] = files[i]
	}
	return lines
}
