package e2e

import (
	"strings"
	"testing"

	"lancre/internal/programs"
)

// TestNSS asks by the library that Firefox has, which takes an answer for good or
// revoked only if it believes it.
func TestNSS(t *testing.T) {
	programs.Need(t, "ocspclnt", "certutil")
	forEachSigner(t, func(t *testing.T, signer string) {
		a, d := serveAuthority(t, signer)
		a.sh(t, `
			certutil -N -d . --empty-password
			certutil -A -d . -n root -t C,C,C -i ../root.pem
			certutil -A -d . -n ca -t ,, -i ca.pem
			for cert in good revoked unanswered
			do certutil -A -d . -n $cert -t ,, -i $cert.pem
			done
		`)
		for cert, want := range map[string]string{
			"good": `"good" succeeded`, "revoked": "has been revoked", "unanswered": "refused this request as unauthorized",
		} {
			// It exits with status 0 or 255, which says no more than the words.
			got, _ := try(t, a.dir, `ocspclnt -d . -S $CERT -l http://$ADDR/ -t ca 2>&1`, "CERT="+cert, "ADDR="+d.Addr)
			if !strings.Contains(got, want) {
				t.Errorf("of %s: %s, want %q", cert, got, want)
			}
		}
	})
}
