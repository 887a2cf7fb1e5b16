package crls

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"lancre/build/ca"
	"lancre/build/certs"
	"lancre/build/crl"
	"lancre/build/rule"
	"lancre/index"
	"lancre/internal/durable"
	"lancre/internal/sigbus"
	encode "lancre/sign/crl"
	"lancre/sign/key"
)

// A target is one CRL of a run.
type target struct {
	url, file string
	before    *crl.CRL // that stands there; nil if none does
	entries   encode.Entries
	fresh     encode.Hashes // of the serial numbers that it had not

	added, altered, removed int // entries, against those before
}

// A run is one call of Run.
type run struct {
	*Config
	report  *Report
	issuer  *x509.Certificate
	signer  *encode.Signer // nil with DryRun
	targets []*target
	byShard map[string]*target
	memory  *memory
	claims  map[string]*os.File // directories of the targets
}

// Run signs what c says. The report is nil only where nothing was looked at; with an
// error it says what was done all the same.
func Run(ctx context.Context, c Config) (*Report, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	r := &run{Config: &c, report: &Report{At: c.clock().UTC().Truncate(time.Second)}}
	defer r.close()
	if err := sigbus.Guard(r.open); err != nil {
		return nil, err
	}
	return r.report, sigbus.Guard(func() error { return r.work(ctx) })
}

// work does what a run does once all is open.
func (r *run) work(ctx context.Context) error {
	if err := r.checkMoment(); err != nil {
		return err
	}
	if err := r.read(ctx); err != nil {
		return err
	}
	return errors.Join(r.sign(ctx), r.contradicted())
}

// now is when the list is read, Unix seconds.
func (r *run) now() int64 { return r.report.At.Unix() }

// open reads the issuer's certificate and the CRLs before, and makes the targets.
func (r *run) open() error {
	list, err := certs.ReadFile(r.Issuer)
	if err != nil {
		return fmt.Errorf("issuer %w", err)
	}
	if len(list) != 1 {
		return fmt.Errorf("issuer %s: %d certificates, want that of the CA alone", r.Issuer, len(list))
	}
	r.issuer, r.List.Issuer = list[0], list[0]
	if err := checkIssuer(r.issuer, r.now()); err != nil {
		return fmt.Errorf("issuer %s: %w", r.Issuer, err)
	}
	algorithm, err := key.AlgorithmOf(r.issuer.PublicKey)
	if err != nil {
		return fmt.Errorf("issuer %s: %w", r.Issuer, err)
	}
	if algorithm.Hash == 0 && r.rejects(rule.CRLAlgorithmProfile) {
		return fmt.Errorf("the key of %s is Ed25519, which public CAs must not use", r.issuer.Subject)
	}
	if r.DryRun {
		return r.openTargets()
	}
	if r.Key == nil {
		return errors.New("no key (--key)")
	}
	if r.signer, err = encode.NewSigner(r.issuer, r.Key); err != nil {
		return err
	}
	return r.openTargets()
}

func (r *run) openTargets() error {
	shards := r.Shards.names
	if shards == nil {
		shards = []string{""}
	}
	by, err := ca.NewSigner(r.issuer)
	if err != nil {
		return err
	}
	r.byShard, r.claims = make(map[string]*target), make(map[string]*os.File)
	for _, shard := range shards {
		t := &target{url: r.url(shard)}
		if t.file, err = r.file(t.url); err != nil {
			return err
		}
		if err := r.claim(filepath.Dir(t.file)); err != nil {
			return err
		}
		if t.before, err = readPrevious(t.file, by); err != nil {
			return err
		}
		r.targets, r.byShard[shard] = append(r.targets, t), t
	}
	r.memory = newMemory(r.targets)
	return nil
}

// claim makes a directory, and has no other run write there.
func (r *run) claim(dir string) error {
	if r.DryRun || r.claims[dir] != nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := durable.Claim(dir)
	if err == nil {
		r.claims[dir] = f
	}
	return err
}

func (r *run) close() {
	for _, f := range r.claims {
		f.Close()
	}
	for _, t := range r.targets {
		t.entries.Close()
		if t.before != nil {
			unix.Munmap(t.before.DER)
		}
	}
}

