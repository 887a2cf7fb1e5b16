// Package crl makes CRLs, full ones and shards, in memory that does not grow with them: what
// is signed is encoded twice, once to be hashed, before the signature is there, and once
// to be written.
//
//	CertificateList { TBSCertList {
//	    version 2, signature, issuer, thisUpdate, nextUpdate
//	    revokedCertificates      absent if there are none
//	    authorityKeyIdentifier   the keyIdentifier alone
//	    cRLNumber
//	    NextCRLPublish           of Microsoft; where it is asked for
//	    issuingDistributionPoint of a shard: critical, its URL octet for octet, and
//	                             which certificates it is for }
//	    signatureAlgorithm, signature }
//
// An entry has a reason or none, and no other extension.
package crl

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/certs"
	"lancre/build/crl"
	"lancre/build/der"
	"lancre/sign/key"
	"lancre/sign/signature"
)

// A Scope is which certificates a CRL says that it is for.
type Scope uint8

// The scopes (RFC 5280 section 5.2.5).
const (
	ForAll   Scope = iota
	ForUsers       // onlyContainsUserCerts
	ForCAs         // onlyContainsCACerts
)

// A Head is what a CRL says beside its entries. Times are Unix seconds.
type Head struct {
	ThisUpdate, NextUpdate int64
	Number                 *big.Int
	NextPublish            int64  // of NextCRLPublish; 0: it has none
	URL                    string // of issuingDistributionPoint; "": it has none
	Scope                  Scope  // with a URL
}

// A Signer makes the CRLs of one CA. It does not change once made and is safe for
// concurrent use, if its key is.
type Signer struct {
	Cert  *x509.Certificate
	KeyID []byte // of authorityKeyIdentifier

	key       crypto.Signer
	algorithm key.Algorithm
}

// NewSigner makes a signer of a CA's certificate and key.
func NewSigner(cert *x509.Certificate, private crypto.Signer) (*Signer, error) {
	if err := key.Match(private, cert); err != nil {
		return nil, err
	}
	s := &Signer{Cert: cert, KeyID: cert.SubjectKeyId, key: private}
	var err error
	if s.algorithm, err = key.AlgorithmOf(cert.PublicKey); err != nil {
		return nil, fmt.Errorf("%s: %w", cert.Subject, err)
	}
	if s.KeyID == nil { // RFC 5280 section 4.2.1.2, method 1
		bits, err := certs.KeyBits(cert)
		if err != nil {
			return nil, err
		}
		sum := sha1.Sum(bits)
		s.KeyID = sum[:]
	}
	return s, nil
}

// A CRL is signed, and not written yet.
type CRL struct {
	frame     *frame
	signature []byte
}

// Sign signs a CRL, once what it says is read back: nothing that a bug or a fault of memory
// made goes out under a signature. The entries must stay until it is written.
func (s *Signer) Sign(h *Head, list *Entries) (*CRL, error) {
	f, err := s.frame(h, list)
	if err != nil {
		return nil, err
	}
	if err := f.readBack(h); err != nil {
		return nil, err
	}
	digest, err := f.digest(s.algorithm.Hash)
	if err != nil {
		return nil, err
	}
	made, err := s.key.Sign(rand.Reader, digest, s.algorithm.Hash)
	if err != nil {
		return nil, err
	}
	return &CRL{f, made}, signature.Verify(s.Cert.PublicKey, s.algorithm.Hash, digest, made)
}

// Write writes the DER CertificateList.
func (c *CRL) Write(w io.Writer) error { return c.frame.write(w, c.signature) }

// A frame is a CRL without its entries and its signature.
type frame struct {
	before, after []byte // of the entries: the rest of the content of the TBSCertList
	entries       *Entries
	algorithm     string // AlgorithmIdentifier in DER
}

// frame makes the frame of a CRL (RFC 5280 section 5.1).
func (s *Signer) frame(h *Head, list *Entries) (*frame, error) {
	const v2 = 1
	var before, after cryptobyte.Builder
	before.AddASN1Int64(v2)
	before.AddBytes([]byte(s.algorithm.ID))
	before.AddBytes(s.Cert.RawSubject)
	before.AddBytes(appendTime(appendTime(nil, h.ThisUpdate), h.NextUpdate))
	after.AddASN1(der.Tag0, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { s.addExtensions(b, h) })
	})
	f := &frame{entries: list, algorithm: s.algorithm.ID}
	var err error
	if f.before, err = before.Bytes(); err != nil {
		return nil, err
	}
	f.after, err = after.Bytes()
	return f, err
}

// Extensions by the content octets of their OID (RFC 5280 section 5.2).
const (
	oidCRLNumber    = "\x55\x1d\x14"
	oidIssuingPoint = "\x55\x1d\x1c"
	oidAuthorityKey = "\x55\x1d\x23"
)

