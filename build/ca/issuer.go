// Package ca knows the CAs of a build: their certificates and keys, whose CertIDs name
// them, and what they may sign with.
package ca

import (
	"bytes"
	"cmp"
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"lancre/build/certs"
	"lancre/index"
)

// An Issuer is a CA: one name and one key, however many certificates it has.
type Issuer struct {
	Signer
	Number int                 // position among the issuers of the build
	Certs  []*x509.Certificate // at least one; the signer's is the first
	names  [][]byte            // DER, further encodings of the name in Certs

	ids                 []index.CertID  // of its certificates, without serial number: by each algorithm and encoding of the name
	NotBefore, NotAfter int64           // Unix seconds: the earliest and the latest of Certs
	subordinates        map[string]bool // serials, as content octets, of the CA certificates it issued, as far as known
}

// Issuers are the CAs of a build. They are immutable once loaded, and safe for
// concurrent use.
type Issuers struct {
	List   []*Issuer          // in the order in which they were named
	byHash map[string]*Issuer // by appendHashes
}

// Load reads the CA certificates in the files, PEM or DER, and from the certificates in
// the files nameFiles, which they issued, further encodings of their names.
func Load(files []string, nameFiles ...string) (*Issuers, error) {
	all := &Issuers{byHash: make(map[string]*Issuer)}
	if err := all.load(files); err != nil {
		return nil, err
	}
	for _, name := range nameFiles {
		list, err := certs.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("issuer name %w", err)
		}
		for _, cert := range list {
			if err := all.addName(cert); err != nil {
				return nil, fmt.Errorf("issuer name %s: %w", name, err)
			}
		}
	}
	all.findSubordinates()
	return all, nil
}

// load reads the CA certificates in the files. It reads on behind one that is no CA's,
// to be able to say whose would do.
func (all *Issuers) load(files []string) error {
	var stray error
	for _, name := range files {
		list, err := certs.ReadFile(name)
		if err != nil {
			return fmt.Errorf("issuer %w", err)
		}
		for _, cert := range list {
			if fault := certs.CAFault(cert); fault != "" {
				stray = cmp.Or(stray, fmt.Errorf("issuer %s: the certificate of %s, issued by %s, is no CA certificate: %s", name, cert.Subject, cert.Issuer, fault))
			} else if err := all.add(cert); err != nil {
				return fmt.Errorf("issuer %s: %w", name, err)
			}
		}
	}
	if stray != nil {
		return fmt.Errorf("%w; leave it out, or name the one of its issuer in its place (CA certificates among --issuer: %s)", stray, all.names())
	}
	return nil
}

