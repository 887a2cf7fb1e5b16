// Package ocsp makes OCSP responses: one SingleResponse, named by key, with no
// extension, as RFC 9919 section 3.2 wants them of who signs in advance.
//
//	OCSPResponse { successful, BasicOCSPResponse {
//	    ResponseData {
//	        responderID   byKey
//	        producedAt
//	        responses     { CertID, certStatus, thisUpdate, nextUpdate } }
//	    signatureAlgorithm, signature
//	    certs             of a delegated responder, else absent } }
//
// What two responses of a responder differ in is serial number, status, times and
// signature: these are filled into a template, see template.go.
package ocsp

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"slices"

	"lancre/build/certs"
	"lancre/index"
	"lancre/sign/key"
)

// A Responder is who signs the status of the certificates of one issuer. It does not
// change once made and is safe for concurrent use, if its key is.
type Responder struct {
	Issuer *x509.Certificate // whose certificates they are
	Cert   *x509.Certificate // whose key signs: the issuer's, or a delegate's

	key       crypto.Signer
	keyHash   [sha1.Size]byte // ResponderID byKey (RFC 6960 section 4.2.1)
	algorithm key.Algorithm
	tail      []byte // of each response: certs with a delegate's certificate; else nil
	ids       map[index.HashAlg]index.CertID
}

// New makes a responder of the key of issuer or, if it is not nil, of delegate, which
// must be fit for what it is to sign. Its responses name certificates by CertIDs of the
// hash algorithms in hashes.
func New(issuer, delegate *x509.Certificate, signer crypto.Signer, hashes []index.HashAlg) (*Responder, error) {
	r := &Responder{Issuer: issuer, Cert: issuer, key: signer, ids: make(map[index.HashAlg]index.CertID)}
	if delegate != nil {
		if err := checkDelegate(issuer, delegate); err != nil {
			return nil, err
		}
		r.Cert, r.tail = delegate, certsOf(delegate.Raw)
	}
	if err := r.checkKey(); err != nil {
		return nil, err
	}
	bits, err := certs.KeyBits(r.Cert)
	if err != nil {
		return nil, err
	}
	r.keyHash = sha1.Sum(bits)
	if r.algorithm, err = key.AlgorithmOf(signer.Public()); err != nil {
		return nil, fmt.Errorf("%s: %w", r.Cert.Subject, err)
	}
	for _, alg := range hashes {
		if alg.Size() == 0 {
			return nil, fmt.Errorf("hash algorithm %d: not one that a CertID can have", alg)
		}
		if r.ids[alg], err = certs.ID(issuer, alg, nil); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// CertID is what the certificate with that serial number, the content octets of a DER
// INTEGER, is called under alg, which must be one of the responder's. It aliases serial.
func (r *Responder) CertID(alg index.HashAlg, serial []byte) index.CertID {
	id := r.ids[alg]
	id.Serial = serial
	return id
}

// Delegated reports whether a delegate signs, not the issuer.
func (r *Responder) Delegated() bool { return r.tail != nil }

// checkKey checks that the key is that of the certificate.
func (r *Responder) checkKey() error {
	err := key.Match(r.key, r.Cert)
	if err != nil && r.Delegated() && key.Match(r.key, r.Issuer) == nil {
		err = fmt.Errorf("the key is that of the issuer, %s, but a responder is named, %s: give the responder's key, or name no responder", r.Issuer.Subject, r.Cert.Subject)
	}
	return err
}

var (
	oidBasic   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1} // id-pkix-ocsp-basic
	oidNoCheck = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5} // id-pkix-ocsp-nocheck
)

// checkDelegate checks that clients believe the delegate of the issuer (RFC 6960
// section 4.2.2.2), whom it must have certified itself.
func checkDelegate(issuer, delegate *x509.Certificate) error {
	fault := ""
	value, noCheck := certs.Extension(delegate, oidNoCheck)
	switch {
	case !bytes.Equal(delegate.RawIssuer, issuer.RawSubject):
		fault = fmt.Sprintf("was issued by %s, not by %s", delegate.Issuer, issuer.Subject)
	case issuer.CheckSignature(delegate.SignatureAlgorithm, delegate.RawTBSCertificate, delegate.Signature) != nil:
		fault = fmt.Sprintf("is not signed by the key of %s", issuer.Subject)
	case delegate.IsCA:
		fault = "is a CA's"
	case !slices.Contains(delegate.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):
		fault = "has no extended key usage id-kp-OCSPSigning: the CA did not let it sign for it"
	case !certs.Allows(delegate, x509.KeyUsageDigitalSignature):
		fault = "has a key usage without digitalSignature"
	case !noCheck:
		fault = "has no id-pkix-ocsp-nocheck: clients would have to ask for its own status"
	case !bytes.Equal(value, asn1.NullBytes):
		fault = fmt.Sprintf("has id-pkix-ocsp-nocheck with the value %x, want NULL (0500)", value)
	}
	if fault != "" {
		return fmt.Errorf("responder certificate of %s: it %s", delegate.Subject, fault)
	}
	return nil
}

// KeyID names the signing key for people: the SHA-1 of the subjectPublicKey bits, in hex.
func (r *Responder) KeyID() string { return hex.EncodeToString(r.keyHash[:]) }

// CheckValidity checks that the certificates of signer and issuer are valid from
// producedAt until nextUpdate, Unix seconds both: clients refuse a response that outlives
// a delegate.
func (r *Responder) CheckValidity(producedAt, nextUpdate int64) error {
	for _, cert := range []*x509.Certificate{r.Cert, r.Issuer} {
		if from := cert.NotBefore.Unix(); producedAt < from {
			return fmt.Errorf("the certificate of %s is valid from %s, which is in the future: it cannot sign yet", cert.Subject, text(from))
		}
		if to := cert.NotAfter.Unix(); nextUpdate > to {
			return fmt.Errorf("the certificate of %s expires %s, before nextUpdate %s: renew it, or have responses valid for less", cert.Subject, text(to), text(nextUpdate))
		}
	}
	return nil
}

// CheckPublic checks what only public CAs are held to: an issuer that signs itself says
// that it may (BR section 7.1.2.10.7), by an algorithm of BR section 7.1.3.2.
func (r *Responder) CheckPublic() error {
	if !r.Delegated() && !certs.Allows(r.Issuer, x509.KeyUsageDigitalSignature) {
		return fmt.Errorf("key usage of %s lacks digitalSignature: have it certify a responder", r.Issuer.Subject)
	}
	if r.algorithm.Hash == 0 {
		return fmt.Errorf("the key of %s is Ed25519, which public CAs must not use", r.Cert.Subject)
	}
	return nil
}
