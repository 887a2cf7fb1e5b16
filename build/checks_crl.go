package build

var (
	longCRL = setOf(ProfileBR, ProfileMoz, ProfileCS)
	onlyMS  = setOf(ProfileMS)
	onlyCS  = setOf(ProfileCS)
)

// What a CRL is, and who signed it.
var (
	checkCRLForm = newFixedCheck("crl.der", "RFC 5280 section 5.1",
		"a CRL is one strict DER CertificateList")
	checkCRLVersion = newFixedCheck("crl.version", "RFC 5280 section 5.1.2.1",
		"a CRL is of version 2")
	checkCRLAlgorithms = newFixedCheck("crl.algorithms-differ", "RFC 5280 section 5.1.1.2",
		"the AlgorithmIdentifier inside what is signed is that outside")
	checkCRLAlgorithm = newFixedCheck("crl.algorithm", "BR section 7.1.3.2",
		"the signature algorithm is RSA, ECDSA or Ed25519, with SHA-256 or better")
	checkCRLAlgorithmProfile = newCheck("crl.algorithm-profile", notPrivate, never, "BR section 7.1.3.2",
		"the signature algorithm is one of public CAs, and its hash goes with the key")
	checkCRLAlgorithmForm = newCheck("crl.algorithm-form", onlyBR, never, "BR section 7.1.3.2",
		"the AlgorithmIdentifier is encoded octet by octet as the Baseline Requirements spell it")
	checkCRLIssuer = newCheck("crl.issuer", notPrivate, always, "RFC 5280 section 6.3.3",
		"the issuer of a CRL is among --issuer, its name the same octet for octet")
	checkCRLUsage = newFixedCheck("crl.issuer-key-usage", "RFC 5280 section 6.3.3",
		"the key usage of the issuer has cRLSign")
	checkCRLKey = newCheck("crl.key", always, never, "BR section 6.1.5",
		"the issuer's key is RSA of 2048 bits, ECDSA on P-256, P-384 or P-521, or Ed25519")
	checkCRLSignature = newFixedCheck("crl.signature", "RFC 5280 section 6.3.3",
		"the signature is by the key of the issuer")
	checkCRLSize = newCheck("crl.size", never, onlyMS, "MS section 3.1.10",
		"a CRL has less than 10 MB")
	checkCRLTooLarge = newCheck("crl.size-max", always, never, "clients give up on what takes them too long",
		"a CRL has no more octets than --max-crl-size allows")
)

// When it holds.
var (
	checkCRLTimeForm = newFixedCheck("crl.time-form", "RFC 5280 sections 5.1.2.4 to 5.1.2.6",
		"times are UTCTime with seconds before 2050, GeneralizedTime without fractions from then on")
	checkCRLThisUpdate = newCheck("crl.time-this-update", always, never, "RFC 5280 section 5.1.2.4",
		"thisUpdate is at most 300 s in the future")
	checkCRLNextUpdate = newFixedCheck("crl.time-next-update", "RFC 5280 section 5.1.2.5",
		"nextUpdate is present and after thisUpdate")
	checkCRLExpired = newCheck("crl.time-expired", always, never, "RFC 5280 section 5.1.2.5",
		"nextUpdate is in the future")
	checkCRLValidity = newCheck("crl.time-validity", longCRL, never, "BR section 7.2",
		"a CRL is valid for at most 10 days if it is for subscriber certificates, else 12 months")
	checkCRLAge = newCheck("crl.time-age", never, always, "BR section 4.9.7",
		"a CRL for subscriber certificates is at most 4 days old, 7 where there are OCSP responses too")
	checkCRLHalf = newCheck("crl.time-half", never, always, "a fresh CRL comes in time if the first attempt fails",
		"a CRL has not passed half of its validity")
)

// Its extensions.
var (
	checkCRLNumber = newCheck("crl.number", always, never, "RFC 5280 section 5.2.3, BR section 7.2.2",
		"cRLNumber is present, not critical, not negative and less than 2^159")
	checkCRLKeyID = newCheck("crl.authority-key-id", notPrivate, always, "RFC 5280 section 5.2.1",
		"authorityKeyIdentifier is present, its keyIdentifier the subjectKeyIdentifier of the issuer")
	checkCRLDelta = newCheck("crl.delta", onlyBR, always, "BR section 7.2.2",
		"a CRL is no delta CRL")
	checkCRLNextPublish = newCheck("crl.next-publish", never, onlyMS, "MS section 3.2.3",
		"a CRL has NextCRLPublish where there are no OCSP responses")
	checkCRLCritical = newFixedCheck("crl.extension-critical", "RFC 5280 section 5.2",
		"no extension that is not known is critical")
	checkCRLTwice = newFixedCheck("crl.extension-twice", "RFC 5280 section 4.2",
		"no extension is there twice")
)

