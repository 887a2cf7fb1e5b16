package demo

import "encoding/asn1"

// Object identifiers, with where they are defined.
var (
	idPKIXOCSPNoCheck            = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5} // RFC 6960 section 4.2.2.2.1
	idCEIssuingDistributionPoint = asn1.ObjectIdentifier{2, 5, 29, 28}                  // RFC 5280 section 5.2.5
)
