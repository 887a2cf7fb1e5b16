package build

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"lancre/build/crl"
	"lancre/build/rule"
	"lancre/index"
	"lancre/index/store"
)

// An Addition says what is added to the store Out. Its Responses are checked as those of
// a build are, and each is compared with what is answered for its certificates: what
// is not newer is refused, what is the same is left out. Static files take the places of
// those with their host and path. Everything else stays.
type Addition struct {
	Config

	// Withdraw is a CSV file of certificates whose responses are taken back: they are
	// answered tryLater from then on. See inventory.LoadSerials for its columns.
	Withdraw string

	// Unpublish are files, as HOST/PATH, that are to go.
	Unpublish []string

	// Amend, if not nil, is shown the manifest that is to come, under the lock of the
	// store, for what only the caller knows of it: its marks, and when its sources were
	// read. It may be called for a commit that fails.
	Amend func(next *store.Manifest)

	// Replace are shards, of one number, whose bases are replaced by what Responses
	// have of them, as by a build.
	Replace []index.Shard
}

// Check says what is missing in a or contradicts itself; nil if nothing does.
func (a *Addition) Check() error {
	if err := a.checkSettings(); err != nil {
		return err
	}
	if !a.readsResponses() && len(a.Static) == 0 && a.Withdraw == "" && len(a.Unpublish) == 0 {
		return errors.New("nothing to add: name responses (--responses), static files (--static), certificates to withdraw (--withdraw) or files to remove (--unpublish)")
	}
	if a.Withdraw != "" && len(a.Issuers) == 0 {
		return errors.New("certificates to withdraw (--withdraw) are those of an issuer (--issuer)")
	}
	if len(a.Replace) > 0 && (len(a.Responses) == 0 || a.Withdraw != "") {
		return errors.New("shards are replaced (--shards) by responses (--responses), and nothing is withdrawn (--withdraw) meanwhile")
	}
	for _, place := range a.Unpublish {
		if strings.Index(place, "/") < 1 {
			return fmt.Errorf("--unpublish %s: want HOST/PATH", place)
		}
	}
	return nil
}

// Add publishes a generation with what a says on top of what the store Out has. It
// returns a Report with every error but those of the configuration. Where nothing is
// new, it publishes nothing, and the Report's Generation is 0. The store is locked only
// to publish; what others publish meanwhile stays on top where it is newer.
func Add(ctx context.Context, a Addition) (*Report, error) {
	if err := a.Check(); err != nil {
		return nil, err
	}
	if _, err := store.ReadManifest(a.Out); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: nothing can be added before the first generation: begin with lancre build", err)
	}
	return perform(ctx, &a.Config, func(b *builder) error { return (&adder{b, &a}).add(ctx) })
}

// An adder is a builder that adds.
type adder struct {
	*builder
	addition *Addition
}

func (a *adder) add(ctx context.Context) error {
	a.report.Origin = a.config.Origin
	if a.report.Origin == "" {
		a.report.Origin = a.before.Origin
	}
	if err := a.openPrevious(); err != nil {
		return err
	}
	if a.previous == nil {
		return errors.New("nothing can be added to a generation that cannot be opened: build a new one")
	}
	if err := a.checkMoment(); err != nil {
		return err
	}
	files, listed, err := a.changeFiles(ctx)
	if err != nil {
		return err
	}
	if len(a.addition.Replace) > 0 {
		lines, err := a.makeBases(ctx, a.addition.Replace, listed)
		if err != nil {
			return err
		}
		return a.rebase(ctx, lines, a.filler(files))
	}
	line, err := a.makeDelta(ctx, listed)
	if err != nil {
		return err
	}
	if err := a.checkAdded(line); err != nil {
		return err
	}
	return a.publishDelta(line, files)
}

