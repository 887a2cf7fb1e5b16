package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"lancre/index"
)

// opensslOCSP is the responder that comes with OpenSSL, which signs each answer when it is asked. It
// has one client at a time, and closes the connection after an answer.
func (c *corpus) opensslOCSP(port int) ([]string, error) {
	issuer, list := filepath.Join(c.Dir, "issuer.pem"), filepath.Join(c.Dir, "index.txt")
	if err := os.WriteFile(issuer, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.CA.Issuer.Raw}), 0o644); err != nil {
		return nil, err
	}
	return []string{"openssl", "ocsp", "-port", strconv.Itoa(port), "-index", list, "-CA", issuer, "-rsigner", issuer, "-rkey", c.keyFile(),
		"-rmd", "sha256", "-resp_no_certs", "-ndays", "4", "-ignore_err"}, os.WriteFile(list, c.opensslIndex(), 0o644)
}

func (c *corpus) keyFile() string { return filepath.Join(c.Dir, "key.pem") }

// writeKey writes the CA's key for openssl.
func (c *corpus) writeKey(key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(c.keyFile(), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}

// opensslIndex lists the first fewFiles sampled certificates as openssl ca does.
func (c *corpus) opensslIndex() []byte {
	const utcTime = "060102150405Z"
	var list bytes.Buffer
	for _, i := range c.sample(fewFiles) {
		cert := c.CA.Certificate(i)
		status, revoked := "V", ""
		if cert.Status == index.Revoked {
			status, revoked = "R", cert.RevokedAt.UTC().Format(utcTime)
		}
		fmt.Fprintf(&list, "%s\t%s\t%s\t%X\tunknown\t/CN=%d\n", status, c.CA.NextUpdate.UTC().Format(utcTime), revoked, cert.Serial, i)
	}
	return list.Bytes()
}
