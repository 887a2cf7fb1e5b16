package build

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"lancre/index"
	"lancre/index/store"
)

// Run builds one generation and publishes it. It returns a Report with every
// error but those of the configuration. A build that fails, or that ctx ends,
// leaves the store's generation as it was.
//
// The new generation replaces all of the previous one: what is not among the
// inputs is not published any more. Static files that did not change keep their
// modification time.
func Run(ctx context.Context, c Config) (*Report, error) {
	start := time.Now()
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	severity, overrides, err := c.severities()
	if err != nil {
		return nil, err
	}
	issuers, err := loadIssuers(c.Issuers)
	if err != nil {
		return nil, err
	}
	inventory, err := loadInventory(c.Inventory, c.At, issuers)
	if err != nil {
		return nil, err
	}
	publication, err := store.Begin(c.Out)
	if err != nil {
		return nil, err
	}
	defer publication.Close()
	b := &builder{config: &c, severity: severity, issuers: issuers, inventory: inventory, publication: publication}
	b.begin(overrides)
	err = b.build(ctx)
	b.report.TotalSeconds = time.Since(start).Seconds()
	return b.report, err
}

// A builder is one run.
type builder struct {
	config      *Config
	severity    []severity // by check
	issuers     *issuers
	inventory   *inventory // nil if there is none
	publication *store.Publication
	manifest    *store.Manifest
	report      *Report
	previous    *store.Generation // that is being replaced; nil if there is none
	warnings    []tally           // by check
	older       olderResponses
	writer      *index.Writer // while responses are packed
	sample      sample        // of the responses that were packed
}

func (b *builder) begin(overrides []Override) {
	c := b.config
	b.warnings = make([]tally, len(checkTable))
	b.manifest = &store.Manifest{Created: c.At}
	b.report = &Report{
		Store: c.Out, At: c.At, Overrides: overrides, Issuers: b.issuers.counts(),
		Rejections: []Rejection{}, Warnings: []Warning{}, Files: []File{}, // never null in JSON
	}
	for _, p := range c.Profiles {
		b.report.Profiles = append(b.report.Profiles, p.String())
	}
}

func (b *builder) build(ctx context.Context) error {
	defer b.reportTallies()
	if err := b.openPrevious(); err != nil {
		return err
	}
	defer b.closePrevious()
	if err := b.checkMoment(); err != nil {
		return err
	}
	if err := b.addStatic(ctx); err != nil {
		return err
	}
	b.manifest.Origin = b.origin()
	b.report.Origin = b.manifest.Origin
	if len(b.config.Responses) > 0 {
		if err := b.addResponses(ctx); err != nil {
			return err
		}
	} else if err := b.comparePrevious(nil); err != nil {
		return err
	}
	if err := b.checkShrunk(); err != nil {
		return err
	}
	if err := b.publication.Commit(b.manifest); err != nil {
		return err
	}
	b.report.Generation = b.manifest.Generation
	b.reportFiles()
	return nil
}

// origin is the configured one or its default.
func (b *builder) origin() string {
	if b.config.Origin != "" {
		return b.config.Origin
	}
	origin := ""
	for _, f := range b.manifest.Files {
		if f.Host != anyHost && (origin == "" || f.Host < origin) {
			origin = f.Host
		}
	}
	if origin == "" {
		return "lancre"
	}
	return origin
}

// addResponses makes the segment of all responses.
func (b *builder) addResponses(ctx context.Context) error {
	start := time.Now()
	path, stats, err := b.writeSegment(ctx)
	b.report.CheckSeconds = time.Since(start).Seconds()
	if err != nil {
		return err
	}
	start = time.Now()
	if err := selfCheck(path, stats.Info, &b.sample); err != nil {
		b.found(checkSelf, whole(path), "", err.Error())
		return fmt.Errorf("self-check of the new segment: %w", err)
	}
	b.report.VerifySeconds = time.Since(start).Seconds()
	if err := b.checkSegment(path, stats); err != nil {
		return err
	}
	line, err := b.publication.AddSegment(path, "base", store.Shard{Index: 0, Of: 1}, stats.Info)
	if err != nil {
		return err
	}
	b.manifest.Segments = append(b.manifest.Segments, line)
	b.reportSegment(line, stats)
	return nil
}

// writeSegment packs the responses into a file in the publication's TempDir.
func (b *builder) writeSegment(ctx context.Context) (path string, stats index.Stats, err error) {
	if b.writer, err = index.NewWriter(b.publication.TempDir()); err != nil {
		return "", stats, err
	}
	err = b.pack(ctx)
	n := b.report.Responses
	switch {
	case err != nil:
	case n.Rejected > uint64(b.config.MaxRejects):
		err = tooManyRejects(b.report, b.config)
	case n.Read == 0:
		err = errors.New("no response in any of the sources")
	case n.Read == n.Rejected:
		err = fmt.Errorf("all %d responses rejected; the first: %s", n.Read, b.report.Rejections[0])
	}
	if err != nil {
		b.writer.Abort()
		return "", stats, err
	}
	return b.writer.Finish()
}

// checkSegment checks what only the whole of the responses shows.
func (b *builder) checkSegment(path string, stats index.Stats) error {
	s, err := index.Open(path)
	if err != nil {
		return err
	}
	defer s.Close()
	before := len(b.report.Rejections)
	b.checkConflicts(stats)
	b.checkHashes()
	b.checkCoverage()
	if err := b.refused(before); err != nil {
		return err
	}
	return b.comparePrevious(s)
}

// checkConflicts checks that no two responses contradict each other: which of them
// was published would be chance.
func (b *builder) checkConflicts(stats index.Stats) {
	if n := stats.Conflicts; n > 0 {
		b.found(checkConflict, whole(strings.Join(b.config.Responses, ", ")), fmt.Sprintf("%x", stats.Conflict.Serial), fmt.Sprintf(
			"%d times, responses have different certStatus but the same thisUpdate and producedAt: leave one out; the first: %s", n, &stats.Conflict))
	}
}

func (b *builder) reportSegment(line store.SegmentLine, stats index.Stats) {
	n := &b.report.Responses
	n.Published = stats.Records - stats.Tombstones
	n.Superseded, n.Identical, n.Tombstones = stats.Superseded, stats.Identical, stats.Tombstones
	b.report.Segment = &Segment{
		SHA256: line.SHA256, Size: line.Size, Records: stats.Records, Keys: stats.Keys,
		Shapes: stats.Shapes, Whole: stats.Whole, NextUpdate: line.NextUpdate,
		BytesPerResponse: float64(line.Size) / float64(max(n.Published, 1)),
	}
}

func (b *builder) reportFiles() {
	for _, f := range b.manifest.Files {
		b.report.Files = append(b.report.Files, File(f))
	}
}

func (b *builder) reportTallies() {
	for i, w := range b.warnings {
		if w.count > 0 {
			b.report.Warnings = append(b.report.Warnings, Warning{
				Check: check(i).String(), Clause: checkTable[i].clause, Count: w.count,
				Place: w.place, Serial: w.serial, Reason: w.reason,
			})
		}
	}
	for i := range b.report.Issuers {
		n := &b.report.Issuers[i]
		for _, alg := range index.HashAlgs() {
			if count := n.byAlg[alg]; count > 0 {
				n.CertIDs[alg.String()] = count
			}
		}
	}
}
