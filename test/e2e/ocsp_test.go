package e2e

import (
	"strings"
	"testing"

	"lancre/internal/programs"
)

// outputs is what a command line prints about each of the certificates of
// serveAuthority, among other things.
type outputs map[string][]string

var (
	openssl = outputs{
		"good":       {"Response verify OK\n", "good.pem: good\n"},
		"revoked":    {"Response verify OK\n", "revoked.pem: revoked\n", "Reason: keyCompromise\n"},
		"unanswered": {"Responder Error: unauthorized (6)\n"},
	}
	opensslWithNonce = outputs{
		"good":       append(openssl["good"], "WARNING: no nonce in response\n"),
		"revoked":    append(openssl["revoked"], "WARNING: no nonce in response\n"),
		"unanswered": openssl["unanswered"],
	}
	ocsptool = outputs{
		"good":       {"Certificate Status: good\n", "Verifying OCSP Response: Success.\n"},
		"revoked":    {"Certificate Status: revoked\n", "Verifying OCSP Response: Success.\n"},
		"unanswered": {"Response Status: unauthorized\n"},
	}
	// With --nonce, ocsptool shows the response but does not go on to verify it.
	ocsptoolWithNonce = outputs{
		"good":       {"Certificate Status: good\n", "could not read response's nonce"},
		"revoked":    {"Certificate Status: revoked\n", "could not read response's nonce"},
		"unanswered": {"Response Status: unauthorized\n"},
	}
)

// commands ask about $CERT.pem. openssl ocsp and ocsptool speak HTTP/1.0, and
// ocsptool reads until the server closes.
var commands = []struct {
	name, script string
	want         outputs
}{
	{"openssl", `openssl ocsp $ABOUT -url http://$ADDR`, opensslWithNonce},
	{"openssl, no nonce", `openssl ocsp $ABOUT -no_nonce -url http://$ADDR`, openssl},
	{"openssl, SHA-256", `openssl ocsp -sha256 $ABOUT -url http://$ADDR`, opensslWithNonce},
	{"openssl, SHA-256, no nonce", `openssl ocsp -sha256 $ABOUT -no_nonce -url http://$ADDR`, openssl},
	{"openssl, path", `openssl ocsp $ABOUT -no_nonce -url http://$ADDR/path/`, openssl},
	{"openssl, header", `openssl ocsp $ABOUT -no_nonce -url http://$ADDR -header Host=o.example.test -header X-Other=1`, openssl},
	{"openssl, proxy", `openssl ocsp $ABOUT -no_nonce -url http://o.example.test/ -proxy http://$ADDR`, openssl},
	{"openssl, signed request", `openssl ocsp $ABOUT -no_nonce -url http://$ADDR -signer good.pem -signkey good.key`, openssl},
	{"ocsptool", `ocsptool --ask=http://$ADDR/ $ABOUT_TO_OCSPTOOL`, ocsptool},
	{"ocsptool, nonce", `ocsptool --ask=http://$ADDR/ $ABOUT_TO_OCSPTOOL --nonce`, ocsptoolWithNonce},
}

// TestCommands asks with what a person at a terminal would.
func TestCommands(t *testing.T) {
	programs.Need(t, "ocsptool")
	const about = `
		ABOUT="-issuer ca.pem -CAfile chain.pem -cert $CERT.pem"
		set -- $SIGNER # -rsigner FILE ...
		ABOUT_TO_OCSPTOOL="--load-issuer=ca.pem --load-signer=$2 --load-cert=$CERT.pem"
	`
	forEachSigner(t, func(t *testing.T, signer string) {
		a, d := serveAuthority(t, signer)
		for _, c := range commands {
			for cert, want := range c.want {
				// The exit status is 1 if anything is wrong, also if that is wanted.
				out, _ := try(t, a.dir, about+c.script, append(a.vars, "CERT="+cert, "ADDR="+d.Addr)...)
				if !containsAll(out, want) {
					t.Errorf("%s: of %s it prints\n%swant all of %q", c.name, cert, out, want)
				}
				if strings.Contains(out, "WARNING") && !strings.Contains(strings.Join(want, ""), "WARNING") {
					t.Errorf("%s: of %s it warns:\n%s", c.name, cert, out)
				}
			}
		}
	})
}
