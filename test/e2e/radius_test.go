package e2e

import (
	"net"
	"strings"
	"testing"

	"lancre/internal/programs"
)

// TestFreeRADIUS wants it to let in a client whose certificate is good, and no other. It
// looks for the signer's certificate in the response alone.
func TestFreeRADIUS(t *testing.T) {
	programs.Need(t, "freeradius", "eapol_test")
	a, d := serveAuthority(t, delegated)
	port := freeUDPPort(t)
	start(t, a.dir, `
		mkdir radius
		cat good.pem ca.pem >radius.pem
		cat ca.pem ../root.pem >radius.ca.pem
		sed "s|ADDR|$ADDR|; s|PORT|$PORT|" $CONF >radius/radiusd.conf
		exec freeradius -f -l stdout -d radius
	`, "ADDR="+d.Addr, "PORT="+port, "CONF="+testdata(t, "radiusd.conf"))
	const login = `
		cat >$CERT.eap <<-END
			network={
				key_mgmt=IEEE8021X
				eap=TLS
				identity="$CERT"
				ca_cert="../root.pem"
				client_cert="$CERT.pem"
				private_key="$CERT.key"
			}
		END
		eapol_test -c $CERT.eap -a 127.0.0.1 -p $PORT -s secret -t 5 -r 0`
	await(t, a.dir, login, []string{"CERT=good", "PORT=" + port}, "SUCCESS")
	for _, cert := range []string{"revoked", "unanswered"} {
		out, err := try(t, a.dir, login, "CERT="+cert, "PORT="+port)
		if err == nil || !strings.Contains(out, "CTRL-EVENT-EAP-FAILURE") {
			t.Errorf("%s is not refused: %v\n%s", cert, err, out)
		}
	}
}

// freeUDPPort returns a port on loopback that the kernel just chose, for a program that
// cannot be told to let it choose.
func freeUDPPort(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, port, err := net.SplitHostPort(c.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
