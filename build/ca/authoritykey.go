package ca

import (
	"bytes"
	"crypto/x509"
	"fmt"

	"lancre/build/certs"
	"lancre/build/der"
)

// KeyIDFault says why the keyIdentifier of an authorityKeyIdentifier is not that of the
// issuer, "" if it is, or if none of its certificates says what it is.
func (is *Issuer) KeyIDFault(a der.AuthorityKey) string {
	for _, cert := range is.Certs {
		if cert.SubjectKeyId == nil || bytes.Equal(cert.SubjectKeyId, a.KeyID) {
			return ""
		}
	}
	return fmt.Sprintf("keyIdentifier of authorityKeyIdentifier is %.40x, subjectKeyIdentifier of %s is %x", a.KeyID, is.Cert.Subject, is.Cert.SubjectKeyId)
}

// NamedCertFault says why authorityCertIssuer and authorityCertSerialNumber of an
// authorityKeyIdentifier do not name a certificate of the issuer, by the name of who
// issued that and its serial number; "" if they do, or are absent. OpenSSL looks for that
// very certificate and fails for another (X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH).
func (is *Issuer) NamedCertFault(a der.AuthorityKey) string {
	if fault := a.Unpaired(); fault != "" || a.Issuer == nil {
		return fault
	}
	for _, cert := range is.Certs {
		if names(a, cert) {
			return ""
		}
	}
	return fmt.Sprintf("authorityCertIssuer and authorityCertSerialNumber %.40x of authorityKeyIdentifier name no certificate of %s: its own was issued by %s with the serial number %x",
		a.Serial, is.Cert.Subject, is.Cert.Issuer, certs.Serial(is.Cert.SerialNumber))
}

func names(a der.AuthorityKey, cert *x509.Certificate) bool {
	if !bytes.Equal(a.Serial, certs.Serial(cert.SerialNumber)) {
		return false
	}
	for name := range der.DirectoryNames(a.Issuer) {
		if certs.SameName(name, cert.RawIssuer) {
			return true
		}
	}
	return false
}
