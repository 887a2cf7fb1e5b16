package recipe

import (
	"bytes"
	stdasn1 "encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/der"
)

// P7C makes a CMS SignedData of certs; more goes between them and the signers.
func P7C(signers []byte, more func(*cryptobyte.Builder), certs ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(stdasn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2})
		b.AddASN1(der.Tag0, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(1)
				b.AddASN1(asn1.SET, func(*cryptobyte.Builder) {})
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(stdasn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1})
				})
				b.AddASN1(der.Tag0, func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(certs, nil)) })
				if more != nil {
					more(b)
				}
				b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(signers) })
			})
		})
	})
	return b.BytesOrPanic()
}
