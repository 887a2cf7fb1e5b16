package build

import (
	"context"
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
func (b *builder) publishBases(lines []store.SegmentLine, files []store.FileLine) error {
	if b.previous == nil && b.before != nil || b.config.ReplaceAll || len(lines) == 0 {
		return b.replaceAll(lines, files)
	}
	return b.rebase(lines, func(next *store.Manifest) error {
		kept, err := filesSince(next.Files, b.before, files)
		next.Files = kept
		return err
	})
}

// rebase publishes lines in place of what the previous generation has for their shards.
func (b *builder) rebase(lines []store.SegmentLine, fill func(next *store.Manifest) error) error {
	r, err := store.NewRebase(b.objects, b.previous, lines)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := b.putAside(); err != nil {
		return err
	}
	p, err := b.objects.Begin()
	if err != nil {
		return err
	}
	defer p.Close()
	m, err := r.Commit(p, func(next *store.Manifest) error {
		b.fill(next)
		return fill(next)
	})
	if err != nil {
		return err
	}
	return b.published(m)
}

// replaceAll publishes lines and files in place of all that there was: if nobody has
// published anything meanwhile.
func (b *builder) replaceAll(lines []store.SegmentLine, files []store.FileLine) error {
	next := &store.Manifest{Segments: lines, Files: files}
	b.fill(next)
	if err := b.count(next); err != nil {
		return err
	}
	if err := b.putAside(); err != nil {
		return err
	}
	p, err := b.objects.Begin()
	if err != nil {
		return err
	}
	defer p.Close()
	if now := p.Previous(); (now == nil) != (b.before == nil) || now != nil && now.Digest() != b.before.Digest() {
		return store.ErrMoved
	}
	if err := p.Commit(next); err != nil {
		return err
	}
	return b.published(next)
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
	next.Created, next.Checked, next.Origin = b.config.At, b.config.At, b.report.Origin
	next.Held = b.heldThen()
}

// filesSince is files, but where the list of files was changed by others since before:
// that stays.
func filesSince(now []store.FileLine, before *store.Manifest, files []store.FileLine) ([]store.FileLine, error) {
	if before == nil {
		if len(now) > 0 {
			return nil, store.ErrMoved
		}
		return files, nil
	}
	was, is := byPlace(before.Files), byPlace(now)
	list := make([]store.FileLine, 0, len(files))
	for _, f := range files {
		at := placeOf(&f)
		if was[at] == is[at] {
			list = append(list, f)
		} else if line, there := is[at]; there {
			list = append(list, line)
		}
		delete(is, at)
	}
	for at, line := range is {
		if was[at] != line {
			list = append(list, line)
		}
	}
	return list, nil
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
