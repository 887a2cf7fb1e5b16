package rule

// This file declares every check, in the order in which people see them: that of
// docs/CHECKS.md, of `lancre checks` and of the warnings in a report. It is kept by
// the language, which initialises the variables of one file from top to bottom. A
// check has the name of its id: "ocsp.time-expired" is OCSPTimeExpired.
//
// BR, SBR and CSBR are the CA/Browser Forum's Baseline Requirements for TLS 2.2.6,
// S/MIME 1.0.10 and code signing 3.10.0; MS is the Microsoft Trusted Root Program
// 1.1, MRSP the Mozilla Root Store Policy 3.1.

// Sets of profiles that rules have in common.
var (
	notPrivate  = always &^ onlyPrivate
	onlyPrivate = setOf(Private)
	onlyBR      = setOf(BR)
	onlyMS      = setOf(MS)
	onlyCS      = setOf(CS)
	longCRL     = setOf(BR, Moz, CS)
)

// What can be wrong with the build as a whole.
var (
	StorePrevious = forced("store.previous", always, never, "a mistake that is not compared is not found",
		"the previous generation can be opened, to compare the new one with it")
)

// What can be wrong with it beside the previous generation, and with what came of it.
var (
	BuildClock = forced("build.clock", always, never, "BR section 4.9.9",
		"the build is not earlier than the previous generation, nor than the newest producedAt in it, by more than 300 s")
	BuildRhythm = declare("build.rhythm", never, notPrivate, "BR section 4.9.9",
		"the previous generation is at most 15 minutes old")
	BuildShrunk = forced("build.shrunk", always, never, "a source that was cut or forgotten looks like this",
		"a generation has answers for at least 95 % of the CertIDs of the previous one, or as many as --max-shrink wants")
	BuildSelfCheck = fixed("build.self-check", "nothing is published unseen",
		"the finished segment can be read back, and answers for a sample of the responses that were packed")
)

// What a CRL is, and who signed it.
var (
	CRLDER = fixed("crl.der", "RFC 5280 section 5.1",
		"a CRL is one strict DER CertificateList")
	CRLVersion = fixed("crl.version", "RFC 5280 section 5.1.2.1",
		"a CRL is of version 2")
	CRLAlgorithmsDiffer = fixed("crl.algorithms-differ", "RFC 5280 section 5.1.1.2",
		"the AlgorithmIdentifier inside what is signed is that outside")
	CRLAlgorithm = fixed("crl.algorithm", "BR section 7.1.3.2; OpenSSL refuses less at its level 1",
		"the signature algorithm is RSA, ECDSA or Ed25519, with SHA-256 or better")
	CRLAlgorithmProfile = declare("crl.algorithm-profile", notPrivate, never, "BR section 7.1.3.2",
		"the signature algorithm is one of public CAs, and its hash goes with the key")
	CRLAlgorithmForm = declare("crl.algorithm-form", onlyBR, never, "BR section 7.1.3.2",
		"the AlgorithmIdentifier is encoded octet by octet as the Baseline Requirements spell it")
	CRLIssuer = declare("crl.issuer", notPrivate, always, "RFC 5280 section 6.3.3",
		"the issuer of a CRL is among --issuer, its name the same octet for octet")
	CRLIssuerKeyUsage = fixed("crl.issuer-key-usage", "RFC 5280 section 6.3.3",
		"the key usage of the issuer has cRLSign")
	CRLKey = declare("crl.key", always, never, "BR section 6.1.5; OpenSSL refuses less at its level 2",
		"the issuer's key is RSA of 2048 bits, ECDSA on P-256, P-384 or P-521, or Ed25519")
	CRLSignature = fixed("crl.signature", "RFC 5280 section 6.3.3",
		"the signature is by the key of the issuer")
	CRLSize = declare("crl.size", never, onlyMS, "MS section 3.1.10",
		"a CRL has less than 10 MB")
	CRLSizeMax = declare("crl.size-max", always, never, "clients give up on what takes them too long",
		"a CRL has no more octets than --max-crl-size allows")
)

