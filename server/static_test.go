package server

import (
	"crypto"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"lancre/index/store"
	"lancre/internal/storetest"
)

const bigSize = 5 << 20 // of the CRL that does not fit a socket's buffer

// files is a store's worth of files on several hosts.
func files() content {
	published := start.Add(-time.Hour)
	c := content{segments: [][]entry{good("05")}}
	add := func(host, path, contentType, body string, modified, expires time.Time) {
		line := store.FileLine{Host: host, Path: path, ContentType: contentType, LastModified: modified, Expires: expires}
		c.files = append(c.files, storetest.File{FileLine: line, Body: body})
	}
	never := time.Time{}
	add("_", "/about.txt", "text/plain", "any host", published, never)
	add("c.example", "/1.crl", store.TypeCRL, "crl one", published, start.Add(48*time.Hour))
	add("c.example", "/2.crl", store.TypeCRL, "crl two", published, start.Add(time.Hour+30*time.Minute))
	add("c.example", "/3.crl", store.TypeCRL, "crl three", published, start.Add(time.Hour+10*time.Second))
	add("c.example", "/4.crl", store.TypeCRL, "crl past", published, start.Add(time.Hour))
	add("c.example", "/big.crl", store.TypeCRL, strings.Repeat("0123456789", bigSize/10), published, start.Add(48*time.Hour))
	add("c.example", "/early.crl", store.TypeCRL, "from the future", start.Add(2*time.Hour), start.Add(48*time.Hour))
	add("i.example", "/", store.TypeCertificate, "certificate", published, never)
	add("i.example", "/ca.p7c", store.TypeCMS, "certificates", published, never)
	add("o.example", "/", "text/html", "<p>OCSP", published, never)
	return c
}

func (e *edge) getAt(t testing.TB, host, target string, headers ...string) answer {
	t.Helper()
	a, _ := e.send(t, "GET "+target+" HTTP/1.1\r\nHost: "+host+"\r\n"+lines(headers)+"\r\n")
	return a
}

func TestFileHeaders(t *testing.T) {
	e := newEdge(t, files()).serve(t)
	for _, c := range []struct{ host, path, contentType, cache, body string }{
		{"c.example", "/1.crl", store.TypeCRL, "public, max-age=3600, no-transform, must-revalidate", "crl one"},
		{"c.example", "/2.crl", store.TypeCRL, "public, max-age=1800, no-transform, must-revalidate", "crl two"},
		{"c.example", "/3.crl", store.TypeCRL, "public, max-age=60, no-transform, must-revalidate", "crl three"},
		{"c.example", "/4.crl", store.TypeCRL, "max-age=60, must-revalidate", "crl past"},
		{"i.example", "/", store.TypeCertificate, "public, max-age=86400, no-transform", "certificate"},
		{"i.example", "/ca.p7c", store.TypeCMS, "public, max-age=86400, no-transform", "certificates"},
		{"o.example", "/", "text/html", "public, max-age=3600", "<p>OCSP"},
	} {
		t.Run(c.host+c.path, func(t *testing.T) {
			f, _ := e.current.Load().files.find([]byte(c.host), []byte(c.path))
			want := map[string]string{
				"Content-Type": c.contentType, "Content-Length": fmt.Sprint(len(c.body)), "Cache-Control": c.cache,
				"Etag": `"` + f.SHA256 + `"`, "Accept-Ranges": "bytes",
				"Last-Modified": start.Add(-time.Hour).Format(http.TimeFormat),
			}
			if c.contentType == store.TypeHTML {
				maps.Copy(want, guarded)
			}
			if !f.Expires.IsZero() {
				want["Expires"] = f.Expires.UTC().Format(http.TimeFormat)
			}
			a := e.getAt(t, c.host, c.path)
			a.is(t, 200, []byte(c.body))
			wantHeaders(t, "GET", a, want)
			head, _ := e.send(t, "HEAD "+c.path+" HTTP/1.1\r\nHost: "+c.host+"\r\n\r\n")
			head.is(t, 200, nil)
			wantHeaders(t, "HEAD", head, want)
			e.getAt(t, c.host, c.path, "If-None-Match: "+want["Etag"]).is(t, 304, nil)
			e.getAt(t, c.host, c.path, "If-Modified-Since: "+want["Last-Modified"]).is(t, 304, nil)
		})
	}
	// A date in the future would let clients keep what has changed since (RFC 9110 section 8.8.2.1).
	if got, want := e.getAt(t, "c.example", "/early.crl").Header.Get("Last-Modified"), time.Unix(e.now(), 0).UTC().Format(http.TimeFormat); got != want {
		t.Errorf("Last-Modified is %s, want now, %s", got, want)
	}
}