// names lists the issuers for people, in short.
func (all *Issuers) names() string {
	const most = 5
	var list []string
	for _, is := range all.List[:min(len(all.List), most)] {
		list = append(list, is.Cert.Subject.String())
	}
	switch more := len(all.List) - most; {
	case len(list) == 0:
		return "none"
	case more > 0:
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(list, "; ")
}

// addName has the issuer of cert be found by its name as cert spells it, too: that is
// what CertIDs hash (RFC 6960 section 4.1.1), and CAs have been known to encode their
// name otherwise in what they issue than it is in their own certificate.
func (all *Issuers) addName(cert *x509.Certificate) error {
	failed := fmt.Errorf("its issuer is %s, which is the name of no --issuer", cert.Issuer)
	for _, is := range all.List {
		if !certs.SameName(is.Cert.RawSubject, cert.RawIssuer) {
			continue
		}
		if err := is.Issued(cert); err != nil {
			failed = fmt.Errorf("it is not signed by the key of %s: %w", is.Cert.Subject, err)
			continue
		}
		if is.Named(cert.RawIssuer) {
			return nil
		}
		is.names = append(is.names, cert.RawIssuer)
		return all.enter(is, cert.RawIssuer)
	}
	return failed
}

// enter has is be found by CertIDs with that name, in DER.
func (all *Issuers) enter(is *Issuer, name []byte) error {
	for _, alg := range index.HashAlgs() {
		id, err := certs.NamedID(name, is.Cert, alg, nil)
		if err != nil {
			return err
		}
		all.byHash[string(appendHashes(nil, &id))] = is
		is.ids = append(is.ids, id)
	}
	return nil
}

// findSubordinates tells, among the certificates of the CAs, whose were issued by
// whom. A self-issued certificate is nobody's: the status of a root is not
// published.
func (all *Issuers) findSubordinates() {
	for _, sub := range all.List {
		for _, cert := range sub.Certs {
			if bytes.Equal(cert.RawIssuer, cert.RawSubject) {
				continue
			}
			for _, is := range all.Named(cert.RawIssuer) {
				if is.subordinates == nil {
					is.subordinates = make(map[string]bool)
				}
				is.subordinates[string(certs.Serial(cert.SerialNumber))] = true
			}
		}
	}
}

// add enters cert under its own issuer, or under that of an earlier certificate
// of the same name and key (a cross-certificate).
func (all *Issuers) add(cert *x509.Certificate) error {
	s, err := NewSigner(cert)
	if err != nil {
		return err
	}
	if s.Unfit != "" {
		return errors.New(s.Unfit)
	}
	if is := all.Holding(cert); is != nil {
		is.Certs = append(is.Certs, cert)
		is.NotBefore = min(is.NotBefore, cert.NotBefore.Unix())
		is.NotAfter = max(is.NotAfter, cert.NotAfter.Unix())
		return nil
	}
	is := &Issuer{
		Signer: *s, Number: len(all.List), Certs: []*x509.Certificate{cert},
		NotBefore: cert.NotBefore.Unix(), NotAfter: cert.NotAfter.Unix(),
	}
	all.List = append(all.List, is)
	return all.enter(is, cert.RawSubject)
}

// Find returns the issuer that both hashes of id name, nil if there is none. It
// does not allocate.
func (all *Issuers) Find(id *index.CertID) *Issuer {
	var buf [1 + 2*64]byte
	return all.byHash[string(appendHashes(buf[:0], id))]
}

// WithKey returns an issuer with the key that id names, whatever name it names; nil if
// there is none.
func (all *Issuers) WithKey(id *index.CertID) *Issuer {
	for _, is := range all.List {
		if own, err := certs.ID(is.Cert, id.Alg, nil); err == nil && bytes.Equal(own.KeyHash, id.KeyHash) {
			return is
		}
	}
	return nil
}

// appendHashes appends what a CertID says of the issuer.
func appendHashes(dst []byte, id *index.CertID) []byte {
	dst = append(dst, byte(id.Alg))
	dst = append(dst, id.NameHash...)
	return append(dst, id.KeyHash...)
}

// Named returns the issuers with the DER subject name, several if a CA changed its key.
func (all *Issuers) Named(subject []byte) (found []*Issuer) {
	for _, is := range all.List {
		if is.Named(subject) {
			found = append(found, is)
		}
	}
	return found
}

// Holding returns the issuer with name and key of cert, nil if there is none.
func (all *Issuers) Holding(cert *x509.Certificate) *Issuer {
	for _, is := range all.List {
		if bytes.Equal(is.Cert.RawSubject, cert.RawSubject) && bytes.Equal(is.Cert.RawSubjectPublicKeyInfo, cert.RawSubjectPublicKeyInfo) {
			return is
		}
	}
	return nil
}

// CertIDs are what the certificate of the CA with that serial number, which they alias,
// can be called: by each hash algorithm and encoding of the CA's name.
func (is *Issuer) CertIDs(serial []byte) iter.Seq[index.CertID] {
	return func(yield func(index.CertID) bool) {
		for _, id := range is.ids {
			if id.Serial = serial; !yield(id) {
				return
			}
		}
	}
}

// KeyHash is the SHA-1 of the subjectPublicKey bits.
func (is *Issuer) KeyHash() [20]byte { return is.keyHash }

// KeyID names the issuer's key for people: the SHA-1 of the subjectPublicKey bits, in
// hex.
func (is *Issuer) KeyID() string { return hex.EncodeToString(is.keyHash[:]) }

// Named reports whether name, in DER, is the issuer's, in one of the encodings that are
// known.
func (is *Issuer) Named(name []byte) bool {
	return bytes.Equal(is.Cert.RawSubject, name) ||
		slices.ContainsFunc(is.names, func(other []byte) bool { return bytes.Equal(other, name) })
}

// Is reports whether the ResponderID of r names the issuer.
func (is *Issuer) Is(r *index.Response) bool {
	if r.ResponderName != nil {
		return is.Named(r.ResponderName)
	}
	return is.Signer.Is(r)
}

// Subordinate reports whether the serial number, in content octets, is known as that
// of a CA certificate that is issued.
func (is *Issuer) Subordinate(serial []byte) bool { return is.subordinates[string(serial)] }

// Allows reports whether one of the CA's certificates lets it use its key for this.
func (is *Issuer) Allows(usage x509.KeyUsage) bool {
	return slices.ContainsFunc(is.Certs, func(cert *x509.Certificate) bool { return certs.Allows(cert, usage) })
}

// A Signer is a certificate whose key may have signed a response.
type Signer struct {
	Cert    *x509.Certificate
	Weak    string          // why the key must not sign responses, "" if it may
	Unfit   string          // why nothing is verified by the key, "" if it is
	pss     *Algorithm      // what the key is for, if it is for RSA-PSS alone
	keyHash [sha1.Size]byte // of subjectPublicKey: what a byKey ResponderID holds (RFC 6960 section 4.2.1)
}

// NewSigner makes a signer of a certificate.
func NewSigner(cert *x509.Certificate) (*Signer, error) {
	bits, err := certs.KeyBits(cert)
	if err != nil {
		return nil, err
	}
	s := &Signer{Cert: cert, keyHash: sha1.Sum(bits)}
	if s.pss, err = pssKey(cert); err != nil {
		return nil, err
	}
	if reason := weakKey(cert); reason != "" {
		s.Weak = fmt.Sprintf("%s: %s", cert.Subject, reason)
	}
	if reason := unfitKey(cert); reason != "" {
		s.Unfit = fmt.Sprintf("%s: %s", cert.Subject, reason)
	}
	return s, nil
}

// Is reports whether the ResponderID of r names s.
func (s *Signer) Is(r *index.Response) bool {
	if r.ResponderName != nil {
		return bytes.Equal(r.ResponderName, s.Cert.RawSubject)
	}
	return bytes.Equal(r.ResponderKeyHash, s.keyHash[:])
}
