package probe

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"lancre/build/ca"
	"lancre/build/certs"
	"lancre/index"
)

// delegate finds, in a response that is does not sign itself, the certificate of the one
// who does.
func (j *judge) delegate(r *index.Response, is *ca.Issuer) (*ca.Signer, error) {
	list, err := certs.ParseAll(r.Certificates)
	if err != nil {
		return nil, err
	}
	for _, cert := range list {
		s, err := ca.NewSigner(cert)
		if err != nil {
			return nil, err
		}
		if s.Is(r) {
			return s, j.mayDelegate(is, cert)
		}
	}
	return nil, errors.New("ResponderID names neither the issuer nor a certificate in the response")
}

// mayDelegate says why cert does not make its owner a responder of is; nil if it does.
func (j *judge) mayDelegate(is *ca.Issuer, cert *x509.Certificate) error {
	now := j.now()
	switch {
	case !is.Named(cert.RawIssuer):
		return fmt.Errorf("responder certificate was issued by %s, want %s", cert.Issuer, is.Cert.Subject)
	case !slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):
		return fmt.Errorf("responder certificate %s lacks id-kp-OCSPSigning", cert.Subject)
	case now.After(cert.NotAfter) || now.Before(cert.NotBefore):
		return fmt.Errorf("responder certificate %s is valid %s to %s, and it is %s", cert.Subject, utc(cert.NotBefore.Unix()), utc(cert.NotAfter.Unix()), utc(now.Unix()))
	}
	if err := is.Issued(cert); err != nil {
		return fmt.Errorf("responder certificate is not signed by the key of %s: %w", is.Cert.Subject, err)
	}
	return nil
}
