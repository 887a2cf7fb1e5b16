package static

import (
	"lancre/build/ca"
	"lancre/build/crl"
	"lancre/build/rule"
	"lancre/index"
)

// checkEntries checks each entry by itself.
func (k *crlChecker) checkEntries() {
	if k.HasEntries && k.Count == 0 {
		k.Found(rule.CRLEntriesEmpty, rule.Because("revokedCertificates is an empty SEQUENCE, want it absent"))
	}
	k.Walk(func(e *crl.Entry) {
		k.checkEntrySerial(e)
		k.checkEntryDate(e)
		k.checkEntryReason(e)
		k.checkEntryExtensions(e)
	})
}

func (k *crlChecker) checkEntrySerial(e *crl.Entry) {
	if fault := ca.SerialFault(e.Serial); fault != "" {
		k.FoundAt(rule.CRLEntrySerial, e.Offset, e.Serial, rule.Because("serial number %s", fault))
	} else if ca.SerialWithSign(e.Serial) {
		k.FoundAt(rule.CRLEntrySerialSign, e.Offset, e.Serial, rule.Because(
			"serial number has %d octets only with its sign octet, which some clients count", len(e.Serial)))
	}
}

// maxEntrySkew is how long after thisUpdate, in seconds, what a CRL lists can have been
// revoked: AD CS sets thisUpdate back by its ClockSkewMinutes, 10 unless told otherwise,
// for clients whose clock is slow.
const maxEntrySkew = 600

func (k *crlChecker) checkEntryDate(e *crl.Entry) {
	if e.Revoked > k.ThisUpdate+maxEntrySkew {
		k.FoundAt(rule.CRLEntryDate, e.Offset, e.Serial, rule.Because("revocationDate %s is more than %d s after thisUpdate %s", rule.UTC(e.Revoked), maxEntrySkew, rule.UTC(k.ThisUpdate)))
	}
	if k.by != nil && !e.Foreign && e.Revoked < k.by.NotBefore {
		k.FoundAt(rule.CRLEntryDateEarly, e.Offset, e.Serial, rule.Because("revocationDate %s is before %s, when the issuer's certificate became valid", rule.UTC(e.Revoked), rule.UTC(k.by.NotBefore)))
	}
	if e.Invalidity != index.NoTime && e.Invalidity != e.Revoked {
		k.FoundAt(rule.CRLEntryInvalidity, e.Offset, e.Serial, rule.Because("invalidityDate %s is not revocationDate %s", rule.UTC(e.Invalidity), rule.UTC(e.Revoked)))
	}
}

func (k *crlChecker) checkEntryReason(e *crl.Entry) {
	if e.CriticalReason {
		k.FoundAt(rule.CRLEntryReasonCritical, e.Offset, e.Serial, rule.Because("reasonCode is critical"))
	}
	switch reason := e.Reason; {
	case reason == crl.ReasonAbsent:
		if k.forCAs() || k.by != nil && !e.Foreign && k.by.Subordinate(e.Serial) {
			k.FoundAt(rule.CRLEntryReasonMissing, e.Offset, e.Serial, rule.Because("CA certificate is revoked without a reasonCode"))
		}
	case reason == crl.ReasonUnspecified:
		k.FoundAt(rule.CRLEntryReasonUnspecified, e.Offset, e.Serial, rule.Because("reasonCode is 0, unspecified: want it omitted"))
	case reason == crl.ReasonRemove && k.Delta():
	case reason == crl.ReasonUnused, reason == crl.ReasonRemove, reason > crl.ReasonLast:
		k.FoundAt(rule.CRLEntryReason, e.Offset, e.Serial, rule.Because("reasonCode is %d, which no entry of a complete CRL can have", reason))
	case reason == crl.ReasonCA, reason == crl.ReasonHold, reason == crl.ReasonAA:
		k.FoundAt(rule.CRLEntryReasonProfile, e.Offset, e.Serial, rule.Because("reasonCode is %d, which public CAs must not give", reason))
	}
}

func (k *crlChecker) checkEntryExtensions(e *crl.Entry) {
	switch {
	case e.Issuer == nil:
	case k.Point == nil || !k.Point.Indirect:
		k.FoundAt(rule.CRLEntryIssuer, e.Offset, e.Serial, rule.Because("entry has a certificateIssuer, want that of an indirect CRL only"))
	case !e.CriticalIssuer:
		k.FoundAt(rule.CRLEntryIssuer, e.Offset, e.Serial, rule.Because("certificateIssuer is not critical: clients can take the entry for one of the CRL's issuer"))
	}
	if e.Critical != nil {
		k.FoundAt(rule.CRLEntryExtensionCritical, e.Offset, e.Serial, rule.Because("extension %s is not known and critical: clients must refuse the CRL", crl.OIDText(e.Critical)))
	}
	if e.Twice != nil {
		k.FoundAt(rule.CRLEntryExtensionTwice, e.Offset, e.Serial, rule.Because("extension %s is there twice", crl.OIDText(e.Twice)))
	}
	if e.Explicit != nil {
		k.FoundAt(rule.CRLCriticalExplicit, e.Offset, e.Serial, rule.Because("extension %s spells out that it is not critical, which DER forbids for a default", crl.OIDText(e.Explicit)))
	}
}
