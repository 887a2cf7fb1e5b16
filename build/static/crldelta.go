package static

import (
	"bytes"

	"lancre/build/crl"
	"lancre/build/rule"
)

// checkBases checks that clients have, or had, a complete CRL that they can use each delta
// CRL with. All are of one issuer.
func (t *tree) checkBases(deltas, complete []*crlObject) error {
	for _, d := range deltas {
		found := false
		for _, o := range complete {
			found = found || isBase(o.CRL, d.CRL)
		}
		if found {
			continue
		}
		had, err := t.hadBase(d.CRL)
		if err != nil {
			return err
		}
		if !had {
			d.findings.Found(rule.CRLDeltaBase, rule.Because(
				"no complete CRL of its issuer with the same issuingDistributionPoint and a cRLNumber of at least %x, its BaseCRLNumber, is published, or was in the previous generation: publish it beside the delta CRL", d.Base))
		}
	}
	return nil
}

// isBase reports whether the delta CRL d says what has changed since c, or since before
// that (RFC 5280 section 6.3.3 (c)).
func isBase(c, d *crl.CRL) bool {
	return !c.Delta() && c.Number != nil && compareNumbers(c.Number, d.Base) >= 0 && bytes.Equal(c.Issuer, d.Issuer) && c.SameScope(d)
}

// hadBase reports whether the previous generation has a base of d.
func (t *tree) hadBase(d *crl.CRL) (bool, error) {
	for _, f := range t.before {
		if f.ContentType != kindCRL.contentType() {
			continue
		}
		c, _, err := t.carriedCRL(f)
		if err != nil {
			return false, err
		}
		if c != nil && isBase(c, d) {
			return true, nil
		}
	}
	return false, nil
}
