package build

// revocations are what the current CRLs of one issuer list. They take some 100
// octets of memory an entry.
type revocations struct {
	thisUpdate int64 // the latest of the CRLs, Unix seconds
	entries    map[string]revocation
}

// A revocation is an entry of a CRL.
type revocation struct {
	at     int64 // revocationDate, Unix seconds
	reason int   // CRLReason, -1 if absent
}

// add enters that a CRL lists a serial number, given by the content octets of its
// DER INTEGER.
func (r *revocations) add(serial []byte, at int64, reason int) {
	if r.entries == nil {
		r.entries = make(map[string]revocation)
	}
	r.entries[string(serial)] = revocation{at, reason}
}
