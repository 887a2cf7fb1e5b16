package static

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"

	"lancre/build/ca"
	"lancre/build/certs"
	"lancre/build/crl"
	"lancre/build/rule"
)

// checkSigner checks who signed the CRL, whether they may, and the signature.
func (k *crlChecker) checkSigner(all *ca.Issuers) {
	if !bytes.Equal(k.Inner, k.Algorithm) {
		k.Found(rule.CRLAlgorithmsDiffer, rule.Because("AlgorithmIdentifier is %.100x inside what is signed, but %.100x outside", k.Inner, k.Algorithm))
		return
	}
	alg, err := ca.ParseAlgorithm(k.Algorithm)
	if err != nil {
		k.Found(rule.CRLAlgorithm, err.Error)
		return
	}
	candidates := all.Named(k.Issuer)
	if len(candidates) == 0 {
		k.Found(rule.CRLIssuer, rule.Because("signature not checked: no --issuer has the name %s", nameText(k.Issuer)))
		return
	}
	if k.by, err = signedBy(k.CRL, alg, candidates); k.by != nil {
		k.checkIssuer(alg)
		return
	}
	k.Found(rule.CRLSignature, rule.Because("signature is not by the key of %s: %v", candidates[0].Cert.Subject, err))
}

// signedBy returns the one of candidates, of whom there is one at least, whose key
// signed c, or the error of the last.
func signedBy(c *crl.CRL, alg ca.Algorithm, candidates []*ca.Issuer) (is *ca.Issuer, err error) {
	for _, is = range candidates {
		if err = is.Verify(alg, c.TBS, c.Signature); err == nil {
			return is, nil
		}
	}
	return nil, err
}

// SignerOf returns the issuer whose key signed c, nil if there is none.
func SignerOf(c *crl.CRL, all *ca.Issuers) *ca.Issuer {
	alg, err := ca.ParseAlgorithm(c.Algorithm)
	if err != nil {
		return nil
	}
	is, _ := signedBy(c, alg, all.Named(c.Issuer))
	return is
}

// checkIssuer checks whether the issuer may sign CRLs, and so.
func (k *crlChecker) checkIssuer(alg ca.Algorithm) {
	is := k.by
	if !is.Allows(x509.KeyUsageCRLSign) {
		k.Found(rule.CRLIssuerKeyUsage, rule.Because("key usage of %s lacks cRLSign", is.Cert.Subject))
	}
	if is.Weak != "" {
		k.Found(rule.CRLKey, rule.Because("%s", is.Weak))
	}
	switch {
	case !alg.BR(&is.Signer):
		k.Found(rule.CRLAlgorithmProfile, rule.Because("signature is %s with a key of %s, which public CAs must not use", alg, certs.KeyName(is.Cert)))
	case !alg.Exact:
		k.Found(rule.CRLAlgorithmForm, rule.Because("AlgorithmIdentifier of %s is not encoded as the Baseline Requirements spell it", alg))
	}
}

// nameText spells a DER Name, RFC 2253 form.
func nameText(der []byte) string {
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(der, &name); err != nil {
		return fmt.Sprintf("%.100x", der)
	}
	return name.String()
}
