package demo

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/index"
)

// Request returns the DER OCSPRequest that asks for id (RFC 6960 section 4.1.1) as
// most clients make it: one certificate, no name, no extensions.
func Request(id *index.CertID) []byte {
	b := cryptobyte.NewBuilder(nil)
	// OCSPRequest { TBSRequest { requestList { Request { CertID } } } }
	nest(b, 4, func(b *cryptobyte.Builder) { b.AddValue(id) })
	return b.BytesOrPanic()
}

// nest adds n SEQUENCEs inside each other.
func nest(b *cryptobyte.Builder, n int, content cryptobyte.BuilderContinuation) {
	if n == 0 {
		content(b)
		return
	}
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { nest(b, n-1, content) })
}
