// Package softhsm makes tokens of SoftHSM, an HSM in software, for tests: each in a
// directory of its own.
package softhsm

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"lancre/internal/programs"
)

// A Token is an initialized token, of which SOFTHSM2_CONF tells this process and those
// that it starts until the end of the test.
type Token struct {
	Module  string // the PKCS #11 library
	Label   string
	PIN     string
	PINFile string // that holds it
	dir     string
}

// New makes a token without keys.
func New(t testing.TB) *Token {
	t.Helper()
	programs.Need(t, "softhsm2-util")
	dir := t.TempDir()
	k := &Token{Module: "/usr/lib/softhsm/libsofthsm2.so", Label: "lancre test", PIN: "4711", PINFile: filepath.Join(dir, "pin"), dir: dir}
	tokens, conf := filepath.Join(dir, "tokens"), filepath.Join(dir, "softhsm2.conf")
	if err := os.Mkdir(tokens, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, k.PINFile, k.PIN+"\n")
	write(t, conf, fmt.Sprintf("directories.tokendir = %s\nlog.level = ERROR\n", tokens))
	t.Setenv("SOFTHSM2_CONF", conf)
	k.util(t, "--init-token", "--free", "--label", k.Label, "--so-pin", k.PIN)
	return k
}

// Import puts a key into the token, with a label and an id in hex.
func (k *Token) Import(t testing.TB, key crypto.Signer, label, id string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(k.dir, "key.pem")
	write(t, name, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	k.ImportFile(t, name, label, id)
}

// ImportFile is Import of a file with a PKCS #8 key in PEM.
func (k *Token) ImportFile(t testing.TB, name, label, id string) {
	t.Helper()
	k.util(t, "--import", name, "--token", k.Label, "--label", label, "--id", id)
}

func (k *Token) util(t testing.TB, args ...string) {
	t.Helper()
	cmd := exec.Command("softhsm2-util", append(args, "--pin", k.PIN)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
}

func write(t testing.TB, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
