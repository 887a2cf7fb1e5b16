package server

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/crypto/ocsp"

	"lancre/index"
)

func TestResponseIsServedAsItCameIn(t *testing.T) {
	stored := map[string]entry{
		"good":    {DER: respond("01", crypto.SHA1, ocsp.Good, start)},
		"revoked": {DER: respond("02", crypto.SHA1, ocsp.Revoked, start)},
		"unknown": {DER: respond("03", crypto.SHA1, ocsp.Unknown, start)},
		"sha256":  {DER: respond("01", crypto.SHA256, ocsp.Good, start)},
		"sha384":  {DER: respond("01", crypto.SHA384, ocsp.Good, start)},
		"sha512":  {DER: respond("01", crypto.SHA512, ocsp.Good, start)},
	}
	var segment []entry
	for _, e := range stored {
		segment = append(segment, e)
	}
	e := newEdge(t, content{segments: [][]entry{segment}}).serve(t)
	for name, request := range map[string][]byte{
		"good":    ask("01", crypto.SHA1),
		"revoked": ask("02", crypto.SHA1),
		"unknown": ask("03", crypto.SHA1),
		"sha256":  ask("01", crypto.SHA256),
		"sha384":  ask("01", crypto.SHA384),
		"sha512":  ask("01", crypto.SHA512),
	} {
		t.Run(name, func(t *testing.T) {
			e.get(t, target(request)).isServed(t, stored[name].DER)
			e.post(t, request).isServed(t, stored[name].DER)
		})
	}
	// Hash algorithms are not translated.
	e.post(t, ask("02", crypto.SHA256)).is(t, 200, ocspUnauthorized)
}

func TestHeadersOfResponse(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}}).serve(t)
	request := ask("05", crypto.SHA1)
	der := respondedFor(t, e, request)
	parsed, err := ocsp.ParseResponse(der, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"Content-Type":   "application/ocsp-response",
		"Content-Length": strconv.Itoa(len(der)),
		"Last-Modified":  parsed.ProducedAt.Format(http.TimeFormat),
		"Expires":        parsed.NextUpdate.Format(http.TimeFormat),
		"Etag":           fmt.Sprintf(`"%016x"`, xxhash.Sum64(der)),
		"Cache-Control":  "max-age=43200, public, no-transform, must-revalidate", // the cap, 12 h
	}
	wantHeaders(t, "GET", e.get(t, target(request)), want)
	wantHeaders(t, "POST", e.post(t, request), want)
	head, _ := e.send(t, "HEAD "+target(request)+" HTTP/1.1\r\nHost: x\r\n\r\n")
	wantHeaders(t, "HEAD", head, want)
	if len(head.body) != 0 {
		t.Errorf("HEAD has a body of %d octets", len(head.body))
	}
}

// wantHeaders wants exactly these headers, each once, and Date.
func wantHeaders(t *testing.T, name string, a answer, want map[string]string) {
	t.Helper()
	for k, v := range want {
		if got := a.Header[k]; len(got) != 1 || got[0] != v {
			t.Errorf("%s: %s is %q, want %q", name, k, got, v)
		}
	}
	date := a.Header.Get("Date")
	if d, err := time.Parse(http.TimeFormat, date); err != nil || d.Format(http.TimeFormat) != date {
		t.Errorf("%s: Date is %q", name, date)
	}
	for k, v := range a.Header {
		if _, ok := want[k]; !ok && k != "Date" {
			t.Errorf("%s: unexpected %s: %q", name, k, v)
		}
	}
}

