package main

import (
	"net"
	"testing"
	"time"
)

// A connection on which something is asked is accepted before an older one without,
// which is accepted in the end.
func TestSilentConnectionsAreAcceptedLater(t *testing.T) {
	o := &options{listen: []string{"127.0.0.1:0"}}
	public, err := o.openPublic()
	if err != nil {
		t.Fatal(err)
	}
	ln := public[0]
	defer ln.Close()
	dial := func() net.Conn {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	opened := time.Now()
	silent, asking := dial(), dial()
	if _, err := asking.Write([]byte("GET")); err != nil {
		t.Fatal(err)
	}
	for i, want := range []net.Conn{asking, silent} {
		c, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if got := c.RemoteAddr().String(); got != want.LocalAddr().String() && time.Since(opened) < acceptWithin*time.Second {
			t.Errorf("accepted as number %d: %s, want %s", i+1, got, want.LocalAddr())
		}
	}
}
