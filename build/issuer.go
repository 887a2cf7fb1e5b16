package build

import (
	"bytes"
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/index"
)

// An issuer is a CA: one name and one key, however many certificates it has.
type issuer struct {
	signer
	number int                 // position among the issuers of the build
	certs  []*x509.Certificate // at least one; the signer's is the first
}

// issuers are the CAs of a build. They are immutable once loaded.
type issuers struct {
	list   []*issuer
	byHash map[string]*issuer // by appendIssuerHashes
}

// loadIssuers reads the CA certificates in the files.
func loadIssuers(files []string) (*issuers, error) {
	all := &issuers{byHash: make(map[string]*issuer)}
	for _, name := range files {
		certs, err := readCertificates(name)
		if err != nil {
			return nil, fmt.Errorf("issuer %s: %w", name, err)
		}
		for _, cert := range certs {
			if err := all.add(cert); err != nil {
				return nil, fmt.Errorf("issuer %s: %w", name, err)
			}
		}
	}
	return all, nil
}

// readCertificates reads one or more certificates, PEM or DER.
func readCertificates(name string) ([]*x509.Certificate, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if !bytes.Contains(data, pemBegin) {
		if len(data) == 0 {
			return nil, errors.New("file is empty")
		}
		return x509.ParseCertificates(data)
	}
	var der []byte
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("PEM block of %q among the certificates", block.Type)
		}
		der = append(der, block.Bytes...)
	}
	if len(der) == 0 || bytes.Contains(data, pemBegin) {
		return nil, errors.New("PEM cannot be decoded")
	}
	return x509.ParseCertificates(der)
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
			return nil
		}
	}
	is := &issuer{signer: *s, number: len(all.list), certs: []*x509.Certificate{cert}}
	all.list = append(all.list, is)
	for _, alg := range index.HashAlgs() {
		id := index.CertID{Alg: alg, NameHash: digest(alg, cert.RawSubject), KeyHash: digest(alg, s.keyBits)}
		all.byHash[string(appendIssuerHashes(nil, &id))] = is
	}
	return nil
}

func digest(alg index.HashAlg, data []byte) []byte {
	h := alg.Hash().New()
	h.Write(data)
	return h.Sum(nil)
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
	keyBits []byte          // of subjectPublicKey
	keyHash [sha1.Size]byte // of keyBits: what a byKey ResponderID holds (RFC 6960 section 4.2.1)
	broken  []finding       // what is wrong with the certificate, whatever it signed
}

func newSigner(cert *x509.Certificate) (*signer, error) {
	spki := cryptobyte.String(cert.RawSubjectPublicKeyInfo)
	var seq, bits cryptobyte.String
	if !spki.ReadASN1(&seq, asn1.SEQUENCE) || !seq.SkipASN1(asn1.SEQUENCE) ||
		!seq.ReadASN1(&bits, asn1.BIT_STRING) || len(bits) < 2 || bits[0] != 0 {
		return nil, fmt.Errorf("subjectPublicKey of %s is not a BIT STRING of whole octets", cert.Subject)
	}
	s := &signer{cert: cert, keyBits: bits[1:], keyHash: sha1.Sum(bits[1:])}
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
