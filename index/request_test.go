package index

import (
	"bytes"
	"testing"
)

func TestRequest(t *testing.T) {
	id := CertID{Alg: SHA1, NameHash: bytes.Repeat([]byte{'n'}, 20), KeyHash: bytes.Repeat([]byte{'k'}, 20), Serial: []byte{7}}
	certID := "\x30\x3a\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14nnnnnnnnnnnnnnnnnnnn\x04\x14kkkkkkkkkkkkkkkkkkkk\x02\x01\x07"
	for _, c := range []struct {
		nonce []byte
		want  string
	}{
		{nil, "\x30\x42\x30\x40\x30\x3e\x30\x3c" + certID},
		{[]byte{1, 2}, "\x30\x59\x30\x57\x30\x3e\x30\x3c" + certID + "\xa2\x15\x30\x13\x30\x11\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x02\x04\x04\x04\x02\x01\x02"},
	} {
		if got := string(id.Request(c.nonce)); got != c.want {
			t.Errorf("with nonce %x\n% x\nwant\n% x", c.nonce, got, c.want)
		}
	}
}
