package build

import (
	"crypto/x509"
	"fmt"
	"math"

	"lancre/index"
)

// checkSigner checks who signed the response in hand, whether they may, and the
// signature: RFC 6960 section 4.2.2.2 knows the issuing CA itself and a
// responder it delegated to by a certificate.
func (c *checker) checkSigner(r *index.Response) {
	if r.ResponderName != nil {
		c.found(checkByName, func() string { return "ResponderID is byName; new responders must use byKey" })
	}
	alg, err := parseAlgorithm(r.SignatureAlgorithm)
	if err != nil {
		c.found(checkAlgorithm, err.Error)
		return
	}
	var s *signer
	if c.item.issuer.is(r) {
		s = c.direct(r)
	} else {
		s = c.delegated(r)
	}
	if s == nil {
		return
	}
	for _, f := range s.broken {
		c.found(f.check, func() string { return f.reason })
	}
	c.checkAlgorithm(alg, s)
	if c.rejected() || c.skipSignatures {
		return
	}
	if err := s.cert.CheckSignature(alg.x509, r.TBS, r.Signature); err != nil {
		c.found(checkSignature, func() string {
			return fmt.Sprintf("signature is not by the key of %s: %v", s.cert.Subject, err)
		})
	}
}

// checkAlgorithm checks what only public CAs are held to.
func (c *checker) checkAlgorithm(alg algorithm, s *signer) {
	if !alg.br(s.cert.PublicKey) {
		c.found(checkAlgorithmProfile, func() string {
			return fmt.Sprintf("signature is %s with a key of %s, which public CAs must not use", alg.x509, s.cert.PublicKeyAlgorithm)
		})
	}
	if !alg.exact {
		c.found(checkAlgorithmForm, func() string {
			return fmt.Sprintf("AlgorithmIdentifier of %s is not encoded as the Baseline Requirements spell it", alg.x509)
		})
	}
}

// direct is the signer of a response that the CA signed itself.
func (c *checker) direct(r *index.Response) *signer {
	is := c.item.issuer
	if !is.signsOCSP() {
		c.found(checkIssuerUsage, func() string {
			return fmt.Sprintf("key usage of %s lacks digitalSignature", is.cert.Subject)
		})
	}
	if r.Certificates != nil {
		c.found(checkNeedlessCerts, func() string {
			return fmt.Sprintf("certs of %d octets in a response that the CA signed itself", len(r.Certificates))
		})
	}
	c.checkIssuerExpires(r, checkIssuerExpires)
	return &is.signer
}

// checkIssuerExpires checks that the issuer is there for as long as what it, or its
// delegate, says.
func (c *checker) checkIssuerExpires(r *index.Response, id check) {
	if is := c.item.issuer; r.NextUpdate > is.notAfter {
		c.found(id, func() string {
			return fmt.Sprintf("the certificate of %s expires %s, before nextUpdate %s", is.cert.Subject, utc(is.notAfter), utc(r.NextUpdate))
		})
	}
}

// signsOCSP reports whether a certificate of the CA lets it sign responses: one
// with digitalSignature or without a key usage.
func (is *issuer) signsOCSP() bool {
	for _, cert := range is.certs {
		if cert.KeyUsage == 0 || cert.KeyUsage&x509.KeyUsageDigitalSignature != 0 {
			return true
		}
	}
	return false
}

// delegated finds the responder certificate in the response; nil if there is none.
func (c *checker) delegated(r *index.Response) *signer {
	if len(r.Certificates) == 0 {
		c.found(checkDelegateMissing, func() string {
			return "ResponderID does not name the issuer, and no responder certificate is in certs"
		})
		return nil
	}
	var found *signer
	var position, count int
	expires := int64(math.MaxInt64) // the first of certs to do so
	for n, der := range certificates(r.Certificates) {
		s := c.delegates.get(c.item.issuer, der)
		if s.cert == nil {
			c.found(checkDER, func() string { return fmt.Sprintf("certs: element %d: %s", n+1, s.broken[0].reason) })
			return nil
		}
		if found == nil && s.is(r) {
			found, position = s, n
		}
		expires = min(expires, s.cert.NotAfter.Unix())
		count++
	}
	if found == nil {
		c.found(checkResponderID, func() string {
			return fmt.Sprintf("ResponderID names neither the issuer nor any of the %d certificates in certs", count)
		})
		return nil
	}
	c.checkPlacement(position, count)
	c.checkDelegateTimes(r, found.cert, expires)
	c.checkIssuerExpires(r, checkDelegatorExpires)
	return found
}

func (c *checker) checkPlacement(position, count int) {
	if position > 0 {
		c.found(checkDelegateFirst, func() string {
			return fmt.Sprintf("responder certificate is element %d of certs; Go clients look at the first only", position+1)
		})
	}
	if count > 1 {
		c.found(checkDelegateAlone, func() string {
			return fmt.Sprintf("%d certificates in certs; one is enough", count)
		})
	}
}

// checkDelegateTimes checks the validity of the responder certificate; expires is
// when the first of all in certs does.
func (c *checker) checkDelegateTimes(r *index.Response, cert *x509.Certificate, expires int64) {
	from, to := cert.NotBefore.Unix(), cert.NotAfter.Unix()
	switch {
	case r.ProducedAt < from || r.ProducedAt > to:
		c.found(checkDelegateValid, func() string {
			return fmt.Sprintf("producedAt %s is outside the responder certificate's validity, %s to %s", utc(r.ProducedAt), utc(from), utc(to))
		})
	case r.NextUpdate > expires:
		c.found(checkDelegateExpires, func() string {
			return fmt.Sprintf("a certificate in certs expires %s, before nextUpdate %s", utc(expires), utc(r.NextUpdate))
		})
	}
}