func (s *Signer) addExtensions(b *cryptobyte.Builder, h *Head) {
	addExtension(b, oidAuthorityKey, false, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.Tag(0).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(s.KeyID) })
		})
	})
	addExtension(b, oidCRLNumber, false, func(b *cryptobyte.Builder) { b.AddASN1BigInt(h.Number) })
	if h.NextPublish > 0 {
		addExtension(b, crl.OIDNextPublish, false, func(b *cryptobyte.Builder) { b.AddBytes(appendTime(nil, h.NextPublish)) })
	}
	if h.URL != "" {
		addExtension(b, oidIssuingPoint, true, h.addPoint)
	}
}

// addPoint adds the IssuingDistributionPoint (RFC 5280 section 5.2.5).
func (h *Head) addPoint(b *cryptobyte.Builder) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(der.Tag0, func(b *cryptobyte.Builder) { // distributionPoint
			b.AddASN1(der.Tag0, func(b *cryptobyte.Builder) { // fullName
				b.AddASN1(asn1.Tag(6).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes([]byte(h.URL)) })
			})
		})
		if h.Scope != ForAll {
			b.AddASN1(asn1.Tag(h.Scope).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddUint8(0xff) }) // [1] or [2]
		}
	})
}

func addExtension(b *cryptobyte.Builder, oid string, critical bool, value func(*cryptobyte.Builder)) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(oid)) })
		if critical {
			b.AddASN1Boolean(true)
		}
		b.AddASN1(asn1.OCTET_STRING, value)
	})
}

// appendHeader appends tag and length of an element with n octets of content.
func appendHeader(dst []byte, tag byte, n int64) []byte {
	if n < 0x80 {
		return append(dst, tag, byte(n))
	}
	length := big.NewInt(n).Bytes()
	return append(append(dst, tag, 0x80|byte(len(length))), length...)
}

const (
	tagSequence  = 0x30
	tagBitString = 0x03
)

// entriesHeader is the header of revokedCertificates, which is absent if there are none.
func (f *frame) entriesHeader() []byte {
	if f.entries.size == 0 {
		return nil
	}
	return appendHeader(nil, tagSequence, f.entries.size)
}

// size is how many octets the TBSCertList has as content.
func (f *frame) size() int64 {
	return int64(len(f.before)+len(f.entriesHeader())+len(f.after)) + f.entries.size
}

// writeTBS writes the TBSCertList: what is signed.
func (f *frame) writeTBS(w io.Writer) error {
	start := append(appendHeader(nil, tagSequence, f.size()), f.before...)
	if _, err := w.Write(append(start, f.entriesHeader()...)); err != nil {
		return err
	}
	if err := f.entries.copyTo(w); err != nil {
		return err
	}
	_, err := w.Write(f.after)
	return err
}

// write writes the CRL with a signature.
func (f *frame) write(w io.Writer, signature []byte) error {
	tail := appendHeader([]byte(f.algorithm), tagBitString, int64(1+len(signature)))
	tail = append(append(tail, 0), signature...)
	tbs := f.size()
	all := int64(len(appendHeader(nil, tagSequence, tbs))) + tbs + int64(len(tail))
	if _, err := w.Write(appendHeader(nil, tagSequence, all)); err != nil {
		return err
	}
	if err := f.writeTBS(w); err != nil {
		return err
	}
	_, err := w.Write(tail)
	return err
}

// digest is what is signed: the hash of the TBSCertList, or that itself where hash is 0.
func (f *frame) digest(hash crypto.Hash) ([]byte, error) {
	if hash == 0 {
		var message bytes.Buffer
		err := f.writeTBS(&message)
		return message.Bytes(), err
	}
	h := hash.New()
	err := f.writeTBS(h)
	return h.Sum(nil), err
}

// readBack checks that f, without entries, is a CRL that says h.
func (f *frame) readBack(h *Head) error {
	bare := *f
	bare.entries = new(Entries)
	var text bytes.Buffer
	if err := bare.write(&text, []byte{0}); err != nil {
		return err
	}
	c, broken := crl.Parse(text.Bytes())
	if broken != nil {
		return fmt.Errorf("the CRL just made cannot be read: %s", broken.Reason)
	}
	if c.ThisUpdate != h.ThisUpdate || c.NextUpdate != h.NextUpdate || !bytes.Equal(c.Number, certs.Serial(h.Number)) || (c.Point != nil) != (h.URL != "") ||
		c.Point != nil && (len(c.Point.URIs) != 1 || c.Point.URIs[0] != h.URL || !c.Point.Critical || c.Point.UserCerts != (h.Scope == ForUsers) || c.Point.CACerts != (h.Scope == ForCAs)) {
		return fmt.Errorf("the CRL just made says %+v, want %+v", c, h)
	}
	return nil
}
