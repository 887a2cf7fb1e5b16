package faults

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"
)

// bigCRL is a CRL of 10 MB, of another CA than the responses'.
func bigCRL(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	now := time.Now()
	issuer := &x509.Certificate{Subject: pkix.Name{CommonName: "big"}, SubjectKeyId: []byte("big"), KeyUsage: x509.KeyUsageCRLSign}
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now, NextUpdate: now.Add(24 * time.Hour)}
	first := new(big.Int).Lsh(big.NewInt(1), 120)
	for i := range int64(270_000) { // of some 37 octets
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: new(big.Int).Add(first, big.NewInt(i)), RevocationTime: now})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, issuer, key)
	check(t, err)
	return der
}