// When it holds.
var (
	CRLTimeForm = fixed("crl.time-form", "RFC 5280 sections 5.1.2.4 to 5.1.2.6",
		"times are UTCTime with seconds before 2050, GeneralizedTime without fractions from then on")
	CRLTimeThisUpdate = declare("crl.time-this-update", always, never, "RFC 5280 section 5.1.2.4",
		"thisUpdate is at most 300 s in the future")
	CRLTimeNextUpdate = fixed("crl.time-next-update", "RFC 5280 section 5.1.2.5",
		"nextUpdate is present and after thisUpdate")
	CRLTimeExpired = declare("crl.time-expired", always, never, "RFC 5280 section 5.1.2.5",
		"nextUpdate is in the future, but of a CRL that the previous generation publishes, octet for octet")
	CRLTimeExpiredStill = declare("crl.time-expired-still", never, always, "RFC 5280 section 5.1.2.5",
		"nextUpdate is in the future, of a CRL that the previous generation publishes, octet for octet: one CA that signs no new one must not hold back what others signed")
	CRLTimeValidity = declare("crl.time-validity", longCRL, never, "BR section 7.2",
		"a CRL is valid for at most 10 days if it is for subscriber certificates, else 12 months")
	CRLTimeAge = declare("crl.time-age", never, always, "BR section 4.9.7",
		"a CRL for subscriber certificates is at most 4 days old, 7 where there are OCSP responses too")
	CRLTimeHalf = declare("crl.time-half", never, always, "a fresh CRL comes in time if the first attempt fails",
		"a CRL has not passed half of its validity")
)

// Its extensions.
var (
	CRLNumber = declare("crl.number", always, never, "RFC 5280 section 5.2.3, BR section 7.2.2",
		"cRLNumber is present, not critical, not negative and less than 2^159")
	CRLAuthorityKeyID = declare("crl.authority-key-id", notPrivate, always, "RFC 5280 section 5.2.1",
		"authorityKeyIdentifier is present, its keyIdentifier the subjectKeyIdentifier of the issuer")
	CRLAuthorityKeyIssuer = declare("crl.authority-key-issuer", always, never, "RFC 5280 section 5.2.1",
		"authorityCertIssuer and authorityCertSerialNumber of authorityKeyIdentifier, if one of them is there, both are, and name a certificate of the issuer")
	CRLAuthorityKeyAlone = declare("crl.authority-key-alone", onlyBR, never, "BR sections 7.1.2.11.1 and 7.2.2",
		"authorityKeyIdentifier has neither authorityCertIssuer nor authorityCertSerialNumber")
	CRLAuthorityKeyCritical = declare("crl.authority-key-critical", onlyBR, always, "RFC 5280 section 4.2.1.1, BR section 7.2.2",
		"authorityKeyIdentifier is not critical")
	CRLDelta = declare("crl.delta", onlyBR, always, "BR section 7.2.2",
		"a CRL is no delta CRL")
	CRLDeltaCritical = declare("crl.delta-critical", always, never, "RFC 5280 section 5.2.4",
		"deltaCRLIndicator is critical: a client that does not know it must not take the CRL for a complete one")
	CRLDeltaNumber = declare("crl.delta-number", always, never, "RFC 5280 section 5.2.4",
		"BaseCRLNumber of a delta CRL is not negative, and not greater than its cRLNumber")
	CRLNextPublish = declare("crl.next-publish", never, onlyMS, "MS section 3.2.3",
		"a CRL has NextCRLPublish where there are no OCSP responses")
	CRLExtensionCritical = fixed("crl.extension-critical", "RFC 5280 section 5.2",
		"no extension that is not known is critical")
	CRLExtensionTwice = fixed("crl.extension-twice", "RFC 5280 section 4.2",
		"no extension is there twice")
	CRLCriticalExplicit = declare("crl.critical-explicit", never, always, "X.690 section 11.5",
		"no extension, of the CRL or of an entry, says that it is not critical, for that is the default")
)

// Its issuingDistributionPoint.
var (
	CRLIDPCritical = declare("crl.idp-critical", always, never, "RFC 5280 section 5.2.5",
		"issuingDistributionPoint is critical")
	CRLIDPEmpty = declare("crl.idp-empty", always, never, "RFC 5280 section 5.2.5",
		"issuingDistributionPoint is not an empty SEQUENCE")
	CRLIDPIndirect = declare("crl.idp-indirect", notPrivate, always, "BR section 7.2.2.1",
		"a CRL is not indirect")
	CRLIDPAttribute = declare("crl.idp-attribute", notPrivate, always, "BR section 7.2.2.1",
		"a CRL is not for attribute certificates alone")
	CRLIDPOnly = declare("crl.idp-only", always, never, "RFC 5280 section 5.2.5",
		"of onlyContainsUserCerts, onlyContainsCACerts and onlyContainsAttributeCerts, at most one is true")
	CRLIDPReasons = declare("crl.idp-reasons", never, always, "BR section 7.2.2.1",
		"a CRL is for all reasons")
	CRLIDPName = declare("crl.idp-name", notPrivate, always, "BR section 7.2.2.1",
		"the names in issuingDistributionPoint are URIs")
	CRLIDPScheme = declare("crl.idp-scheme", onlyBR, never, "BR section 7.2.2.1",
		"the scheme of the URIs in issuingDistributionPoint is http")
	CRLIDPURL = declare("crl.idp-url", always, never, "RFC 5280 section 6.3.3 (b)(2), CCADB policy section 6.2",
		"one of the URIs in issuingDistributionPoint is, octet for octet, a URL at which the CRL is published; if all are of other protocols than http and https, that is for others to see")
	CRLIDPDiffers = declare("crl.idp-differs", always, never, "RFC 5280 section 6.3.3 (b)(2), CCADB policy section 6.2",
		"no URI in issuingDistributionPoint is a URL at which something else is published")
)

