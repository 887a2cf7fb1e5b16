package ocsp

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"

	"lancre/build/ca"
	"lancre/build/certs"
	"lancre/build/crl"
	"lancre/build/rule"
)

// maxDelegates bounds how many responder certificates are remembered. A CA has
// a handful at a time; input with a new one in each response must not fill memory.
const maxDelegates = 1024

// A delegateCache remembers certificates found in responses, so that each is
// parsed and checked once. Not safe for concurrent use.
type delegateCache struct {
	known map[delegateKey]*delegate
}

type delegateKey struct {
	issuer *ca.Issuer
	der    string
}

// A delegate is a certificate in a response, and what is wrong with it as one of a
// responder.
type delegate struct {
	ca.Signer
	broken rule.Findings
	err    error // if it is no certificate; then nothing else is set
}

// get returns what is to be said of a certificate in a response for is.
func (d *delegateCache) get(is *ca.Issuer, der []byte) *delegate {
	if s, ok := d.known[delegateKey{is, string(der)}]; ok {
		return s
	}
	s, err := newDelegate(is, der)
	if err != nil {
		s = &delegate{err: err}
	}
	if d.known == nil || len(d.known) >= maxDelegates {
		d.known = make(map[delegateKey]*delegate)
	}
	d.known[delegateKey{is, string(der)}] = s
	return s
}

func newDelegate(is *ca.Issuer, der []byte) (*delegate, error) {
	if der == nil {
		return nil, errors.New("not a DER SEQUENCE")
	}
	cert, err := certs.Parse(bytes.Clone(der)) // der is the batch's
	if err != nil {
		return nil, err
	}
	flaws, err := certs.Strict(cert)
	if err != nil {
		return nil, err
	}
	s, err := ca.NewSigner(cert)
	if err != nil {
		return nil, err
	}
	d := &delegate{Signer: *s}
	d.checkIssued(is)
	d.checkPurpose()
	d.checkNoCheck()
	d.checkExtensions()
	if flaws.Explicit != nil {
		d.found(rule.OCSPCriticalExplicit, "spells out that its extension %s is not critical, which DER forbids for a default", crl.OIDText(flaws.Explicit))
	}
	return d, nil
}

func (d *delegate) found(id rule.Check, format string, args ...any) {
	d.broken.Found(id, rule.Because("responder certificate "+format, args...))
}

func (d *delegate) checkIssued(is *ca.Issuer) {
	if !is.Named(d.Cert.RawIssuer) {
		d.found(rule.OCSPDelegateIssued, "was issued by %s, the certificates it speaks for by %s", d.Cert.Issuer, is.Cert.Subject)
		return
	}
	if err := is.Issued(d.Cert); err != nil {
		d.found(rule.OCSPDelegateIssued, "is not signed by the key of %s: %v", is.Cert.Subject, err)
	}
}

func (d *delegate) checkPurpose() {
	if !slices.Contains(d.Cert.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) {
		d.found(rule.OCSPDelegateEKU, "has no extended key usage id-kp-OCSPSigning: the CA did not let it sign for it")
	}
	if len(d.Cert.ExtKeyUsage)+len(d.Cert.UnknownExtKeyUsage) > 1 {
		d.found(rule.OCSPDelegateEKUOnly, "has other extended key usages beside id-kp-OCSPSigning")
	}
	if d.Cert.IsCA {
		d.found(rule.OCSPDelegateCA, "is a CA certificate")
	}
}

var (
	oidNoCheck   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5} // id-pkix-ocsp-nocheck
	oidAIA       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}
	oidSAN       = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidCRLPoints = asn1.ObjectIdentifier{2, 5, 29, 31}
	oidPolicies  = asn1.ObjectIdentifier{2, 5, 29, 32}
)

func (d *delegate) checkNoCheck() {
	value, ok := d.extension(oidNoCheck)
	if !ok {
		d.found(rule.OCSPDelegateNoCheck, "has no id-pkix-ocsp-nocheck: clients would have to ask for its own status")
	} else if !bytes.Equal(value, asn1.NullBytes) {
		d.found(rule.OCSPDelegateNoCheckValue, "has id-pkix-ocsp-nocheck with the value %x, want NULL (0500)", value)
	}
}

func (d *delegate) checkExtensions() {
	for _, e := range []struct {
		oid  asn1.ObjectIdentifier
		name string
		id   rule.Check
	}{
		{oidCRLPoints, "CRL distribution points", rule.OCSPDelegateExtensions},
		{oidSAN, "a subject alternative name", rule.OCSPDelegateExtensions},
		{oidAIA, "authority information access", rule.OCSPDelegateNeedless},
		{oidPolicies, "certificate policies", rule.OCSPDelegateNeedless},
	} {
		if _, ok := d.extension(e.oid); ok {
			d.found(e.id, "has %s, which only makes every response longer", e.name)
		}
	}
	if d.Cert.KeyUsage != x509.KeyUsageDigitalSignature {
		d.found(rule.OCSPDelegateExtensions, "has a key usage other than digitalSignature alone")
	}
}

// extension returns the value of the certificate's extension oid.
func (d *delegate) extension(oid asn1.ObjectIdentifier) (value []byte, ok bool) {
	for _, e := range d.Cert.Extensions {
		if e.Id.Equal(oid) {
			return e.Value, true
		}
	}
	return nil, false
}
