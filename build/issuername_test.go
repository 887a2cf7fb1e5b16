package build

import (
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"

	"lancre/build/internal/recipe"
)

// inUTF8 is ca with its common name, a PrintableString, as a UTF8String: what is made
// with it has that name.
func inUTF8(ca recipe.Identity) recipe.Identity {
	cert := *ca.Cert
	cert.RawSubject = []byte(strings.Replace(string(cert.RawSubject), "\x13", string(rune(asn1.TagUTF8String)), 1))
	return recipe.Identity{Cert: &cert, Key: ca.Key}
}

// A CertID hashes the name of the issuer as certificates spell it. Where that is not
// the spelling of the CA's own, one of them shows it, and responses, those of a delegate,
// and CRLs are published by that name.
func TestIssuerNameInAnotherEncoding(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	spelled := inUTF8(ca)
	leaf := recipe.Issue(t, &x509.Certificate{SerialNumber: big.NewInt(9), NotAfter: recipe.Now}, spelled, recipe.OtherP256())
	delegate := recipe.NewResponder(t, spelled, recipe.OtherP256())
	direct := recipe.Response{Issuer: spelled, ByName: true}.DER(t)
	delegated := recipe.Response{Issuer: spelled, Serials: []string{"\x02"}, Signer: delegate, Certs: []recipe.Identity{delegate}}.DER(t)
	plain := recipe.Response{Issuer: ca, Serials: []string{"\x03"}}.DER(t)
	c := Config{
		Responses: []string{recipe.File(t, "r", direct, delegated, plain)},
		Static:    []string{recipe.Dir(t, map[string][]byte{"c.example/1.crl": recipe.CRL{Issuer: spelled}.DER(t)})},
		Warn:      []string{"ocsp.crl-good"},
	}
	report, err := run(t, ca, c)
	if err == nil || len(report.Rejections) != 2 || !strings.Contains(report.Rejections[0].Reason, "--issuer-name") {
		t.Errorf("without the leaf: %v, %+v; want two rejections that say what to do", err, report.Rejections)
	}
	c.IssuerNames = []string{recipe.File(t, "leaf", leaf.Cert.Raw)}
	if report, err = run(t, ca, c); err != nil {
		t.Fatal(err)
	}
	for _, w := range report.Warnings {
		if w.Check == "crl.issuer" {
			t.Errorf("%s: %s", w.Check, w.Reason)
		}
	}
	g := published(t, report)
	for _, der := range [][]byte{direct, delegated, plain} {
		answers(t, g, der)
	}
	c.IssuerNames = []string{recipe.File(t, "leaf", ca.Cert.Raw, recipe.NewCA(t, "stranger", recipe.P384()).Cert.Raw)}
	if _, err = run(t, ca, c); err == nil || !strings.Contains(err.Error(), "its issuer is CN=stranger") {
		t.Errorf("a stranger's: %v", err)
	}
}
