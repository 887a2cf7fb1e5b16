package der_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"lancre/build/der"
	"lancre/internal/programs"
)

// What openssl makes of each kind is told for what it is.
func TestKinds(t *testing.T) {
	programs.Need(t, "openssl")
	dir := t.TempDir()
	setup := exec.Command("sh", "-euc", `
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out ca.pem -days 9 -subj /CN=ca
		openssl genrsa -out rsa.pem 2048
		: >index.txt
		echo 01 >crlnumber
		printf '[ca]\ndefault_ca=x\n[x]\ndatabase=index.txt\ncrlnumber=crlnumber\ndefault_md=sha256\ndefault_crl_days=3\n' >ca.cnf
		openssl ca -config ca.cnf -gencrl -keyfile key.pem -cert ca.pem -out crl.pem
		openssl req -new -key rsa.pem -subj /CN=x -out request.pem
		openssl ocsp -issuer ca.pem -serial 7 -no_nonce -reqout request.der
		openssl ocsp -index index.txt -CA ca.pem -rsigner ca.pem -rkey key.pem -ndays 1 -reqin request.der -respout response.der
	`)
	setup.Dir = dir
	if out, err := setup.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for command, want := range map[string]der.Kind{
		"x509 -in ca.pem -outform DER":                                                     der.Certificate,
		"x509 -req -in request.pem -signkey rsa.pem -outform DER":                          der.Certificate, // of version 1
		"crl -in crl.pem -outform DER":                                                     der.CRL,
		"req -in request.pem -outform DER":                                                 der.Request,
		"crl2pkcs7 -nocrl -certfile ca.pem -outform DER":                                   der.CMS,
		"pkcs12 -export -inkey key.pem -in ca.pem -passout pass:x":                         der.PKCS12,
		"pkcs8 -topk8 -nocrypt -in rsa.pem -outform DER":                                   der.PrivateKey,
		"rsa -in rsa.pem -traditional -outform DER":                                        der.PrivateKey,
		"ec -in key.pem -outform DER":                                                      der.PrivateKey,
		"pkcs8 -topk8 -in rsa.pem -passout pass:x -outform DER":                            der.Encrypted,
		"pkey -in rsa.pem -pubout -outform DER":                                            der.PublicKey,
		"asn1parse -inform DER -in request.der -noout -out /dev/stdout":                    der.OCSPRequest,
		"asn1parse -inform DER -in response.der -noout -out /dev/stdout":                   der.OCSPAnswer,
		"asn1parse -genstr SEQUENCE:x -noout -out /dev/stdout -genconf " + nothing(t, dir): der.Unknown,
	} {
		cmd := exec.Command("sh", "-c", "openssl "+command)
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("openssl %s: %v", command, err)
		}
		if got := der.KindOf(out); got != want {
			t.Errorf("openssl %s is %s, want %s", command, got, want)
		}
	}
	// The BasicOCSPResponse within the response, with its version spelled out or not.
	for _, b := range []string{"\x30\x06\x30\x02\xa2\x00\x30\x00", "\x30\x08\x30\x04\xa0\x00\xa1\x00\x30\x00"} {
		if got := der.KindOf([]byte(b)); got != der.OCSPAnswer {
			t.Errorf("%x is %s", b, got)
		}
	}
	for _, b := range []string{"", "\x30", "\x30\x00", "\x30\x03\x02\x01", "\x30\x80\x00\x00"} {
		if got := der.KindOf([]byte(b)); got != der.Unknown {
			t.Errorf("%x is %s", b, got)
		}
	}
}

// nothing is the configuration of a SEQUENCE of a BOOLEAN.
func nothing(t *testing.T, dir string) string {
	t.Helper()
	name := filepath.Join(dir, "x.cnf")
	cmd := exec.Command("sh", "-c", `printf '[x]\na=BOOLEAN:TRUE\n' >"$1"`, "sh", name)
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	return name
}

func FuzzKindOf(f *testing.F) {
	f.Add([]byte("\x30\x06\x02\x01\x00\x30\x01\x05"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 2 && b[0] != 0x30 && der.KindOf(b) != der.Unknown {
			t.Errorf("%x is %s", b, der.KindOf(b))
		}
	})
}
