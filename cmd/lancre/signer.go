package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"

	"lancre/build/certs"
	"lancre/index"
)

// A signerID is what a response says of its signer, in octets.
type signerID struct {
	keyHash string // of a byKey ResponderID
	name    string // of a byName one, DER
	cert    string // the certificates in it, DER
}

func newSignerID(r *index.Response) signerID {
	return signerID{string(r.ResponderKeyHash), string(r.ResponderName), string(r.Certificates)}
}

// A signer is who signed a response, for people.
type signer struct {
	Responder string `json:"responder"`             // the ResponderID: byKey and a hash, or byName and the name
	Cert      string `json:"certificate,omitempty"` // the subject of the signer's certificate, where it is known
	NotAfter  string `json:"not_after,omitempty"`   // of a delegated responder's certificate
	Key       string `json:"key,omitempty"`         // type of its key
}

// describe makes a signer of s. issuer is whose status it signs, nil if not known.
func (s signerID) describe(issuer *x509.Certificate) signer {
	described := signer{Responder: s.responder()}
	if chain, err := certs.ParseAll([]byte(s.cert)); err == nil && len(chain) > 0 {
		described.Cert, described.Key = chain[0].Subject.String(), keyType(chain[0].PublicKey)
		described.NotAfter = formatTime(chain[0].NotAfter)
	} else if issuer != nil && s.names(issuer) {
		described.Cert, described.Key = issuer.Subject.String(), keyType(issuer.PublicKey)
	}
	return described
}

func (s signerID) responder() string {
	if s.keyHash != "" {
		return fmt.Sprintf("byKey %x", s.keyHash)
	}
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal([]byte(s.name), &name); err != nil {
		return fmt.Sprintf("byName %x", s.name)
	}
	return "byName " + name.String()
}

// names reports whether the ResponderID is that of cert (RFC 6960 section 4.2.2.3).
func (s signerID) names(cert *x509.Certificate) bool {
	if s.keyHash == "" {
		return bytes.Equal([]byte(s.name), cert.RawSubject)
	}
	id, err := certs.ID(cert, index.SHA1, nil)
	return err == nil && s.keyHash == string(id.KeyHash)
}

func (s signer) String() string {
	switch {
	case s.Cert == "":
		return s.Responder
	case s.NotAfter == "":
		return fmt.Sprintf("%s, %s, %s", s.Cert, s.Key, s.Responder)
	}
	return fmt.Sprintf("delegated responder %s, valid until %s, %s, %s", s.Cert, s.NotAfter, s.Key, s.Responder)
}

func keyType(key any) string {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", key.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + key.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return fmt.Sprintf("%T", key)
}