// Its entries.
var (
	CRLEntriesEmpty = declare("crl.entries-empty", always, never, "RFC 5280 section 5.1.2.6",
		"revokedCertificates is absent where nothing is revoked")
	CRLEntrySerial = declare("crl.entry-serial", always, never, "RFC 5280 section 4.1.2.2",
		"a serial number is positive and has at most 20 octets, a sign octet not counted")
	CRLEntrySerialSign = declare("crl.entry-serial-sign", never, always, "RFC 5280 section 4.1.2.2",
		"a serial number has at most 20 octets, a sign octet counted")
	CRLEntryDuplicate = declare("crl.entry-duplicate", always, never, "RFC 5280 section 5.1.2.6",
		"a certificate is listed once")
	CRLEntryDate = declare("crl.entry-date", notPrivate, always, "a revocation that is yet to come is none; AD CS sets thisUpdate 10 minutes back (ClockSkewMinutes)",
		"revocationDate is at most 600 s after thisUpdate")
	CRLEntryDateEarly = declare("crl.entry-date-early", never, always, "RFC 5280 section 5.1.2.6",
		"revocationDate is not before notBefore of the issuer")
	CRLEntryReasonCritical = declare("crl.entry-reason-critical", always, never, "RFC 5280 section 5.3.1",
		"reasonCode is not critical")
	CRLEntryReason = declare("crl.entry-reason", always, never, "RFC 5280 section 5.3.1",
		"reasonCode is 0 to 6, 9 or 10: nothing is removed from a complete CRL")
	CRLEntryReasonUnspecified = declare("crl.entry-reason-unspecified", notPrivate, always, "RFC 5280 section 5.3.1, BR section 7.2.2",
		"reasonCode unspecified (0) is left out")
	CRLEntryReasonProfile = declare("crl.entry-reason-profile", onlyBR, always, "BR section 7.2.2",
		"reasonCode is none of cACompromise (2), certificateHold (6) and aACompromise (10)")
	CRLEntryReasonMissing = declare("crl.entry-reason-missing", onlyBR, always, "BR section 7.2.2",
		"the entry of a CA certificate has a reasonCode")
	CRLEntryInvalidity = declare("crl.entry-invalidity", onlyCS, never, "CSBR section 7.2.2",
		"invalidityDate, if present, is revocationDate")
	CRLEntryIssuer = declare("crl.entry-issuer", always, never, "RFC 5280 section 5.3.3",
		"an entry has a certificateIssuer in an indirect CRL alone, and it is critical there")
	CRLEntryExtensionCritical = fixed("crl.entry-extension-critical", "RFC 5280 section 5.3",
		"no extension of an entry that is not known is critical")
	CRLEntryExtensionTwice = fixed("crl.entry-extension-twice", "RFC 5280 section 4.2",
		"no extension of an entry is there twice")
)

// How it fits the other CRLs of the build.
var (
	CRLScope = declare("crl.scope", always, never, "RFC 5280 sections 5.2.5 and 6.3.3",
		"a CRL for user certificates alone lists none that is known as a CA's, by --issuer, the published certificates or the inventory, and one for CA certificates alone none that the inventory knows as another: clients do not look for them there")
	CRLShardIDP = declare("crl.shard-idp", onlyBR, never, "BR section 7.2.2.1",
		"a CRL that is not the only one of its issuer, for the kind of certificates that it is for, names a distributionPoint, or lists all that the others do")
	CRLEntryDiffers = declare("crl.entry-differs", never, always, "clients are told what is on the CRL that they fetch",
		"a certificate that several CRLs list is revoked at the same time and for the same reason on each")
	CRLFullIDP = declare("crl.full-idp", never, notPrivate, "BR section 7.2.2.1",
		"the only CRL of an issuer has no issuingDistributionPoint")
	CRLFullDiffers = declare("crl.full-differs", notPrivate, always, "CCADB policy section 6.2",
		"all CRLs of an issuer without an issuingDistributionPoint are the same, octet for octet")
)

// How a delta CRL fits the complete ones. It is left out of what is said above of those.
var (
	CRLDeltaBase = declare("crl.delta-base", always, never, "RFC 5280 sections 5.2.4 and 6.3.3 (c)",
		"a delta CRL can be used with a complete one of its issuer, in the build or in the previous generation: one with the same issuingDistributionPoint, or with none as well, and with a cRLNumber not less than its BaseCRLNumber")
)