// changeFiles is the list of files as it is to be, and what the CRLs in it list.
func (a *adder) changeFiles(ctx context.Context) (files []store.FileLine, listed []crl.Revocations, err error) {
	gone := make(map[string]bool)
	for _, place := range a.addition.Unpublish {
		gone[place] = true
		if !slices.ContainsFunc(a.before.Files, func(f store.FileLine) bool { return f.Host+f.Path == place }) {
			return nil, nil, fmt.Errorf("--unpublish %s: nothing is published there", place)
		}
	}
	var carried []store.FileLine
	for _, f := range a.before.Files {
		if !gone[f.Host+f.Path] {
			carried = append(carried, f)
		}
	}
	if len(a.config.Static) == 0 {
		listed, err = a.listedBy(carried)
		return carried, listed, err
	}
	made, err := a.readStatic(ctx, carried, gone)
	if err != nil {
		return nil, nil, err
	}
	return made.Files, crlsOf(made.Listed), nil
}

// makeDelta makes one of the responses that are new, and of the certificates to be
// withdrawn. It has no records if there is nothing.
func (a *adder) makeDelta(ctx context.Context, listed []crl.Revocations) (line store.SegmentLine, err error) {
	p := a.newPacker(listed)
	p.against.Grows = true
	tombstones, err := a.withdrawals(ctx, p)
	if err != nil {
		return line, err
	}
	if err := p.write(ctx, a.objects.TempDir(), []index.Shard{index.Everything}); err != nil {
		return line, err
	}
	if err := p.outputs.addTombstones(tombstones); err != nil {
		p.outputs.abort()
		return line, err
	}
	lines, total, err := a.finish(p.outputs, store.RoleDelta)
	if err != nil {
		return line, err
	}
	a.tried(p)
	before := len(a.ledger.Rejections())
	a.checkConflicts(total)
	if err := a.refused(before); err != nil || len(lines) == 0 {
		return line, err
	}
	return lines[0], nil
}

// checkAdded checks what the store will answer when line, if it has records, is on top.
func (a *adder) checkAdded(line store.SegmentLine) error {
	if line.Records == 0 {
		return nil
	}
	g, err := a.objects.Open(&store.Manifest{Segments: store.Push(a.before.Segments, line)}, a.previous)
	if err != nil {
		return err
	}
	defer g.Close()
	before := len(a.ledger.Rejections())
	if err := a.checkHashesAgree(g, 1); err != nil {
		return err
	}
	return a.refused(before)
}

// publishDelta publishes line, if it has records, and the files: if anything is new.
func (a *adder) publishDelta(line store.SegmentLine, files []store.FileLine) error {
	if line.Records == 0 && maps.Equal(byPlace(files), byPlace(a.before.Files)) && a.heldThen() == a.before.Held {
		a.report.Unchanged = true
		if err := a.putAside(); err != nil { // the reasons may be others now
			return err
		}
		return a.release()
	}
	d := store.Delta{Snapshot: a.previous, Line: line, Stands: a.stands}
	err := a.publish(func(p *store.Publication) (*store.Manifest, error) { return d.Commit(p, a.filler(files)) })
	a.report.Responses.Overtaken = d.Overtaken
	return err
}

// filler completes the manifest that is to come: with the files as they are to be.
func (a *adder) filler(files []store.FileLine) func(next *store.Manifest) error {
	return func(next *store.Manifest) (err error) {
		a.fill(next)
		if a.addition.Amend != nil {
			a.addition.Amend(next)
		}
		next.Files, err = mergeFiles(a.before.Files, next.Files, files, true)
		return err
	}
}

// stands is Stands of a store.Delta: what was added stands if it is newer than what
// somebody else has published meanwhile, and takes no revocation back.
func (a *adder) stands(rec, now index.Record, found bool, id *index.CertID) bool {
	if !found {
		return true
	}
	if now.StatusOf(id) == index.Revoked && rec.StatusOf(id) != index.Revoked && a.ledger.Rejects(rule.OCSPPreviousRevoked) {
		return false
	}
	return rec.Newer(&now) || !a.ledger.Rejects(rule.OCSPPreviousNewer)
}
