package build

// A check is one rule an input can break. Its position in checkTable is private;
// its id is stable, for operators select and count by it.
type check uint8

// passed is the zero check: no rule broken.
const (
	passed check = iota

	checkSourceForm
	checkSourceCut
	checkSize

	checkDER
	checkVersion
	checkDual
	checkBundle
	checkHash
	checkIssuer
	checkSerial
	checkSerialSign
	checkStatus

	checkProducedAt
	checkThisUpdate
	checkNextUpdate
	checkExpired
	checkRemaining

	checkResponderID
	checkByName
	checkAlgorithm
	checkAlgorithmProfile
	checkAlgorithmForm
	checkKey
	checkSignature
	checkIssuerUsage
	checkNeedlessCerts

	checkDelegateMissing
	checkDelegateFirst
	checkDelegateAlone
	checkDelegateIssued
	checkDelegateEKU
	checkDelegateOnlyEKU
	checkDelegateCA
	checkDelegateValid
	checkDelegateExpires
	checkDelegateNoCheck
	checkDelegateNoCheckValue
	checkDelegateProfile
	checkDelegateNeedless

	checkRecord

	checkStaticName
	checkStaticType
	checkCRLForm
	checkCRLTime
	checkCRLSignature
	checkCRLIssuer

	numChecks
)

// A rule is what checkTable says of one check: in which profiles breaking it
// rejects the input and in which it only warns. Rejecting wins where a build
// has several profiles.
type rule struct {
	id      string
	rejects profiles
	warns   profiles
	clause  string // where the rule comes from
}

var (
	notPrivate = setOf(ProfileBR, ProfileMS, ProfileMoz, ProfileCS, ProfileSMIME)
	onlyBR     = setOf(ProfileBR)
)