func TestRefusals(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{
		{{DER: respond("02", crypto.SHA1, ocsp.Good, start), Tombstone: true}},
		append(good("01", "02"),
			entry{DER: respond("03", crypto.SHA1, ocsp.Good, start.Add(-2*life))},
			entry{DER: respond("04", crypto.SHA1, ocsp.Good, start.Add(time.Hour+(index.MaxSkew+1)*time.Second))},
			entry{DER: respond("05", crypto.SHA1, ocsp.Good, start.Add(time.Hour+index.MaxSkew*time.Second))},
			entry{DER: respond("06", crypto.SHA1, ocsp.Good, start.Add(time.Hour-life))}),
	}}).serve(t)
	unauthorized := map[string]string{"Cache-Control": noCache}
	tryLater := map[string]string{"Cache-Control": noStore, "Retry-After": "60"}
	for _, c := range []struct {
		name    string
		request []byte
		status  int
		body    []byte
		headers map[string]string
	}{
		{"unknown serial", ask("99", crypto.SHA1), 200, ocspUnauthorized, unauthorized},
		{"unknown issuer", unhexString(t, plain(der(seq, reqFor("01")))), 200, ocspUnauthorized, unauthorized},
		{"algorithm of no store", unhexString(t, withCertID(der(seq, der(oid, md5OID)), der(octets, "00"), der(octets, "00"), der(integer, "01"))),
			200, ocspUnauthorized, unauthorized},
		{"serial of 200 octets", unhexString(t, plain(der(seq, reqFor(strings.Repeat("7f", 200))))), 200, ocspUnauthorized, unauthorized},
		{"critical extension", critically(t, "01"), 200, ocspUnauthorized, unauthorized},
		{"tombstone in the newer segment", ask("02", crypto.SHA1), 503, ocspTryLater, tryLater},
		{"expired", ask("03", crypto.SHA1), 503, ocspTryLater, tryLater},
		{"expires this second", ask("06", crypto.SHA1), 503, ocspTryLater, tryLater},
		{"not valid yet", ask("04", crypto.SHA1), 503, ocspTryLater, tryLater},
		{"malformed", []byte("MFEw"), 400, ocspMalformed, map[string]string{"Cache-Control": noCache}},
		{"empty", nil, 400, ocspMalformed, map[string]string{"Cache-Control": noCache}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := e.post(t, c.request)
			a.is(t, c.status, c.body)
			c.headers["Content-Type"] = "application/ocsp-response"
			c.headers["Content-Length"] = "5"
			wantHeaders(t, c.name, a, c.headers)
		})
	}
	e.post(t, ask("05", crypto.SHA1)).isServed(t, respondedFor(t, e, ask("05", crypto.SHA1)))
}

// critically asks for a serial with a critical extension that nobody knows.
func critically(t testing.TB, serial string) []byte {
	t.Helper()
	return unhexString(t, plain(der(seq, hex.EncodeToString(requestIn(serial))),
		extensions(context2, extension(der(oid, otherOID), critical, der(octets)))))
}

// requestIn is the Request in what ask makes: inside OCSPRequest, TBSRequest and
// requestList, each with a header of two octets.
func requestIn(serial string) []byte { return ask(serial, crypto.SHA1)[6:] }

func TestStatusFlags(t *testing.T) {
	old := entry{DER: respond("03", crypto.SHA1, ocsp.Good, start.Add(-2*life))}
	e := newEdge(t, content{segments: [][]entry{{old}}}, func(c *Config) {
		c.MalformedStatus, c.ExpiredStatus, c.NegativeMaxAge = 200, 200, 5*time.Second
	}).serve(t)
	e.post(t, nil).is(t, 200, ocspMalformed)
	e.post(t, ask("03", crypto.SHA1)).is(t, 200, ocspTryLater)
	a := e.post(t, ask("04", crypto.SHA1))
	a.is(t, 200, ocspUnauthorized)
	if got := a.Header.Get("Cache-Control"); got != "max-age=5" {
		t.Errorf("Cache-Control of unauthorized is %q, want max-age=5", got)
	}
}

func TestSeveralCertificates(t *testing.T) {
	segment := append(good("01", "02"), entry{DER: respond("03", crypto.SHA1, ocsp.Good, start.Add(-2*life))})
	e := newEdge(t, content{segments: [][]entry{segment}}).serve(t)
	for _, c := range []struct {
		serials string
		want    []byte
	}{
		{"01 02", segment[0].DER},
		{"02 01", segment[1].DER},
		{"99 02", segment[1].DER},
		{"03 02", segment[1].DER},
	} {
		e.post(t, several(t, c.serials)).isServed(t, c.want)
	}
	e.post(t, several(t, "98 99")).is(t, 200, ocspUnauthorized)
	e.post(t, several(t, "03 99")).is(t, 503, ocspTryLater)
}

func several(t testing.TB, serials string) []byte {
	t.Helper()
	var list string
	for _, serial := range strings.Fields(serials) {
		list += hex.EncodeToString(requestIn(serial))
	}
	return unhexString(t, plain(der(seq, list)))
}

