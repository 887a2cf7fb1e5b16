package build

import (
	"bytes"
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"fmt"

	"lancre/build/certs"
	"lancre/index"
)

// An issuer is a CA: one name and one key, however many certificates it has.
type issuer struct {
	signer
	number int                 // position among the issuers of the build
	certs  []*x509.Certificate // at least one; the signer's is the first

	notBefore, notAfter int64           // Unix seconds: the earliest and the latest of certs
	subordinates        map[string]bool // serials, as content octets, of the CA certificates it issued, as far as known

	listed *listing // the entries of its CRLs of this build; set before responses are checked
}

// issuers are the CAs of a build. What is not said to be set later is immutable
// once they are loaded.
type issuers struct {
	list   []*issuer
	byHash map[string]*issuer // by appendIssuerHashes
}

// loadIssuers reads the CA certificates in the files.
func loadIssuers(files []string) (*issuers, error) {
	all := &issuers{byHash: make(map[string]*issuer)}
	for _, name := range files {
		list, err := certs.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("issuer %w", err)
		}
		for _, cert := range list {
			if err := all.add(cert); err != nil {
				return nil, fmt.Errorf("issuer %s: %w", name, err)
			}
		}
	}
	all.findSubordinates()
	return all, nil
}

// findSubordinates tells, among the certificates of the CAs, whose were issued by
// whom. A self-issued certificate is nobody's: the status of a root is not
// published.
func (all *issuers) findSubordinates() {
	for _, sub := range all.list {
		for _, cert := range sub.certs {
			if bytes.Equal(cert.RawIssuer, cert.RawSubject) {
				continue
			}
			for _, is := range all.named(cert.RawIssuer) {
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
func (all *issuers) add(cert *x509.Certificate) error {
	s, err := newSigner(cert)
	if err != nil {
		return err
	}
	for _, is := range all.list {
		if bytes.Equal(is.cert.RawSubject, cert.RawSubject) && bytes.Equal(is.cert.RawSubjectPublicKeyInfo, cert.RawSubjectPublicKeyInfo) {
			is.certs = append(is.certs, cert)
			is.notBefore = min(is.notBefore, cert.NotBefore.Unix())
			is.notAfter = max(is.notAfter, cert.NotAfter.Unix())
			return nil
		}
	}
	is := &issuer{
		signer: *s, number: len(all.list), certs: []*x509.Certificate{cert},
		notBefore: cert.NotBefore.Unix(), notAfter: cert.NotAfter.Unix(),
	}
	all.list = append(all.list, is)
	for _, alg := range index.HashAlgs() {
		id, err := certs.ID(cert, alg, nil)
		if err != nil {
			return err
		}
		all.byHash[string(appendIssuerHashes(nil, &id))] = is
	}
	return nil
}

// find returns the issuer that both hashes of id name, nil if there is none. It
// does not allocate.
func (all *issuers) find(id *index.CertID) *issuer {
	var buf [1 + 2*64]byte
	return all.byHash[string(appendIssuerHashes(buf[:0], id))]
}

// appendIssuerHashes appends what a CertID says of the issuer.
func appendIssuerHashes(dst []byte, id *index.CertID) []byte {
	dst = append(dst, byte(id.Alg))
	dst = append(dst, id.NameHash...)
	return append(dst, id.KeyHash...)
}

// named returns the issuers with the DER subject name, several if a CA changed its key.
func (all *issuers) named(subject []byte) (found []*issuer) {
	for _, is := range all.list {
		if bytes.Equal(is.cert.RawSubject, subject) {
			found = append(found, is)
		}
	}
	return found
}

// counts begins the report on the issuers.
func (all *issuers) counts() []IssuerCounts {
	out := make([]IssuerCounts, len(all.list))
	for i, is := range all.list {
		out[i] = IssuerCounts{
			Subject: is.cert.Subject.String(),
			KeyID:   hex.EncodeToString(is.keyHash[:]),
			CertIDs: make(map[string]uint64),
		}
	}
	return out
}

// A signer is a certificate whose key may have signed a response.
type signer struct {
	cert    *x509.Certificate
	keyHash [sha1.Size]byte // of subjectPublicKey: what a byKey ResponderID holds (RFC 6960 section 4.2.1)
	broken  []finding       // what is wrong with the certificate, whatever it signed
}

func newSigner(cert *x509.Certificate) (*signer, error) {
	bits, err := certs.KeyBits(cert)
	if err != nil {
		return nil, err
	}
	s := &signer{cert: cert, keyHash: sha1.Sum(bits)}
	if reason := weakKey(cert.PublicKey); reason != "" {
		s.broken = append(s.broken, finding{checkKey, fmt.Sprintf("%s: %s", cert.Subject, reason)})
	}
	return s, nil
}

// is reports whether the ResponderID of r names s.
func (s *signer) is(r *index.Response) bool {
	if r.ResponderName != nil {
		return bytes.Equal(r.ResponderName, s.cert.RawSubject)
	}
	return bytes.Equal(r.ResponderKeyHash, s.keyHash[:])
}
