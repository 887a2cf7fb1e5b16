package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"testing"

	"lancre/internal/programs"
)

// mutated are requests of different forms: plain, under another algorithm, and
// with all that a request can have.
var mutated = []string{
	"$octets20",
	"$sha256",
	"30(30(a0(020100) a1(82(6d652e74657374)) 30(30($octets20.id a0(30(30(06(2b0601050507300107) 04(30(30()))))))) " +
		"a2(30(30(06(2b0601050507300102) 0101ff 04(04($octets32)))))) a0(30(0102030405)))",
}

// mutants are der with every octet replaced by every other, and every truncation
// of it.
func mutants(der []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for n := range der {
			if !yield(der[:n]) {
				return
			}
		}
		for i := range der {
			for flip := 1; flip < 256; flip++ {
				mutant := bytes.Clone(der)
				mutant[i] ^= byte(flip)
				if !yield(mutant) {
					return
				}
			}
		}
	}
}

// spellings are target with every character replaced by one that means something,
// and every truncation of it.
func spellings(target string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range target {
			if !yield(target[:i]) {
				return
			}
			for _, c := range "%/+=-_AM0?#.!" {
				if !yield(target[:i] + string(c) + target[i+1:]) {
					return
				}
			}
		}
	}
}

// Rows B23, C43 and C44: whatever one octet of a request is, and wherever it ends,
// the answer is OCSP, is no 5xx and comes at once.
func TestMutants(t *testing.T) {
	c := newCorpus(t)
	d := programs.Start(t, c.dir)
	for i, text := range mutated {
		der, err := encode(text, c.names)
		check(t, err)
		t.Run(fmt.Sprintf("C44 POST %d", i), func(t *testing.T) {
			t.Parallel()
			c.askAll(t, d, func(yield func(string) bool) {
				for m := range mutants(der) {
					if !yield(fmt.Sprintf("POST / HTTP/1.1\r\nHost: o.test\r\nContent-Length: %d\r\n\r\n%s", len(m), m)) {
						return
					}
				}
			})
		})
		t.Run(fmt.Sprintf("C44 GET %d", i), func(t *testing.T) {
			t.Parallel()
			c.askAll(t, d, func(yield func(string) bool) {
				for m := range mutants(der) {
					if len(m) > 0 && !yield("GET /"+base64.StdEncoding.EncodeToString(m)+" HTTP/1.1\r\nHost: o.test\r\n\r\n") {
						return
					}
				}
			})
		})
		t.Run(fmt.Sprintf("A16 GET %d", i), func(t *testing.T) {
			t.Parallel()
			c.askAll(t, d, func(yield func(string) bool) {
				for s := range spellings(escaped(der)) {
					if strings.Trim(s, "/") != "" && s[0] != '?' && s[0] != '#' && !yield("GET /"+s+" HTTP/1.1\r\nHost: o.test\r\n\r\n") {
						return
					}
				}
			})
		})
	}
}

// askAll sends the requests in one pipeline.
func (c *corpus) askAll(t *testing.T, d *programs.Daemon, requests iter.Seq[string]) {
	t.Helper()
	stored := make(map[string]bool)
	for _, response := range c.stored {
		stored[string(response)] = true
	}
	conn, r := dial(t, d)
	sent := make(chan string, 1000)
	go func() {
		defer close(sent)
		w := bufio.NewWriter(conn)
		for request := range requests {
			if _, err := w.WriteString(request); err != nil {
				t.Errorf("%q was not taken: %v", request, err)
				return
			}
			if w.Available() < w.Size()/2 { // so that what was announced has been sent
				if err := w.Flush(); err != nil {
					t.Errorf("%q was not taken: %v", request, err)
					return
				}
			}
			sent <- request
		}
		if err := w.Flush(); err != nil {
			t.Error(err)
		}
	}()
	for request := range sent {
		a := readAnswer(t, r, http.MethodGet)
		switch {
		case a.StatusCode == 400 && bytes.Equal(a.body, errorBodies["malformed"]):
		case a.StatusCode == 200 && (bytes.Equal(a.body, errorBodies["unauthorized"]) || stored[string(a.body)]):
		default:
			t.Fatalf("%q is answered %d with %x", request, a.StatusCode, a.body)
		}
	}
}
