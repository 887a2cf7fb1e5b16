package demo

import "encoding/asn1"

// Object identifiers, with where they are defined.
var (
	idPKIXOCSPBasic              = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1} // RFC 6960 section 4.2.1
	idPKIXOCSPNoCheck            = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5} // RFC 6960 section 4.2.2.2.1
	idCEIssuingDistributionPoint = asn1.ObjectIdentifier{2, 5, 29, 28}                  // RFC 5280 section 5.2.5
	ecdsaWithSHA256              = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}     // RFC 5758 section 3.2
	sha256WithRSA                = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}   // RFC 4055 section 5
)
