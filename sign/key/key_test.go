package key

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lancre/build/ca"
	"lancre/internal/programs"
	"lancre/internal/signtest"
	"lancre/sign/child"
)

// holdsKey is the variable that has the test binary be a program that holds the key in
// the file it names.
const holdsKey = "LANCRE_TEST_KEY"

func TestMain(m *testing.M) {
	name := os.Getenv(holdsKey)
	if name == "" {
		os.Exit(m.Run())
	}
	k, err := Open(name, Options{})
	if err == nil {
		err = child.Serve(os.Stdin, os.Stdout, k, 2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func signers() map[string]crypto.Signer {
	return map[string]crypto.Signer{"RSA": signtest.RSA(), "P-256": signtest.P256(), "P-384": signtest.P384(), "Ed25519": signtest.Ed25519()}
}

// However a key is held, what it signs is by the certificate's key and the algorithm that
// is named, as crypto/x509 finds.
func TestOpen(t *testing.T) {
	algorithms := map[string]x509.SignatureAlgorithm{
		"RSA": x509.SHA256WithRSA, "P-256": x509.ECDSAWithSHA256, "P-384": x509.ECDSAWithSHA384, "Ed25519": x509.PureEd25519,
	}
	for name, signer := range signers() {
		file := signtest.WriteKey(t, signer)
		cert := signtest.NewCA(t, signer)
		t.Setenv(holdsKey, file)
		for _, spec := range []string{file, "exec:" + os.Args[0] + "  an-argument "} {
			k, err := Open(spec, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := Match(k, cert); err != nil {
				t.Error(err)
			}
			message := []byte("a message")
			signature, err := k.SignMessage(message)
			if err != nil {
				t.Fatal(err)
			}
			if err := cert.CheckSignature(algorithms[name], message, signature); err != nil {
				t.Errorf("%s by %s: %v", name, spec, err)
			}
			if a, err := ca.ParseAlgorithm([]byte(k.Algorithm.ID)); err != nil || a.X509 != algorithms[name] || !a.Exact {
				t.Errorf("%s: algorithm %x is %+v, %v", name, k.Algorithm.ID, a, err)
			}
			if err := k.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// Keys as OpenSSL writes them, encrypted or not, are read.
func TestOpenReadsKeysOfOpenSSL(t *testing.T) {
	programs.Need(t, "openssl")
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain.pem")
	openssl(t, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", plain)
	for _, tt := range []struct {
		args string
		want string // in the error; "" if it is read
	}{
		{"pkey -in IN -out OUT", ""},
		{"ec -in IN -out OUT", ""},
		{"pkcs8 -topk8 -in IN -out OUT -passout pass:secret", ""},
		{"pkcs8 -topk8 -in IN -out OUT -passout pass:secret -v2 aes-128-cbc", ""},
		{"pkcs8 -topk8 -in IN -out OUT -passout pass:secret -scrypt", ""},
		{"pkcs8 -topk8 -in IN -out OUT -passout pass:other", "incorrect password"},
		{"pkcs8 -topk8 -in IN -out OUT -passout pass:secret -v1 PBE-SHA1-3DES", "only PBES2"},
		{"ec -in IN -out OUT -aes128 -passout pass:secret", "convert it (openssl pkcs8 -topk8)"},
		{"pkey -in IN -out OUT -outform DER", "no private key in PEM"},
		{"pkey -in IN -out OUT -pubout", `a PEM block of "PUBLIC KEY", want a private key`},
	} {
		file := filepath.Join(t.TempDir(), "key.pem")
		openssl(t, strings.Fields(strings.NewReplacer("IN", plain, "OUT", file).Replace(tt.args))...)
		if err := os.Chmod(file, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(file, Options{Passphrase: func(name string) ([]byte, error) {
			if name != file {
				t.Errorf("asked for the passphrase of %s", name)
			}
			return []byte("secret"), nil
		}})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), file)) {
			t.Errorf("%s: %v, want %q", tt.args, err, tt.want)
		}
	}
}

func openssl(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
		t.Fatalf("openssl %s: %v\n%s", args, err, out)
	}
}

func pemOf(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestOpenRefuses(t *testing.T) {
	p256 := pemOf(blockPKCS8, must(x509.MarshalPKCS8PrivateKey(signtest.P256())))
	p224 := pemOf(blockPKCS8, must(x509.MarshalPKCS8PrivateKey(must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader)))))
	short := pemOf(blockPKCS8, must(x509.MarshalPKCS8PrivateKey(must(rsa.GenerateKey(rand.Reader, 1024)))))
	for _, tt := range []struct{ content, want string }{
		{"", "no private key in PEM"},
		{p256 + p256, `a PEM block of "PRIVATE KEY" behind one of "PRIVATE KEY": want one private key`},
		{p224, "an ECDSA key on P-224, want P-256, P-384 or P-521"},
		{short, "an RSA key of 1024 bits, want at least 2048"},
		{pemOf(blockPKCS8, []byte{0x30, 0}), "asn1"},
		{pemOf(blockEncrypted, []byte{0x30, 0}), "the key is encrypted, and no passphrase was given"},
	} {
		file := filepath.Join(t.TempDir(), "key.pem")
		if err := os.WriteFile(file, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(file, Options{}); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%.40q: %v, want %q", tt.content, err, tt.want)
		}
	}
	if _, err := Open("exec: ", Options{}); err == nil || !strings.Contains(err.Error(), "names no program: want exec:PROGRAM") {
		t.Error(err)
	}
	file := signtest.WriteKey(t, signtest.P256())
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file, Options{}); err == nil || !strings.Contains(err.Error(), "has mode 0640, want 0600 or less") {
		t.Error(err)
	}
}

// A key beside its certificate is found, as it lies in the files of many servers.
func TestOpenFindsTheKeyAmongCertificates(t *testing.T) {
	file := filepath.Join(t.TempDir(), "both.pem")
	cert := signtest.NewCA(t, signtest.P256())
	text := pemOf(blockCert, cert.Raw) + pemOf(blockParameter, []byte{6, 0}) + pemOf(blockEC, must(x509.MarshalECPrivateKey(signtest.P256().(*ecdsa.PrivateKey)))) + pemOf(blockCert, cert.Raw)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	k, err := Open(file, Options{})
	if err != nil || Match(k, cert) != nil {
		t.Errorf("%v", err)
	}
}

// No octets make reading an encrypted key panic.
func TestDecryptDamaged(t *testing.T) {
	programs.Need(t, "openssl")
	dir := t.TempDir()
	plain, file := filepath.Join(dir, "plain.pem"), filepath.Join(dir, "key.pem")
	openssl(t, "genpkey", "-algorithm", "ED25519", "-out", plain)
	openssl(t, "pkcs8", "-topk8", "-in", plain, "-out", file, "-passout", "pass:secret", "-iter", "1")
	block, _ := pem.Decode(must(os.ReadFile(file)))
	if _, err := decrypt(block.Bytes, []byte("secret")); err != nil {
		t.Fatal(err)
	}
	for i := range block.Bytes {
		for _, flip := range []byte{1, 2, 0x40, 0xff} {
			damaged := bytes.Clone(block.Bytes)
			damaged[i] ^= flip
			decrypt(damaged, []byte("secret")) // an error, or a key whose damage is its padding's
		}
	}
	if _, err := decrypt(block.Bytes, nil); err == nil {
		t.Error("an empty passphrase decrypts")
	}
}

func TestPassphraseErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, []byte(pemOf(blockEncrypted, []byte{0x30, 0})), 0o600); err != nil {
		t.Fatal(err)
	}
	nothing := errors.New("nobody answers")
	_, err := Open(file, Options{Passphrase: func(string) ([]byte, error) { return nil, nothing }})
	if !errors.Is(err, nothing) {
		t.Error(err)
	}
}
