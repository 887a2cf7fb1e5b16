package build

import (
	"bytes"
	"strings"

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

	// maxMSSize is what a CRL should stay below, in octets (MS section 3.1.10).
	maxMSSize = 10e6
)

// A crlChecker judges one CRL by itself.
type crlChecker struct {
	*crl
	*faults
	at      int64 // Unix seconds
	ocsp    bool  // the build has responses
	maxSize int64 // octets
}

// checkCRL checks what can be seen from the CRL alone, and finds its issuer.
func (b *builder) checkCRL(c *crl, f *faults) {
	k := &crlChecker{crl: c, faults: f, at: b.config.At.Unix(), ocsp: len(b.config.Responses) > 0, maxSize: b.config.MaxCRLSize}
	k.checkSigner(b.issuers)
	k.checkTimes()
	k.checkNumber()
	k.checkExtensions()
	k.checkPoint()
	k.checkSize()
	k.checkEntries()
}

func (k *crlChecker) checkTimes() {
	if k.thisUpdate > k.at+futureSkew {
		k.add(checkCRLThisUpdate, "CRL is from the future: thisUpdate is %s, it is %s", utc(k.thisUpdate), utc(k.at))
	}
	switch {
	case k.nextUpdate == index.NoTime:
		k.add(checkCRLNextUpdate, "CRL has no nextUpdate: nobody could tell how long to serve it")
		return
	case k.nextUpdate <= k.thisUpdate:
		k.add(checkCRLNextUpdate, "nextUpdate %s is not after thisUpdate %s", utc(k.nextUpdate), utc(k.thisUpdate))
		return
	case k.nextUpdate <= k.at:
		k.add(checkCRLExpired, "CRL expired: nextUpdate was %s, it is %s (to publish it all the same: --warn %s)", utc(k.nextUpdate), utc(k.at), checkCRLExpired)
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
	if v := k.validity(); v > limit {
		k.add(checkCRLValidity, "CRL is valid for %d s, from %s to %s, want at most %d s (%d days)",
			v, utc(k.thisUpdate), utc(k.nextUpdate), limit, limit/daySeconds)
	}
}

func (k *crlChecker) checkAge() {
	age, limit := k.at-k.thisUpdate, int64(maxCRLAge)
	if k.ocsp {
		limit = maxCRLAgeWithOCSP
	}
	if k.forUsers() && age > limit {
		k.add(checkCRLAge, "CRL is %d s old, of %s, want at most %d s (%d days): sign a new one", age, utc(k.thisUpdate), limit, limit/daySeconds)
	}
	if half := (k.nextUpdate - k.thisUpdate) / 2; age > half {
		k.add(checkCRLHalf, "CRL has passed half of its validity, %s to %s: sign a new one", utc(k.thisUpdate), utc(k.nextUpdate))
	}
}

// forUsers reports whether the CRL is known to be for subscriber certificates:
// because it says so, or because its issuer can issue no others. Where it is not
// known, the rules for CA certificates hold, which ask for less.
func (k *crlChecker) forUsers() bool {
	if k.point != nil && k.point.userCerts != k.point.caCerts {
		return k.point.userCerts
	}
	return k.by != nil && k.by.cert.MaxPathLenZero
}

// forCAs reports whether the CRL says that it is for CA certificates alone.
func (k *crlChecker) forCAs() bool {
	return k.point != nil && k.point.caCerts && !k.point.userCerts
}

func (k *crlChecker) checkNumber() {
	number := k.number
	switch {
	case number == nil:
		k.add(checkCRLNumber, "CRL has no cRLNumber")
	case number[0] >= 0x80:
		k.add(checkCRLNumber, "cRLNumber %x is negative", number)
	case len(number) > maxCRLNumberSize:
		k.add(checkCRLNumber, "cRLNumber %x is not less than 2^159", number)
	case k.criticalNumber:
		k.add(checkCRLNumber, "cRLNumber is critical")
	}
}

func (k *crlChecker) checkExtensions() {
	k.checkKeyID()
	if k.delta {
		k.add(checkCRLDelta, "CRL is a delta CRL, which clients of a complete CRL cannot use")
	}
	if k.critical != nil {
		k.add(checkCRLCritical, "extension %s is not known and critical: clients must refuse the CRL", oidText(k.critical))
	}
	if k.twice != nil {
		k.add(checkCRLTwice, "extension %s is there twice", oidText(k.twice))
	}
	if !k.nextPublish && !k.ocsp {
		k.add(checkCRLNextPublish, "CRL has no NextCRLPublish (%s), and the build has no responses", oidText([]byte(oidNextPublish)))
	}
}

func (k *crlChecker) checkKeyID() {
	if k.keyID == nil {
		k.add(checkCRLKeyID, "CRL has no authorityKeyIdentifier with a keyIdentifier")
		return
	}
	if k.by == nil {
		return
	}
	for _, cert := range k.by.certs {
		if cert.SubjectKeyId == nil || bytes.Equal(cert.SubjectKeyId, k.keyID) {
			return
		}
	}
	k.add(checkCRLKeyID, "keyIdentifier of authorityKeyIdentifier is %x, subjectKeyIdentifier of %s is %x",
		k.keyID, k.by.cert.Subject, k.by.cert.SubjectKeyId)
}

func (k *crlChecker) checkSize() {
	if n := len(k.der); n >= maxMSSize {
		k.add(checkCRLSize, "CRL has %d octets, want less than %d: split it into shards", n, int(maxMSSize))
	}
	if n := int64(len(k.der)); n > k.maxSize {
		k.add(checkCRLTooLarge, "CRL has %d octets, want at most %d (--max-crl-size): split it into shards", n, k.maxSize)
	}
}

func (k *crlChecker) checkPoint() {
	p := k.point
	if p == nil {
		return
	}
	for _, rule := range []struct {
		broken bool
		check  check
		reason string
	}{
		{!p.critical, checkPointCritical, "is not critical"},
		{p.empty, checkPointEmpty, "is an empty SEQUENCE"},
		{p.indirect, checkPointIndirect, "says that the CRL is indirect"},
		{p.attributeCerts, checkPointAttribute, "says that the CRL is for attribute certificates alone"},
		{p.userCerts && p.caCerts, checkPointOnly, "says that the CRL is for user certificates alone and for CA certificates alone"},
		{p.someReasons, checkPointReasons, "says that the CRL is for some reasons alone"},
		{p.otherNames, checkPointName, "has a name that is not a URI"},
	} {
		if rule.broken {
			k.add(rule.check, "issuingDistributionPoint %s", rule.reason)
		}
	}
	k.checkSchemes()
}

func (k *crlChecker) checkSchemes() {
	for _, uri := range k.point.uris {
		if !strings.HasPrefix(uri, scheme) {
			k.add(checkPointScheme, "issuingDistributionPoint has the URI %q, whose scheme is not http", uri)
		}
	}
}
