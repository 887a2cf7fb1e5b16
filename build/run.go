package build

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"lancre/build/ca"
	"lancre/build/crl"
	"lancre/build/held"
	"lancre/build/inventory"
	"lancre/build/rule"
	"lancre/build/static"
	"lancre/index/store"
	"lancre/internal/interrupt"
)

// Run builds one generation and publishes it. It returns a Report with every
// error but those of the configuration. A build that fails, or that ctx ends,
// leaves the store's generation as it was.
//
// The new generation replaces what the previous one had when the input was taken:
// what is not among the inputs is not published any more, but for what came later
// (AsOf) and what must not be forgotten (Forget). Static files that did not change keep
// their modification time. The store is locked only to publish: what others publish
// meanwhile stays.
func Run(ctx context.Context, c Config) (*Report, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	return perform(ctx, &c, func(b *builder) error { return b.build(ctx) })
}

// perform has a builder for c, which was checked, do its work. What is read before that
// is waited for no longer than ctx allows.
func perform(ctx context.Context, c *Config, do func(*builder) error) (*Report, error) {
	start := time.Now()
	c.At = c.moment()
	if signed := c.Signing.Keys.Origin(); signed != "" {
		c.Origin = signed
	}
	if c.AsOf.IsZero() {
		c.AsOf = c.At
	}
	severities, overrides, err := c.severities()
	if err != nil {
		return nil, err
	}
	issuers, err := interrupt.Do(ctx, func() (*ca.Issuers, error) { return ca.Load(c.Issuers, c.IssuerNames...) })
	if err != nil {
		return nil, err
	}
	known, err := interrupt.Do(ctx, func() (*inventory.Inventory, error) { return inventory.Load(c.Inventory, c.At, issuers) })
	if err != nil {
		return nil, err
	}
	objects, err := store.OpenObjects(c.Out)
	if err != nil {
		return nil, err
	}
	defer objects.Close()
	if err := objects.SignWith(c.Signing); err != nil {
		return nil, err
	}
	b := &builder{
		config: c, ledger: rule.NewLedger(severities), issuers: issuers, inventory: known,
		objects: objects, report: newReport(c, overrides, issuers),
	}
	err = b.work(do)
	b.report.close(b.ledger)
	b.report.TotalSeconds = time.Since(start).Seconds()
	return b.report, err
}

// A builder is one run.
type builder struct {
	config    *Config
	ledger    *rule.Ledger
	issuers   *ca.Issuers
	inventory *inventory.Inventory // nil if there is none
	objects   *store.Objects
	before    *store.Manifest   // of the generation that is being replaced, or added to; nil in a new store
	previous  *store.Generation // that, as it was at the beginning; nil if there is none, or it cannot be opened
	held      *held.Box
	report    *Report

	aside  []held.Response // to be held
	passed []string        // held until now, by name
}

// work opens what is there, and does what is to be done with it.
func (b *builder) work(do func(*builder) error) (err error) {
	if b.before, err = store.ReadManifest(b.config.Out); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if b.held, err = held.Open(b.config.Out); err != nil {
		return err
	}
	defer b.closePrevious()
	return do(b)
}

func (b *builder) build(ctx context.Context) error {
	if err := b.openPrevious(); err != nil {
		return err
	}
	if err := b.checkMoment(); err != nil {
		return err
	}
	made, err := b.readStatic(ctx, nil, nil)
	if err != nil {
		return err
	}
	b.report.Origin = b.origin(made.Files)
	var lines []store.SegmentLine
	if len(b.sources()) > 0 || b.config.Batch != nil {
		if lines, err = b.makeBases(ctx, b.allShards(), crlsOf(made.Listed)); err != nil {
			return err
		}
	} else if err := b.comparePrevious(nil, nil, &olderResponses{}); err != nil {
		return err
	}
	return b.publishBases(ctx, lines, made.Files)
}

// readStatic publishes the files below the directories of the configuration, beside
// those that are carried over. unpublish are HOST/PATH of others.
func (b *builder) readStatic(ctx context.Context, carried []store.FileLine, unpublish map[string]bool) (*static.Publication, error) {
	c := b.config
	from := static.Config{
		Dirs: c.Static, At: c.At, Issuers: b.issuers, Inventory: b.inventory, Carried: carried, Unpublish: unpublish,
		OCSP: c.readsResponses() || len(carried) > 0 && b.before.Segments != nil, MaxCRLSize: c.MaxCRLSize, Except: c.Except,
	}
	if b.previous != nil {
		from.Previous, from.Before = previousFiles{b}, b.before.Files
	}
	if len(c.Issuers) > 0 {
		from.IssuerFile = c.Issuers[0]
	}
	made, err := static.Publish(ctx, from, b.objects, b.ledger)
	if err != nil && len(b.ledger.Rejections()) > 0 {
		err = &RefusedError{err.Error()}
	}
	return made, err
}

// crlsOf is what the CRLs of each issuer list, as package ocsp asks it.
func crlsOf(listed []*crl.Listing) []crl.Revocations {
	all := make([]crl.Revocations, len(listed))
	for i, l := range listed {
		if l != nil {
			all[i] = l
		}
	}
	return all
}

// sources are what responses are read from: what is named, and what was put aside.
func (b *builder) sources() []string {
	if b.held.Len() == 0 {
		return b.config.Responses
	}
	return append(slices.Clip(b.config.Responses), b.held.Dir())
}

// origin is the configured one or its default.
func (b *builder) origin(files []store.FileLine) string {
	if b.config.Origin != "" {
		return b.config.Origin
	}
	origin := ""
	for _, f := range files {
		if f.Host != store.AnyHost && (origin == "" || f.Host < origin) {
			origin = f.Host
		}
	}
	if origin == "" {
		return "lancre"
	}
	return origin
}
