package demo

import (
	"bytes"
	"fmt"
	"math/big"

	"lancre/index"
	"lancre/sign/crl"
)

// CRL returns the DER CRL that lists the revoked ones of certificates 0 to n−1
// and names http://c.demo.test/1.crl as where it is published. Its CRLNumber is
// the Unix time of ca.ProducedAt: later demos in the same place have greater
// ones.
func (ca *CA) CRL(n uint64) ([]byte, error) {
	signer, err := crl.NewSigner(ca.Issuer, ca.key)
	if err != nil {
		return nil, err
	}
	list := new(crl.Entries)
	defer list.Close()
	for i := range n {
		if c := ca.Certificate(i); c.Status == index.Revoked {
			if _, err := list.Add(c.Serial, c.RevokedAt.Unix(), c.Reason); err != nil {
				return nil, err
			}
		}
	}
	var der bytes.Buffer
	signed, err := signer.Sign(&crl.Head{
		ThisUpdate: ca.ThisUpdate.Unix(), NextUpdate: ca.NextUpdate.Unix(),
		Number: big.NewInt(ca.ProducedAt.Unix()), URL: "http://" + CRLHost + CRLPath,
	}, list)
	if err == nil {
		err = signed.Write(&der)
	}
	if err != nil {
		return nil, fmt.Errorf("CRL of %d entries: %w", list.Count(), err)
	}
	return der.Bytes(), nil
}
