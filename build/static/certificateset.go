package static

import (
	"bytes"
	"crypto/x509"

	"lancre/build/rule"
	"lancre/index/store"
)

// checkCertificates checks the certificates of the build against the configured
// issuers and against those of the previous generation.
func (t *tree) checkCertificates() {
	for _, s := range t.files {
		if s.certs == nil || s.carried {
			continue
		}
		var f rule.Findings
		f.Begin(t.ledger, rule.Whole(s.name))
		t.checkConfigured(s, &f)
		for _, at := range s.targets {
			t.checkKeptKey(s, at, &f)
		}
		t.ledger.Enter(&f)
	}
	t.checkCrossed()
}

// checkConfigured checks that a file holds the certificate of an issuer. Beside
// it, a certs-only CMS may hold those of the CAs above.
func (t *tree) checkConfigured(s *file, f *rule.Findings) {
	if len(t.config.Issuers.List) == 0 {
		return // of a build that has none, nothing is known
	}
	for _, cert := range s.certs {
		if t.config.Issuers.Holding(cert) != nil {
			return
		}
	}
	f.Found(rule.CertIssuer, rule.Because("no --issuer has name and key of the certificate of %s", s.certs[0].Subject))
}

// checkKeptKey checks that one of the keys in s was there before at the target.
func (t *tree) checkKeptKey(s *file, at target, f *rule.Findings) {
	old := t.before[at]
	if old == nil || old.ContentType != store.TypeCertificate && old.ContentType != store.TypeCMS {
		return
	}
	before, err := t.reread(old)
	if err != nil {
		f.Found(rule.StorePrevious, rule.Because("nothing is compared with the previous certificate: %v", err))
	}
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
	f.Found(rule.CertKey, rule.Because("certificate at %s has another key than in the previous generation: certificates that name this URL were signed by that one", at.url()))
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
	for _, is := range t.config.Issuers.List {
		var missing *x509.Certificate
		some := false
		for _, cert := range is.Certs {
			if published[string(cert.Raw)] {
				some = true
			} else {
				missing = cert
			}
		}
		if some && missing != nil {
			t.ledger.Found(rule.CertCross, rule.Whole(t.config.IssuerFile), "", rule.Because(
				"certificate of %s by %s is not published, another one with its name and key is: a chain may need either", missing.Subject, missing.Issuer))
		}
	}
}
