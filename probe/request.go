package probe

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/index"
)

// request is the DER OCSPRequest for id (RFC 6960 section 4.1.1), with a nonce unless that
// is nil:
//
//	OCSPRequest { TBSRequest { requestList { Request { CertID } }, [2] Extensions } }
func request(id *index.CertID, nonce []byte) []byte {
	b := cryptobyte.NewBuilder(nil)
	nest(b, 2, asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		nest(b, 2, asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddValue(id) })
		if nonce != nil {
			b.AddASN1(asn1.Tag(2).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { addNonce(b, nonce) })
		}
	})
	return b.BytesOrPanic()
}

// addNonce adds Extensions with a nonce (RFC 9654 section 2.1).
func addNonce(b *cryptobyte.Builder, nonce []byte) {
	nest(b, 2, asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(oidNonce) })
		nest(b, 2, asn1.OCTET_STRING, func(b *cryptobyte.Builder) { b.AddBytes(nonce) })
	})
}

// oidNonce is id-pkix-ocsp-nonce, content octets.
var oidNonce = []byte{0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02}

// nest adds n elements inside each other.
func nest(b *cryptobyte.Builder, n int, tag asn1.Tag, content cryptobyte.BuilderContinuation) {
	if n == 0 {
		content(b)
		return
	}
	b.AddASN1(tag, func(b *cryptobyte.Builder) { nest(b, n-1, tag, content) })
}

// manySlashes is a nonce whose base64, wherever it begins, has more slashes in a row than
// lancred can restore of those that a proxy has merged.
var manySlashes = bytes.Repeat([]byte{0xff}, 16)
