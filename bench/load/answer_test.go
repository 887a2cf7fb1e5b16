package main

import (
	"errors"
	"testing"
)

const okAnswer = "HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 14:00:00 GMT\r\nContent-Length: 5\r\nETag: \"1\"\r\n\r\nhello"

func TestParseAnswer(t *testing.T) {
	for _, c := range []struct {
		name, in string
		status   int
		body     string
		close    bool
	}{
		{"whole", okAnswer, 200, "hello", false},
		{"followed by another", okAnswer + "HTTP/1.1 404", 200, "hello", false},
		{"empty body, closing", "HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 503, "", true},
		{"not modified", "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\nHTTP/1.1 200", 304, "", false},
		{"not modified, with the length that it would have", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, "", false},
		{"of an old server", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true},
	} {
		a, err := parseAnswer([]byte(c.in))
		if err != nil || a.status != c.status || string(a.body) != c.body || a.close != c.close {
			t.Errorf("%s: %+v, %v", c.name, a, err)
		}
	}
	for n := range okAnswer {
		if _, err := parseAnswer([]byte(okAnswer[:n])); !errors.Is(err, errShort) {
			t.Errorf("the first %d octets: %v, want %v", n, err, errShort)
		}
	}
	for _, in := range []string{
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
		"SSH-2.0\r\n\r\n",
	} {
		if a, err := parseAnswer([]byte(in)); err == nil || errors.Is(err, errShort) {
			t.Errorf("%q: %+v, %v, want an error", in, a, err)
		}
	}
}

func FuzzParseAnswer(f *testing.F) {
	f.Add([]byte(okAnswer))
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		a, err := parseAnswer(in)
		if err == nil && (a.size > len(in) || len(a.body) > a.size) {
			t.Errorf("%d octets with a body of %d in %d", a.size, len(a.body), len(in))
		}
	})
}