func TestMaxAge(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}}, func(c *Config) { c.CapMaxAge = 1000 * time.Hour }).serve(t)
	request := ask("05", crypto.SHA1)
	at := func(d time.Duration) int {
		t.Helper()
		e.time.Store(start.Add(d).Unix())
		a := e.get(t, target(request))
		var n int
		if _, err := fmt.Sscanf(a.Header.Get("Cache-Control"), "max-age=%d, public", &n); err != nil || a.StatusCode != 200 {
			t.Fatalf("at %v: status %d, Cache-Control %q", d, a.StatusCode, a.Header.Get("Cache-Control"))
		}
		return n
	}
	// Due halfway, after 3.5 days, less up to a tenth of that.
	half := int((life / 2).Seconds())
	due := at(0)
	if due > half || due < half*9/10 {
		t.Errorf("max-age is %d at thisUpdate, want %d to %d", due, half*9/10, half)
	}
	for _, c := range []struct {
		at   time.Duration
		want int
	}{
		{time.Second, due - 1},
		{time.Hour, due - 3600},
		{time.Duration(due-1) * time.Second, 1},
		{time.Duration(due) * time.Second, overdueMaxAge},
		{life / 2, overdueMaxAge},
		{life - 400*time.Second, overdueMaxAge},
		{life - 100*time.Second, 99},
		{life - 2*time.Second, 1},
		{life - time.Second, 0},
		{-index.MaxSkew * time.Second, due + index.MaxSkew},
	} {
		if got := at(c.at); got != c.want {
			t.Errorf("max-age is %d at thisUpdate+%v, want %d", got, c.at, c.want)
		}
	}
}

func TestConditionalRequests(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}}).serve(t)
	request := ask("05", crypto.SHA1)
	der := respondedFor(t, e, request)
	whole := e.get(t, target(request))
	tag, modified := whole.Header.Get("Etag"), whole.Header.Get("Last-Modified")
	date, err := http.ParseTime(modified)
	if err != nil {
		t.Fatal(err)
	}
	before, after := date.Add(-time.Second), date.Add(time.Second)
	for _, c := range []struct {
		name    string
		headers []string
		has     bool
	}{
		{"same tag", []string{"If-None-Match: " + tag}, true},
		{"any tag", []string{"If-None-Match: *"}, true},
		{"weak tag", []string{"If-None-Match: W/" + tag}, true},
		{"tag in a list", []string{`If-None-Match: "x", W/"y,z" , ` + tag}, true},
		{"other tag", []string{`If-None-Match: "0123456789abcdef"`}, false},
		{"tag without quotes", []string{"If-None-Match: " + strings.Trim(tag, `"`)}, false},
		{"tag cut off", []string{"If-None-Match: " + tag[:len(tag)-1]}, false},
		{"same date", []string{"If-Modified-Since: " + modified}, true},
		{"later date", []string{"If-Modified-Since: " + after.Format(http.TimeFormat)}, true},
		{"later date as of RFC 850", []string{"If-Modified-Since: " + after.Format("Monday, 02-Jan-06 15:04:05 GMT")}, true},
		{"earlier date", []string{"If-Modified-Since: " + before.Format(http.TimeFormat)}, false},
		{"no date", []string{"If-Modified-Since: yesterday"}, false},
		{"other tag and same date", []string{`If-None-Match: "x"`, "If-Modified-Since: " + modified}, false},
		{"same tag and earlier date", []string{"If-None-Match: " + tag, "If-Modified-Since: " + before.Format(http.TimeFormat)}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := e.get(t, target(request), c.headers...)
			if !c.has {
				a.isServed(t, der)
				return
			}
			a.is(t, 304, nil)
			wantHeaders(t, "304", a, map[string]string{
				"Etag":    tag,
				"Expires": whole.Header.Get("Expires"), "Cache-Control": whole.Header.Get("Cache-Control"),
			})
			e.post(t, request, c.headers...).isServed(t, der) // POST knows no conditions
		})
	}
}

