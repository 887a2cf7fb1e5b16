package server

import (
	"crypto"
	"encoding/asn1"
	"testing"

	"golang.org/x/crypto/ocsp"
)

// A response for several certificates is the answer for each of them.
func TestBundleIsServedForEachCertificate(t *testing.T) {
	both := bundled(t, respond("01", crypto.SHA1, ocsp.Good, start), respond("02", crypto.SHA1, ocsp.Revoked, start))
	e := newEdge(t, content{segments: [][]entry{{{DER: both}}}}).serve(t)
	for _, serial := range []string{"01", "02"} {
		e.get(t, target(ask(serial, crypto.SHA1))).isServed(t, both)
	}
	e.get(t, target(ask("03", crypto.SHA1))).is(t, 200, ocspUnauthorized)
}

// bundled is the first response with the SingleResponses of all, and so with a
// signature that is wrong.
func bundled(t *testing.T, responses ...[]byte) []byte {
	t.Helper()
	type response struct {
		Status asn1.Enumerated
		Body   struct {
			Type  asn1.ObjectIdentifier
			Basic []byte
		} `asn1:"explicit,tag:0"`
	}
	type basic struct {
		Data struct {
			Responder, ProducedAt asn1.RawValue
			Singles               []asn1.RawValue
		}
		Algorithm, Signature asn1.RawValue
	}
	var first response
	var all basic
	for i, der := range responses {
		var r response
		var b basic
		if _, err := asn1.Unmarshal(der, &r); err != nil {
			t.Fatal(err)
		}
		if _, err := asn1.Unmarshal(r.Body.Basic, &b); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first, all = r, b
			continue
		}
		all.Data.Singles = append(all.Data.Singles, b.Data.Singles...)
	}
	var err error
	if first.Body.Basic, err = asn1.Marshal(all); err != nil {
		t.Fatal(err)
	}
	der, err := asn1.Marshal(first)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
