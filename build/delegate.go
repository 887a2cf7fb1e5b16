package build

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
)

// maxDelegates bounds how many responder certificates are remembered. A CA has
// a handful at a time; input with a new one in each response must not fill memory.
const maxDelegates = 1024

// A delegateCache remembers certificates found in responses, so that each is
// parsed and checked once. Not safe for concurrent use.
type delegateCache struct {
	known map[delegateKey]*signer
}

type delegateKey struct {
	issuer *issuer
	der    string
}

// get returns what is to be said of a certificate in a response for is. If der is
// no certificate, cert is nil and broken says why.
func (d *delegateCache) get(is *issuer, der []byte) *signer {
	if s, ok := d.known[delegateKey{is, string(der)}]; ok {
		return s
	}
	s, err := newDelegate(is, der)
	if err != nil {
		s = &signer{broken: []finding{{checkDER, err.Error()}}}
	}
	if d.known == nil || len(d.known) >= maxDelegates {
		d.known = make(map[delegateKey]*signer)
	}
	d.known[delegateKey{is, string(der)}] = s
	return s
}

func newDelegate(is *issuer, der []byte) (*signer, error) {
	if der == nil {
		return nil, errors.New("not a DER SEQUENCE")
	}
	cert, err := x509.ParseCertificate(bytes.Clone(der)) // der is the batch's
	if err != nil {
		return nil, err
	}
	s, err := newSigner(cert)
	if err != nil {
		return nil, err
	}
	s.checkIssued(is)
	s.checkPurpose()
	s.checkNoCheck()
	s.checkExtensions()
	return s, nil
}

func (s *signer) breaks(id check, format string, args ...any) {
	s.broken = append(s.broken, finding{id, "responder certificate " + fmt.Sprintf(format, args...)})
}

func (s *signer) checkIssued(is *issuer) {
	if !bytes.Equal(s.cert.RawIssuer, is.cert.RawSubject) {
		s.breaks(checkDelegateIssued, "was issued by %s, the certificates it speaks for by %s", s.cert.Issuer, is.cert.Subject)
		return
	}
	if err := is.cert.CheckSignature(s.cert.SignatureAlgorithm, s.cert.RawTBSCertificate, s.cert.Signature); err != nil {
		s.breaks(checkDelegateIssued, "is not signed by the key of %s: %v", is.cert.Subject, err)
	}
}

func (s *signer) checkPurpose() {
	if !slices.Contains(s.cert.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) {
		s.breaks(checkDelegateEKU, "has no extended key usage id-kp-OCSPSigning: the CA did not let it sign for it")
	}
	if len(s.cert.ExtKeyUsage)+len(s.cert.UnknownExtKeyUsage) > 1 {
		s.breaks(checkDelegateOnlyEKU, "has other extended key usages beside id-kp-OCSPSigning")
	}
	if s.cert.IsCA {
		s.breaks(checkDelegateCA, "is a CA certificate")
	}
}

var (
	oidNoCheck   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5} // id-pkix-ocsp-nocheck
	oidAIA       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}
	oidSAN       = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidCRLPoints = asn1.ObjectIdentifier{2, 5, 29, 31}
	oidPolicies  = asn1.ObjectIdentifier{2, 5, 29, 32}
)

func (s *signer) checkNoCheck() {
	value, ok := s.extension(oidNoCheck)
	if !ok {
		s.breaks(checkDelegateNoCheck, "has no id-pkix-ocsp-nocheck: clients would have to ask for its own status")
	} else if !bytes.Equal(value, asn1.NullBytes) {
		s.breaks(checkDelegateNoCheckValue, "has id-pkix-ocsp-nocheck with the value %x, want NULL (0500)", value)
	}
}

func (s *signer) checkExtensions() {
	for _, e := range []struct {
		oid  asn1.ObjectIdentifier
		name string
		id   check
	}{
		{oidCRLPoints, "CRL distribution points", checkDelegateProfile},
		{oidSAN, "a subject alternative name", checkDelegateProfile},
		{oidAIA, "authority information access", checkDelegateNeedless},
		{oidPolicies, "certificate policies", checkDelegateNeedless},
	} {
		if _, ok := s.extension(e.oid); ok {
			s.breaks(e.id, "has %s, which only makes every response longer", e.name)
		}
	}
	if s.cert.KeyUsage != x509.KeyUsageDigitalSignature {
		s.breaks(checkDelegateProfile, "has a key usage other than digitalSignature alone")
	}
}

// extension returns the value of the certificate's extension oid.
func (s *signer) extension(oid asn1.ObjectIdentifier) (value []byte, ok bool) {
	for _, e := range s.cert.Extensions {
		if e.Id.Equal(oid) {
			return e.Value, true
		}
	}
	return nil, false
}
