package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"lancre/index"
)

// etag is the entity tag of a stored response.
func etag(response []byte) string {
	return fmt.Sprintf(`"%016x"`, index.ETag(response))
}

// fileTag is the entity tag of a file.
func fileTag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

// hasHeaders wants exactly these headers, each once, beside Date, Content-Length
// and Connection.
func (a *answer) hasHeaders(t *testing.T, want map[string]string) {
	t.Helper()
	a.date(t)
	for name, value := range want {
		if got := a.Header[name]; len(got) != 1 || got[0] != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
	for name, got := range a.Header {
		if _, ok := want[name]; !ok && !slices.Contains([]string{"Date", "Content-Length", "Connection"}, name) {
			t.Errorf("there is an unexpected %s: %q", name, got)
		}
	}
}

// date is when the answer was made.
func (a *answer) date(t *testing.T) time.Time {
	t.Helper()
	return fixdate(t, a.Header.Get("Date"))
}

// fixdate reads an IMF-fixdate and nothing else (RFC 9110 section 5.6.7).
func fixdate(t *testing.T, s string) time.Time {
	t.Helper()
	date, err := time.Parse(http.TimeFormat, s)
	if err != nil || date.Format(http.TimeFormat) != s {
		t.Errorf("%q is no IMF-fixdate", s)
	}
	return date
}

// judgeStored wants the stored response, with headers worked out from its DER by
// x/crypto.
func (c *corpus) judgeStored(t *testing.T, a *answer, name string) {
	t.Helper()
	der, ok := c.stored[name]
	if !ok {
		t.Fatalf("no response is called %q", name)
	}
	r, err := ocsp.ParseResponse(der, nil)
	check(t, err)
	a.hasBody(t, der)
	modified := r.ProducedAt.Format(http.TimeFormat)
	if r.ProducedAt.After(a.after) { // no date of ours may lie ahead: it was the time it was made
		modified = a.Header.Get("Last-Modified")
		if m := fixdate(t, modified); m.Before(a.after.Add(-time.Second)) || m.After(a.before) {
			t.Errorf("Last-Modified is %s, want %s to %s", modified, a.after, a.before)
		}
	}
	want := map[string]string{
		"Etag":    etag(der),
		"Expires": r.NextUpdate.Format(http.TimeFormat),
		// Judged by itself.
		"Cache-Control": a.Header.Get("Cache-Control"),
	}
	if a.StatusCode != http.StatusNotModified {
		want["Content-Type"] = "application/ocsp-response"
		want["Last-Modified"] = modified
	}
	a.hasHeaders(t, want)
	judgeMaxAge(t, a, der, r)
}

// judgeMaxAge wants caches to ask again when half of the response's life or four
// days are over, up to a tenth of that earlier; after that every five minutes; and
// never to keep it for more than twelve hours nor to its nextUpdate.
func judgeMaxAge(t *testing.T, a *answer, der []byte, r *ocsp.Response) {
	t.Helper()
	var got int64
	const format = "max-age=%d, public, no-transform, must-revalidate"
	value := a.Header.Get("Cache-Control")
	if _, err := fmt.Sscanf(value, format, &got); err != nil || fmt.Sprintf(format, got) != value {
		t.Errorf("Cache-Control is %q", value)
	}
	var parsed index.Response
	check(t, parsed.Parse(der))
	for i := range parsed.Singles { // one of them was asked for
		key := parsed.Singles[i].CertID.Key()
		// A second of rounding, at either end.
		earliest, latest := maxAge(key, r, a.before)-1, maxAge(key, r, a.after)+1
		if earliest <= float64(got) && float64(got) <= latest {
			return
		}
		t.Logf("by %s, max-age is %.1f to %.1f", &parsed.Singles[i].CertID, earliest, latest)
	}
	t.Errorf("max-age is %d", got)
}

// maxAge is that at now of what was found under key, in seconds and parts of one.
func maxAge(key uint64, r *ocsp.Response, now time.Time) float64 {
	due := min(r.NextUpdate.Sub(r.ThisUpdate)/2, 96*time.Hour).Seconds()
	due -= float64(key>>48) / 65536 * 0.1 * due
	age := due - now.Sub(r.ThisUpdate).Seconds()
	if age <= 0 {
		age = 300
	}
	return max(0, min(age, 12*3600, r.NextUpdate.Sub(now).Seconds()-1))
}

func judgeError(t *testing.T, a *answer, kind string) {
	t.Helper()
	a.hasBody(t, errorBodies[kind])
	want := map[string]string{"Content-Type": "application/ocsp-response", "Cache-Control": "max-age=0, no-cache"}
	if a.StatusCode >= 500 || kind == "tryLater" {
		want["Cache-Control"] = "no-store"
	}
	if kind == "tryLater" {
		want["Retry-After"] = "60"
	}
	a.hasHeaders(t, want)
}

// judgeEmpty wants an answer that no client can take for a response or a file.
func judgeEmpty(t *testing.T, a *answer) {
	t.Helper()
	a.hasBody(t, nil)
	want := map[string]string{"Content-Type": "text/plain", "Cache-Control": "no-store"}
	switch a.StatusCode {
	case http.StatusOK:
		want["Cache-Control"] = "max-age=3600"
		a.mayVary(want)
	case http.StatusMovedPermanently:
		want["Cache-Control"], want["Location"] = "public, max-age=3600", a.Header.Get("Location")
	case http.StatusNotFound: // which depends on the host: see the transcript
		want["Cache-Control"] = a.Header.Get("Cache-Control")
	case http.StatusMethodNotAllowed:
		want["Allow"] = "GET, HEAD, POST"
	case http.StatusRequestedRangeNotSatisfiable: // it speaks of the file
		for _, name := range []string{"Accept-Ranges", "Content-Range", "Etag", "Expires", "Last-Modified"} {
			want[name] = a.Header.Get(name)
		}
	}
	a.hasHeaders(t, want)
}

// mayVary leaves to the transcript whether an answer depends on what the client
// accepts.
func (a *answer) mayVary(want map[string]string) {
	if vary := a.Header.Get("Vary"); vary != "" {
		want["Vary"] = vary
	}
}

// judgeFile wants a file or, as [FROM:TO]FILE, a part of it.
func (c *corpus) judgeFile(t *testing.T, a *answer, name string) {
	t.Helper()
	want := map[string]string{"Accept-Ranges": "bytes"}
	var from, to int
	part := a.StatusCode == http.StatusPartialContent
	if part {
		span, rest, _ := strings.Cut(name, "]")
		_, err := fmt.Sscanf(span, "[%d:%d", &from, &to)
		check(t, err)
		name = rest
	}
	body, ok := c.files[name]
	if !ok {
		t.Fatalf("%q is neither a kind of answer nor a file", name)
	}
	want["Etag"] = fileTag(body)
	if part {
		want["Content-Range"] = fmt.Sprintf("bytes %d-%d/%d", from, to-1, len(body))
		body = body[from:to]
	}
	a.hasBody(t, body)
	c.addFileHeaders(want, name, a.date(t))
	if want["Content-Type"] == "text/html" {
		c.addPageHeaders(want, name)
		a.mayVary(want)
	}
	if a.StatusCode == http.StatusNotModified {
		for _, name := range []string{"Accept-Ranges", "Content-Type", "Last-Modified"} {
			delete(want, name)
		}
	}
	a.hasHeaders(t, want)
}

func (c *corpus) addPageHeaders(want map[string]string, name string) {
	want["Content-Security-Policy"] = "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
		"manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	want["Referrer-Policy"] = "no-referrer"
	want["X-Content-Type-Options"] = "nosniff"
	if tag := c.languages[name]; tag != "" {
		want["Content-Language"] = tag
	}
}

func (c *corpus) addFileHeaders(want map[string]string, name string, now time.Time) {
	for _, f := range c.lines {
		if f.Host+f.Path != name {
			continue
		}
		want["Content-Type"] = f.ContentType
		want["Last-Modified"] = f.LastModified.UTC().Format(http.TimeFormat)
		want["Cache-Control"] = map[string]string{
			"application/pkix-cert":  "public, max-age=86400, no-transform",
			"application/pkcs7-mime": "public, max-age=86400, no-transform",
			"text/html":              "public, max-age=3600",
			// All CRLs here expire in more than an hour, or have.
			"application/pkix-crl": "public, max-age=3600, no-transform, must-revalidate",
		}[f.ContentType]
		if f.Expires.IsZero() {
			return
		}
		want["Expires"] = f.Expires.UTC().Format(http.TimeFormat)
		if f.Expires.Before(now) {
			want["Cache-Control"] = "max-age=60, must-revalidate"
		}
	}
}
