package demo

import (
	"bufio"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"fmt"
	"io"
	"math/big"
	"time"

	"lancre/index"
)

// The hosts of the demo: what its certificates' AIA and CRL distribution point
// name. .test never resolves (RFC 6761 section 6.2).
const (
	OCSPHost   = "o.demo.test"
	CRLHost    = "c.demo.test"
	IssuerHost = "i.demo.test"
	PageHost   = "demo.test"

	CRLPath = "/1.crl"
)

// revokedEvery is the share of revoked certificates: 2 %.
const revokedEvery = 50

// reasons are the CRLReasons that a TLS certificate may be revoked for (BR
// 7.2.2); noReason stands for unspecified, which is encoded by omission.
var reasons = [...]int{1, noReason, 4, 5, 3, 9}

const noReason = -1

// A Certificate is what the CA knows of a certificate it issued.
type Certificate struct {
	Serial    []byte // content octets of the DER INTEGER: 16 to 20, positive, minimal
	Status    index.Status
	RevokedAt time.Time // zero unless revoked
	Reason    int       // CRLReason, −1 if absent or not revoked
}

// Certificate returns the CA's certificate number i. Number 0 is good, number 1
// is revoked, and so is every 50th after it, for one reason after another.
func (ca *CA) Certificate(i uint64) Certificate {
	h := ca.random(i)
	c := Certificate{Serial: h[:16+h[31]%5], Reason: noReason}
	c.Serial[0] = c.Serial[0]&0x7f | 0x01 // positive and minimal
	if i%revokedEvery == 1 {
		ago := time.Duration(binary.BigEndian.Uint32(h[24:])) * time.Second % history
		c.Status = index.Revoked
		c.Reason = reasons[i/revokedEvery%uint64(len(reasons))]
		c.RevokedAt = ca.ThisUpdate.Add(-ago)
	}
	return c
}

// random returns 32 octets that depend on the CA and i alone.
func (ca *CA) random(i uint64) []byte {
	h := sha256.Sum256(binary.BigEndian.AppendUint64(ca.seed[:], i))
	return h[:]
}

// Issue makes the X.509 certificate that c stands for, as a TLS server would
// hold it, with the demo's hosts in it. Its key is made and forgotten.
func (ca *CA) Issue(c Certificate) (*x509.Certificate, error) {
	key, err := newKey(P256)
	if err != nil {
		return nil, err
	}
	return ca.issue(&x509.Certificate{
		SerialNumber:          new(big.Int).SetBytes(c.Serial),
		Subject:               pkix.Name{CommonName: c.Status.String() + ".demo.test"},
		DNSNames:              []string{c.Status.String() + ".demo.test"},
		NotBefore:             ca.ThisUpdate.Add(-history),
		NotAfter:              ca.notAfter(),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		OCSPServer:            []string{"http://" + OCSPHost},
		IssuingCertificateURL: []string{"http://" + IssuerHost + "/"},
		CRLDistributionPoints: []string{"http://" + CRLHost + CRLPath},
	}, key.Public())
}

// WriteList writes certificates 0 to n−1 to w, as the CSV that lancre sign reads.
func (ca *CA) WriteList(w io.Writer, n uint64) error {
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, "serial,status,not_after,revoked_at,reason") // Flush has the error
	notAfter := ca.notAfter().UTC().Format(time.RFC3339)
	for i := range n {
		c := ca.Certificate(i)
		revokedAt, reason := "", ""
		if c.Status == index.Revoked {
			revokedAt, reason = c.RevokedAt.UTC().Format(time.RFC3339), fmt.Sprint(max(c.Reason, 0))
		}
		if _, err := fmt.Fprintf(out, "%x,%s,%s,%s,%s\n", c.Serial, c.Status, notAfter, revokedAt, reason); err != nil {
			return err
		}
	}
	return out.Flush()
}

// notAfter is when the certificates expire.
func (ca *CA) notAfter() time.Time { return ca.ThisUpdate.Add(history) }
