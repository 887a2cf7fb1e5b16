package publish

import (
	"crypto/sha1"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"lancre/internal/ocsptest"
	"lancre/internal/storetest"
)

// The command is told what is answered otherwise since: certificates, files, or that
// nobody knows. It is not run where nothing was published.
func TestOnPublish(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bucket")
	at, o := openTarget(t, dir, dir), newOrigin(t)
	out := filepath.Join(t.TempDir(), "out")
	told := func() string {
		t.Helper()
		_, err := o.publish(at.bucket, func(c *Config) { c.OnPublish = `(echo $LANCRE_REPLACED; cat) >` + out })
		check(t, err)
		text, _ := os.ReadFile(out)
		os.Remove(out)
		return string(text)
	}
	ca := ocsptest.NewCA("CA", nil)
	entry := func(serial int64, status int) storetest.Entry {
		return storetest.Entry{DER: ca.Sign(ocsp.Response{SerialNumber: big.NewInt(serial), Status: status,
			ThisUpdate: o.created, NextUpdate: o.created.Add(time.Hour), RevokedAt: o.created})}
	}
	one, two := entry(1, ocsp.Good), entry(2, ocsp.Good)
	storetest.Publish(t, o.dir, o.created, [][]storetest.Entry{{one, two}}, nil)
	if got, want := told(), "0\neverything\n"; got != want {
		t.Errorf("the first: %q, want %q", got, want)
	}
	before := storetest.Publish(t, o.dir, o.created, [][]storetest.Entry{{entry(2, ocsp.Revoked)}, {one, two}}, nil)
	if got, want := told(), fmt.Sprintf("%d\nserial sha1 %s 02\n", before.Generation-1, hashes(ca.Certificate)); got != want {
		t.Errorf("a revocation: %q, want %q", got, want)
	}
	after := o.add("page")
	if got, want := told(), fmt.Sprintf("%d\nurl a.example/0\n", before.Generation); got != want {
		t.Errorf("a file: %q, want %q", got, want)
	}
	if got := told(); got != "" {
		t.Errorf("nothing new: %q, want it not run", got)
	}
	o.add("another")
	r, err := o.publish(at.bucket, func(c *Config) { c.OnPublish = "exit 3" })
	wantError(t, "a failure", err, `is published, but --on-publish "exit 3" failed: exit status 3`)
	if !r.Published || r.Replaced != after.Generation {
		t.Errorf("a failure: %+v", r)
	}
}

// hashes are the two of a CertID, of the issuer's name and key.
func hashes(issuer *x509.Certificate) string {
	var info struct {
		Algorithm asn1.RawValue
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(issuer.RawSubjectPublicKeyInfo, &info); err != nil {
		panic(err)
	}
	return fmt.Sprintf("%x %x", sha1.Sum(issuer.RawSubject), sha1.Sum(info.Key.RightAlign()))
}

// Where the store goes on while the canary is asked, what it serves then is published.
func TestCanaryServesTheNextOne(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bucket")
	at, o := openTarget(t, dir, dir), newOrigin(t)
	m, asked := o.add("one"), 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked == 1 {
			m = o.add("two")
		}
		fmt.Fprintf(w, `{"ok":true,"generation":%d}`, m.Generation)
	}))
	defer srv.Close()
	o.mustPublish(at.bucket, func(c *Config) { c.Canary = srv.URL })
	at.whole(t, m)
}

// What the canary refuses, or does not serve, is not published.
func TestCanary(t *testing.T) {
	for _, test := range []struct {
		name                 string
		reload, ready        int
		reloadBody, readBody string
		want                 string // empty: published
	}{
		{"serves it", 200, 200, `{"ok":true,"generation":%d}`, `{"ok":true,"generation":%d}`, ""},
		{"refuses it", 409, 200, `{"reason":"no good","generation":%d}`, `{"ok":true,"generation":%d}`, "/reload: 409 Conflict: no good"},
		{"is not ready", 200, 503, `{"ok":true,"generation":%d}`, `{"reason":"stopping","generation":%d}`, "/readyz: 503 Service Unavailable: stopping"},
		{"serves another store", 200, 200, `{"ok":true,"generation":1%d}`, `{"ok":true,"generation":1%d}`, "does it serve this store?"},
		{"is no lancred", 200, 200, `<html>`, `<html>`, "200 OK, and no report"},
	} {
		dir := filepath.Join(t.TempDir(), "bucket")
		at, o := openTarget(t, dir, dir), newOrigin(t)
		m := o.add("one")
		say := func(w http.ResponseWriter, status int, body string) {
			w.WriteHeader(status)
			io.WriteString(w, strings.ReplaceAll(body, "%d", fmt.Sprint(m.Generation)))
		}
		mux := http.NewServeMux()
		mux.HandleFunc("POST /reload", func(w http.ResponseWriter, _ *http.Request) { say(w, test.reload, test.reloadBody) })
		mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { say(w, test.ready, test.readBody) })
		srv := httptest.NewServer(mux)
		r, err := o.publish(at.bucket, func(c *Config) { c.Canary = srv.URL + "/" })
		srv.Close()
		if test.want == "" {
			check(t, err)
			at.whole(t, m)
			continue
		}
		wantError(t, test.name, err, test.want)
		if r.Published || at.manifest(t) != nil {
			t.Errorf("%s: %+v: it is published", test.name, r)
		}
	}
	err := askCanary(t.Context(), "http://127.0.0.1:1", 1)
	wantError(t, "nobody there", err, "canary ")
}
