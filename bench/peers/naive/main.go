// Naive is the responder one writes in an hour: net/http, x/crypto/ocsp and a Go
// map of all responses.
//
//	naive PORT RESPONSES    a file of DER responses, one after another
package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ocsp"

	"lancre/bench/peers/table"
)

// A stored response and what its headers say.
type stored struct {
	der                     []byte
	etag, expires, modified string
}

type responder map[string]stored // by serial

func (r responder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	der, err := requestDER(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	q, err := ocsp.ParseRequest(der)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s, found := r[string(q.SerialNumber.Bytes())]
	if !found {
		w.Write(ocsp.UnauthorizedErrorResponse)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/ocsp-response")
	h.Set("Content-Length", strconv.Itoa(len(s.der)))
	h.Set("ETag", s.etag)
	h.Set("Expires", s.expires)
	h.Set("Last-Modified", s.modified)
	h.Set("Cache-Control", "max-age=43200, public, no-transform, must-revalidate")
	w.Write(s.der)
}

func requestDER(req *http.Request) ([]byte, error) {
	if req.Method == http.MethodPost {
		return io.ReadAll(io.LimitReader(req.Body, 10_240))
	}
	text, err := url.PathUnescape(strings.TrimPrefix(req.URL.EscapedPath(), "/"))
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(text)
}

func load(path string) (responder, error) {
	entries, err := table.ReadEntries(path)
	if err != nil {
		return nil, err
	}
	r := make(responder, len(entries))
	now := time.Now().UTC()
	for i, e := range entries {
		serial := strings.TrimPrefix(string(table.CertID(e.Key).Serial), "\x00") // as big.Int has it
		r[serial] = stored{e.Value, strconv.Quote(strconv.Itoa(i)), now.Add(4 * 24 * time.Hour).Format(http.TimeFormat), now.Format(http.TimeFormat)}
	}
	return r, nil
}

func main() {
	r, err := load(os.Args[2])
	if err == nil {
		err = http.ListenAndServe("127.0.0.1:"+os.Args[1], r)
	}
	fmt.Fprintf(os.Stderr, "naive: %v\n", err)
	os.Exit(1)
}
