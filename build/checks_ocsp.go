package build

// BR, SBR and CSBR are the CA/Browser Forum's Baseline Requirements for TLS 2.2.6,
// S/MIME 1.0.10 and code signing 3.10.0; MS is the Microsoft Trusted Root Program
// 1.1, MRSP the Mozilla Root Store Policy 3.1.

// What a response says, and of whom.
var (
	checkDER = newFixedCheck("ocsp.der", "RFC 6960 section 4.2.1",
		"a response is one successful OCSPResponse of type id-pkix-ocsp-basic, version 1, in strict DER")
	checkVersion = newCheck("ocsp.version-explicit", never, always, "X.690 section 11.5",
		"version v1 is not spelled out, for it is the default")
	checkDual = newCheck("ocsp.dual", never, always, "RFC 9919 section 3.2.1",
		"a response has one SingleResponse")
	checkBundle = newCheck("ocsp.bundle", always, never, "RFC 9919 section 3.2.1",
		"the SingleResponses of a response are for one certificate")
	checkBundleIssuer = newFixedCheck("ocsp.bundle-issuer", "RFC 6960 section 4.2.2.2",
		"the certificates that a response is for were issued by one CA: nobody may sign for those of two")
	checkBundleTwice = newFixedCheck("ocsp.bundle-twice", "RFC 9919 section 3.2.1",
		"no two SingleResponses of a response have the same CertID")
	checkBundleTime = newFixedCheck("ocsp.bundle-time", "the segment format",
		"the SingleResponses of a response have the same thisUpdate")
	checkHash = newFixedCheck("ocsp.hash", "RFC 6960 section 4.1.1",
		"a CertID is by SHA-1, SHA-256, SHA-384 or SHA-512")
	checkIssuer = newFixedCheck("ocsp.issuer", "RFC 6960 section 3.2",
		"a CertID names an issuer among --issuer by its name hash and its key hash")
	checkSerial = newFixedCheck("ocsp.serial", "RFC 5280 section 4.1.2.2",
		"a serial number is positive and has at most 20 octets, a sign octet not counted")
	checkSerialSign = newCheck("ocsp.serial-sign", never, always, "RFC 5280 section 4.1.2.2",
		"a serial number has at most 20 octets, a sign octet counted")
	checkStatus = newCheck("ocsp.status-unknown", notPrivate, always, "BR section 4.9.9",
		"certStatus is good or revoked")
)

// When it holds.
var (
	checkProducedAt = newCheck("ocsp.time-produced-at", always, never, "RFC 6960 section 2.4",
		"producedAt is at most 300 s in the future")
	checkThisUpdate = newCheck("ocsp.time-this-update", always, never, "RFC 6960 section 2.4",
		"thisUpdate is not after producedAt")
	checkNextUpdate = newFixedCheck("ocsp.time-next-update", "RFC 9919 section 3.2.4",
		"nextUpdate is present and after thisUpdate")
	checkExpired = newCheck("ocsp.time-expired", always, never, "RFC 6960 section 4.2.2.1",
		"nextUpdate is in the future; in place of an expired response, clients are told to try later")
	checkRemaining = newCheck("ocsp.time-remaining", never, always, "BR section 4.9.9",
		"nextUpdate is 8 h away or, of a validity of less than 16 h, half of that")
)

// How long it holds, by the root programs. The status of a CA certificate may hold
// for longer.
var (
	checkValidityMin = newCheck("ocsp.validity-min", setOf(ProfileBR, ProfileSMIME, ProfileMS), never, "BR and SBR section 4.9.9, MS section 3.2.2",
		"a response is valid for at least 8 h")
	checkValidityMax = newCheck("ocsp.validity-max", setOf(ProfileBR, ProfileSMIME, ProfileCS, ProfileMoz), never, "BR, SBR and CSBR section 4.9.9, MRSP section 6",
		"a response is valid for at most 10 days")
	checkValidityMS = newCheck("ocsp.validity-max-ms", setOf(ProfileMS), never, "MS section 3.2.2",
		"a response is valid for at most 7 days")
	checkValidityCA = newCheck("ocsp.validity-max-ca", notPrivate, never, "BR section 4.9.9",
		"a response for a CA certificate is valid for at most 366 days")
	checkAge = newCheck("ocsp.age", setOf(ProfileBR, ProfileSMIME), never, "BR and SBR section 4.9.9",
		"thisUpdate is at most 4 days ago")
	checkHalfLife = newCheck("ocsp.half-life", never, setOf(ProfileMS), "MS section 3.2.2",
		"no more than half the validity of a response has passed, if it is more than 16 h")
	checkIssuerExpires = newCheck("ocsp.issuer-expires", setOf(ProfileMoz), always, "MRSP section 6",
		"the certificate of a CA that signs responses itself is valid until nextUpdate")
	checkDelegatorExpires = newCheck("ocsp.delegator-expires", never, always, "RFC 5280 section 6.1.3",
		"the certificate of a CA that delegated to a responder is valid until nextUpdate")
)