// checkMoment compares the clock with the CRLs before.
func (r *run) checkMoment() error {
	newest := int64(0)
	for _, t := range r.targets {
		if t.before != nil {
			newest = max(newest, t.before.ThisUpdate)
		}
	}
	switch {
	case newest == 0 || r.Forced(ForceClock):
	case r.now() < newest-index.MaxSkew:
		return fmt.Errorf("it is %s by the clock, but thisUpdate of a CRL before is %s: set the clock (if it is right: --force %s)", utc(r.now()), utc(newest), ForceClock)
	case r.now() > newest+int64(r.Validity/time.Second):
		return fmt.Errorf("it is %s by the clock, and no CRL was signed since %s, for longer than one is valid: is the clock right? If it is: --force %s", utc(r.now()), utc(newest), ForceClock)
	}
	return nil
}

// thisUpdate is when the list was read, but later than that of the CRL before.
func (r *run) thisUpdate(t *target) int64 {
	if t.before == nil {
		return r.now()
	}
	return max(r.now(), t.before.ThisUpdate+1)
}

// due reports whether the CRL must be signed: it would say something else, or is old.
func (r *run) due(t *target) bool {
	return t.before == nil || t.added+t.altered+t.removed > 0 || r.now()-t.before.ThisUpdate >= int64(r.Every/time.Second)
}

// sign signs the CRLs that are due. Those that are done stay, whatever comes later.
func (r *run) sign(ctx context.Context) error {
	var due []*target
	for _, t := range r.targets {
		if r.due(t) {
			due = append(due, t)
		} else {
			r.report.Unchanged++
		}
	}
	r.report.Planned = len(due)
	if r.DryRun {
		return nil
	}
	for i, t := range due {
		err := context.Cause(ctx)
		if err == nil {
			err = r.signOne(t)
		}
		if err != nil {
			return fmt.Errorf("%d of %d CRLs were not signed: %s: %w", len(due)-i, len(due), t.url, err)
		}
	}
	return nil
}

func (r *run) signOne(t *target) error {
	h, err := r.head(t)
	if err != nil {
		return err
	}
	made, err := r.signer.Sign(h, &t.entries)
	if err != nil {
		return err
	}
	err = durable.WriteFile(t.file, func(w io.Writer) error {
		out := bufio.NewWriterSize(w, 64<<10)
		if err := made.Write(out); err != nil {
			return err
		}
		return out.Flush()
	})
	if err == nil {
		r.signed(t, h)
	}
	return err
}

// head is what the CRL is to say beside its entries. The number is the time, so that it
// grows where none is remembered, but above that before, whoever counted so: from 1, as
// openssl does, or in nanoseconds, as Boulder does.
func (r *run) head(t *target) (*encode.Head, error) {
	h := &encode.Head{ThisUpdate: r.thisUpdate(t)}
	h.NextUpdate = h.ThisUpdate + int64(r.Validity/time.Second)
	h.Number = big.NewInt(h.ThisUpdate)
	if t.before != nil {
		if next := new(big.Int).SetBytes(t.before.Number); next.Add(next, big.NewInt(1)).Cmp(h.Number) > 0 {
			h.Number = next
		}
	}
	if h.Number.BitLen() >= maxNumberBits {
		return nil, fmt.Errorf("its number would be %s, want one below 2^%d (RFC 5280 section 5.2.3)", h.Number, maxNumberBits)
	}
	if r.microsoft() {
		h.NextPublish = h.NextUpdate
		if r.Every > 0 {
			h.NextPublish = h.ThisUpdate + int64(r.Every/time.Second)
		}
	}
	if r.Shards.names != nil { // a full CRL has no issuingDistributionPoint (BR section 7.2.2.1)
		h.URL, h.Scope = t.url, encode.ForUsers
		if r.Subordinates {
			h.Scope = encode.ForCAs
		}
	}
	return h, nil
}

// maxNumberBits is how many bits a cRLNumber may have: less than 2^159 (BR section
// 7.2.2).
const maxNumberBits = 159

// microsoft reports whether Windows is to be told when the next CRL comes.
func (r *run) microsoft() bool {
	return rule.Under(r.Profiles)[rule.CRLNextPublish] != rule.Ignores
}

// signed reports and logs that a CRL was signed. Nothing in the line is secret.
func (r *run) signed(t *target, h *encode.Head) {
	made := Made{URL: t.url, File: t.file, Number: h.Number, Entries: t.entries.Count(), Added: t.added, Removed: t.removed, NextUpdate: time.Unix(h.NextUpdate, 0)}
	r.report.Made = append(r.report.Made, made)
	if r.Log != nil {
		r.Log.Info("signed", "file", t.file, "url", t.url, "number", h.Number, "entries", made.Entries, "added", t.added, "removed", t.removed,
			"signer", r.issuer.Subject.String(), "key", fmt.Sprintf("%x", r.signer.KeyID), "this_update", utc(h.ThisUpdate), "next_update", utc(h.NextUpdate))
	}
}