// How it goes on from the previous generation.
var (
	CRLPreviousNumber = forced("crl.previous-number", always, never, "RFC 5280 section 5.2.3",
		"a CRL is that of the previous generation at its URL, or has a greater cRLNumber")
	CRLPreviousThisUpdate = forced("crl.previous-this-update", always, never, "RFC 5280 section 5.1.2.4",
		"thisUpdate is not before that of the previous generation at the URL")
	CRLPreviousDelta = forced("crl.previous-delta", always, never, "RFC 5280 section 5.2.4",
		"a CRL is a delta CRL where that of the previous generation at its URL is one, and a complete one where it is not")
	CRLPreviousIDP = forced("crl.previous-idp", always, never, "CCADB policy section 6.2",
		"the issuingDistributionPoints of a CRL and of the previous one at its URL have a URI in common")
	CRLPreviousEntry = forced("crl.previous-entry", always, never, "RFC 5280 section 3.3, BR section 4.10.1",
		"a certificate that the previous CRL at the URL listed, and that the inventory says has not expired, is listed")
	CRLPreviousEntryUnknown = forced("crl.previous-entry-unknown", never, always, "BR section 4.10.1",
		"a certificate that the previous CRL at the URL listed, and whose expiry is not known, is listed")
	CRLPreviousEntryEarly = forced("crl.previous-entry-early", onlyCS, never, "CSBR section 4.10.1",
		"a certificate that the previous CRL at the URL listed is listed until ten years after its expiry")
	CRLPreviousURL = forced("crl.previous-url", always, never, "CCADB policy section 6.2",
		"every URL at which the previous generation had a CRL has one")
)

// What a response says, and of whom.
var (
	OCSPDER = fixed("ocsp.der", "RFC 6960 section 4.2.1",
		"a response is one successful OCSPResponse of type id-pkix-ocsp-basic, version 1, in strict DER, and so is every certificate in certs")
	OCSPVersionExplicit = declare("ocsp.version-explicit", never, always, "X.690 section 11.5",
		"version v1 is not spelled out, for it is the default")
	OCSPDual = declare("ocsp.dual", never, always, "RFC 9919 section 3.2.1",
		"a response has one SingleResponse")
	OCSPBundle = declare("ocsp.bundle", always, never, "RFC 9919 section 3.2.1",
		"the SingleResponses of a response are for one certificate")
	OCSPBundleIssuer = fixed("ocsp.bundle-issuer", "RFC 6960 section 4.2.2.2",
		"the certificates that a response is for were issued by one CA: nobody may sign for those of two")
	OCSPBundleTwice = fixed("ocsp.bundle-twice", "RFC 9919 section 3.2.1",
		"no two SingleResponses of a response have the same CertID")
	OCSPBundleTime = fixed("ocsp.bundle-time", "the segment format",
		"the SingleResponses of a response have the same thisUpdate")
	OCSPHash = fixed("ocsp.hash", "RFC 6960 section 4.1.1",
		"a CertID is by SHA-1, SHA-256, SHA-384 or SHA-512")
	OCSPIssuer = fixed("ocsp.issuer", "RFC 6960 section 3.2",
		"a CertID names an issuer among --issuer by its name hash and its key hash")
	OCSPSerial = fixed("ocsp.serial", "RFC 5280 section 4.1.2.2",
		"a serial number is positive and has at most 20 octets, a sign octet not counted")
	OCSPSerialSign = declare("ocsp.serial-sign", never, always, "RFC 5280 section 4.1.2.2",
		"a serial number has at most 20 octets, a sign octet counted")
	OCSPStatusUnknown = declare("ocsp.status-unknown", notPrivate, always, "BR section 4.9.9",
		"certStatus is good or revoked")
)

// When it holds.
var (
	OCSPTimeProducedAt = declare("ocsp.time-produced-at", always, never, "RFC 6960 section 2.4",
		"producedAt is at most 300 s in the future")
	OCSPTimeThisUpdate = declare("ocsp.time-this-update", always, never, "RFC 6960 section 2.4",
		"thisUpdate is not after producedAt")
	OCSPTimeNextUpdate = fixed("ocsp.time-next-update", "RFC 9919 section 3.2.4",
		"nextUpdate is present and after thisUpdate")
	OCSPTimeExpired = declare("ocsp.time-expired", always, never, "RFC 6960 section 4.2.2.1",
		"nextUpdate is in the future; in place of an expired response, clients are told to try later")
	OCSPTimeRemaining = declare("ocsp.time-remaining", never, always, "BR section 4.9.9",
		"nextUpdate is 8 h away or, of a validity of less than 16 h, half of that")
)