func TestHosts(t *testing.T) {
	e := newEdge(t, files(), func(c *Config) { c.DefaultHost = "C.example." }).serve(t)
	for _, c := range []struct{ host, target, body string }{
		{"c.example", "/1.crl", "crl one"},
		{"C.EXAMPLE", "/1.crl", "crl one"},
		{"c.example:80", "/1.crl", "crl one"},
		{"c.example.", "/1.crl", "crl one"},
		{"c.example.:8080", "/1.crl", "crl one"},
		{"c.example", "/1.crl?x=1", "crl one"},
		{"other.example", "http://c.example/1.crl", "crl one"},
		{"unknown.example", "/1.crl", "crl one"}, // of the default host
		{"127.0.0.1:80", "/1.crl", "crl one"},
		{"[::1]:80", "/1.crl", "crl one"},
		{"[::1]", "/1.crl", "crl one"},
		{"c.example", "/about.txt", "any host"},
		{"i.example", "/about.txt", "any host"},
		{"unknown.example", "/about.txt", "any host"},
	} {
		e.getAt(t, c.host, c.target).is(t, 200, []byte(c.body))
	}
	a, _ := e.send(t, "GET /1.crl HTTP/1.0\r\n\r\n")
	a.is(t, 200, []byte("crl one"))
}

// Names with underscores, which DNS allows where RFC 1123 does not, and addresses.
func TestUnusualHosts(t *testing.T) {
	c := content{segments: [][]entry{good("05")}}
	c.add("_crl.my_ca.example", "/1.crl", store.TypeCRL, "underscores")
	c.add("[2001:db8::1]", "/a//1.crl", store.TypeCRL, "address")
	e := newEdge(t, c).serve(t)
	for _, c := range []struct{ host, target, body string }{
		{"_crl.my_ca.example", "/1.crl", "underscores"},
		{"_CRL.My_CA.example.:80", "/1.crl", "underscores"},
		{"[2001:db8::1]", "/a//1.crl", "address"},
		{"[2001:DB8::1]:8080", "/a//1.crl", "address"},
		{"x", "http://[2001:db8::1]:80/a//1.crl", "address"},
	} {
		e.getAt(t, c.host, c.target).is(t, 200, []byte(c.body))
	}
	e.getAt(t, "[2001:db8::1]", "/a/1.crl").is(t, 404, nil)
}

// Where CRLs or certificates are published, a path that is not is missing rather
// than malformed OCSP.
func TestMissingFiles(t *testing.T) {
	e := newEdge(t, files()).serve(t)
	for _, path := range []string{"/0.crl", "/01.crl", "/5.crl", "/1.crl/", "//1.crl", "/x/../1.crl", "/%2e%2e/1.crl", "/1%2Fcrl", "/1.CRL", "/M/M"} {
		a := e.getAt(t, "c.example", path)
		a.is(t, 404, nil)
		if got := a.Header.Get("Cache-Control"); got != "no-cache" {
			t.Errorf("%s: Cache-Control %q", path, got)
		}
	}
	e.getAt(t, "o.example", "/0.crl").is(t, 400, ocspMalformed)
	// OCSP is answered on every host.
	request := ask("05", crypto.SHA1)
	e.getAt(t, "c.example", target(request)).isServed(t, respondedFor(t, e, request))
}

func TestRanges(t *testing.T) {
	e := newEdge(t, files()).serve(t)
	const path, whole = "/1.crl", "crl one"
	tag := e.getAt(t, "c.example", path).Header.Get("Etag")
	for _, c := range []struct {
		name, spec   string
		status       int
		body, answer string // Content-Range
	}{
		{"first octets", "bytes=0-2", 206, "crl", "bytes 0-2/7"},
		{"one octet", "bytes=4-4", 206, "o", "bytes 4-4/7"},
		{"from the middle", "bytes=4-", 206, "one", "bytes 4-6/7"},
		{"last octets", "bytes=-3", 206, "one", "bytes 4-6/7"},
		{"more than there is", "bytes=4-99", 206, "one", "bytes 4-6/7"},
		{"more last ones than there are", "bytes=-99", 206, whole, "bytes 0-6/7"},
		{"all", "bytes=0-", 206, whole, "bytes 0-6/7"},
		{"behind the end", "bytes=7-", 416, "", "bytes */7"},
		{"none of the last", "bytes=-0", 416, "", "bytes */7"},
		{"far behind the end", "bytes=999999999999999999-", 416, "", "bytes */7"},
		{"several", "bytes=0-1,3-4", 200, whole, ""},
		{"other unit", "lines=0-1", 200, whole, ""},
		{"backwards", "bytes=3-1", 200, whole, ""},
		{"no number", "bytes=a-b", 200, whole, ""},
		{"nothing", "bytes=-", 200, whole, ""},
		{"too many digits", "bytes=0-9999999999999999999999", 200, whole, ""},
		{"signed", "bytes=+0-1", 200, whole, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := e.getAt(t, "c.example", path, "Range: "+c.spec)
			a.is(t, c.status, []byte(c.body))
			if got := a.Header.Get("Content-Range"); got != c.answer {
				t.Errorf("Content-Range %q, want %q", got, c.answer)
			}
		})
	}
	e.getAt(t, "c.example", path, "Range: bytes=0-2", "If-Range: "+tag).is(t, 206, []byte("crl"))
	for _, cond := range []string{`"other"`, "W/" + tag, start.Format(http.TimeFormat)} {
		e.getAt(t, "c.example", path, "Range: bytes=0-2", "If-Range: "+cond).is(t, 200, []byte(whole))
	}
	e.getAt(t, "c.example", path, "Range: bytes=0-2", "If-None-Match: "+tag).is(t, 304, nil)
	head, _ := e.send(t, "HEAD "+path+" HTTP/1.1\r\nHost: c.example\r\nRange: bytes=0-2\r\n\r\n")
	head.is(t, 200, nil)
}

