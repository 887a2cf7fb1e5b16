package sign

import (
	"cmp"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"time"

	"lancre/build/certs"
	"lancre/index"
	"lancre/sign/ocsp"
)

// A run is one call of Run.
type run struct {
	*Config
	began     time.Time // by the clock of the machine
	report    *Report
	responder *ocsp.Responder
	out       *output
	state     *state
	pace      *pace
}

// Run signs what c says. The report is nil only where nothing was looked at; with an
// error it says what was done all the same.
//
// Runs with the same Out exclude each other.
func Run(ctx context.Context, c Config) (*Report, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	r := &run{Config: &c, began: time.Now(), pace: newPace(c.Rate)}
	r.report = &Report{At: c.clock().UTC().Truncate(time.Second)}
	if err := r.openResponder(); err != nil {
		return nil, err
	}
	err := r.run(ctx)
	return r.report, err
}

// now is when the list is read, Unix seconds.
func (r *run) now() int64 { return r.report.At.Unix() }

// openResponder reads the certificates and checks what holds for the whole run.
func (r *run) openResponder() error {
	issuer, err := readCertificate(r.Issuer)
	if err != nil {
		return fmt.Errorf("issuer %w", err)
	}
	if fault := certs.CAFault(issuer); fault != "" {
		return fmt.Errorf("issuer %s: the certificate of %s is no CA certificate: %s", r.Issuer, issuer.Subject, fault)
	}
	var delegate *x509.Certificate
	if r.Responder != "" {
		if delegate, err = readCertificate(r.Responder); err != nil {
			return fmt.Errorf("responder %w", err)
		}
	}
	r.List.Issuer = issuer
	if r.DryRun && r.Key == nil {
		r.Key = noKey{cmp.Or(delegate, issuer).PublicKey}
	}
	if r.Key == nil {
		return errors.New("no key (--key)")
	}
	if r.responder, err = ocsp.New(issuer, delegate, r.Key, r.Hashes); err != nil {
		return err
	}
	if r.public() {
		if err := r.responder.CheckPublic(); err != nil {
			return fmt.Errorf("%w (profile %s)", err, r.publicName())
		}
	}
	return r.responder.CheckValidity(r.now(), r.now()+int64(r.Validity/time.Second))
}

// A noKey is in the place of a key that is not used.
type noKey struct{ public crypto.PublicKey }

func (k noKey) Public() crypto.PublicKey { return k.public }

func (noKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("no key")
}

// readCertificate reads a file that has one certificate.
func readCertificate(name string) (*x509.Certificate, error) {
	list, err := certs.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if len(list) != 1 {
		return nil, fmt.Errorf("%s: %d certificates, want one: that of who issued, or signs, alone", name, len(list))
	}
	return list[0], nil
}

// run does the work.
func (r *run) run(ctx context.Context) (err error) {
	if r.out, err = openOutput(r.Out, r.report.At); err != nil {
		return err
	}
	defer r.out.close()
	pending, err := r.out.pending()
	if err != nil {
		return err
	}
	if r.state, err = r.openState(pending); err != nil {
		return err
	}
	defer r.state.close()
	if err := r.checkMoment(); err != nil {
		return err
	}
	p, err := r.plan(ctx)
	if err != nil {
		return err
	}
	defer p.items.Close()
	if r.DryRun {
		return r.contradicted()
	}
	return r.finish(r.sign(ctx, p))
}

// finish ends a run whose signing ended with err.
func (r *run) finish(err error) error {
	if err != nil {
		if left := r.report.Planned() - r.report.Signed; left > 0 {
			err = fmt.Errorf("%d of %d responses were not signed: %w", left, r.report.Planned(), err)
		}
	}
	joined, joining := r.out.join()
	if joined {
		r.report.Files = []string{r.out.file}
	}
	return errors.Join(err, joining, r.contradicted())
}

// contradicted is the error that the list lets certificates be good that were revoked.
func (r *run) contradicted() error {
	n := r.report.Contradicted
	if n == 0 {
		return nil
	}
	return fmt.Errorf("certificates %s: %d are good that were revoked before, the first is %s: they stay revoked; if they were on hold, see --force %s",
		r.List.Name(), n, r.report.ContradictedFirst, ForceHeld)
}

// checkMoment compares the clock with what was signed before: responses of a wrong
// time cannot be taken back.
func (r *run) checkMoment() error {
	newest := r.state.newest()
	if newest == 0 || r.Forced(ForceClock) {
		return nil
	}
	if r.now() < newest-index.MaxSkew {
		return fmt.Errorf("it is %s by the clock, but something was signed %s: set the clock (if it is right: --force %s)", utc(r.now()), utc(newest), ForceClock)
	}
	if r.now() > newest+int64(r.Validity/time.Second) {
		return fmt.Errorf("it is %s by the clock, and nothing was signed since %s, for longer than a response is valid: is the clock right? If it is: --force %s", utc(r.now()), utc(newest), ForceClock)
	}
	return nil
}

// checkClock checks that nobody has set the clock since the run began: then what it
// showed at first may have been wrong.
func (r *run) checkClock() error {
	now := time.Now()
	return stepped(now.Round(0).Sub(r.began.Round(0)), now.Sub(r.began))
}

// stepped compares how long a run took by the clock and by what only counts.
func stepped(wall, monotonic time.Duration) error {
	if step := wall - monotonic; step.Abs() > index.MaxSkew*time.Second {
		return fmt.Errorf("the clock was set by %s during the run: run it again", step)
	}
	return nil
}