// How long it holds, by the root programs. The status of a CA certificate may hold
// for longer.
var (
	OCSPValidityMin = declare("ocsp.validity-min", setOf(BR, SMIME, MS), never, "BR and SBR section 4.9.9, MS section 3.2.2",
		"a response is valid for at least 8 h")
	OCSPValidityMax = declare("ocsp.validity-max", setOf(BR, SMIME, CS, Moz), never, "BR, SBR and CSBR section 4.9.9, MRSP section 6",
		"a response is valid for at most 10 days")
	OCSPValidityMaxMS = declare("ocsp.validity-max-ms", setOf(MS), never, "MS section 3.2.2",
		"a response is valid for at most 7 days")
	OCSPValidityMaxCA = declare("ocsp.validity-max-ca", notPrivate, never, "BR section 4.9.9",
		"a response for a CA certificate is valid for at most 366 days")
	OCSPAge = declare("ocsp.age", setOf(BR, SMIME), never, "BR and SBR section 4.9.9",
		"thisUpdate is at most 4 days ago")
	OCSPHalfLife = declare("ocsp.half-life", never, setOf(MS), "MS section 3.2.2",
		"no more than half the validity of a response has passed, if it is more than 16 h")
	OCSPIssuerExpires = declare("ocsp.issuer-expires", setOf(Moz), always, "MRSP section 6",
		"the certificate of a CA that signs responses itself is valid until nextUpdate")
	OCSPDelegatorExpires = declare("ocsp.delegator-expires", never, always, "RFC 5280 section 6.1.3",
		"the certificate of a CA that delegated to a responder is valid until nextUpdate")
)

// What a revocation says.
var (
	OCSPRevokedAt = declare("ocsp.revoked-at", always, never, "RFC 6960 section 2.2",
		"revocationTime is not more than 300 s after producedAt")
	OCSPRevokedEarly = declare("ocsp.revoked-early", never, always, "RFC 6960 section 2.2",
		"revocationTime is not before the issuer's certificate became valid")
	OCSPReason = declare("ocsp.reason", always, never, "RFC 5280 section 5.3.1",
		"revocationReason is 0 to 6, 9 or 10: nothing is removed from a CRL")
	OCSPReasonSubscriber = declare("ocsp.reason-subscriber", notPrivate, always, "BR section 7.2.2",
		"revocationReason of a certificate that is not known as that of a CA, by --issuer, is neither cACompromise (2) nor aACompromise (10)")
	OCSPReasonProfile = declare("ocsp.reason-profile", onlyBR, never, "BR sections 7.3 and 7.2.2",
		"revocationReason of a CA certificate is neither cACompromise (2) nor aACompromise (10)")
	OCSPReasonUnspecified = declare("ocsp.reason-unspecified", onlyBR, always, "BR section 7.2.2",
		"revocationReason unspecified is left out")
	OCSPReasonHold = declare("ocsp.reason-hold", onlyBR, never, "BR section 4.9.13",
		"revocationReason is not certificateHold")
	OCSPReasonMissing = declare("ocsp.reason-missing", onlyBR, never, "BR section 7.3",
		"a revoked CA certificate has a revocationReason")
	OCSPExtendedRevoke = declare("ocsp.extended-revoke", always, never, "RFC 6960 section 2.2",
		"certificateHold since 1970, for a certificate never issued, comes with the extension extended-revoke")
	OCSPExtendedRevokeForm = declare("ocsp.extended-revoke-form", always, never, "RFC 6960 section 4.4.8",
		"extended-revoke is in responseExtensions, is not critical, and has the value NULL")
)

// What it says besides.
var (
	OCSPSingleReasonCode = declare("ocsp.single-reason-code", onlyBR, always, "BR section 7.3.2",
		"singleExtensions have no reasonCode, for which there is revocationReason")
	OCSPSingleCritical = declare("ocsp.single-critical", always, never, "RFC 6960 section 4.4",
		"no extension in singleExtensions is critical")
	OCSPSingleUnknown = declare("ocsp.single-unknown", never, always, "RFC 6960 section 4.4",
		"every extension in singleExtensions is known")
	OCSPNonce = declare("ocsp.nonce", always, never, "RFC 9654 section 2.1",
		"there is no nonce: an answer signed in advance has no request to take it from")
	OCSPExtensionCritical = declare("ocsp.extension-critical", always, never, "RFC 6960 section 4.4",
		"no unknown extension in responseExtensions is critical")
	OCSPExtensionNeedless = declare("ocsp.extension-needless", never, always, "RFC 9919 section 3.2.1",
		"responseExtensions have nothing but extended-revoke")
	OCSPExtensionTwice = fixed("ocsp.extension-twice", "RFC 5280 section 4.2",
		"no extension is there twice in responseExtensions or in singleExtensions")
	OCSPExtensionValue = declare("ocsp.extension-value", always, never, "RFC 6960 section 4.4",
		"the value of an extension that is known is of its type")
	OCSPCriticalExplicit = declare("ocsp.critical-explicit", never, always, "X.690 section 11.5",
		"no extension, of the response or of the responder certificate, says that it is not critical, for that is the default")
	OCSPSizeFrugal = declare("ocsp.size-frugal", never, always, "RFC 9919 section 1",
		"a response has at most 4,096 octets")
	OCSPSizeStaple = declare("ocsp.size-staple", never, always, "nginx staples what fits 16 KiB with the HTTP header",
		"a response has at most 15,360 octets")
)

