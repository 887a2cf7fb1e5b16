package key

import (
	"crypto"
	"crypto/x509"
	"fmt"

	"lancre/build/certs"
)

// Match checks that a key is that of cert. Signing does not notice: whoever verifies
// would.
func Match(signer crypto.Signer, cert *x509.Certificate) error {
	if certs.PSSParameters(cert) != nil {
		return fmt.Errorf("the key of %s is for RSA-PSS alone, by which nothing is signed here", cert.Subject)
	}
	public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(cert.PublicKey) {
		return fmt.Errorf("the key is not that of the certificate of %s: its SHA-256 begins %x, that of the certificate %x", cert.Subject, sum(signer.Public()), sum(cert.PublicKey))
	}
	return nil
}

// sum names a public key, by the start of the SHA-256 of its SubjectPublicKeyInfo.
func sum(public crypto.PublicKey) []byte {
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil
	}
	h := crypto.SHA256.New()
	h.Write(spki)
	return h.Sum(nil)[:8]
}
