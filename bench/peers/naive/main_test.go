package main

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"

	"lancre/bench/corpus"
	"lancre/build/demo"
	"lancre/index"
)

// It answers with what the CA signed, whatever the first octet of the serial number.
func TestAnswersWithWhatWasSigned(t *testing.T) {
	c, err := corpus.Make(t.Context(), filepath.Join(t.TempDir(), "corpus"), demo.Options{Unsigned: true}, 100)
	if err != nil {
		t.Fatal(err)
	}
	r, err := load(c.Responses)
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.N {
		cert := c.CA.Certificate(i)
		want, err := c.CA.Sign(cert, index.SHA1)
		if err != nil {
			t.Fatal(err)
		}
		id, _ := c.CA.CertID(cert, index.SHA1) // which the CA signs for
		der := id.Request(nil)
		for _, req := range []*http.Request{
			httptest.NewRequest("POST", "/", bytes.NewReader(der)),
			httptest.NewRequest("GET", "/"+url.PathEscape(base64.StdEncoding.EncodeToString(der)), nil),
		} {
			w := httptest.NewRecorder()
			r.ServeHTTP(w, req)
			if !bytes.Equal(w.Body.Bytes(), want) {
				t.Errorf("%s for certificate %d: %d, %x, want %x", req.Method, i, w.Code, w.Body, want)
			}
		}
	}
}
