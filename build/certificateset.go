package build

import (
	"bytes"
	"crypto/x509"
)

// checkCertificates checks the certificates of the build against the configured
// issuers and against those of the previous generation.
func (t *tree) checkCertificates() {
	for _, s := range t.files {
		if s.certs == nil {
			continue
		}
		var f faults
		t.checkConfigured(s, &f)
		for _, at := range s.targets {
			t.checkKeptKey(s, at, &f)
		}
		t.foundAll(s.name, &f)
	}
	t.checkCrossed()
}

// checkConfigured checks that a file holds the certificate of an issuer. Beside
// it, a certs-only CMS may hold those of the CAs above.
func (t *tree) checkConfigured(s *static, f *faults) {
	if len(t.issuers.list) == 0 {
		return // of a build that has none, nothing is known
	}
	for _, cert := range s.certs {
		if t.issuers.holding(cert) != nil {
			return
		}
	}
	f.add(checkCertIssuer, "no --issuer has name and key of the certificate of %s", s.certs[0].Subject)
}

// holding returns the issuer with name and key of cert, nil if there is none.
func (all *issuers) holding(cert *x509.Certificate) *issuer {
	for _, is := range all.list {
		if bytes.Equal(is.cert.RawSubject, cert.RawSubject) && bytes.Equal(is.cert.RawSubjectPublicKeyInfo, cert.RawSubjectPublicKeyInfo) {
			return is
		}
	}
	return nil
}

// checkKeptKey checks that one of the keys in s was there before at the target.
func (t *tree) checkKeptKey(s *static, at target, f *faults) {
	before, _ := recogniseStatic(t.before[at].Body)
	if len(before.certs) == 0 {
		return
	}
	for _, old := range before.certs {
		for _, cert := range s.certs {
			if bytes.Equal(old.RawSubjectPublicKeyInfo, cert.RawSubjectPublicKeyInfo) {
				return
			}
		}
	}
	f.add(checkCertKey, "certificate at %s has another key than in the previous generation: certificates that name this URL were signed by that one", at.url())
}

// checkCrossed looks for issuers of which some, but not all, of the certificates
// are published.
func (t *tree) checkCrossed() {
	published := make(map[string]bool) // by DER
	for _, s := range t.files {
		for _, cert := range s.certs {
			published[string(cert.Raw)] = true
		}
	}
	for _, is := range t.issuers.list {
		var missing *x509.Certificate
		some := false
		for _, cert := range is.certs {
			if published[string(cert.Raw)] {
				some = true
			} else {
				missing = cert
			}
		}
		if some && missing != nil {
			t.found(checkCertCross, whole(t.config.Issuers[0]), "", "certificate of "+missing.Subject.String()+
				" by "+missing.Issuer.String()+" is not published, another one with its name and key is: a chain may need either")
		}
	}
}
