package index

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Request is the DER OCSPRequest that asks for id (RFC 6960 section 4.1.1) as most
// clients make it: one certificate, no name, and no extension; or with that nonce (RFC
// 9654 section 2.1), if it is not nil.
//
//	OCSPRequest { TBSRequest { requestList { Request { CertID } }, [2] Extensions } }
func (id *CertID) Request(nonce []byte) []byte {
	b := cryptobyte.NewBuilder(nil)
	nest(b, 2, func(b *cryptobyte.Builder) {
		nest(b, 2, func(b *cryptobyte.Builder) { b.AddValue(id) })
		if nonce != nil {
			b.AddASN1(asn1.Tag(2).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { addNonce(b, nonce) })
		}
	})
	return b.BytesOrPanic()
}

// oidNonce is id-pkix-ocsp-nonce, content octets.
var oidNonce = []byte{0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02}

// addNonce adds Extensions with a nonce, which is an OCTET STRING within that of the
// extension.
func addNonce(b *cryptobyte.Builder, nonce []byte) {
	nest(b, 2, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(oidNonce) })
		b.AddASN1(asn1.OCTET_STRING, func(b *cryptobyte.Builder) { b.AddASN1OctetString(nonce) })
	})
}

// nest adds n SEQUENCEs inside each other.
func nest(b *cryptobyte.Builder, n int, content cryptobyte.BuilderContinuation) {
	if n == 0 {
		content(b)
		return
	}
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { nest(b, n-1, content) })
}
