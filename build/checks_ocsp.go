package build

// BR is the CA/Browser Forum's TLS Baseline Requirements 2.2.6, MS the Microsoft
// Trusted Root Program 1.1.

// What a response says, and of whom.
var (
	checkDER = newFixedCheck("ocsp.der", "RFC 6960 section 4.2.1",
		"a response is one successful OCSPResponse of type id-pkix-ocsp-basic, version 1, in strict DER")
	checkVersion = newCheck("ocsp.version-explicit", never, always, "X.690 section 11.5",
		"version v1 is not spelled out, for it is the default")
	checkDual = newCheck("ocsp.dual", never, always, "RFC 9919 section 3.2.1",
		"a response has one SingleResponse")
	checkBundle = newFixedCheck("ocsp.bundle", "RFC 9919 section 3.2.1",
		"the SingleResponses of a response are for one certificate, once by each hash algorithm")
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
	checkDelegateExpires = newCheck("ocsp.delegate-expires", never, always, "RFC 6960 section 4.2.2.2",
		"the responder certificate is valid until nextUpdate")
	checkDelegateNoCheck = newCheck("ocsp.delegate-nocheck", setOf(ProfileBR, ProfileMoz, ProfileCS, ProfileSMIME), always, "RFC 6960 section 4.2.2.2.1",
		"the responder certificate has id-pkix-ocsp-nocheck")
	checkDelegateNoCheckValue = newCheck("ocsp.delegate-nocheck-value", always, never, "RFC 6960 section 4.2.2.2.1",
		"id-pkix-ocsp-nocheck has the value NULL")
	checkDelegateProfile = newCheck("ocsp.delegate-extensions", onlyBR, never, "BR section 7.1.2.8",
		"the responder certificate has no CRL distribution points, no subject alternative name and no key usage but digitalSignature")
	checkDelegateNeedless = newCheck("ocsp.delegate-needless", never, always, "BR section 7.1.2.8",
		"the responder certificate has no authority information access and no certificate policies")
)
