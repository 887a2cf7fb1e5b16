package static

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"lancre/build/ca"
	"lancre/build/crl"
	"lancre/build/rule"
	"lancre/index"
)

const (
	daySeconds = 24 * 3600

	// Validity of a CRL, both ends included, in seconds: "at most ten days" and
	// "at most twelve months" (BR section 7.2), the year being a leap year.
	maxUserValidity = 10 * daySeconds
	maxCAValidity   = 366 * daySeconds

	// Age of a CRL for subscriber certificates by which the next one must be there,
	// in seconds: without and with an OCSP URL in the certificates (BR section 4.9.7).
	maxCRLAge         = 4 * daySeconds
	maxCRLAgeWithOCSP = 7 * daySeconds

	// maxNumberSize is how many octets of content a cRLNumber may have: with its sign
	// that is less than 2^159 (BR section 7.2.2).
	maxNumberSize = 20

	// maxMSSize is what a CRL should stay below, in octets (MS section 3.1.10).
	maxMSSize = 10e6
)

// A crlChecker judges one CRL by itself.
type crlChecker struct {
	*crl.CRL
	*rule.Findings
	by      *ca.Issuer        // whose key signed it; nil until that is checked, or if it is not configured
	at      int64             // Unix seconds
	ocsp    bool              // the build has responses
	maxSize int64             // octets
	before  func([]byte) bool // whether the previous generation publishes a file
}

// checkCRL checks what can be seen from the CRL alone, and returns its issuer; nil if
// that is not configured, or did not sign it.
func (t *tree) checkCRL(c *crl.CRL, f *rule.Findings) *ca.Issuer {
	k := &crlChecker{CRL: c, Findings: f, at: t.config.At.Unix(), ocsp: t.config.OCSP, maxSize: t.config.MaxCRLSize, before: t.published}
	k.checkSigner(t.config.Issuers)
	k.checkTimes()
	k.checkNumber()
	k.checkExtensions()
	k.checkPoint()
	k.checkSize()
	k.checkEntries()
	return k.by
}

// published reports whether the previous generation publishes these octets somewhere.
func (t *tree) published(data []byte) bool {
	sum := sha256.Sum256(data)
	return t.objectsBefore[hex.EncodeToString(sum[:])]
}

func (k *crlChecker) checkTimes() {
	if k.ThisUpdate > k.at+index.MaxSkew {
		k.Found(rule.CRLTimeThisUpdate, rule.Because("CRL is from the future: thisUpdate is %s, it is %s", rule.UTC(k.ThisUpdate), rule.UTC(k.at)))
	}
	switch {
	case k.NextUpdate == index.NoTime:
		k.Found(rule.CRLTimeNextUpdate, rule.Because("CRL has no nextUpdate: nobody could tell how long to serve it"))
		return
	case k.NextUpdate <= k.ThisUpdate:
		k.Found(rule.CRLTimeNextUpdate, rule.Because("nextUpdate %s is not after thisUpdate %s", rule.UTC(k.NextUpdate), rule.UTC(k.ThisUpdate)))
		return
	case k.NextUpdate <= k.at:
		check := rule.CRLTimeExpired
		if k.before(k.DER) {
			check = rule.CRLTimeExpiredStill
		}
		k.Found(check, rule.Because("CRL expired: nextUpdate was %s, it is %s", rule.UTC(k.NextUpdate), rule.UTC(k.at)))
		return
	}
	k.checkValidity()
	k.checkAge()
}

func (k *crlChecker) checkValidity() {
	limit := int64(maxCAValidity)
	if k.forUsers() {
		limit = maxUserValidity
	}
	if v := k.Validity(); v > limit {
		k.Found(rule.CRLTimeValidity, rule.Because("CRL is valid for %d s, from %s to %s, want at most %d s (%d days)", v, rule.UTC(k.ThisUpdate), rule.UTC(k.NextUpdate), limit, limit/daySeconds))
	}
}

func (k *crlChecker) checkAge() {
	age, limit := k.at-k.ThisUpdate, int64(maxCRLAge)
	if k.ocsp {
		limit = maxCRLAgeWithOCSP
	}
	if k.forUsers() && age > limit {
		k.Found(rule.CRLTimeAge, rule.Because("CRL is %d s old, of %s, want at most %d s (%d days): sign a new one", age, rule.UTC(k.ThisUpdate), limit, limit/daySeconds))
	}
	if half := (k.NextUpdate - k.ThisUpdate) / 2; age > half {
		k.Found(rule.CRLTimeHalf, rule.Because("CRL has passed half of its validity, %s to %s: sign a new one", rule.UTC(k.ThisUpdate), rule.UTC(k.NextUpdate)))
	}
}

// forUsers reports whether the CRL is known to be for subscriber certificates:
// because it says so, or because its issuer can issue no others. Where it is not
// known, the rules for CA certificates hold, which ask for less.
func (k *crlChecker) forUsers() bool {
	if k.Point != nil && k.Point.UserCerts != k.Point.CACerts {
		return k.Point.UserCerts
	}
	return k.by != nil && k.by.Cert.MaxPathLenZero
}

// forCAs reports whether the CRL says that it is for CA certificates alone.
func (k *crlChecker) forCAs() bool {
	return k.Point != nil && k.Point.CACerts && !k.Point.UserCerts
}