// A download that began goes on with the generation it began with.
func TestDownloadAcrossSwap(t *testing.T) {
	c := files()
	e := newEdge(t, c).serve(t)
	conn, r := e.dial(t)
	fmt.Fprint(conn, "GET /big.crl HTTP/1.1\r\nHost: c.example\r\n\r\n")
	if _, err := r.Peek(1); err != nil { // it is being sent, and waits for us to read
		t.Fatal(err)
	}
	for i := range c.files {
		c.files[i].Body = strings.Repeat("x", len(c.files[i].Body))
	}
	publish(t, e.dir, c)
	wantNewest(t, e, 2)
	read(t, r, "GET").is(t, 200, []byte(strings.Repeat("0123456789", bigSize/10)))
	e.getAt(t, "c.example", "/big.crl").is(t, 200, []byte(c.files[5].Body))
}

func TestPostIsNeverAFile(t *testing.T) {
	e := newEdge(t, files()).serve(t)
	a, _ := e.send(t, "POST /1.crl HTTP/1.1\r\nHost: c.example\r\nContent-Length: 0\r\n\r\n")
	a.is(t, 400, ocspMalformed)
}

// URLs that are equivalent find one file, and no others do, however it was published.
func TestEquivalentPaths(t *testing.T) {
	c := content{segments: [][]entry{good("05")}}
	c.add("c.example", "/%C3%BC~CA.crl", store.TypeCRL, "umlaut")
	c.add("c.example", "/%28x%29.crl", store.TypeCRL, "brackets")
	c.add("c.example", "/%7eroot.crl", store.TypeCRL, "tilde")
	e := newEdge(t, c).serve(t)
	for _, c := range []struct{ path, body string }{
		{"/%C3%BC~CA.crl", "umlaut"}, {"/%c3%bc%7eCA.crl", "umlaut"}, {"/%c3%bc%7e%43%41%2ecrl", "umlaut"},
		{"/%28x%29.crl", "brackets"}, {"/%28%78%29.crl", "brackets"},
		{"/%7eroot.crl", "tilde"}, {"/~root.crl", "tilde"}, {"/%7Eroot.crl", "tilde"},
	} {
		e.getAt(t, "c.example:8080", c.path).is(t, 200, []byte(c.body))
	}
	for _, path := range []string{"/(x).crl", "/%c3%bc%7eca.crl", "/%25C3%25BC~CA.crl", "/%C3%BC~CA.crl/"} {
		e.getAt(t, "c.example", path).is(t, 404, nil)
	}
}

// Some CAs tell their CRLs apart by a query.
func TestQueries(t *testing.T) {
	c := content{segments: [][]entry{good("05")}}
	c.add("c.example", "/search.cgi%3FiHash=AbC", store.TypeCRL, "one")
	c.add("c.example", "/search.cgi%3FiHash=DeF", store.TypeCRL, "two")
	c.add("c.example", "/1.crl", store.TypeCRL, "crl")
	c.add("c.example", "/x%3Fa%3Fb=/c", store.TypeCRL, "three")
	e := newEdge(t, c).serve(t)
	for _, c := range []struct{ path, body string }{
		{"/search.cgi?iHash=AbC", "one"}, {"/search.cgi?iHash=DeF", "two"}, {"/search.cgi?iHash=%41b%43", "one"},
		{"/search.cgi?iHash=DeF#x", "two"}, {"/search.cgi%3fiHash=AbC", "one"}, {"/1.crl?iHash=AbC", "crl"}, {"/1.crl?", "crl"},
		{"/x?a?b=/c", "three"}, {"/x?%61?b=/c", "three"},
	} {
		e.getAt(t, "c.example", c.path).is(t, 200, []byte(c.body))
	}
	for _, path := range []string{"/search.cgi", "/search.cgi?", "/search.cgi?iHash=abc", "/search.cgi?iHash=AbC&x", "/search.cgi??iHash=AbC"} {
		e.getAt(t, "c.example", path).is(t, 404, nil)
	}
	request := ask("05", crypto.SHA1)
	e.getAt(t, "c.example", target(request)+"?iHash=AbC").isServed(t, respondedFor(t, e, request))
}
