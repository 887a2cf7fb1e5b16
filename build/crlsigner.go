package build

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
)

// checkSigner checks who signed the CRL, whether they may, and the signature.
func (k *crlChecker) checkSigner(all *issuers) {
	if !bytes.Equal(k.signed, k.algorithm) {
		k.add(checkCRLAlgorithms, "AlgorithmIdentifier is %x inside what is signed, but %x outside", k.signed, k.algorithm)
		return
	}
	alg, err := parseAlgorithm(k.algorithm)
	if err != nil {
		k.add(checkCRLAlgorithm, "%v", err)
		return
	}
	candidates := all.named(k.issuerName)
	if len(candidates) == 0 {
		k.add(checkCRLIssuer, "signature not checked: no --issuer has the name %s", nameText(k.issuerName))
		return
	}
	for _, is := range candidates {
		if err = is.cert.CheckSignature(alg.x509, k.tbs, k.signature); err == nil {
			k.by = is
			k.checkIssuer(alg)
			return
		}
	}
	k.add(checkCRLSignature, "signature is not by the key of %s: %v", candidates[0].cert.Subject, err)
}

// checkIssuer checks whether the issuer may sign CRLs, and so.
func (k *crlChecker) checkIssuer(alg algorithm) {
	is := k.by
	if !is.signsCRLs() {
		k.add(checkCRLUsage, "key usage of %s lacks cRLSign", is.cert.Subject)
	}
	for _, f := range is.broken { // there is but one thing that can be wrong with it
		k.add(checkCRLKey, "%s", f.reason)
	}
	if !alg.br(is.cert.PublicKey) {
		k.add(checkCRLAlgorithmProfile, "signature is %s with a key of %s, which public CAs must not use", alg.x509, is.cert.PublicKeyAlgorithm)
	}
	if !alg.exact {
		k.add(checkCRLAlgorithmForm, "AlgorithmIdentifier of %s is not encoded as the Baseline Requirements spell it", alg.x509)
	}
}

// signsCRLs reports whether a certificate of the CA lets it sign CRLs: one with
// cRLSign or without a key usage (RFC 5280 section 6.3.3 (f)).
func (is *issuer) signsCRLs() bool {
	for _, cert := range is.certs {
		if cert.KeyUsage == 0 || cert.KeyUsage&x509.KeyUsageCRLSign != 0 {
			return true
		}
	}
	return false
}

// nameText spells a DER Name, RFC 2253 form.
func nameText(der []byte) string {
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(der, &name); err != nil {
		return fmt.Sprintf("%x", der)
	}
	return name.String()
}