// checkTable holds every check. BR is the CA/Browser Forum's TLS Baseline
// Requirements 2.2.6, MS the Microsoft Trusted Root Program 1.1.
var checkTable = [numChecks]rule{
	passed: {id: "passed"},

	checkSourceForm: {"source.form", always, never, "nothing is skipped silently"},
	checkSourceCut:  {"source.truncated", always, never, "nothing is skipped silently"},
	checkSize:       {"ocsp.size", always, never, "OpenSSL refuses more (OSSL_HTTP_DEFAULT_MAX_RESP_LEN)"},

	checkDER:        {"ocsp.der", always, never, "RFC 6960 section 4.2.1"},
	checkVersion:    {"ocsp.version-explicit", never, always, "X.690 section 11.5"},
	checkDual:       {"ocsp.dual", never, always, "RFC 9919 section 3.2.1"},
	checkBundle:     {"ocsp.bundle", always, never, "RFC 9919 section 3.2.1"},
	checkHash:       {"ocsp.hash", always, never, "RFC 6960 section 4.1.1"},
	checkIssuer:     {"ocsp.issuer", always, never, "RFC 6960 section 3.2"},
	checkSerial:     {"ocsp.serial", always, never, "RFC 5280 section 4.1.2.2"},
	checkSerialSign: {"ocsp.serial-sign", never, always, "RFC 5280 section 4.1.2.2"},
	checkStatus:     {"ocsp.status-unknown", notPrivate, always, "BR section 4.9.9"},

	checkProducedAt: {"ocsp.time-produced-at", always, never, "RFC 6960 section 2.4"},
	checkThisUpdate: {"ocsp.time-this-update", always, never, "RFC 6960 section 2.4"},
	checkNextUpdate: {"ocsp.time-next-update", always, never, "RFC 9919 section 3.2.4"},
	checkExpired:    {"ocsp.time-expired", always, never, "RFC 6960 section 4.2.2.1"},
	checkRemaining:  {"ocsp.time-remaining", never, always, "BR section 4.9.9"},

	checkResponderID:      {"ocsp.responder-id", always, never, "RFC 6960 section 4.2.2.3"},
	checkByName:           {"ocsp.responder-by-name", never, always, "RFC 9919 section 3.2.2"},
	checkAlgorithm:        {"ocsp.algorithm", always, never, "BR section 7.1.3.2"},
	checkAlgorithmProfile: {"ocsp.algorithm-profile", notPrivate, never, "BR section 7.1.3.2"},
	checkAlgorithmForm:    {"ocsp.algorithm-form", onlyBR, never, "BR section 7.1.3.2"},
	checkKey:              {"ocsp.key", always, never, "BR section 6.1.5"},
	checkSignature:        {"ocsp.signature", always, never, "RFC 6960 section 3.2"},
	checkIssuerUsage:      {"ocsp.issuer-key-usage", onlyBR, always, "BR section 7.1.2.10.7"},
	checkNeedlessCerts:    {"ocsp.certs-needless", never, always, "RFC 9919 section 3.2.2"},

	checkDelegateMissing:      {"ocsp.delegate-missing", always, never, "RFC 6960 section 4.2.2.2"},
	checkDelegateFirst:        {"ocsp.delegate-first", always, never, "golang.org/x/crypto/ocsp looks at no other"},
	checkDelegateAlone:        {"ocsp.delegate-alone", never, always, "RFC 9919 section 3.2.2"},
	checkDelegateIssued:       {"ocsp.delegate-issued", always, never, "RFC 6960 section 4.2.2.2"},
	checkDelegateEKU:          {"ocsp.delegate-eku", always, never, "RFC 6960 section 4.2.2.2"},
	checkDelegateOnlyEKU:      {"ocsp.delegate-eku-only", setOf(ProfileBR, ProfileMS), never, "BR section 7.1.2.8, MS section 3.1.18"},
	checkDelegateCA:           {"ocsp.delegate-ca", always, never, "BR section 7.1.2.8"},
	checkDelegateValid:        {"ocsp.delegate-validity", always, never, "RFC 6960 section 4.2.2.2"},
	checkDelegateExpires:      {"ocsp.delegate-expires", never, always, "RFC 6960 section 4.2.2.2"},
	checkDelegateNoCheck:      {"ocsp.delegate-nocheck", setOf(ProfileBR, ProfileMoz, ProfileCS, ProfileSMIME), always, "RFC 6960 section 4.2.2.2.1"},
	checkDelegateNoCheckValue: {"ocsp.delegate-nocheck-value", always, never, "RFC 6960 section 4.2.2.2.1"},
	checkDelegateProfile:      {"ocsp.delegate-extensions", onlyBR, never, "BR section 7.1.2.8"},
	checkDelegateNeedless:     {"ocsp.delegate-needless", never, always, "BR section 7.1.2.8"},

	checkRecord: {"store.record", always, never, "the segment format"},

	checkStaticName:   {"static.name", always, never, "RFC 3986 section 3.2.2"},
	checkStaticType:   {"static.type", always, never, "RFC 5280 sections 4.2.1.13 and 4.2.2.1"},
	checkCRLForm:      {"crl.der", always, never, "RFC 5280 section 5.1"},
	checkCRLTime:      {"crl.time", always, never, "RFC 5280 section 5.1.2.5"},
	checkCRLSignature: {"crl.signature", always, never, "RFC 5280 section 6.3.3"},
	checkCRLIssuer:    {"crl.issuer", never, always, "RFC 5280 section 6.3.3"},
}

func (c check) String() string { return checkTable[c].id }

// A severity is what breaking a rule leads to in one build.
type severity uint8

const (
	ignores severity = iota
	warns
	rejects
)

// severities is the severity of every check under the given profiles.
func severities(list []Profile) *[numChecks]severity {
	in := setOf(list...)
	var out [numChecks]severity
	for i, r := range checkTable {
		switch {
		case r.rejects&in != 0:
			out[i] = rejects
		case r.warns&in != 0:
			out[i] = warns
		}
	}
	return &out
}

// A finding is one rule broken, and how.
type finding struct {
	check  check
	reason string
}