// Who signed it.
var (
	OCSPResponderID = fixed("ocsp.responder-id", "RFC 6960 section 4.2.2.3",
		"ResponderID names the issuer or a certificate in certs")
	OCSPResponderByName = declare("ocsp.responder-by-name", never, always, "RFC 9919 section 3.2.2",
		"ResponderID is byKey")
	OCSPAlgorithm = fixed("ocsp.algorithm", "BR section 7.1.3.2; OpenSSL refuses less at its level 1",
		"the signature algorithm is RSA, ECDSA or Ed25519, with SHA-256 or better")
	OCSPAlgorithmProfile = declare("ocsp.algorithm-profile", notPrivate, never, "BR section 7.1.3.2",
		"the signature algorithm is one of public CAs, and its hash goes with the key")
	OCSPAlgorithmForm = declare("ocsp.algorithm-form", onlyBR, never, "BR section 7.1.3.2",
		"the AlgorithmIdentifier is encoded octet by octet as the Baseline Requirements spell it")
	OCSPKey = declare("ocsp.key", always, never, "BR section 6.1.5; OpenSSL refuses less at its level 2",
		"the signer's key is RSA of 2048 bits, ECDSA on P-256, P-384 or P-521, or Ed25519")
	OCSPKeyUnfit = fixed("ocsp.key-unfit", "crypto/tls verifies by no longer key, crypto/rsa by no other exponent",
		"the signer's key, if it is RSA, has an odd modulus of at most 8,192 bits and an odd exponent from 3 to 2^31-1: nothing is verified by any other, nor is it an --issuer's")
	OCSPSignature = fixed("ocsp.signature", "RFC 6960 section 3.2",
		"the signature is by the key of the signer that ResponderID names")
	OCSPIssuerKeyUsage = declare("ocsp.issuer-key-usage", onlyBR, always, "BR section 7.1.2.10.7",
		"a CA that signs responses itself has the key usage digitalSignature")
	OCSPCertsNeedless = declare("ocsp.certs-needless", never, always, "RFC 9919 section 3.2.2",
		"a response that the CA signed itself has no certs")
)

// The certificate of a responder that the CA delegated to.
var (
	OCSPDelegateMissing = fixed("ocsp.delegate-missing", "RFC 6960 section 4.2.2.2",
		"the responder certificate is in certs")
	OCSPDelegateFirst = declare("ocsp.delegate-first", always, never, "golang.org/x/crypto/ocsp looks at no other",
		"the responder certificate is the first of certs")
	OCSPDelegateAlone = declare("ocsp.delegate-alone", never, always, "RFC 9919 section 3.2.2",
		"the responder certificate is the only one of certs")
	OCSPDelegateIssued = fixed("ocsp.delegate-issued", "RFC 6960 section 4.2.2.2",
		"the responder certificate was issued by the CA whose certificates it speaks for")
	OCSPDelegateEKU = fixed("ocsp.delegate-eku", "RFC 6960 section 4.2.2.2",
		"the responder certificate has the extended key usage id-kp-OCSPSigning")
	OCSPDelegateEKUOnly = declare("ocsp.delegate-eku-only", setOf(BR, MS), never, "BR section 7.1.2.8, MS section 3.1.18",
		"the responder certificate has no other extended key usage")
	OCSPDelegateCA = declare("ocsp.delegate-ca", notPrivate, always, "BR section 7.1.2.8",
		"the responder certificate is no CA certificate")
	OCSPDelegateExtensionCritical = fixed("ocsp.delegate-extension-critical", "RFC 5280 section 4.2",
		"no extension of the responder certificate that clients do not know is critical")
	OCSPDelegateKeyUsage = declare("ocsp.delegate-key-usage", onlyBR, always, "RFC 5280 section 4.2.1.3, BR section 7.1.2.8",
		"the key usage of the responder certificate, if it has one, has digitalSignature")
	OCSPDelegateAuthorityKey = declare("ocsp.delegate-authority-key", always, never, "RFC 5280 section 4.2.1.1",
		"authorityKeyIdentifier of the responder certificate, if it has one, names the key or the certificate of the CA, for clients look for that")
	OCSPDelegateValidity = declare("ocsp.delegate-validity", always, never, "RFC 6960 section 4.2.2.2",
		"the responder certificate is valid at producedAt")
	OCSPDelegateExpires = declare("ocsp.delegate-expires", setOf(Moz), always, "MRSP section 6",
		"every certificate in certs is valid until nextUpdate")
	OCSPDelegateNoCheck = declare("ocsp.delegate-nocheck", setOf(BR, Moz, CS, SMIME), always, "RFC 6960 section 4.2.2.2.1",
		"the responder certificate has id-pkix-ocsp-nocheck")
	OCSPDelegateNoCheckValue = declare("ocsp.delegate-nocheck-value", always, never, "RFC 6960 section 4.2.2.2.1",
		"id-pkix-ocsp-nocheck has the value NULL")
	OCSPDelegateExtensions = declare("ocsp.delegate-extensions", onlyBR, never, "BR section 7.1.2.8",
		"the responder certificate has no CRL distribution points, no subject alternative name and no key usage but digitalSignature")
	OCSPDelegateNeedless = declare("ocsp.delegate-needless", never, always, "BR section 7.1.2.8",
		"the responder certificate has no authority information access and no certificate policies")
)

