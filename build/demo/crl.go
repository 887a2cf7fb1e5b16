package demo

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/index"
)

// CRL returns the DER CRL that lists the revoked ones of certificates 0 to n−1
// and names http://c.demo.test/1.crl as where it is published. Its CRLNumber is
// the Unix time of ca.ProducedAt: later demos in the same place have greater
// ones. Memory grows with n/50, the number of entries.
func (ca *CA) CRL(n uint64) ([]byte, error) {
	point, err := issuingDistributionPoint("http://" + CRLHost + CRLPath)
	if err != nil {
		return nil, err
	}
	template := &x509.RevocationList{
		Number:          big.NewInt(ca.ProducedAt.Unix()),
		ThisUpdate:      ca.ThisUpdate,
		NextUpdate:      ca.NextUpdate,
		ExtraExtensions: []pkix.Extension{point},
	}
	for i := range n {
		c := ca.Certificate(i)
		if c.Status != index.Revoked {
			continue
		}
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber:   new(big.Int).SetBytes(c.Serial),
			RevocationTime: c.RevokedAt,
			ReasonCode:     max(c.Reason, 0), // 0 is encoded by omission
		})
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, ca.Issuer, ca.key)
	if err != nil {
		return nil, fmt.Errorf("CRL of %d entries: %w", len(template.RevokedCertificateEntries), err)
	}
	return der, nil
}

// issuingDistributionPoint is the critical extension that ties a CRL to the
// place it is published at (RFC 5280 section 5.2.5).
func issuingDistributionPoint(uri string) (pkix.Extension, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { // distributionPoint
			b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { // fullName
				b.AddASN1(asn1.Tag(6).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes([]byte(uri)) })
			})
		})
	})
	der, err := b.Bytes()
	return pkix.Extension{Id: idCEIssuingDistributionPoint, Critical: true, Value: der}, err
}

func explicit(n uint8) asn1.Tag { return asn1.Tag(n).ContextSpecific().Constructed() }
