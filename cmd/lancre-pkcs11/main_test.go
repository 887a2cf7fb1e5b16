//go:build cgo

package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/miekg/pkcs11"
	"lancre/internal/signtest"

	"lancre/internal/softhsm"
	"lancre/sign/child"
	"lancre/sign/key"
	"lancre/sign/signature"
)

// Variables that have the test binary be lancre-pkcs11.
const (
	actsAs    = "LANCRE_TEST_PKCS11"     // main, or closing: its sessions are closed under way
	pidFile   = "LANCRE_TEST_PID"        // where it writes its process id
	testsPIN  = "LANCRE_TEST_PIN"        // for --pin-env
	closeAt   = 40                       // signatures by one that is closing
	callers   = 16                       // at a time
	labelOf   = "key"                    // of the key that tests sign by
	everyTest = 25                       // signatures of each caller
	inventory = "libsofthsm2.so-is-not"  // a module that is not there
	message   = "what is signed %d %d\n" // by whom, which
)

func TestMain(m *testing.M) {
	if name := os.Getenv(pidFile); name != "" && os.Getenv(actsAs) != "" {
		if err := os.WriteFile(name, []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
			panic(err)
		}
	}
	switch os.Getenv(actsAs) {
	case "":
		os.Exit(m.Run())
	case "main":
		main()
	case "closing":
		closing()
	}
}

// closing is main with a token whose sessions are closed after some signatures, as a
// network HSM does that was restarted.
func closing() {
	o := new(options)
	cmd := newCommand(o, func() error {
		t, err := open(o)
		if err != nil {
			return err
		}
		slot, _, err := t.findSlot(o.token)
		if err != nil {
			return err
		}
		return child.Serve(os.Stdin, os.Stdout, &closingToken{token: t, slot: slot}, o.sessions)
	})
	if err := cmd.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitFailed)
	}
}

type closingToken struct {
	*token
	slot   uint
	signed atomic.Int64
}

func (t *closingToken) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	if t.signed.Add(1) == closeAt {
		if err := t.module.CloseAllSessions(t.slot); err != nil {
			return nil, err
		}
	}
	return t.token.Sign(random, digest, o)
}

// spec is the key of a token, held by this binary.
func spec(k *softhsm.Token, args string) string {
	return fmt.Sprintf("exec:%s --module %s --pin-file %s %s", os.Args[0], k.Module, k.PINFile, args)
}

func keys() map[string]crypto.Signer {
	return map[string]crypto.Signer{"RSA": signtest.RSA(), "P-256": signtest.P256(), "P-384": signtest.P384(), "Ed25519": signtest.Ed25519()}
}

// sign has callers sign, all at a time, and verifies what they get.
func sign(t testing.TB, k *key.Key) {
	t.Helper()
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for i := range everyTest {
				if err := signOne(k, fmt.Sprintf(message, c, i)); err != nil {
					t.Errorf("caller %d, message %d: %v", c, i, err)
					return
				}
			}
		})
	}
	all.Wait()
}

func signOne(k *key.Key, text string) error {
	digest, hash := []byte(text), k.Algorithm.Hash
	if hash != 0 {
		h := hash.New()
		h.Write(digest)
		digest = h.Sum(nil)
	}
	made, err := k.SignDigest(digest)
	if err != nil {
		return err
	}
	return signature.Verify(k.Public(), hash, digest, made)
}

