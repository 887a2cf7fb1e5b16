package build

// What can be wrong with a static file, its content aside.
var (
	checkStaticName = newFixedCheck("static.name", "RFC 3986 section 3.2.2",
		"a file lies in the folder of a host, under a name that can be requested")
	checkStaticDuplicate = newFixedCheck("static.duplicate", "one URL has one content",
		"one file is published at a host and path")
	checkStaticRequest = newCheck("static.ocsp-path", always, never, "RFC 6960 appendix A.1",
		"the path of a file is not the base64 of what begins like an OCSP request")
	checkStaticType = newFixedCheck("static.type", "RFC 5280 sections 4.2.1.13 and 4.2.2.1",
		"a file holds what its name promises: DER where clients want DER")
	checkStaticSize = newFixedCheck("static.size", "an edge holds files in memory",
		"a file has at most 1,073,741,824 octets")
)

// What can be wrong with an issuer certificate, or with a file of several.
var (
	checkCertForm = newFixedCheck("cert.der", "RFC 5280 section 4.2.2.1, RFC 2585 section 4.1",
		"a certificate file holds one DER certificate alone")
	checkCertKeyForm = newFixedCheck("cert.key-form", "RFC 6960 section 4.1.1",
		"the subjectPublicKey of a certificate is a BIT STRING of whole octets")
	checkCMS = newFixedCheck("cert.cms", "RFC 5280 section 4.2.2.1, RFC 5652 section 5.1",
		"a certs-only CMS is a DER SignedData with certificates, and without content, CRLs and signers")
	checkCertCA = newCheck("cert.ca", always, never, "RFC 5280 section 4.2.1.9",
		"a published certificate is a CA's, and its key usage has keyCertSign")
	checkCertExpires = newCheck("cert.expires", never, always, "RFC 5280 section 4.1.2.5",
		"a published certificate is valid, and will be for 30 days")
	checkCertRoot = newCheck("cert.self-signed", never, notPrivate, "RFC 5280 section 4.2.2.1",
		"a published certificate is not self-signed: clients have the roots that they trust")
	checkCertIssuer = newCheck("cert.issuer", never, always, "RFC 5280 section 4.2.2.1",
		"a published certificate, or one of those in a certs-only CMS, has name and key of an --issuer")
	checkCertCross = newCheck("cert.cross", never, always, "RFC 5280 section 4.2.2.1",
		"of several --issuer certificates with one name and key, all are published or none is")
	checkCertHTTPS = newCheck("cert.https", notPrivate, always, "RFC 5280 section 8",
		"a published certificate names an http URL wherever it names an https one")
	checkCertOCSP = newCheck("cert.ocsp-url", never, always, "RFC 9919 section 6",
		"the OCSP URL in a published certificate is so short that a GET with a SHA-256 CertID has at most 255 octets")
	checkNamed = newCheck("inventory.ca-issuers", never, always, "RFC 5280 section 4.2.2.1",
		"where the inventory says that unexpired certificates of an issuer name an http URL for its certificate, the build publishes it there")
	checkCertKey = newForcedCheck("cert.key", always, never, "RFC 5280 section 4.2.2.1",
		"the key at a certificate's URL is that of the previous generation")
)
