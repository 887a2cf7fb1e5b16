package server

import (
	"bufio"
	"crypto"
	"io"
	"net"
	"net/http"
	"testing"
)

// Whatever comes in on a connection, what goes out is HTTP, it ends, and nothing
// panics.
func FuzzConnection(f *testing.F) {
	request := ask("05", crypto.SHA1)
	for _, raw := range []string{
		"",
		"GET " + target(request) + " HTTP/1.1\r\nHost: o.example\r\n\r\n",
		"GET /1.crl HTTP/1.1\r\nHost: c.example\r\nRange: bytes=1-\r\nIf-Range: \"x\"\r\n\r\n",
		"HEAD / HTTP/1.0\r\n\r\n",
		"GET http://c.example/1.crl?x#y HTTP/1.1\r\nHost: x\r\nIf-None-Match: W/\"a\", *\r\nIf-Modified-Since: x\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: o\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n00\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: o\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n0",
		"GET /x HTTP/1.1\nHost: o\n\n",
		postRequest("/", request) + postRequest("/", request[:9]) + "PUT / HTTP/1.1\r\nHost: o\r\n\r\n",
	} {
		f.Add([]byte(raw))
	}
	e := newEdge(f, files())
	f.Fuzz(func(t *testing.T, raw []byte) {
		client, server := net.Pipe()
		served := make(chan struct{})
		go func() {
			defer close(served)
			_ = e.http.ServeConn(&halfPipe{Conn: server, in: raw}) // an error is the client's doing
			server.Close()
		}()
		r := bufio.NewReader(client)
		if _, err := r.Peek(1); err == nil { // there may be no answer to nothing
			if _, err := http.ReadResponse(r, nil); err != nil {
				t.Errorf("what comes back is no HTTP: %v", err)
			}
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			t.Error(err)
		}
		client.Close()
		<-served
		if n := e.metrics.panics.Load(); n != 0 {
			t.Fatalf("%d panics: %s", n, e.log)
		}
	})
}

// A halfPipe reads in, and writes to its connection.
type halfPipe struct {
	net.Conn
	in []byte
}

func (p *halfPipe) Read(b []byte) (int, error) {
	if len(p.in) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.in)
	p.in = p.in[n:]
	return n, nil
}
