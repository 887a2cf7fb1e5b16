package build

import (
	"context"
	"fmt"

	"lancre/build/inventory"
	"lancre/build/ocsp"
	"lancre/index"
	"lancre/internal/interrupt"
)

// A tombstone is what is to answer for a certificate that was withdrawn.
type tombstone struct {
	id     index.CertID
	hidden index.CertStatus
}

// withdrawals are the tombstones that the addition asks for: for every CertID of its
// certificates that is answered by a response. p is told the certificates.
func (a *adder) withdrawals(ctx context.Context, p *packer) (list []tombstone, err error) {
	file := a.addition.Withdraw
	if file == "" {
		return nil, nil
	}
	certificates, err := interrupt.Do(ctx, func() ([]inventory.Certificate, error) { return inventory.LoadSerials(file, a.issuers) })
	if err != nil {
		return nil, fmt.Errorf("certificates to withdraw: %w", err)
	}
	p.withdrawn = make(map[subject]string)
	for _, c := range certificates {
		name := subject{c.Issuer, string(c.Serial)}
		if _, twice := p.withdrawn[name]; twice {
			continue
		}
		p.withdrawn[name] = fmt.Sprintf("%s line %d", file, c.Line)
		buried, answered, err := a.withdraw(&c)
		if err != nil {
			return nil, err
		}
		if !answered {
			return nil, fmt.Errorf("certificates to withdraw: %s line %d: nothing is answered for serial %x of %s: is it the right issuer?",
				file, c.Line, c.Serial, c.Issuer.Cert.Subject)
		}
		list = append(list, buried...)
	}
	return list, nil
}

// withdraw looks up what is answered for one certificate.
func (a *adder) withdraw(c *inventory.Certificate) (buried []tombstone, answered bool, err error) {
	for id := range c.Issuer.CertIDs(c.Serial) {
		rec, found, err := a.previous.Lookup(id.Key(), &id)
		if err != nil {
			return nil, false, err
		}
		answered = answered || found
		if found && !rec.Tombstone() {
			hidden, _ := rec.CertStatus(&id) // rec has id
			buried = append(buried, tombstone{id.Clone(), hidden})
		}
	}
	return buried, answered, nil
}

// addTombstones adds what was withdrawn.
func (o *outputs) addTombstones(list []tombstone) error {
	var e index.Entry
	for i := range list {
		t := &list[i]
		if err := e.SetTombstone(&t.id, t.hidden); err != nil {
			return fmt.Errorf("withdrawing %s: %w", &t.id, err)
		}
		if _, err := o.add(&e, []ocsp.Subject{{Serial: t.id.Serial}}, nil); err != nil {
			return err
		}
	}
	return nil
}
