package ocsp

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"

	"lancre/build/ca"
	"lancre/build/certs"
	"lancre/build/crl"
	"lancre/build/der"
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
	err    error   // if it is no certificate; then nothing else is set
	issued *string // what issuedFault says, nil until it is asked
}

// get returns what is to be said of a certificate in a response for is.
func (d *delegateCache) get(is *ca.Issuer, raw []byte) *delegate {
	if s, ok := d.known[delegateKey{is, string(raw)}]; ok {
		return s
	}
	s, err := newDelegate(is, raw)
	if err != nil {
		s = &delegate{err: err}
	}
	if d.known == nil || len(d.known) >= maxDelegates {
		d.known = make(map[delegateKey]*delegate)
	}
	d.known[delegateKey{is, string(raw)}] = s
	return s
}

func newDelegate(is *ca.Issuer, raw []byte) (*delegate, error) {
	if raw == nil {
		return nil, errors.New("not a DER SEQUENCE")
	}
	cert, err := certs.Parse(bytes.Clone(raw)) // raw is the batch's
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
	if err := d.checkAuthorityKey(is); err != nil {
		return nil, err
	}
	d.checkCritical()
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

// issuedFault says why it is not a certificate that is issued, "" if it is. The signature
// is verified when that is asked first: a response has room for hundreds of certificates,
// and one of them counts.
func (d *delegate) issuedFault(is *ca.Issuer) string {
	if d.issued == nil {
		fault := ""
		if !is.Named(d.Cert.RawIssuer) {
			fault = fmt.Sprintf("responder certificate was issued by %s, the certificates it speaks for by %s", d.Cert.Issuer, is.Cert.Subject)
		} else if err := is.Issued(d.Cert); err != nil {
			fault = fmt.Sprintf("responder certificate is not signed by the key of %s: %v", is.Cert.Subject, err)
		}
		d.issued = &fault
	}
	return *d.issued
}

// checkAuthorityKey checks that what the certificate says of its issuer leads to that.
func (d *delegate) checkAuthorityKey(is *ca.Issuer) error {
	value, ok := certs.Extension(d.Cert, oidAuthorityKey)
	if !ok {
		return nil
	}
	a, ok := der.ReadAuthorityKey(value)
	if !ok {
		return errors.New("authorityKeyIdentifier of the responder certificate is not one in DER")
	}
	if a.KeyID != nil {
		if fault := is.KeyIDFault(a); fault != "" {
			d.found(rule.OCSPDelegateAuthorityKey, "does not lead to its issuer: %s", fault)
		}
	}
	if fault := is.NamedCertFault(a); fault != "" {
		d.found(rule.OCSPDelegateAuthorityKey, "does not lead to its issuer: %s", fault)
	}
	return nil
}

// checkCritical checks that clients know the critical extensions. What crypto/x509 knows
// they do; id-pkix-ocsp-nocheck they know from RFC 6960 section 4.2.2.2.1.
func (d *delegate) checkCritical() {
	for _, oid := range d.Cert.UnhandledCriticalExtensions {
		if !oid.Equal(oidNoCheck) {
			d.found(rule.OCSPDelegateExtensionCritical, "has the extension %s, which is not known and critical: clients must refuse the response", oid)
		}
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
	if !certs.Allows(d.Cert, x509.KeyUsageDigitalSignature) {
		d.found(rule.OCSPDelegateKeyUsage, "has a key usage without digitalSignature")
	}
}

var (
	oidNoCheck      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5} // id-pkix-ocsp-nocheck
	oidAIA          = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}
	oidSAN          = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidCRLPoints    = asn1.ObjectIdentifier{2, 5, 29, 31}
	oidPolicies     = asn1.ObjectIdentifier{2, 5, 29, 32}
	oidAuthorityKey = asn1.ObjectIdentifier{2, 5, 29, 35}
)

func (d *delegate) checkNoCheck() {
	value, ok := certs.Extension(d.Cert, oidNoCheck)
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
		if _, ok := certs.Extension(d.Cert, e.oid); ok {
			d.found(e.id, "has %s, which only makes every response longer", e.name)
		}
	}
	_, hasUsage := certs.Extension(d.Cert, certs.IDKeyUsage)
	if extra := d.Cert.KeyUsage &^ x509.KeyUsageDigitalSignature; extra != 0 || !hasUsage {
		d.found(rule.OCSPDelegateExtensions, "has no key usage, or another than digitalSignature")
	}
}
