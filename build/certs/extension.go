package certs

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
)

// IDKeyUsage is the OID of keyUsage (RFC 5280 section 4.2.1.3).
var IDKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 15}

// Extension returns the value of an extension of cert, which aliases cert, and whether it
// is there.
func Extension(cert *x509.Certificate, oid asn1.ObjectIdentifier) (value []byte, ok bool) {
	for _, e := range cert.Extensions {
		if e.Id.Equal(oid) {
			return e.Value, true
		}
	}
	return nil, false
}

// Allows reports whether cert lets its key be used for this: by that key usage, or by
// having none (RFC 5280 section 6.3.3 (f)). One in which no bit is set allows nothing.
func Allows(cert *x509.Certificate, usage x509.KeyUsage) bool {
	if _, restricted := Extension(cert, IDKeyUsage); !restricted {
		return true
	}
	return cert.KeyUsage&usage != 0
}

// CAFault says why cert is no CA's, "" if it is (RFC 5280 sections 4.2.1.3 and 4.2.1.9).
// One of version 1 or 2 has no place to say so: of these, clients take roots alone for CAs.
func CAFault(cert *x509.Certificate) string {
	const v3 = 3
	switch {
	case cert.Version < v3 && bytes.Equal(cert.RawSubject, cert.RawIssuer):
		return ""
	case cert.Version < v3:
		return fmt.Sprintf("it is of version %d, which has no place to say so, and not self-issued", cert.Version)
	case !cert.BasicConstraintsValid:
		return "it has no basicConstraints"
	case !cert.IsCA:
		return "its basicConstraints say that it is none"
	case !Allows(cert, x509.KeyUsageCertSign):
		return "its key usage lacks keyCertSign"
	}
	return ""
}
