package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"testing"

	"golang.org/x/crypto/ocsp"

	"lancre/build/demo"
	"lancre/index"
	"lancre/internal/programs"
)

// What openssl ocsp answers is not compared when it is measured, for it signs anew: it is here.
func TestOpenSSLAnswers(t *testing.T) {
	programs.Need(t, "openssl")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{dir: t.TempDir()}
	c, err := r.makeCorpus(t.Context(), "small", demo.Options{Unsigned: true, CAKey: key}, 100)
	if err == nil {
		err = c.writeKey(key)
	}
	if err != nil {
		t.Fatal(err)
	}
	addr := startOpenSSL(t, c)
	for number, want := range map[uint64]int{0: ocsp.Good, 1: ocsp.Revoked} {
		cert := c.CA.Certificate(number)
		id, _ := c.CA.CertID(cert, index.SHA1)
		answer, err := ocsp.ParseResponse(exchange(t, addr, getClose.spell(&id)), c.CA.Issuer)
		if err != nil || answer.Status != want || string(answer.SerialNumber.Bytes()) != string(cert.Serial) {
			t.Errorf("certificate %d: %+v, %v, want status %d", number, answer, err, want)
		}
	}
}

// startOpenSSL has the kernel choose the port, and openssl say which.
func startOpenSSL(t *testing.T, c *corpus) (addr string) {
	t.Helper()
	args, err := c.opensslOCSP(0)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(args[0], args[1:]...)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait() // that it was killed is what we want
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	port := regexp.MustCompile(`:\d+`).FindString(line) // ACCEPT [::]:41234 PID=4711
	if port == "" {
		t.Fatalf("openssl says %q, %v, want ACCEPT and an address", line, err)
	}
	return "127.0.0.1" + port
}

// exchange sends a request and returns the body of the answer.
func exchange(t *testing.T, addr string, request []byte) []byte {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(request); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body
}