func TestPostIgnoresWhatItMay(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}}).serve(t)
	request := ask("05", crypto.SHA1)
	der := respondedFor(t, e, request)
	for _, headers := range [][]string{
		nil,
		{"Content-Type: application/ocsp-request"},
		{"Content-Type: application/x-www-form-urlencoded"},
		{"Content-Type: multipart/form-data; boundary=x"},
		{"Content-Type: text/plain; charset=utf-8"},
		{"Content-Encoding: identity"},
		{"Accept-Encoding: gzip, br"},
		{"Range: bytes=0-9"},
		{"Accept: text/html"},
	} {
		a := e.post(t, request, headers...)
		a.isServed(t, der)
		if got := a.Header.Get("Content-Encoding"); got != "" {
			t.Errorf("%q: Content-Encoding %q", headers, got)
		}
	}
	a, _ := e.send(t, postRequest("/any/thing?at=all", request))
	a.isServed(t, der)
	e.post(t, request, "Content-Encoding: gzip").is(t, 415, nil)
}

func TestChunkedAndExpected(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05", "06")}}).serve(t)
	request := ask("05", crypto.SHA1)
	der := respondedFor(t, e, request)
	chunked := fmt.Sprintf("%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n", 10, request[:10], len(request)-10, request[10:])
	a, _ := e.send(t, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"+chunked)
	a.isServed(t, der)

	c, r := e.dial(t)
	fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(request))
	if line, err := r.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("got %q, %v, want 100 Continue", line, err)
	}
	r.Discard(len("\r\n"))
	c.Write(request)
	read(t, r, "POST").isServed(t, der)

	a, _ = e.send(t, postRequest("/", request, "Expect: a-miracle"))
	a.is(t, 417, nil)
	a, _ = e.send(t, strings.Replace(postRequest("/", request, "Expect: a-miracle"), "HTTP/1.1", "HTTP/1.0", 1))
	a.isServed(t, der)
}

func TestMethods(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}}).serve(t)
	for _, method := range []string{"OPTIONS", "PUT", "DELETE", "TRACE", "get", "post", "BREW"} {
		a, _ := e.send(t, method+" / HTTP/1.1\r\nHost: x\r\n\r\n")
		a.is(t, 405, nil)
		if got := a.Header.Get("Allow"); got != "GET, HEAD, POST" {
			t.Errorf("%s: Allow is %q", method, got)
		}
	}
	a, _ := e.send(t, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")
	a.is(t, 405, nil)
}