func (k *crlChecker) checkNumber() {
	number := k.Number
	switch {
	case number == nil:
		k.Found(rule.CRLNumber, rule.Because("CRL has no cRLNumber"))
	case number[0] >= 0x80:
		k.Found(rule.CRLNumber, rule.Because("cRLNumber %.40x is negative", number))
	case len(number) > maxNumberSize:
		k.Found(rule.CRLNumber, rule.Because("cRLNumber %.40x is not less than 2^159", number))
	case k.CriticalNumber:
		k.Found(rule.CRLNumber, rule.Because("cRLNumber is critical"))
	}
}

func (k *crlChecker) checkExtensions() {
	k.checkAuthorityKey()
	k.checkKeyID()
	k.checkDelta()
	if k.Critical != nil {
		k.Found(rule.CRLExtensionCritical, rule.Because("extension %s is not known and critical: clients must refuse the CRL", crl.OIDText(k.Critical)))
	}
	if k.Twice != nil {
		k.Found(rule.CRLExtensionTwice, rule.Because("extension %s is there twice", crl.OIDText(k.Twice)))
	}
	if k.Explicit != nil {
		k.Found(rule.CRLCriticalExplicit, rule.Because("extension %s spells out that it is not critical, which DER forbids for a default", crl.OIDText(k.Explicit)))
	}
	if !k.NextPublish && !k.ocsp {
		k.Found(rule.CRLNextPublish, rule.Because("CRL has no NextCRLPublish (%s), and the build has no responses", crl.OIDText([]byte(crl.OIDNextPublish))))
	}
}

func (k *crlChecker) checkDelta() {
	if !k.Delta() {
		return
	}
	k.Found(rule.CRLDelta, rule.Because("CRL is a delta CRL, which clients of a complete CRL cannot use"))
	if !k.CriticalBase {
		k.Found(rule.CRLDeltaCritical, rule.Because("deltaCRLIndicator is not critical: clients can take the CRL for a complete one"))
	}
	switch {
	case k.Base[0] >= 0x80:
		k.Found(rule.CRLDeltaNumber, rule.Because("BaseCRLNumber %x is negative", k.Base))
	case k.Number != nil && compareNumbers(k.Base, k.Number) > 0:
		k.Found(rule.CRLDeltaNumber, rule.Because("BaseCRLNumber is %x, greater than cRLNumber %x", k.Base, k.Number))
	}
}

// checkAuthorityKey checks what authorityKeyIdentifier says of the issuer beside its key.
func (k *crlChecker) checkAuthorityKey() {
	a := k.AuthorityKey
	fault := a.Unpaired()
	if fault == "" && k.by != nil {
		fault = k.by.NamedCertFault(a)
	}
	switch {
	case fault != "":
		k.Found(rule.CRLAuthorityKeyIssuer, rule.Because("%s", fault))
	case a.Issuer != nil:
		k.Found(rule.CRLAuthorityKeyAlone, rule.Because("authorityKeyIdentifier has authorityCertIssuer and authorityCertSerialNumber: want keyIdentifier alone"))
	}
	if k.CriticalKeyID {
		k.Found(rule.CRLAuthorityKeyCritical, rule.Because("authorityKeyIdentifier is critical"))
	}
}

func (k *crlChecker) checkKeyID() {
	switch {
	case k.AuthorityKey.KeyID == nil:
		k.Found(rule.CRLAuthorityKeyID, rule.Because("CRL has no authorityKeyIdentifier with a keyIdentifier"))
	case k.by == nil:
	default:
		if fault := k.by.KeyIDFault(k.AuthorityKey); fault != "" {
			k.Found(rule.CRLAuthorityKeyID, rule.Because("%s", fault))
		}
	}
}

func (k *crlChecker) checkSize() {
	if n := len(k.DER); n >= maxMSSize {
		k.Found(rule.CRLSize, rule.Because("CRL has %d octets, want less than %d: split it into shards", n, int(maxMSSize)))
	}
	if n := int64(len(k.DER)); n > k.maxSize {
		k.Found(rule.CRLSizeMax, rule.Because("CRL has %d octets, want at most %d (--max-crl-size): split it into shards", n, k.maxSize))
	}
}

func (k *crlChecker) checkPoint() {
	p := k.Point
	if p == nil {
		return
	}
	for _, of := range []struct {
		broken bool
		check  rule.Check
		reason string
	}{
		{!p.Critical, rule.CRLIDPCritical, "is not critical"},
		{p.Empty, rule.CRLIDPEmpty, "is an empty SEQUENCE"},
		{p.Indirect, rule.CRLIDPIndirect, "says that the CRL is indirect"},
		{p.AttributeCerts, rule.CRLIDPAttribute, "says that the CRL is for attribute certificates alone"},
		{several(p.UserCerts, p.CACerts, p.AttributeCerts), rule.CRLIDPOnly, "says that the CRL is for more than one kind of certificates alone"},
		{p.SomeReasons, rule.CRLIDPReasons, "says that the CRL is for some reasons alone"},
		{p.OtherNames, rule.CRLIDPName, "has a name that is not a URI"},
	} {
		if of.broken {
			k.Found(of.check, rule.Because("issuingDistributionPoint %s", of.reason))
		}
	}
	k.checkSchemes()
}

// several reports whether more than one of those is true.
func several(those ...bool) bool {
	n := 0
	for _, is := range those {
		if is {
			n++
		}
	}
	return n > 1
}

func (k *crlChecker) checkSchemes() {
	for _, uri := range k.Point.URIs {
		if !strings.HasPrefix(uri, scheme) {
			k.Found(rule.CRLIDPScheme, rule.Because("issuingDistributionPoint has the URI %q, whose scheme is not http", uri))
		}
	}
}
