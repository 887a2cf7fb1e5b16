package key

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"lancre/build/ca"
	"lancre/build/certs"
	"lancre/build/ocsp"
	"lancre/build/rule"
)

// LoadIssuer reads the certificates of the one CA in a file, PEM or DER: several if it was
// cross-certified.
func LoadIssuer(name string) (*ca.Issuer, error) {
	all, err := ca.Load([]string{name})
	if err != nil {
		return nil, err
	}
	if n := len(all.List); n != 1 {
		return nil, fmt.Errorf("issuer %s: certificates of %d CAs, want those of one: each signs with a key of its own", name, n)
	}
	return all.List[0], nil
}

// LoadResponder reads the one certificate in a file, PEM or DER.
func LoadResponder(name string) (*x509.Certificate, error) {
	list, err := certs.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("responder %w", err)
	}
	if len(list) != 1 {
		return nil, fmt.Errorf("responder %s: %d certificates, want one: clients need no more than the responder's own", name, len(list))
	}
	return list[0], nil
}

// Match checks that the key is that of cert. Signing does not notice: whoever verifies
// would.
func (k *Key) Match(cert *x509.Certificate) error {
	if certs.PSSParameters(cert) != nil {
		return fmt.Errorf("the key of %s is for RSA-PSS alone, by which nothing is signed here", cert.Subject)
	}
	if !equal(k.Public(), cert.PublicKey) {
		return fmt.Errorf("key %s is not that of %s: it has the SHA-256 %x, that of the certificate %x", k.Name, cert.Subject, sum(k.Public()), sum(cert.PublicKey))
	}
	return nil
}

func equal(a, b crypto.PublicKey) bool {
	public, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(b)
}

// sum names a public key, by the start of the SHA-256 of its SubjectPublicKeyInfo.
func sum(public crypto.PublicKey) []byte {
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil
	}
	h := crypto.SHA256.New()
	h.Write(spki)
	return h.Sum(nil)[:8]
}

// CheckDirect checks that the CA's own key may sign responses for it under the
// severities, and that it is this key.
func (k *Key) CheckDirect(is *ca.Issuer, severity rule.Severities) error {
	if err := k.Match(is.Cert); err != nil {
		return err
	}
	if severity[rule.OCSPIssuerKeyUsage] == rule.Rejects && !is.Allows(x509.KeyUsageDigitalSignature) {
		return fmt.Errorf("the key usage of %s lacks digitalSignature (%s): name a --responder, and its key", is.Cert.Subject, rule.OCSPIssuerKeyUsage)
	}
	return nil
}

// CheckResponder checks that a certificate makes the key that of a responder for the
// issuer, from now until the nextUpdate of what it is to sign. What a build would reject
// under the severities is refused; a certificate without id-kp-OCSPSigning or
// id-pkix-ocsp-nocheck under any.
func (k *Key) CheckResponder(is *ca.Issuer, responder *x509.Certificate, severity rule.Severities, now, until time.Time) error {
	if equal(k.Public(), is.Cert.PublicKey) {
		return fmt.Errorf("key %s is that of the CA, %s, itself: with a --responder, want the responder's key, and keep the CA's where nothing is signed daily", k.Name, is.Cert.Subject)
	}
	if err := k.Match(responder); err != nil {
		return err
	}
	findings, err := ocsp.CheckResponder(is, responder)
	if err != nil {
		return fmt.Errorf("responder %s: %w", responder.Subject, err)
	}
	always := []rule.Check{rule.OCSPDelegateEKU, rule.OCSPDelegateNoCheck}
	for _, f := range findings {
		if severity[f.Check] == rule.Rejects || slices.Contains(always, f.Check) {
			return fmt.Errorf("responder %s: %s (%s)", responder.Subject, f.Reason, f.Check)
		}
	}
	if now.Before(responder.NotBefore) || responder.NotAfter.Before(until) {
		return fmt.Errorf("responder %s is valid from %s to %s, want from %s to %s, the nextUpdate of what it signs: give it a new certificate, or --validity less",
			responder.Subject, utc(responder.NotBefore), utc(responder.NotAfter), utc(now), utc(until))
	}
	return nil
}

func utc(t time.Time) string { return rule.UTC(t.Unix()) }
