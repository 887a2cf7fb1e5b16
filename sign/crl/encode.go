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

// A scope is which certificates a CRL says that it is for.
type scope uint8

const (
	forAll   scope = iota
	forUsers       // onlyContainsUserCerts
	forCAs         // onlyContainsCACerts
)

// A head is what a CRL says beside its entries.
type head struct {
	thisUpdate, nextUpdate int64 // Unix seconds
	number                 *big.Int
	nextPublish            int64 // of NextCRLPublish; 0: it has none
	scope                  scope
	url                    string // of issuingDistributionPoint; "" if it has none
}

// A signer makes the CRLs of one CA.
type signer struct {
	cert      *x509.Certificate
	key       crypto.Signer
	algorithm key.Algorithm
	keyID     []byte // of authorityKeyIdentifier
}

// newSigner makes a signer; nil for key makes one that only says what would be signed.
func newSigner(cert *x509.Certificate, private crypto.Signer) (*signer, error) {
	s := &signer{cert: cert, key: private, keyID: cert.SubjectKeyId}
	var err error
	if private != nil {
		if err := key.Match(private, cert); err != nil {
			return nil, err
		}
	}
	if s.algorithm, err = key.AlgorithmOf(cert.PublicKey); err != nil {
		return nil, fmt.Errorf("%s: %w", cert.Subject, err)
	}
	bits, err := certs.KeyBits(cert)
	if err != nil {
		return nil, err
	}
	if s.keyID == nil { // RFC 5280 section 4.2.1.2, method 1
		sum := sha1.Sum(bits)
		s.keyID = sum[:]
	}
	return s, nil
}

// A frame is a CRL without its entries and its signature.
type frame struct {
	before, after []byte // of the entries: the rest of the content of the TBSCertList
	entries       *entries
	algorithm     string // AlgorithmIdentifier in DER
}

// frame makes the frame of a CRL (RFC 5280 section 5.1).
func (s *signer) frame(h *head, list *entries) (*frame, error) {
	const v2 = 1
	var before, after cryptobyte.Builder
	before.AddASN1Int64(v2)
	before.AddBytes([]byte(s.algorithm.ID))
	before.AddBytes(s.cert.RawSubject)
	before.AddBytes(appendTime(appendTime(nil, h.thisUpdate), h.nextUpdate))
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

func (s *signer) addExtensions(b *cryptobyte.Builder, h *head) {
	addExtension(b, oidAuthorityKey, false, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.Tag(0).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(s.keyID) })
		})
	})
	addExtension(b, oidCRLNumber, false, func(b *cryptobyte.Builder) { b.AddASN1BigInt(h.number) })
	if h.nextPublish > 0 {
		addExtension(b, crl.OIDNextPublish, false, func(b *cryptobyte.Builder) { b.AddBytes(appendTime(nil, h.nextPublish)) })
	}
	if h.url != "" {
		addExtension(b, oidIssuingPoint, true, h.addPoint)
	}
}

// addPoint adds the IssuingDistributionPoint (RFC 5280 section 5.2.5).
func (h *head) addPoint(b *cryptobyte.Builder) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(der.Tag0, func(b *cryptobyte.Builder) { // distributionPoint
			b.AddASN1(der.Tag0, func(b *cryptobyte.Builder) { // fullName
				b.AddASN1(asn1.Tag(6).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes([]byte(h.url)) })
			})
		})
		if h.scope != forAll {
			b.AddASN1(asn1.Tag(h.scope).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddUint8(0xff) }) // [1] or [2]
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

// sign signs what f says, once read back: nothing that a bug or a fault of memory made
// goes out under a signature.
func (s *signer) sign(f *frame, h *head) ([]byte, error) {
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
	return made, signature.Verify(s.cert.PublicKey, s.algorithm.Hash, digest, made)
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
func (f *frame) readBack(h *head) error {
	bare := *f
	bare.entries = new(entries)
	var text bytes.Buffer
	if err := bare.write(&text, []byte{0}); err != nil {
		return err
	}
	c, broken := crl.Parse(text.Bytes())
	if broken != nil {
		return fmt.Errorf("the CRL just made cannot be read: %s", broken.Reason)
	}
	if c.ThisUpdate != h.thisUpdate || c.NextUpdate != h.nextUpdate || !bytes.Equal(c.Number, certs.Serial(h.number)) || (c.Point != nil) != (h.url != "") ||
		c.Point != nil && (len(c.Point.URIs) != 1 || c.Point.URIs[0] != h.url || !c.Point.Critical || c.Point.UserCerts != (h.scope == forUsers) || c.Point.CACerts != (h.scope == forCAs)) {
		return fmt.Errorf("the CRL just made says %+v, want %+v", c, h)
	}
	return nil
}
