package build

import (
	"context"
	"fmt"
	"time"

	"lancre/build/ca"
	"lancre/build/crl"
	"lancre/build/inventory"
	"lancre/build/rule"
	"lancre/build/static"
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
	if err := c.Check(); err != nil {
		return nil, err
	}
	c.At = c.moment()
	severities, overrides, err := c.severities()
	if err != nil {
		return nil, err
	}
	issuers, err := ca.Load(c.Issuers, c.IssuerNames...)
	if err != nil {
		return nil, err
	}
	known, err := inventory.Load(c.Inventory, c.At, issuers)
	if err != nil {
		return nil, err
	}
	publication, err := store.Begin(c.Out)
	if err != nil {
		return nil, err
	}
	defer publication.Close()
	b := &builder{
		config: &c, ledger: rule.NewLedger(severities), issuers: issuers, inventory: known,
		publication: publication, manifest: &store.Manifest{Created: c.At}, report: newReport(&c, overrides, issuers),
	}
	err = b.build(ctx)
	b.report.close(b.ledger)
	b.report.TotalSeconds = time.Since(start).Seconds()
	return b.report, err
}

// A builder is one run.
type builder struct {
	config      *Config
	ledger      *rule.Ledger
	issuers     *ca.Issuers
	inventory   *inventory.Inventory // nil if there is none
	publication *store.Publication
	previous    *store.Generation // that is being replaced; nil if there is none
	manifest    *store.Manifest
	report      *Report
}

func (b *builder) build(ctx context.Context) error {
	if err := b.openPrevious(); err != nil {
		return err
	}
	defer b.closePrevious()
	if err := b.checkMoment(); err != nil {
		return err
	}
	listed, err := b.addStatic(ctx)
	if err != nil {
		return err
	}
	b.manifest.Origin = b.origin()
	b.report.Origin = b.manifest.Origin
	if len(b.config.Responses) > 0 {
		if err := b.addResponses(ctx, listed); err != nil {
			return err
		}
	} else if err := b.comparePrevious(nil, &olderResponses{}); err != nil {
		return err
	}
	if err := b.publication.Commit(b.manifest); err != nil {
		return err
	}
	b.report.publish(b.manifest)
	return nil
}

// addStatic publishes the static files. It returns what the CRLs among them list, by
// issuer.
func (b *builder) addStatic(ctx context.Context) (listed []*crl.Listing, err error) {
	c := b.config
	from := static.Config{
		Dirs: c.Static, At: c.At, Issuers: b.issuers, Inventory: b.inventory, Previous: b.previous,
		OCSP: len(c.Responses) > 0, MaxCRLSize: c.MaxCRLSize,
	}
	if len(c.Issuers) > 0 {
		from.IssuerFile = c.Issuers[0]
	}
	made, err := static.Publish(ctx, from, b.publication, b.ledger)
	if err != nil {
		return nil, err
	}
	b.manifest.Files = made.Files
	return made.Listed, nil
}

// origin is the configured one or its default.
func (b *builder) origin() string {
	if b.config.Origin != "" {
		return b.config.Origin
	}
	origin := ""
	for _, f := range b.manifest.Files {
		if f.Host != store.AnyHost && (origin == "" || f.Host < origin) {
			origin = f.Host
		}
	}
	if origin == "" {
		return "lancre"
	}
	return origin
}

// addResponses makes the segment of all responses, which are compared with what the
// CRLs list.
func (b *builder) addResponses(ctx context.Context, listed []*crl.Listing) error {
	start := time.Now()
	p := newPacker(b, listed)
	path, stats, err := p.writeSegment(ctx, b.publication.TempDir())
	b.report.CheckSeconds = time.Since(start).Seconds()
	if err != nil {
		return err
	}
	start = time.Now()
	if err := selfCheck(path, stats.Info, &p.sample); err != nil {
		b.ledger.Found(rule.BuildSelfCheck, rule.Whole(path), "", err.Error)
		return fmt.Errorf("self-check of the new segment: %w", err)
	}
	b.report.VerifySeconds = time.Since(start).Seconds()
	if err := b.checkSegment(path, stats, &p.older); err != nil {
		return err
	}
	line, err := b.publication.AddSegment(path, store.RoleBase, store.Shard{Index: 0, Of: 1}, stats.Info)
	if err != nil {
		return err
	}
	b.manifest.Segments = append(b.manifest.Segments, line)
	b.report.pack(line, stats)
	return nil
}

// checkSegment checks what only the whole of the responses shows.
func (b *builder) checkSegment(path string, stats index.Stats, older *olderResponses) error {
	s, err := index.Open(path)
	if err != nil {
		return err
	}
	defer s.Close()
	before := len(b.ledger.Rejections())
	b.checkTogether(stats)
	if err := b.refused(before); err != nil {
		return err
	}
	return b.comparePrevious(s, older)
}
