package ocsp

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/index"
)

// A shape is what decides which octets of a ResponseData are always the same.
type shape struct {
	alg    index.HashAlg
	serial int // octets
	status index.Status
	reason bool // whether there is one
}

// A template is a ResponseData of one shape, and where in it the octets lie that are
// filled in: all but serial and reason are times.
type template struct {
	tbs                                                           []byte
	producedAt, serial, revokedAt, reason, thisUpdate, nextUpdate int
}

// timeSize is the length of YYYYMMDDHHMMSSZ, the form of all times (RFC 9919 section
// 3.2.4), and timeHead that of the tag and length before it.
const (
	timeSize = 15
	timeHead = 2
)

// template makes the template of a shape. Places are found from the end: what
// encloses a place ends where the octets do, or where what follows begins.
func (r *Responder) template(s shape) *template {
	id := r.CertID(s.alg, make([]byte, s.serial))
	said := build(func(b *cryptobyte.Builder) { // what follows the CertID
		addStatus(b, s)
		addTime(b)
		b.AddASN1(context(0), addTime)
	})
	responses := build(func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddValue(&id)
				b.AddBytes(said)
			})
		})
	})
	t := &template{tbs: build(func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(context(2), func(b *cryptobyte.Builder) { b.AddASN1OctetString(r.keyHash[:]) })
			addTime(b)
			b.AddBytes(responses)
		})
	})}
	const nextHead = 2 + timeHead // [0] and the head of its time
	end := len(t.tbs)
	t.producedAt = end - len(responses) - timeSize
	t.serial = end - len(said) - s.serial
	t.revokedAt = end - len(said) + 2 + timeHead // behind [1]
	t.reason = t.revokedAt + timeSize + 4        // behind [0] and the head of an ENUMERATED
	t.nextUpdate = end - timeSize
	t.thisUpdate = t.nextUpdate - nextHead - timeSize
	return t
}

// build is the octets that add adds. Those of this package always fit their lengths.
func build(add cryptobyte.BuilderContinuation) []byte {
	var b cryptobyte.Builder
	add(&b)
	return b.BytesOrPanic()
}

func context(n uint8) asn1.Tag { return asn1.Tag(n).ContextSpecific().Constructed() }

// addTime adds the place of a time.
func addTime(b *cryptobyte.Builder) {
	b.AddASN1(asn1.GeneralizedTime, func(b *cryptobyte.Builder) { b.AddBytes(make([]byte, timeSize)) })
}

// addStatus adds a CertStatus, whose alternatives are IMPLICIT (RFC 6960 section 4.2.1),
// with the places of its time and reason.
func addStatus(b *cryptobyte.Builder, s shape) {
	switch s.status {
	case index.Good:
		b.AddASN1(asn1.Tag(0).ContextSpecific(), func(*cryptobyte.Builder) {})
	case index.Revoked:
		b.AddASN1(context(1), func(b *cryptobyte.Builder) {
			addTime(b)
			if s.reason {
				b.AddASN1(context(0), func(b *cryptobyte.Builder) { b.AddASN1Enum(0) })
			}
		})
	default:
		b.AddASN1(asn1.Tag(2).ContextSpecific(), func(*cryptobyte.Builder) {})
	}
}

// sizes are what decides the octets around a ResponseData.
type sizes struct{ tbs, signature int }

// A frame is the octets of an OCSPResponse before its ResponseData, and between that
// and the octets of the signature.
type frame struct{ before, between []byte }

// frame makes the frame of some sizes: of a response in which all else is zeros.
func (r *Responder) frame(n sizes) *frame {
	between := build(func(b *cryptobyte.Builder) {
		b.AddBytes([]byte(r.algorithm.ID))
		b.AddASN1BitString(make([]byte, n.signature))
	})
	between = between[:len(between)-n.signature]
	rest := n.tbs + len(between) + n.signature + len(r.tail)
	before := build(func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Enum(0) // successful
			b.AddASN1(context(0), func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(oidBasic)
					b.AddASN1(asn1.OCTET_STRING, func(b *cryptobyte.Builder) {
						b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(make([]byte, rest)) })
					})
				})
			})
		})
	})
	return &frame{before[:len(before)-rest], between}
}

// certsOf is what follows the signature: certs with that certificate.
func certsOf(der []byte) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(context(0), func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(der) })
		})
	})
}
