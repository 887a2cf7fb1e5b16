package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lancre/internal/programs"
	"lancre/internal/softhsm"
)

// TestSignByHSM has responses and CRLs signed by keys that only an HSM has, those of the
// responder and of the CA, and clients believe both: openssl by OCSP, and by the CRL that
// the edge serves.
func TestSignByHSM(t *testing.T) {
	programs.Need(t, "openssl", "ocsptool", "curl", "gcc")
	const profiles = "--profile br --profile ms --profile moz"
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", bin, "lancre/cmd/lancre-pkcs11").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, key := range map[string]string{"rsa": rsa2048, "p256": p256} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			newRoot(t, dir)
			a := newAuthority(t, dir, "hsm", key, delegated)
			token := softhsm.New(t)
			for id, label := range []string{"ca", "responder"} {
				token.ImportFile(t, filepath.Join(a.dir, label+".key"), label, fmt.Sprintf("%02x", id))
			}
			for _, cert := range []string{"good", "bad"} {
				a.issue(t, cert, "leaf")
			}
			a.revoke(t, "bad", "keyCompromise")
			a.vars = append(a.vars, "PROFILES="+profiles, fmt.Sprintf("HSM=exec:%s --module %s --pin-file %s --label", filepath.Join(bin, "lancre-pkcs11"), token.Module, token.PINFile))
			a.sh(t, `
				mv ca.key away.key
				rm responder.key
				lancre sign ocsp --issuer ca.pem --responder responder.pem --key "$HSM responder" --certificates openssl:index.txt $PROFILES --no-store --store store --out new.der
				lancre sign crl --issuer ca.pem --key "$HSM ca" --certificates openssl:index.txt $PROFILES --static www --url http://hsm.c.example.test/1.crl
			`)
			built := a.sh(t, `lancre build --out store --issuer ca.pem --responses new.der --static www $PROFILES`)
			if !strings.Contains(built, "6 read, 0 rejected, 6 published") || strings.Contains(built, " ocsp.") || strings.Contains(built, " crl.") {
				t.Errorf("lancre build says\n%swant neither rejections nor warnings", built)
			}
			d := programs.Start(t, filepath.Join(a.dir, "store"))
			a.asks(t, d, "good", "good")
			a.asks(t, d, "bad", "revoked")
			a.sh(t, `
				curl -sS --connect-to ::$ADDR -o 1.crl http://hsm.c.example.test/1.crl
				openssl crl -inform DER -in 1.crl -out crl.pem
				openssl verify -crl_check -partial_chain -trusted ca.pem -CRLfile crl.pem good.pem
				openssl verify -crl_check -partial_chain -trusted ca.pem -CRLfile crl.pem bad.pem 2>&1 | grep 'certificate revoked'
			`, "ADDR="+d.Addr)
		})
	}
}