func TestSigns(t *testing.T) {
	for name, signer := range keys() {
		t.Run(name, func(t *testing.T) {
			token := softhsm.New(t)
			token.Import(t, signer, labelOf, "0a0b")
			t.Setenv(actsAs, "main")
			for _, args := range []string{"--label key", "--id 0a0b --sessions 1", "--id 0A0B --label key"} {
				k, err := key.Open(spec(token, args), key.Options{Log: os.Stderr})
				if err != nil {
					t.Fatal(err)
				}
				if err := key.Match(k, signtest.NewCA(t, signer)); err != nil {
					t.Error(err)
				}
				sign(t, k)
				if err := k.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// However often the sessions are closed, every signature comes, and is good.
func TestSessionsAreClosed(t *testing.T) {
	for _, signer := range []crypto.Signer{signtest.RSA(), signtest.P256()} {
		token := softhsm.New(t)
		token.Import(t, signer, labelOf, "01")
		t.Setenv(actsAs, "closing")
		var log lines
		k, err := key.Open(spec(token, "--label key"), key.Options{Log: &log})
		if err != nil {
			t.Fatal(err)
		}
		sign(t, k)
		// SoftHSM takes it ill, at times, that a session is closed while it signs.
		if n := log.count("CKR_SESSION_HANDLE_INVALID") + log.count("SIGSEGV"); n < callers*everyTest/closeAt/2 {
			t.Errorf("sessions were closed %d times; the log is %.2000q", n, log.text)
		}
		k.Close()
	}
}

// lines is a log that several write.
type lines struct {
	mu   sync.Mutex
	text string
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text += string(p)
	return len(p), nil
}

func (l *lines) count(word string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text, word)
}

// A child that is killed while 16 signatures are under way is started again.
func TestKilled(t *testing.T) {
	token := softhsm.New(t)
	token.Import(t, signtest.P256(), labelOf, "01")
	t.Setenv(actsAs, "main")
	t.Setenv(pidFile, t.TempDir()+"/pid")
	k, err := key.Open(spec(token, "--label key"), key.Options{Log: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	for range 3 {
		before := pid(t)
		var signing sync.WaitGroup
		signing.Go(func() { sign(t, k) })
		if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		signing.Wait()
		if err := signOne(k, "then"); err != nil || pid(t) == before {
			t.Errorf("%v; the process is %d, and was %d", err, pid(t), before)
		}
	}
}

func pid(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(os.Getenv(pidFile))
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRefusals(t *testing.T) {
	token := softhsm.New(t)
	token.Import(t, signtest.P256(), labelOf, "01")
	token.Import(t, signtest.Other(), "double", "02")
	token.Import(t, signtest.RSA(), "double", "03")
	t.Setenv(actsAs, "main")
	t.Setenv(testsPIN, "0000")
	module := "--module " + token.Module
	pin := " --pin-file " + token.PINFile
	for _, tt := range []struct{ args, status, want string }{
		{module + pin + " --label other", "78", `0 private keys have the label "other" and the id "", want one`},
		{module + pin + " --label double", "78", `2 private keys have the label "double" and the id "", want one`},
		{module + pin + " --id xx", "78", "--id xx: want hexadecimal digits"},
		{module + pin, "78", "at least one of the flags in the group [label id] is required"},
		{module + pin + " --label key --sessions 0", "78", "0 sessions; want 1 to 1024"},
		{module + pin + " --label key --token none", "1", `--token "none" means 0 of the tokens ["lancre test"], want one`},
		{module + " --label key --pin-env " + testsPIN, "78", "logging in: pkcs11: 0xA0: CKR_PIN_INCORRECT"},
		{module + " --label key --pin-env LANCRE_NO_SUCH", "78", "the environment variable LANCRE_NO_SUCH, which is to hold the PIN, is empty"},
		{module + " --label key --pin-file " + token.Module, "78", "has mode 0"},
		{module + " --label key --pin 4711", "78", "unknown flag: --pin"},
		{"--module " + inventory + pin + " --label key", "78", "is no PKCS #11 library that can be loaded here"},
	} {
		var log lines
		_, err := key.Open("exec:"+os.Args[0]+" "+tt.args, key.Options{Log: &log})
		if err == nil || !strings.HasSuffix(err.Error(), "exit status "+tt.status) {
			t.Errorf("%s: %v, want exit status %s", tt.args, err, tt.status)
		}
		if log.count(tt.want) != 1 || log.count("4711") > strings.Count(tt.args, "4711") {
			t.Errorf("%s: it says %.300q, want %q and no PIN", tt.args, log.text, tt.want)
		}
	}
}

// The PIN comes from the environment, too.
func TestPINFromEnvironment(t *testing.T) {
	token := softhsm.New(t)
	token.Import(t, signtest.P256(), labelOf, "01")
	t.Setenv(actsAs, "main")
	t.Setenv(testsPIN, token.PIN)
	k, err := key.Open(fmt.Sprintf("exec:%s --module %s --label key --pin-env %s", os.Args[0], token.Module, testsPIN), key.Options{Log: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	if err := signOne(k, "x"); err != nil {
		t.Error(err)
	}
}

// A token without a public key has the certificate say which it is; one without either
// cannot be used.
func TestPublicKeyFromCertificate(t *testing.T) {
	token := softhsm.New(t)
	token.Import(t, signtest.P256(), labelOf, "01")
	held, err := open(&options{module: token.Module, label: labelOf, pinFile: token.PINFile, sessions: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer held.close()
	slot, _, err := held.findSlot("")
	if err != nil {
		t.Fatal(err)
	}
	s, err := held.module.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	if err != nil {
		t.Fatal(err)
	}
	public, err := held.find(s, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PUBLIC_KEY)})
	if err != nil || len(public) != 1 {
		t.Fatal(public, err)
	}
	if err := held.module.DestroyObject(s, public[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := held.publicKey(s); err == nil || !strings.Contains(err.Error(), "neither a public key nor a certificate with the id 01") {
		t.Errorf("error %v", err)
	}
	cert := signtest.NewCA(t, signtest.P256())
	if _, err := held.module.CreateObject(s, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_CERTIFICATE), pkcs11.NewAttribute(pkcs11.CKA_CERTIFICATE_TYPE, pkcs11.CKC_X_509),
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_ID, []byte{1}),
		pkcs11.NewAttribute(pkcs11.CKA_SUBJECT, cert.RawSubject), pkcs11.NewAttribute(pkcs11.CKA_VALUE, cert.Raw),
	}); err != nil {
		t.Fatal(err)
	}
	if got, err := held.publicKey(s); err != nil || !signtest.P256().Public().(*ecdsa.PublicKey).Equal(got) {
		t.Errorf("%v, %v", got, err)
	}
}

// A digest that the HSM refuses is an answer: nothing is started again for it.
func TestHSMRefuses(t *testing.T) {
	token := softhsm.New(t)
	token.Import(t, signtest.RSA(), labelOf, "01")
	t.Setenv(actsAs, "main")
	t.Setenv(pidFile, t.TempDir()+"/pid")
	k, err := key.Open(spec(token, "--label key"), key.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	before := pid(t)
	if _, err := k.Sign(nil, make([]byte, 5), crypto.SHA256); !errors.As(err, new(child.Refusal)) {
		t.Errorf("error %v, want a refusal", err)
	}
	if err := signOne(k, "x"); err != nil || pid(t) != before {
		t.Errorf("%v; started again as %d, was %d", err, pid(t), before)
	}
}

// What the parts of a key say is read in either form that tokens have.
func TestParseEC(t *testing.T) {
	for name, signer := range keys() {
		if name == "RSA" {
			continue
		}
		params, point := partsOf(t, signer.Public())
		wrapped := append([]byte{4, byte(len(point))}, point...)
		for _, form := range [][]byte{point, wrapped} {
			if len(point) > 127 {
				continue
			}
			got, err := parseEC(params, form)
			if err != nil || !got.(interface{ Equal(crypto.PublicKey) bool }).Equal(signer.Public()) {
				t.Errorf("%s: %v, %v", name, got, err)
			}
		}
	}
	for _, params := range []string{"", "\x06\x05\x2b\x81\x04\x00\x0a", "\x13\x0aedwards448"} {
		if _, err := parseEC([]byte(params), make([]byte, 33)); err == nil || !strings.Contains(err.Error(), "want P-256") {
			t.Errorf("%q: %v", params, err)
		}
	}
}

// partsOf are the curve and the point in a SubjectPublicKeyInfo.
func partsOf(t *testing.T, public crypto.PublicKey) (params, point []byte) {
	t.Helper()
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	id := spki[2:][:2+spki[3]]
	if spki[1] > 127 {
		t.Fatal("a long SubjectPublicKeyInfo")
	}
	point = spki[2+len(id)+3:]
	params = id[2:]
	if len(id) > 9 { // id-ecPublicKey and the curve
		params = id[2+9:]
	}
	return params, point
}
