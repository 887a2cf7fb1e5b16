// Package demo is a throw-away CA: it makes the input of a build, of any size,
// for a first look at Lancre, for tests and for benchmarks. Its keys are made
// afresh, unless it is given one, live in memory and are never written.
//
// The certificates of a CA are a function of their number (see
// [CA.Certificate]), so nothing has to be remembered about them: a list, a CRL
// and a load generator that are told the same CA and count agree.
package demo

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"

	"lancre/index"
	"lancre/sign/ocsp"
)

// Lifetime is nextUpdate − thisUpdate of everything the CA signs: four days are
// inside the windows of all root programs (8 hours to 7 days).
const Lifetime = 4 * 24 * time.Hour

// history is how long before Options.At the CA certificate begins; revocations
// are spread over it.
const history = 90 * 24 * time.Hour

// KeyType is the kind of key that a CA and its delegated responder sign with.
type KeyType string

// The key types most public CAs sign OCSP responses with.
const (
	P256    KeyType = "p256"
	RSA2048 KeyType = "rsa2048"
)

// Options says what kind of CA New makes. The zero value is useful.
type Options struct {
	// Key is the key type. Optional: P256.
	Key KeyType

	// CAKey is the CA's key. Optional: a fresh one of the type Key.
	CAKey crypto.Signer

	// Delegated makes a responder certificate (id-kp-OCSPSigning) that signs
	// all responses and is embedded in each, in place of the CA itself.
	Delegated bool

	// Hashes are the algorithms of the CertIDs: each certificate gets one
	// response for each of them, in this order. Optional: SHA-1 and SHA-256.
	Hashes []index.HashAlg

	// At is producedAt of every response; thisUpdate is At rounded down to the
	// hour, as CAs do. Optional: the current time.
	At time.Time

	// Unsigned fills signatures with random octets of the right form, for
	// look-up benchmarks of millions of responses. No check of a signature
	// accepts them. The CRL and the certificates are signed all the same.
	Unsigned bool
}

// A CA signs OCSP responses, CRLs and certificates. It does not change once
// made and is safe for concurrent use.
type CA struct {
	// Issuer is the self-signed CA certificate; Responder the delegated
	// responder's, nil if the CA signs responses itself.
	Issuer, Responder *x509.Certificate

	// Hashes are those of Options, defaults filled in.
	Hashes []index.HashAlg

	// The times in everything the CA signs.
	ProducedAt, ThisUpdate, NextUpdate time.Time

	key       crypto.Signer     // the CA's
	responder *ocsp.Responder   // of responses
	seed      [sha256.Size]byte // of the population; differs between CAs
	unsigned  bool
}

// New makes a CA with fresh keys.
func New(o Options) (*CA, error) {
	if o.At.IsZero() {
		o.At = time.Now()
	}
	if len(o.Hashes) == 0 {
		o.Hashes = []index.HashAlg{index.SHA1, index.SHA256}
	}
	at := o.At.UTC().Truncate(time.Second)
	ca := &CA{
		Hashes:     o.Hashes,
		ProducedAt: at,
		ThisUpdate: at.Truncate(time.Hour),
		NextUpdate: at.Truncate(time.Hour).Add(Lifetime),
		unsigned:   o.Unsigned,
	}
	if err := ca.makeIssuer(o); err != nil {
		return nil, err
	}
	if !o.Delegated {
		return ca, ca.signResponsesBy(ca.key)
	}
	return ca, ca.makeResponder(o.Key)
}

// makeIssuer makes the CA's key, its certificate and what depends on them.
func (ca *CA) makeIssuer(o Options) (err error) {
	if ca.key = o.CAKey; ca.key == nil {
		if ca.key, err = newKey(o.Key); err != nil {
			return err
		}
	}
	ca.Issuer, err = ca.issue(&x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{Organization: []string{"Lancre demo"}, CommonName: "Lancre demo CA"},
		NotBefore:             ca.ThisUpdate.Add(-history),
		NotAfter:              ca.ThisUpdate.Add(4 * history),
		IsCA:                  true,
		BasicConstraintsValid: true,
		// digitalSignature, for the CA may sign responses itself.
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
	}, ca.key.Public())
	if err != nil {
		return err
	}
	ca.seed = sha256.Sum256(ca.Issuer.RawSubjectPublicKeyInfo)
	return nil
}

// idPKIXOCSPNoCheck is id-pkix-ocsp-nocheck (RFC 6960 section 4.2.2.2.1).
var idPKIXOCSPNoCheck = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}

// makeResponder makes a delegated responder that lives a week longer than the
// responses it signs.
func (ca *CA) makeResponder(kind KeyType) error {
	key, err := newKey(kind)
	if err != nil {
		return err
	}
	ca.Responder, err = ca.issue(&x509.Certificate{
		SerialNumber:    big.NewInt(2),
		Subject:         pkix.Name{Organization: []string{"Lancre demo"}, CommonName: "Lancre demo responder"},
		NotBefore:       ca.ThisUpdate.Add(-time.Hour),
		NotAfter:        ca.NextUpdate.Add(7 * 24 * time.Hour),
		KeyUsage:        x509.KeyUsageDigitalSignature,
		ExtKeyUsage:     []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning},
		ExtraExtensions: []pkix.Extension{{Id: idPKIXOCSPNoCheck, Value: asn1.NullBytes}},
	}, key.Public())
	if err != nil {
		return err
	}
	return ca.signResponsesBy(key)
}

// issue signs template with the CA's key; the CA's own certificate has no
// issuer but itself.
func (ca *CA) issue(template *x509.Certificate, public crypto.PublicKey) (*x509.Certificate, error) {
	issuer := ca.Issuer
	if issuer == nil {
		issuer = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, public, ca.key)
	if err != nil {
		return nil, fmt.Errorf("certificate %s: %w", template.Subject, err)
	}
	return x509.ParseCertificate(der)
}

// signResponsesBy makes key, which is the responder's if there is one, the one that
// signs responses.
func (ca *CA) signResponsesBy(key crypto.Signer) (err error) {
	if ca.unsigned {
		key = unsigned{key}
	}
	ca.responder, err = ocsp.New(ca.Issuer, ca.Responder, key, ca.Hashes)
	return err
}

func newKey(kind KeyType) (crypto.Signer, error) {
	switch kind {
	case P256, "":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case RSA2048:
		return rsa.GenerateKey(rand.Reader, 2048)
	}
	return nil, fmt.Errorf("key type %q: want %s or %s", kind, P256, RSA2048)
}
