package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// An answer is one HTTP response at the front of what a connection received. Its
// body aliases that.
type answer struct {
	status int
	body   []byte
	size   int  // octets of head and body
	close  bool // the server said that it closes the connection
}

var (
	errShort = errors.New("the answer goes on")

	endOfHead     = []byte("\r\n\r\n")
	contentLength = []byte("\r\nContent-Length: ")
	saysClose     = []byte("\r\nConnection: close\r\n")
)

// parseAnswer reads an answer as the servers measured here spell it: HTTP/1.1, or 1.0 and then
// the end of the connection, with a Content-Length, but for 304. The error is errShort while there is more to come.
func parseAnswer(in []byte) (a answer, err error) {
	end := bytes.Index(in, endOfHead)
	if end < 0 {
		return a, errShort
	}
	head := in[:end+2]
	old := bytes.HasPrefix(head, []byte("HTTP/1.0 "))
	if !old && !bytes.HasPrefix(head, []byte("HTTP/1.1 ")) || len(head) < len("HTTP/1.1 200") {
		return a, fmt.Errorf("answer begins with %.20q, want HTTP/1.1 or HTTP/1.0 and a status", head)
	}
	a.close = old || bytes.Contains(head, saysClose)
	if a.status, err = strconv.Atoi(string(head[9:12])); err != nil {
		return a, fmt.Errorf("status: %w", err)
	}
	if a.status == 304 {
		a.size = end + len(endOfHead)
		return a, nil
	}
	_, length, found := bytes.Cut(head, contentLength)
	if !found {
		return a, fmt.Errorf("answer without Content-Length: %.200q", head)
	}
	digits, _, _ := bytes.Cut(length, []byte("\r\n"))
	n, err := strconv.ParseUint(string(digits), 10, 24) // 16 MB: far more than anything asked for here
	if err != nil {
		return a, fmt.Errorf("Content-Length: %w", err)
	}
	a.size = end + len(endOfHead) + int(n)
	if len(in) < a.size {
		return a, errShort
	}
	a.body = in[a.size-int(n) : a.size]
	return a, nil
}
