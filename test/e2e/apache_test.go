package e2e

import (
	"net"
	"testing"

	"lancre/internal/programs"
)

// startApache runs Apache httpd in dir with a configuration of testdata, and
// returns the address it listens at. vars are what the configuration uses besides.
func startApache(t *testing.T, dir, conf string, vars ...string) (addr string) {
	t.Helper()
	programs.Need(t, "apache2")
	addr = freeAddr(t)
	start(t, dir, `exec apache2 -d . -f $CONF -D FOREGROUND`, append(vars, "CONF="+testdata(t, conf), "TLS="+addr)...)
	return addr
}

// freeAddr returns an address on loopback with a port that the kernel just chose,
// for a program that cannot be told to let it choose.
func freeAddr(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}