// Against the previous generation. What only an operator can know to be meant is
// allowed once, by Config.Force.
var (
	OCSPPreviousNewer = forced("ocsp.previous-newer", always, never, "RFC 9919 section 3.2.4",
		"thisUpdate, and of equal ones producedAt, does not go back")
	OCSPPreviousRevoked = forced("ocsp.previous-revoked", always, never, "BR section 4.10.1",
		"a revoked certificate stays revoked")
	OCSPPreviousHeld = forced("ocsp.previous-held", notPrivate, never, "BR section 4.9.13",
		"a certificate on hold stays revoked")
	OCSPPreviousConflict = forced("ocsp.previous-conflict", always, never, "RFC 6960 section 2.4",
		"responses for a certificate with the same thisUpdate and producedAt have the same certStatus")
	OCSPPreviousVanished = declare("ocsp.previous-vanished", never, always, "BR section 4.10.1",
		"a revoked certificate of which no inventory knows the expiry keeps its response")
	OCSPPreviousMissing = forced("ocsp.previous-missing", always, never, "BR section 4.10.1",
		"a revoked certificate keeps its response until it expires, by the inventory")
	OCSPPreviousMissingCS = forced("ocsp.previous-missing-cs", setOf(CS), never, "CSBR section 4.10.1",
		"a revoked certificate keeps its response until 10 years after it expired, by the inventory")
)

// Against the CRLs, the inventory and the other responses of the build.
var (
	OCSPHashDiffers = declare("ocsp.hash-differs", never, always, "RFC 6960 section 2.2",
		"a certificate that is revoked by one hash algorithm of CertIDs is revoked by all; what revokes it is published all the same")
	OCSPCRLGood = declare("ocsp.crl-good", always, never, "BR section 4.9.9",
		"a certificate whose status is good is on no current CRL")
	OCSPCRLMissing = declare("ocsp.crl-missing", never, always, "BR section 4.9.7",
		"a revoked certificate is on a CRL that is newer than its response")
	OCSPCRLDiffers = declare("ocsp.crl-differs", never, always, "RFC 6960 section 2.2",
		"a certificate is revoked at the same time and for the same reason on its CRL")
	InventoryUnassigned = declare("inventory.unassigned", always, never, "BR section 4.9.9",
		"a certificate whose status is good is in the inventory")
	InventoryExpires = declare("inventory.expires", never, always, "some clients refuse a staple that outlives its certificate",
		"nextUpdate is not after notAfter of the certificate, by the inventory")
	InventoryCoverage = declare("inventory.coverage", always, never, "BR section 4.9.9",
		"every unexpired certificate in the inventory has a response by each hash algorithm its issuer uses")
	OCSPConflict = declare("ocsp.conflict", always, never, "RFC 6960 section 2.4",
		"responses of the build for a certificate with the same thisUpdate and producedAt have the same certStatus")
	OCSPSHA1Alone = declare("ocsp.sha1-alone", never, always, "RFC 9919 section 3.1.1",
		"of responses by SHA-1, an issuer has no more than by SHA-256")
)