// What leaves doubt about where a request ends, or is too large, ends the
// connection; the client gets to read why.
func TestConnectionEnds(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}}).serve(t)
	body := string(ask("05", crypto.SHA1))
	length := fmt.Sprintf("Content-Length: %d\r\n", len(body))
	many := strings.Repeat("X: y\r\n", maxHeaders+1)
	for _, c := range []struct {
		name, raw string
		status    int
	}{
		{"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
		{"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
		{"length and chunks", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400},
		{"chunks and length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"two lengths", "POST / HTTP/1.1\r\nHost: a\r\n" + length + length + "\r\n" + body, 400},
		{"chunks in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"unknown coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400},
		{"negative length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
		{"folded line", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n", 400},
		{"bare LF", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400},
		{"blank before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
		{"too many header lines", "GET / HTTP/1.1\r\nHost: a\r\n" + many + "\r\n", 400},
		{"no HTTP", "hello\r\n\r\n", 400},
		{"raw tab in the target", "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"broken chunk", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", 400},
		{"body too large", postRequest("/", make([]byte, maxBody+1)), 413},
		{"body much too large", postRequest("/", make([]byte, lingerBytes/2)), 413},
		{"body declared and not sent", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n", 413},
		{"chunks too large", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
			fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", maxBody+1, make([]byte, maxBody+1)), 413},
		{"target too long", "GET /" + strings.Repeat("M", maxTarget) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
		{"target of 64 KiB", "GET /" + strings.Repeat("M", 64<<10) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
		{"headers too large", "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("y", maxTarget+maxHeaderBytes) + "\r\n\r\n", 431},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, closed := e.send(t, c.raw)
			a.is(t, c.status, nil)
			if !closed {
				t.Error("the connection stays open")
			}
			if got := a.Header.Get("Content-Type"); got != "text/plain" {
				t.Errorf("Content-Type %q, want text/plain", got)
			}
			if got := a.Header.Get("Cache-Control"); got != noStore {
				t.Errorf("Cache-Control %q, want %s", got, noStore)
			}
		})
	}
	if log := e.log.String(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "level=WARN") {
		t.Errorf("what clients send is logged: %s", log)
	}
}

func TestLongTargetsWithinTheLimit(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}}).serve(t)
	// 16 certificates under SHA-512 are as long as a request gets.
	big := unhexString(t, plain(der(seq, strings.Repeat(der(seq, der(seq, der(seq, der(oid, "608648016503040203"), null),
		der(octets, strings.Repeat("11", 64)), der(octets, strings.Repeat("22", 64)), der(integer, "7f"))), 16))))
	e.get(t, target(big)).is(t, 200, ocspUnauthorized)
	for _, n := range []int{255, 2 << 10, 4 << 10} {
		e.get(t, "/"+strings.Repeat("M", n-1)).is(t, 400, ocspMalformed)
	}
	e.post(t, make([]byte, maxBody)).is(t, 400, ocspMalformed)
}

func TestPersistence(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}}).serve(t)
	request := ask("05", crypto.SHA1)
	der := respondedFor(t, e, request)
	for _, c := range []struct {
		name, version, headers string
		closed                 bool
	}{
		{"1.1", "HTTP/1.1", "Host: x\r\n", false},
		{"1.1 close", "HTTP/1.1", "Host: x\r\nConnection: close\r\n", true},
		{"1.0", "HTTP/1.0", "Host: x\r\n", true},
		{"1.0 without Host", "HTTP/1.0", "", true},
		{"1.0 keep-alive", "HTTP/1.0", "Host: x\r\nConnection: keep-alive\r\n", false},
	} {
		for _, slashes := range []string{"", "/"} {
			a, closed := e.send(t, "GET "+slashes+target(request)+" "+c.version+"\r\n"+c.headers+"\r\n")
			a.isServed(t, der)
			if closed != c.closed {
				t.Errorf("%s: closed is %v, want %v", c.name, closed, c.closed)
			}
		}
		if c.version == "HTTP/1.0" && !c.closed {
			a, _ := e.send(t, "GET "+target(request)+" HTTP/1.0\r\n"+c.headers+"\r\n")
			if got := a.Header.Get("Connection"); got != "keep-alive" {
				t.Errorf("%s: Connection is %q", c.name, got)
			}
		}
	}
}

// A pipeline of different requests, sent octet by octet, is answered in order.
func TestPipeline(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05", "06")}}).serve(t)
	five, six := ask("05", crypto.SHA1), ask("06", crypto.SHA1)
	raw := "GET " + target(five) + " HTTP/1.1\r\nHost: x\r\n\r\n" + postRequest("/", six) +
		postRequest("/", []byte("junk")) + "HEAD " + target(six) + " HTTP/1.1\r\nHost: x\r\n\r\n" + postRequest("/", five)
	for _, size := range []int{1, 7, len(raw)} {
		c, r := e.dial(t)
		go func() {
			for rest := raw; rest != ""; rest = rest[min(size, len(rest)):] {
				if _, err := io.WriteString(c, rest[:min(size, len(rest))]); err != nil {
					t.Error(err)
					return
				}
			}
		}()
		read(t, r, "GET").isServed(t, respondedFor(t, e, five))
		read(t, r, "POST").isServed(t, respondedFor(t, e, six))
		read(t, r, "POST").is(t, 400, ocspMalformed)
		read(t, r, "HEAD").isServed(t, nil)
		read(t, r, "POST").isServed(t, respondedFor(t, e, five))
	}
}

// Nothing that is nearly a request brings the server down or makes it say that
// it is.
func TestMutations(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}}).serve(t)
	c, r := e.dial(t)
	try := func(body []byte) {
		t.Helper()
		if _, err := io.WriteString(c, postRequest("/", body)); err != nil {
			t.Fatal(err)
		}
		a := read(t, r, "POST")
		if a.StatusCode != 200 && a.StatusCode != 400 || !a.saysAnything() {
			t.Errorf("%x is answered %d with %x", body, a.StatusCode, a.body)
		}
	}
	request := ask("05", crypto.SHA1)
	for n := range request {
		try(request[:n])
	}
	for i := range request {
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			mutant := bytes.Clone(request)
			mutant[i] ^= flip
			try(mutant)
		}
	}
	for _, c := range requestCases {
		try(unhexString(t, c.der))
	}
}

// saysAnything reports whether the body is an OCSPResponse.
func (a answer) saysAnything() bool { return len(a.body) >= 5 && a.body[0] == 0x30 }