// What a revocation says.
var (
	checkRevokedAt = newCheck("ocsp.revoked-at", always, never, "RFC 6960 section 2.2",
		"revocationTime is not more than 300 s after producedAt")
	checkRevokedEarly = newCheck("ocsp.revoked-early", never, always, "RFC 6960 section 2.2",
		"revocationTime is not before the issuer's certificate became valid")
	checkReason = newCheck("ocsp.reason", always, never, "RFC 5280 section 5.3.1",
		"revocationReason is one that a certificate of its kind can have")
	checkReasonUnspecified = newCheck("ocsp.reason-unspecified", onlyBR, always, "BR section 7.2.2",
		"revocationReason unspecified is left out")
	checkReasonHold = newCheck("ocsp.reason-hold", onlyBR, never, "BR section 4.9.13",
		"revocationReason is not certificateHold")
	checkReasonMissing = newCheck("ocsp.reason-missing", onlyBR, never, "BR section 7.3",
		"a revoked CA certificate has a revocationReason")
	checkExtendedRevoke = newCheck("ocsp.extended-revoke", always, never, "RFC 6960 section 2.2",
		"certificateHold since 1970, for a certificate never issued, comes with the extension extended-revoke")
)

// What it says besides.
var (
	checkReasonExtension = newCheck("ocsp.single-reason-code", onlyBR, always, "BR section 7.3.2",
		"singleExtensions have no reasonCode, for which there is revocationReason")
	checkSingleCritical = newCheck("ocsp.single-critical", always, never, "RFC 6960 section 4.4",
		"no extension in singleExtensions is critical")
	checkSingleUnknown = newCheck("ocsp.single-unknown", never, always, "RFC 6960 section 4.4",
		"every extension in singleExtensions is known")
	checkNonce = newCheck("ocsp.nonce", always, never, "RFC 9654 section 2.1",
		"there is no nonce: an answer signed in advance has no request to take it from")
	checkExtensionCritical = newCheck("ocsp.extension-critical", always, never, "RFC 6960 section 4.4",
		"no unknown extension in responseExtensions is critical")
	checkExtensionNeedless = newCheck("ocsp.extension-needless", never, always, "RFC 9919 section 3.2.1",
		"responseExtensions have nothing but extended-revoke")
	checkSizeFrugal = newCheck("ocsp.size-frugal", never, always, "RFC 9919 section 1",
		"a response has at most 4,096 octets")
	checkSizeStaple = newCheck("ocsp.size-staple", never, always, "nginx staples what fits 16 KiB with the HTTP header",
		"a response has at most 15,360 octets")
)

// Who signed it.
var (
	checkResponderID = newFixedCheck("ocsp.responder-id", "RFC 6960 section 4.2.2.3",
		"ResponderID names the issuer or a certificate in certs")
	checkByName = newCheck("ocsp.responder-by-name", never, always, "RFC 9919 section 3.2.2",
		"ResponderID is byKey")
	checkAlgorithm = newFixedCheck("ocsp.algorithm", "BR section 7.1.3.2",
		"the signature algorithm is RSA, ECDSA or Ed25519, with SHA-256 or better")
	checkAlgorithmProfile = newCheck("ocsp.algorithm-profile", notPrivate, never, "BR section 7.1.3.2",
		"the signature algorithm is one of public CAs, and its hash goes with the key")
	checkAlgorithmForm = newCheck("ocsp.algorithm-form", onlyBR, never, "BR section 7.1.3.2",
		"the AlgorithmIdentifier is encoded octet by octet as the Baseline Requirements spell it")
	checkKey = newCheck("ocsp.key", always, never, "BR section 6.1.5",
		"the signer's key is RSA of 2048 bits, ECDSA on P-256, P-384 or P-521, or Ed25519")
	checkSignature = newFixedCheck("ocsp.signature", "RFC 6960 section 3.2",
		"the signature is by the key of the signer that ResponderID names")
	checkIssuerUsage = newCheck("ocsp.issuer-key-usage", onlyBR, always, "BR section 7.1.2.10.7",
		"a CA that signs responses itself has the key usage digitalSignature")
	checkNeedlessCerts = newCheck("ocsp.certs-needless", never, always, "RFC 9919 section 3.2.2",
		"a response that the CA signed itself has no certs")
)

