package build

import (
	"crypto/x509"
	"fmt"
	"time"
)

// checkCRL checks the times of the CRL in the named file, and its signature if
// its issuer is one of the build's.
func (t *tree) checkCRL(name string, crl *x509.RevocationList) finding {
	at := t.config.At
	switch {
	case crl.NextUpdate.IsZero():
		return finding{checkCRLTime, "CRL has no nextUpdate"}
	case !crl.NextUpdate.After(at):
		return finding{checkCRLTime, fmt.Sprintf("CRL expired: nextUpdate was %s, it is %s", utc(crl.NextUpdate.Unix()), utc(at.Unix()))}
	case crl.ThisUpdate.After(at.Add(futureSkew * time.Second)):
		return finding{checkCRLTime, fmt.Sprintf("CRL is from the future: thisUpdate is %s, it is %s", utc(crl.ThisUpdate.Unix()), utc(at.Unix()))}
	}
	candidates := t.issuers.named(crl.RawIssuer)
	if len(candidates) == 0 {
		t.warnings[checkCRLIssuer].add(&tally{count: 1, place: Place{Source: name}, reason: fmt.Sprintf(
			"signature not checked: no --issuer has the name %s", crl.Issuer)})
		return finding{}
	}
	if err := verifyCRL(crl, candidates); err != nil {
		return finding{checkCRLSignature, fmt.Sprintf("signature is not by %s: %v", crl.Issuer, err)}
	}
	return finding{}
}

// verifyCRL checks that one of the CAs, all of the CRL issuer's name, signed crl
// and was allowed to.
func verifyCRL(crl *x509.RevocationList, candidates []*issuer) (err error) {
	for _, is := range candidates {
		for _, cert := range is.certs {
			if err = crl.CheckSignatureFrom(cert); err == nil {
				return nil
			}
		}
	}
	return err
}
