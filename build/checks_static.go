package build

// What can be wrong with a static file, its content aside.
var (
	checkStaticName = newFixedCheck("static.name", "RFC 3986 section 3.2.2",
		"a file lies in the folder of a host, under a name that can be requested, and nothing else is published there")
	checkStaticType = newFixedCheck("static.type", "RFC 5280 sections 4.2.1.13 and 4.2.2.1",
		"a file holds what its name promises: DER where clients want DER")
)

// What can be wrong with a CRL.
var (
	checkCRLForm = newFixedCheck("crl.der", "RFC 5280 section 5.1",
		"a CRL is one strict DER CertificateList")
	checkCRLTime = newCheck("crl.time", always, never, "RFC 5280 section 5.1.2.5",
		"a CRL has a nextUpdate, is not from the future and has not expired")
	checkCRLSignature = newFixedCheck("crl.signature", "RFC 5280 section 6.3.3",
		"the signature of a CRL is by its issuer, whose certificate lets it sign CRLs")
	checkCRLIssuer = newCheck("crl.issuer", never, always, "RFC 5280 section 6.3.3",
		"the issuer of a CRL is among --issuer")
)
