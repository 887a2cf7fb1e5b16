package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ocsp"
)

// A scriptCA signs what a script asks for, one response after another: what a CA says
// over days.
type scriptCA struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func newScriptCA(ts *testscript.TestScript) *scriptCA {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Script CA"}, BasicConstraintsValid: true, IsCA: true,
		KeyUsage:  x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
		NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: time.Now().AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	ts.Check(err)
	cert, err := x509.ParseCertificate(der)
	ts.Check(err)
	return &scriptCA{cert, key}
}

// caKey is where a script has its CA, a *scriptCA.
type caKey struct{}

// ca makes the script's CA and writes its certificate, and its key if that is wanted.
func ca(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		arguments(ts, neg, args, 1)
	}
	made := ts.Value(caKey{}).(*scriptCA)
	*made = *newScriptCA(ts)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made.cert.Raw}), 0o644))
	if len(args) == 2 {
		der, err := x509.MarshalPKCS8PrivateKey(made.key)
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	}
}

// signs writes the responses of the script's CA.
func signs(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: signs FILE AGE SERIAL=STATUS...")
	}
	age, err := time.ParseDuration(args[1])
	ts.Check(err)
	now, err := time.Parse(time.RFC3339, ts.Getenv("NOW"))
	ts.Check(err)
	made := ts.Value(caKey{}).(*scriptCA)
	var all bytes.Buffer
	for _, arg := range args[2:] {
		serial, status, _ := strings.Cut(arg, "=")
		r := ocsp.Response{ThisUpdate: now.Add(-age).Truncate(time.Minute), SerialNumber: new(big.Int)}
		r.NextUpdate = r.ThisUpdate.AddDate(0, 0, 4)
		if _, ok := r.SerialNumber.SetString(serial, 16); !ok {
			ts.Fatalf("serial %q: want hexadecimal digits", serial)
		}
		switch status {
		case "good":
			r.Status = ocsp.Good
		case "revoked":
			r.Status, r.RevokedAt, r.RevocationReason = ocsp.Revoked, now.AddDate(0, -1, 0).Truncate(time.Second), ocsp.KeyCompromise
		default:
			ts.Fatalf("status %q: want good or revoked", status)
		}
		der, err := ocsp.CreateResponse(made.cert, made.cert, r, made.key)
		ts.Check(err)
		all.Write(der)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), all.Bytes(), 0o644))
}
