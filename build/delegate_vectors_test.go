package build

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"testing"

	"lancre/build/internal/recipe"
)

// delegateExtensionCases are of what the certificate of a responder says of its key and of
// its issuer.
func delegateExtensionCases(t *testing.T, ca recipe.Identity) []checkCase {
	delegated := func(change func(*x509.Certificate)) recipe.Response {
		r := recipe.NewResponder(t, ca, recipe.OtherP256(), change)
		return recipe.Response{Issuer: ca, Signer: r, Certs: []recipe.Identity{r}}
	}
	usage := func(usage x509.KeyUsage) recipe.Response {
		return delegated(func(c *x509.Certificate) { c.KeyUsage = usage })
	}
	extended := func(id asn1.ObjectIdentifier, critical bool, value ...byte) recipe.Response {
		return delegated(func(c *x509.Certificate) {
			c.ExtraExtensions = append(slices.Clone(c.ExtraExtensions), pkix.Extension{Id: id, Critical: critical, Value: value})
		})
	}
	noUsage := func(value ...byte) recipe.Response {
		return delegated(func(c *x509.Certificate) {
			c.KeyUsage = 0
			c.ExtraExtensions = append(slices.Clone(c.ExtraExtensions), pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Critical: true, Value: value})
		})
	}
	criticalNoCheck := delegated(func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}, Critical: true, Value: []byte{5, 0}}}
	})
	ofCA := func(keyID, issuer, serial []byte) recipe.Response {
		aki := recipe.AuthorityKey(keyID, issuer, serial)
		return delegated(func(c *x509.Certificate) { c.ExtraExtensions = append(slices.Clone(c.ExtraExtensions), aki) })
	}
	private := asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}
	id, name, serial := ca.Cert.SubjectKeyId, ca.Cert.RawIssuer, []byte{1}
	other := recipe.NewResponder(t, ca, recipe.OtherP256()).Cert.RawSubject
	return []checkCase{
		{"unknown, not critical", extended(private, false, 5, 0), "ocsp.delegate-extension-critical", nowhere, nowhere},
		{"nocheck, critical", criticalNoCheck, "ocsp.delegate-extension-critical", nowhere, nowhere},
		{"unknown and critical", extended(private, true, 5, 0), "ocsp.delegate-extension-critical", everywhere, nowhere},
		{"freshestCRL, critical", extended(asn1.ObjectIdentifier{2, 5, 29, 46}, true, 0x30, 0), "ocsp.delegate-extension-critical", everywhere, nowhere},
		{"digitalSignature", usage(x509.KeyUsageDigitalSignature), "ocsp.delegate-key-usage", nowhere, nowhere},
		{"no key usage", usage(0), "ocsp.delegate-extensions", "br", nowhere},
		{"nonRepudiation", usage(x509.KeyUsageContentCommitment), "ocsp.delegate-key-usage", "br", "private ms moz cs smime"},
		{"a key usage without bits", noUsage(3, 1, 0), "ocsp.delegate-key-usage", "br", "private ms moz cs smime"},
		{"key of the CA", ofCA(id, nil, nil), "ocsp.delegate-authority-key", nowhere, nowhere},
		{"certificate of the CA", ofCA(nil, name, serial), "ocsp.delegate-authority-key", nowhere, nowhere},
		{"nothing", ofCA(nil, nil, nil), "ocsp.delegate-authority-key", nowhere, nowhere},
		{"another key", ofCA([]byte("another"), nil, nil), "ocsp.delegate-authority-key", everywhere, nowhere},
		{"another serial number", ofCA(id, name, []byte{2}), "ocsp.delegate-authority-key", everywhere, nowhere},
		{"another name", ofCA(id, other, serial), "ocsp.delegate-authority-key", everywhere, nowhere},
		{"a name alone", ofCA(id, name, nil), "ocsp.delegate-authority-key", everywhere, nowhere},
		{"a serial number alone", ofCA(id, nil, serial), "ocsp.delegate-authority-key", everywhere, nowhere},
		{"a padded serial number", ofCA(id, name, []byte{0, 1}), "ocsp.der", everywhere, nowhere},
	}
}
