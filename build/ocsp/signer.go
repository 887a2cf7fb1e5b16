package ocsp

import (
	"crypto/x509"
	"fmt"
	"math"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/ca"
	"lancre/build/certs"
	"lancre/build/rule"
	"lancre/index"
)

// checkSigner checks who signed the response in hand, whether they may, and the
// signature: RFC 6960 section 4.2.2.2 knows the issuing CA itself and a
// responder it delegated to by a certificate.
func (c *Checker) checkSigner(r *index.Response) {
	if r.ResponderName != nil {
		c.found(rule.OCSPResponderByName, func() string { return "ResponderID is byName; new responders must use byKey" })
	}
	alg, err := ca.ParseAlgorithm(r.SignatureAlgorithm)
	if err != nil {
		c.found(rule.OCSPAlgorithm, err.Error)
		return
	}
	var s *ca.Signer
	var broken []rule.Finding // what is wrong with its certificate, whatever it signed
	if is := c.item.Issuer; is.Is(r) {
		s = &is.Signer
		c.checkDirect(r, is)
	} else if d := c.delegated(r); d != nil {
		s, broken = &d.Signer, d.broken.All()
	} else {
		return
	}
	if s.Unfit != "" {
		c.found(rule.OCSPKeyUnfit, func() string { return s.Unfit })
	}
	if s.Weak != "" {
		c.found(rule.OCSPKey, func() string { return s.Weak })
	}
	for i := range broken {
		c.found(broken[i].Check, func() string { return broken[i].Reason })
	}
	c.checkAlgorithm(alg, s)
	if c.rejected() || c.config.SkipSignatures {
		return
	}
	if err := s.Verify(alg, r.TBS, r.Signature); err != nil {
		c.found(rule.OCSPSignature, func() string {
			return fmt.Sprintf("signature is not by the key of %s: %v", s.Cert.Subject, err)
		})
	}
}

// checkAlgorithm checks what only public CAs are held to.
func (c *Checker) checkAlgorithm(alg ca.Algorithm, s *ca.Signer) {
	switch {
	case !alg.BR(s):
		c.found(rule.OCSPAlgorithmProfile, func() string {
			return fmt.Sprintf("signature is %s with a key of %s, which public CAs must not use", alg, certs.KeyName(s.Cert))
		})
	case !alg.Exact:
		c.found(rule.OCSPAlgorithmForm, func() string {
			return fmt.Sprintf("AlgorithmIdentifier of %s is not encoded as the Baseline Requirements spell it", alg)
		})
	}
}

// checkDirect checks a response that the CA signed itself.
func (c *Checker) checkDirect(r *index.Response, is *ca.Issuer) {
	if !is.Allows(x509.KeyUsageDigitalSignature) {
		c.found(rule.OCSPIssuerKeyUsage, func() string {
			return fmt.Sprintf("key usage of %s lacks digitalSignature", is.Cert.Subject)
		})
	}
	if r.Certificates != nil {
		c.found(rule.OCSPCertsNeedless, func() string {
			return fmt.Sprintf("certs of %d octets in a response that the CA signed itself", len(r.Certificates))
		})
		c.certificates(r)
	}
	c.checkIssuerExpires(r, rule.OCSPIssuerExpires)
}

// checkIssuerExpires checks that the issuer is there for as long as what it, or its
// delegate, says.
func (c *Checker) checkIssuerExpires(r *index.Response, id rule.Check) {
	if is := c.item.Issuer; r.NextUpdate > is.NotAfter {
		c.found(id, func() string {
			return fmt.Sprintf("the certificate of %s expires %s, before nextUpdate %s", is.Cert.Subject, rule.UTC(is.NotAfter), rule.UTC(r.NextUpdate))
		})
	}
}

// delegated finds the responder certificate in the response; nil if there is none.
func (c *Checker) delegated(r *index.Response) *delegate {
	if len(r.Certificates) == 0 {
		c.found(rule.OCSPDelegateMissing, func() string {
			return "ResponderID does not name the issuer, and no responder certificate is in certs"
		})
		return nil
	}
	list, ok := c.certificates(r)
	if !ok {
		return nil
	}
	position := slices.IndexFunc(list, func(d *delegate) bool { return d.Is(r) })
	if position < 0 {
		c.found(rule.OCSPResponderID, func() string {
			return fmt.Sprintf("ResponderID names neither the issuer nor any of the %d certificates in certs", len(list))
		})
		return nil
	}
	found := list[position]
	expires := int64(math.MaxInt64) // the first of certs to do so
	for _, d := range list {
		expires = min(expires, d.Cert.NotAfter.Unix())
	}
	c.checkPlacement(position, len(list))
	c.checkDelegateTimes(r, found.Cert, expires)
	c.checkIssuerExpires(r, rule.OCSPDelegatorExpires)
	if fault := found.issuedFault(c.item.Issuer); fault != "" {
		c.found(rule.OCSPDelegateIssued, func() string { return fault })
	}
	return found
}

// certificates are what is known of those in certs, in a slice that is used again. It
// reports whether they all are certificates: clients parse them, whoever signed.
func (c *Checker) certificates(r *index.Response) (list []*delegate, ok bool) {
	list = c.certs[:0]
	in := cryptobyte.String(r.Certificates)
	for !in.Empty() {
		var der cryptobyte.String
		if !in.ReadASN1Element(&der, asn1.SEQUENCE) {
			der, in = nil, nil
		}
		d := c.delegates.get(c.item.Issuer, der)
		if d.err != nil {
			c.found(rule.OCSPDER, func() string { return fmt.Sprintf("certs: element %d: %s", len(list)+1, d.err) })
			return nil, false
		}
		list = append(list, d)
	}
	c.certs = list
	return list, true
}

func (c *Checker) checkPlacement(position, count int) {
	if position > 0 {
		c.found(rule.OCSPDelegateFirst, func() string {
			return fmt.Sprintf("responder certificate is element %d of certs; Go clients look at the first only", position+1)
		})
	}
	if count > 1 {
		c.found(rule.OCSPDelegateAlone, func() string {
			return fmt.Sprintf("%d certificates in certs; one is enough", count)
		})
	}
}

// checkDelegateTimes checks the validity of the responder certificate; expires is
// when the first of all in certs does.
func (c *Checker) checkDelegateTimes(r *index.Response, cert *x509.Certificate, expires int64) {
	from, to := cert.NotBefore.Unix(), cert.NotAfter.Unix()
	switch {
	case r.ProducedAt < from || r.ProducedAt > to:
		c.found(rule.OCSPDelegateValidity, func() string {
			return fmt.Sprintf("producedAt %s is outside the responder certificate's validity, %s to %s", rule.UTC(r.ProducedAt), rule.UTC(from), rule.UTC(to))
		})
	case r.NextUpdate > expires:
		c.found(rule.OCSPDelegateExpires, func() string {
			return fmt.Sprintf("a certificate in certs expires %s, before nextUpdate %s", rule.UTC(expires), rule.UTC(r.NextUpdate))
		})
	}
}
