package build

import "lancre/index"

// checkEntries checks each entry by itself.
func (k *crlChecker) checkEntries() {
	if k.hasEntries && k.count == 0 {
		k.add(checkEntryNone, "revokedCertificates is an empty SEQUENCE, want it absent")
	}
	k.walk(func(e *crlEntry) {
		k.checkEntrySerial(e)
		k.checkEntryDate(e)
		k.checkEntryReason(e)
		k.checkEntryExtensions(e)
	})
}

func (k *crlChecker) checkEntrySerial(e *crlEntry) {
	serial := e.serial
	switch {
	case serial[0] >= 0x80 || len(serial) == 1 && serial[0] == 0:
		k.addEntry(checkEntrySerial, e, "serial number is not positive")
	case len(serial) > maxSerial+1 || len(serial) == maxSerial+1 && serial[0] != 0:
		k.addEntry(checkEntrySerial, e, "serial number has %d octets, want at most %d", len(serial), maxSerial)
	case len(serial) == maxSerial+1:
		k.addEntry(checkEntrySerialSign, e, "serial number has %d octets only with its sign octet, which some clients count", len(serial))
	}
}

func (k *crlChecker) checkEntryDate(e *crlEntry) {
	if e.revoked > k.thisUpdate {
		k.addEntry(checkEntryDate, e, "revocationDate %s is after thisUpdate %s", utc(e.revoked), utc(k.thisUpdate))
	}
	if k.by != nil && e.revoked < k.by.notBefore {
		k.addEntry(checkEntryEarly, e, "revocationDate %s is before %s, when the issuer's certificate became valid", utc(e.revoked), utc(k.by.notBefore))
	}
	if e.invalidity != index.NoTime && e.invalidity != e.revoked {
		k.addEntry(checkEntryInvalidity, e, "invalidityDate %s is not revocationDate %s", utc(e.invalidity), utc(e.revoked))
	}
}

func (k *crlChecker) checkEntryReason(e *crlEntry) {
	if e.criticalReason {
		k.addEntry(checkEntryReasonCritical, e, "reasonCode is critical")
	}
	switch reason := e.reason; {
	case reason == reasonAbsent:
		if k.forCAs() || k.by != nil && k.by.subordinates[string(e.serial)] {
			k.addEntry(checkEntryReasonMissing, e, "CA certificate is revoked without a reasonCode")
		}
	case reason == reasonUnspecified:
		k.addEntry(checkEntryReason, e, "reasonCode is 0, unspecified: want it omitted")
	case reason == reasonRemove && k.delta:
	case reason == reasonUnused, reason == reasonRemove, reason > reasonLast:
		k.addEntry(checkEntryReason, e, "reasonCode is %d, which no entry of a complete CRL can have", reason)
	case reason == reasonCA, reason == reasonHold, reason == reasonAA:
		k.addEntry(checkEntryReasonProfile, e, "reasonCode is %d, which public CAs must not give", reason)
	}
}

func (k *crlChecker) checkEntryExtensions(e *crlEntry) {
	if e.hasIssuer {
		k.addEntry(checkEntryIssuer, e, "entry has a certificateIssuer, want that of an indirect CRL only")
	}
	if e.critical != nil {
		k.addEntry(checkEntryCritical, e, "extension %s is not known and critical: clients must refuse the CRL", oidText(e.critical))
	}
	if e.twice != nil {
		k.addEntry(checkEntryTwice, e, "extension %s is there twice", oidText(e.twice))
	}
}
