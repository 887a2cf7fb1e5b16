package crl

import (
	"reflect"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/der"
	"lancre/index"
)

// An entry that has a reason alone, which is read without a walk, is what a walk reads.
func TestReasonAlone(t *testing.T) {
	for octet := range 256 {
		extensions := append([]byte(reasonAlone), byte(octet))
		walked := Entry{Serial: []byte{1}, Reason: ReasonAbsent, Invalidity: index.NoTime}
		err := der.WalkExtensions(extensions, &walked.Flaws, walked.extension)

		var b cryptobyte.Builder
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(1)
			b.AddASN1(asn1.UTCTime, func(b *cryptobyte.Builder) { b.AddBytes([]byte("700101000001Z")) })
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(extensions) })
		})
		in := cryptobyte.String(b.BytesOrPanic())
		var read Entry
		if broken := read.read(&in); (broken != nil) != (err != nil) {
			t.Errorf("octet %x: %v, by a walk %v", octet, broken, err)
		} else if err == nil {
			walked.Revoked = read.Revoked
			if !reflect.DeepEqual(read, walked) {
				t.Errorf("octet %x: %+v, by a walk %+v", octet, read, walked)
			}
		}
	}
}
