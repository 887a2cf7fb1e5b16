package e2e

import (
	"net"
	"testing"

	"lancre/internal/programs"
)

// TestJava lets Java's PKIX revocation checker judge certificates: by OCSP, which
// it asks by GET, and by CRL. It finds lancred at the URLs in the certificates,
// lancred being its proxy for all but loopback, or as the responder it is told to ask.
func TestJava(t *testing.T) {
	programs.Need(t, "java", "javac") // which it needs to run a source file
	forEachSigner(t, func(t *testing.T, signer string) {
		a, d := serveAuthority(t, signer)
		expired := serveExpired(t, a)
		verdicts := []struct{ check, want string }{
			{"good.pem=NO_FALLBACK", "valid"},
			{"good.pem=NO_FALLBACK@http://" + d.Addr, "valid"},
			{"revoked.pem=NO_FALLBACK", "REVOKED: KEY_COMPROMISE"},
			{"revoked.pem=NO_FALLBACK@http://" + d.Addr, "REVOKED: KEY_COMPROMISE"},

			// A certificate the responder does not know is no soft failure to Java, a
			// responder that cannot answer now is one.
			{"unanswered.pem=NO_FALLBACK", "UNSPECIFIED: OCSP response error: UNAUTHORIZED"},
			{"unanswered.pem=NO_FALLBACK,SOFT_FAIL", "UNSPECIFIED: OCSP response error: UNAUTHORIZED"},
			{"expired.pem=NO_FALLBACK@http://" + expired.Addr, "UNDETERMINED_REVOCATION_STATUS: " + networkError},
			{"expired.pem=NO_FALLBACK,SOFT_FAIL@http://" + expired.Addr, "valid, although: " + networkError},

			{"good.pem=PREFER_CRLS,NO_FALLBACK", "valid"},
			{"revoked.pem=PREFER_CRLS,NO_FALLBACK", "REVOKED: KEY_COMPROMISE"},
			{"unanswered.pem=PREFER_CRLS,NO_FALLBACK", "valid"}, // so it is the CRL that was read
			{"unanswered.pem=ONLY_END_ENTITY", "valid"},         // it fell back to the CRL
		}
		var checks, want string
		for _, v := range verdicts {
			checks += v.check + " "
			want += v.want + "\n"
		}
		host, port, err := net.SplitHostPort(d.Addr)
		if err != nil {
			t.Fatal(err)
		}
		got := a.sh(t, `java -Dhttp.proxyHost=$HOST -Dhttp.proxyPort=$PORT $PROGRAM ca.pem $CHECKS`,
			"HOST="+host, "PORT="+port, "PROGRAM="+testdata(t, "Revocation.java"), "CHECKS="+checks)
		if got != want {
			t.Errorf("Java says of %s\n%s\nwant\n%s", checks, got, want)
		}
	})
}

// networkError is what Java says of HTTP status 503.
const networkError = "Unable to determine revocation status due to network error"