// The certificate of a responder that the CA delegated to.
var (
	checkDelegateMissing = newFixedCheck("ocsp.delegate-missing", "RFC 6960 section 4.2.2.2",
		"the responder certificate is in certs")
	checkDelegateFirst = newCheck("ocsp.delegate-first", always, never, "golang.org/x/crypto/ocsp looks at no other",
		"the responder certificate is the first of certs")
	checkDelegateAlone = newCheck("ocsp.delegate-alone", never, always, "RFC 9919 section 3.2.2",
		"the responder certificate is the only one of certs")
	checkDelegateIssued = newFixedCheck("ocsp.delegate-issued", "RFC 6960 section 4.2.2.2",
		"the responder certificate was issued by the CA whose certificates it speaks for")
	checkDelegateEKU = newFixedCheck("ocsp.delegate-eku", "RFC 6960 section 4.2.2.2",
		"the responder certificate has the extended key usage id-kp-OCSPSigning")
	checkDelegateOnlyEKU = newCheck("ocsp.delegate-eku-only", setOf(ProfileBR, ProfileMS), never, "BR section 7.1.2.8, MS section 3.1.18",
		"the responder certificate has no other extended key usage")
	checkDelegateCA = newCheck("ocsp.delegate-ca", always, never, "BR section 7.1.2.8",
		"the responder certificate is no CA certificate")
	checkDelegateValid = newCheck("ocsp.delegate-validity", always, never, "RFC 6960 section 4.2.2.2",
		"the responder certificate is valid at producedAt")
	checkDelegateExpires = newCheck("ocsp.delegate-expires", setOf(ProfileMoz), always, "MRSP section 6",
		"every certificate in certs is valid until nextUpdate")
	checkDelegateNoCheck = newCheck("ocsp.delegate-nocheck", setOf(ProfileBR, ProfileMoz, ProfileCS, ProfileSMIME), always, "RFC 6960 section 4.2.2.2.1",
		"the responder certificate has id-pkix-ocsp-nocheck")
	checkDelegateNoCheckValue = newCheck("ocsp.delegate-nocheck-value", always, never, "RFC 6960 section 4.2.2.2.1",
		"id-pkix-ocsp-nocheck has the value NULL")
	checkDelegateProfile = newCheck("ocsp.delegate-extensions", onlyBR, never, "BR section 7.1.2.8",
		"the responder certificate has no CRL distribution points, no subject alternative name and no key usage but digitalSignature")
	checkDelegateNeedless = newCheck("ocsp.delegate-needless", never, always, "BR section 7.1.2.8",
		"the responder certificate has no authority information access and no certificate policies")
)

// Against the previous generation. What only an operator can know to be meant is
// allowed once, by Config.Force.
var (
	checkPreviousThisUpdate = newForcedCheck("ocsp.previous-newer", always, never, "RFC 9919 section 3.2.4",
		"thisUpdate does not go back")
	checkPreviousRevoked = newForcedCheck("ocsp.previous-revoked", always, never, "BR section 4.10.1",
		"a revoked certificate stays revoked")
	checkPreviousHeld = newForcedCheck("ocsp.previous-held", notPrivate, never, "BR section 4.9.13",
		"a certificate on hold stays revoked")
	checkPreviousConflict = newForcedCheck("ocsp.previous-conflict", always, never, "RFC 6960 section 2.4",
		"responses for a certificate with the same thisUpdate and producedAt have the same certStatus")
	checkVanished = newCheck("ocsp.previous-vanished", never, always, "BR section 4.10.1",
		"a revoked certificate of which no inventory knows the expiry keeps its response")
	checkRevokedMissing = newForcedCheck("ocsp.previous-missing", always, never, "BR section 4.10.1",
		"a revoked certificate keeps its response until it expires, by the inventory")
	checkRevokedMissingCS = newForcedCheck("ocsp.previous-missing-cs", setOf(ProfileCS), never, "CSBR section 4.10.1",
		"a revoked certificate keeps its response until 10 years after it expired, by the inventory")
)

// Against the CRLs, the inventory and the other responses of the build.
var (
	checkListedGood = newCheck("ocsp.crl-good", always, never, "BR section 4.9.9",
		"a certificate whose status is good is on no current CRL")
	checkListedNot = newCheck("ocsp.crl-missing", never, always, "BR section 4.9.7",
		"a revoked certificate is on a CRL that is newer than its response")
	checkListedOtherwise = newCheck("ocsp.crl-differs", never, always, "RFC 6960 section 2.2",
		"a certificate is revoked at the same time and for the same reason on its CRL")
	checkUnassigned = newCheck("inventory.unassigned", always, never, "BR section 4.9.9",
		"a certificate whose status is good is in the inventory")
	checkCoverage = newCheck("inventory.coverage", always, never, "BR section 4.9.9",
		"every unexpired certificate in the inventory has a response by each hash algorithm its issuer uses")
	checkConflict = newCheck("ocsp.conflict", always, never, "RFC 6960 section 2.4",
		"responses of the build for a certificate with the same thisUpdate and producedAt have the same certStatus")
	checkSHA1Alone = newCheck("ocsp.sha1-alone", never, always, "RFC 9919 section 3.1.1",
		"of responses by SHA-1, an issuer has no more than by SHA-256")
)