// What can be wrong with a source of responses.
var (
	SourceForm = fixed("source.form", "nothing is skipped silently",
		"a source holds responses in a form that is known")
	SourceTruncated = fixed("source.truncated", "nothing is skipped silently",
		"a source ends where a response, an archive or a compressed stream does")
	SourceUnpacked = fixed("source.unpacked", "a small file must not keep a build busy for ever",
		"what archives and compression of a source unpack to has no more octets than --max-unpacked allows, what is packed twice counted twice")
	OCSPSize = fixed("ocsp.size", "OpenSSL refuses more (OSSL_HTTP_DEFAULT_MAX_RESP_LEN)",
		"a response has at most 102,400 octets")
	StoreRecord = fixed("store.record", "the segment format",
		"a response has times from 1970 to 2106 and whatever else the format has room for")
)

// What can be wrong with a static file, its content aside.
var (
	StaticName = fixed("static.name", "RFC 3986 section 3.2.2",
		"a file lies in the folder of a host, under a name that can be requested")
	StaticURL = fixed("static.url", "RFC 3986 section 3",
		"a line of urls.csv has an http or https URL and the path of a file in the folder of a host")
	StaticDuplicate = fixed("static.duplicate", "one URL has one content",
		"one file is published at a host and path")
	StaticOCSPPath = declare("static.ocsp-path", always, never, "RFC 6960 appendix A.1",
		"the path of a file is not the base64 of what begins like an OCSP request")
	StaticType = fixed("static.type", "RFC 5280 sections 4.2.1.13 and 4.2.2.1",
		"a file holds what its name promises: DER where clients want DER")
	StaticLanguage = fixed("static.language", "RFC 5646 section 4.5, HTML section 3.2.6.2",
		"an index.TAG.html is named by the canonical tag of its language, and its element html says the same by lang, as that of the index.html beside it does")
	StaticDirection = declare("static.direction", always, never, "HTML section 3.2.6.4",
		"the element html of a page in several languages has dir=rtl where the language is written from right to left, and nowhere else")
	StaticVariant = fixed("static.variant", "RFC 9110 section 12.1",
		"a page in several languages has an index.html, for readers of others, and one content in each; none is larger than 1,048,576 octets")
	StaticReference = declare("static.reference", always, never, "RFC 3986 section 5",
		"what a page in several languages refers to at its host, by href or src, is published there")
	StaticSize = fixed("static.size", "an edge holds files in memory",
		"a file has at most 1,073,741,824 octets")
)

// What can be wrong with an issuer certificate, or with a file of several.
var (
	CertDER = fixed("cert.der", "RFC 5280 section 4.2.2.1, RFC 2585 section 4.1",
		"a certificate file holds one certificate alone, in strict DER")
	CertSize = fixed("cert.size", "clients give up on what takes them too long",
		"a file of certificates has at most 10,485,760 octets")
	CertKeyForm = fixed("cert.key-form", "RFC 6960 section 4.1.1",
		"the subjectPublicKey of a certificate is a BIT STRING of whole octets")
	CertCMS = fixed("cert.cms", "RFC 5280 section 4.2.2.1, RFC 5652 section 5.1",
		"a certs-only CMS is a DER SignedData with certificates, and without content, CRLs and signers")
	CertCA = declare("cert.ca", always, never, "RFC 5280 section 4.2.1.9",
		"a published certificate is a CA's, and its key usage has keyCertSign")
	CertExpires = declare("cert.expires", never, always, "RFC 5280 section 4.1.2.5",
		"a published certificate is valid, and will be for 30 days")
	CertSelfSigned = declare("cert.self-signed", never, notPrivate, "RFC 5280 section 4.2.2.1",
		"a published certificate is not self-signed: clients have the roots that they trust")
	CertIssuer = declare("cert.issuer", never, always, "RFC 5280 section 4.2.2.1",
		"a published certificate, or one of those in a certs-only CMS, has name and key of an --issuer")
	CertCross = declare("cert.cross", never, always, "RFC 5280 section 4.2.2.1",
		"of several --issuer certificates with one name and key, all are published or none is")
	CertHTTPS = declare("cert.https", notPrivate, always, "RFC 5280 section 8",
		"a published certificate names an http URL wherever it names an https one")
	CertOCSPURL = declare("cert.ocsp-url", never, always, "RFC 9919 section 6",
		"the OCSP URL in a published certificate is so short that a GET with a SHA-256 CertID has at most 255 octets")
	InventoryCAIssuers = declare("inventory.ca-issuers", never, always, "RFC 5280 section 4.2.2.1",
		"where the inventory says that unexpired certificates of an issuer name an http URL for its certificate, the build publishes it there")
	InventoryDistributionPoints = declare("inventory.distribution-points", never, always, "RFC 5280 section 6.3.3",
		"where the inventory says that unexpired certificates of an issuer name an http URL for its CRL, the build publishes one there whose issuingDistributionPoint, if it has URIs, has that one")
	CertKey = forced("cert.key", always, never, "RFC 5280 section 4.2.2.1",
		"the key at a certificate's URL is that of the previous generation")
)
