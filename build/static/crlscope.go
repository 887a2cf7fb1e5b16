package static

import (
	"bytes"

	"lancre/build/ca"
	"lancre/build/certs"
	"lancre/build/crl"
	"lancre/build/inventory"
	"lancre/build/rule"
)

// knownCAs are serial numbers, in content octets, of certificates of CAs, by who issued
// them, and the files that they are known from.
type knownCAs map[*ca.Issuer]map[string]string

// publishedCAs are those of the CA certificates that are published. As those of --issuer,
// one that a CA issued to itself is none: the status of a root is not published.
func (t *tree) publishedCAs() knownCAs {
	known := make(knownCAs)
	for _, s := range t.files {
		for _, cert := range s.certs {
			if !cert.IsCA || bytes.Equal(cert.RawIssuer, cert.RawSubject) {
				continue
			}
			for _, is := range t.config.Issuers.Named(cert.RawIssuer) {
				if is.Issued(cert) != nil {
					continue
				}
				if known[is] == nil {
					known[is] = make(map[string]string)
				}
				known[is][string(certs.Serial(cert.SerialNumber))] = s.name
			}
		}
	}
	return known
}

// checkScopes checks that what the CRLs of one issuer list is of the kind that they say
// they are for.
func (t *tree) checkScopes(group []*crlObject, known knownCAs) {
	for _, o := range group {
		if o.Point == nil || o.Point.UserCerts == o.Point.CACerts {
			continue
		}
		foreign, field, kind := inventory.CACert, "onlyContainsUserCerts", "of a CA"
		if o.Point.CACerts {
			foreign, field, kind = inventory.UserCert, "onlyContainsCACerts", "of no CA"
		}
		o.Walk(func(e *crl.Entry) {
			if e.Foreign {
				return
			}
			if is, from := t.kindOf(o.by, e.Serial, known); is == foreign {
				o.findings.FoundAt(rule.CRLScope, e.Offset, e.Serial, rule.Because(
					"certificate is %s (known from %s), but the CRL has %s: clients look for its revocation on another CRL", kind, from, field))
			}
		})
	}
}

// kindOf is what is known of the kind of a certificate, by its issuer and its serial
// number in content octets, and from where.
func (t *tree) kindOf(is *ca.Issuer, serial []byte, known knownCAs) (kind inventory.Kind, from string) {
	if is.Subordinate(serial) {
		return inventory.CACert, "--issuer"
	}
	if name, ok := known[is][string(serial)]; ok {
		return inventory.CACert, name
	}
	line, _ := t.config.Inventory.Find(is, serial)
	if line.Kind == inventory.AnyKind {
		return line.Kind, ""
	}
	return line.Kind, t.config.Inventory.File
}
