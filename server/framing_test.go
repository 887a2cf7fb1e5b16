package server

import (
	"crypto"
	"fmt"
	"strings"
	"testing"
)

// The lines of a trailer are held to what those of a header are. Where they cannot be
// seen, the request is the last on its connection. A body is not waited for that will be refused.
func TestTrailersAndExpectations(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}}).serve(t)
	body := string(ask("05", crypto.SHA1))
	chunked := func(trailer string) string {
		return fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n%s\r\n", len(body), body, trailer)
	}
	many := ""
	for i := range maxHeaders + 1 {
		many += fmt.Sprintf("X%d: y\r\n", i)
	}
	for _, c := range []struct {
		name, raw string
		status    int
	}{
		{"trailer longer than what is looked at", chunked("X: " + strings.Repeat("y", 300) + "\r\n"), 200},
		{"trailer with another request behind it", chunked("X: y\r\n") + "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200},
		{"trailer with a folded line", chunked("X: y\r\n z\r\n"), 400},
		{"trailer with a bare LF", chunked("X: y\nZ: w\r\n"), 400},
		{"trailer with a blank before the colon", chunked("X : y\r\n"), 400},
		{"trailer with many lines", chunked(many), 400},
		{"body of which the client asks whether it may send it", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 10241\r\n\r\n", 413},
		{"body that it sends without waiting", postRequest("/", make([]byte, maxBody+1), "Expect: 100-continue"), 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, closed := e.send(t, c.raw)
			if a.StatusCode != c.status {
				t.Errorf("status is %d, want %d", a.StatusCode, c.status)
			}
			if !closed {
				t.Error("the connection stays open")
			}
		})
	}
	for _, trailer := range []string{"", "X: y\r\n", "X: y\r\nZ: 0 w\r\n"} {
		a, closed := e.send(t, chunked(trailer))
		a.isServed(t, respondedFor(t, e, []byte(body)))
		if closed {
			t.Errorf("the connection ends after the trailer %q", trailer)
		}
	}
	a, closed := e.send(t, strings.Replace(chunked("X: y\r\n"), "Host: a\r\n", "Host: a\r\nTrailer: X\r\n", 1))
	if a.isServed(t, respondedFor(t, e, []byte(body))); closed {
		t.Error("the connection ends after a trailer that was announced")
	}
}