// Its issuingDistributionPoint.
var (
	checkPointCritical = newCheck("crl.idp-critical", always, never, "RFC 5280 section 5.2.5",
		"issuingDistributionPoint is critical")
	checkPointEmpty = newCheck("crl.idp-empty", always, never, "RFC 5280 section 5.2.5",
		"issuingDistributionPoint is not an empty SEQUENCE")
	checkPointIndirect = newCheck("crl.idp-indirect", always, never, "BR section 7.2.2.1",
		"a CRL is not indirect")
	checkPointAttribute = newCheck("crl.idp-attribute", always, never, "BR section 7.2.2.1",
		"a CRL is not for attribute certificates alone")
	checkPointOnly = newCheck("crl.idp-only", always, never, "RFC 5280 section 5.2.5",
		"onlyContainsUserCerts and onlyContainsCACerts are not both true")
	checkPointReasons = newCheck("crl.idp-reasons", never, always, "BR section 7.2.2.1",
		"a CRL is for all reasons")
	checkPointName = newCheck("crl.idp-name", always, never, "BR section 7.2.2.1",
		"the names in issuingDistributionPoint are URIs")
	checkPointScheme = newCheck("crl.idp-scheme", onlyBR, never, "BR section 7.2.2.1",
		"the scheme of the URIs in issuingDistributionPoint is http")
	checkPointURL = newCheck("crl.idp-url", always, never, "CCADB policy section 6.2",
		"one of the URIs in issuingDistributionPoint is, octet for octet, a URL at which the CRL is published")
	checkPointOther = newCheck("crl.idp-differs", always, never, "CCADB policy section 6.2",
		"no URI in issuingDistributionPoint is a URL at which something else is published")
)

// Its entries.
var (
	checkEntryNone = newCheck("crl.entries-empty", always, never, "RFC 5280 section 5.1.2.6",
		"revokedCertificates is absent where nothing is revoked")
	checkEntrySerial = newCheck("crl.entry-serial", always, never, "RFC 5280 section 4.1.2.2",
		"a serial number is positive and has at most 20 octets, a sign octet not counted")
	checkEntrySerialSign = newCheck("crl.entry-serial-sign", never, always, "RFC 5280 section 4.1.2.2",
		"a serial number has at most 20 octets, a sign octet counted")
	checkEntryDuplicate = newCheck("crl.entry-duplicate", always, never, "RFC 5280 section 5.1.2.6",
		"a certificate is listed once")
	checkEntryDate = newCheck("crl.entry-date", always, never, "RFC 5280 section 5.1.2.6",
		"revocationDate is not after thisUpdate")
	checkEntryEarly = newCheck("crl.entry-date-early", never, always, "RFC 5280 section 5.1.2.6",
		"revocationDate is not before notBefore of the issuer")
	checkEntryReasonCritical = newCheck("crl.entry-reason-critical", always, never, "RFC 5280 section 5.3.1",
		"reasonCode is not critical")
	checkEntryReason = newCheck("crl.entry-reason", always, never, "RFC 5280 section 5.3.1",
		"reasonCode is 1 to 6, 9 or 10: unspecified is said by omitting it, and nothing is removed from a complete CRL")
	checkEntryReasonProfile = newCheck("crl.entry-reason-profile", onlyBR, always, "BR section 7.2.2",
		"reasonCode is none of cACompromise (2), certificateHold (6) and aACompromise (10)")
	checkEntryReasonMissing = newCheck("crl.entry-reason-missing", onlyBR, always, "BR section 7.2.2",
		"the entry of a CA certificate has a reasonCode")
	checkEntryInvalidity = newCheck("crl.entry-invalidity", onlyCS, never, "CSBR section 7.2.2",
		"invalidityDate, if present, is revocationDate")
	checkEntryIssuer = newCheck("crl.entry-issuer", always, never, "RFC 5280 section 5.3.3",
		"no entry has a certificateIssuer: it is for indirect CRLs")
	checkEntryCritical = newFixedCheck("crl.entry-extension-critical", "RFC 5280 section 5.3",
		"no extension of an entry that is not known is critical")
	checkEntryTwice = newFixedCheck("crl.entry-extension-twice", "RFC 5280 section 4.2",
		"no extension of an entry is there twice")
)

// How it fits the other CRLs of the build.
var (
	checkShardPoint = newCheck("crl.shard-idp", onlyBR, never, "BR section 7.2.2.1",
		"a CRL that is not the only one of its issuer has an issuingDistributionPoint")
	checkFullPoint = newCheck("crl.full-idp", never, notPrivate, "BR section 7.2.2.1",
		"the only CRL of an issuer has no issuingDistributionPoint")
	checkFullDiffers = newCheck("crl.full-differs", always, never, "CCADB policy section 6.2",
		"all CRLs of an issuer without an issuingDistributionPoint are the same, octet for octet")
)

// How it goes on from the previous generation.
var (
	checkPreviousNumber = newForcedCheck("crl.previous-number", always, never, "RFC 5280 section 5.2.3",
		"a CRL is that of the previous generation at its URL, or has a greater cRLNumber")
	checkPreviousTime = newForcedCheck("crl.previous-this-update", always, never, "RFC 5280 section 5.1.2.4",
		"thisUpdate is not before that of the previous generation at the URL")
	checkPreviousPoint = newForcedCheck("crl.previous-idp", always, never, "CCADB policy section 6.2",
		"the issuingDistributionPoints of a CRL and of the previous one at its URL have a URI in common")
	checkPreviousEntry = newForcedCheck("crl.previous-entry", always, never, "BR section 4.10.1",
		"a certificate that the previous CRL at the URL listed, and that the inventory says has not expired, is listed")
	checkPreviousUnknown = newForcedCheck("crl.previous-entry-unknown", never, always, "BR section 4.10.1",
		"a certificate that the previous CRL at the URL listed, and whose expiry is not known, is listed")
	checkPreviousTenYears = newForcedCheck("crl.previous-entry-early", onlyCS, never, "CSBR section 4.10.1",
		"a certificate that the previous CRL at the URL listed is listed until ten years after its expiry")
	checkPreviousGone = newForcedCheck("crl.previous-url", always, never, "CCADB policy section 6.2",
		"every URL at which the previous generation had a CRL has one")
)
