package index

// A CertStatus is what a CA said of one certificate, and when (RFC 6960 section
// 4.2.1: certStatus). A tombstone keeps that of the answer that it hides, so that
// nobody forgets a revocation by withdrawing its response.
type CertStatus struct {
	Moment
	Status    Status
	RevokedAt int64 // revocationTime, Unix seconds; NoTime if there is none
	Reason    int   // CRLReason; -1 if there is none
}

// CertStatus is what r says of the certificate of r.Singles[i], at r's moment.
func (r *Response) CertStatus(i int) CertStatus {
	s := &r.Singles[i]
	return CertStatus{r.Moment(), s.Status, s.RevokedAt, s.Reason}
}

// CertStatus is what r's response says of id, one of r's CertIDs, or what the answer
// said that r, a tombstone, hides. ok is false where a response cannot be parsed,
// which no segment has that passed Verify. It allocates only for a response that
// is not good.
//
// A tombstone of version 1 or 2 does not know what it hides: it is good.
func (r *Record) CertStatus(id *CertID) (s CertStatus, ok bool) {
	s = CertStatus{r.Moment(), r.StatusOf(id), NoTime, -1}
	switch {
	case s.Status != Revoked:
		return s, true
	case r.Tombstone():
		s.RevokedAt, s.Reason = decodeRevocation(r.payload())
		return s, true
	}
	single, ok := r.Single(id)
	s.RevokedAt, s.Reason = single.RevokedAt, single.Reason
	return s, ok
}

// revocationSize is how many octets of a tombstone's payload tell of a revocation.
const revocationSize = 5

// noReason stands for an absent reason.
const noReason = 0xff

// appendRevocation appends what a tombstone's payload ends with. A time that 32
// bits cannot hold is as none.
func (s *CertStatus) appendRevocation(b []byte) []byte {
	at, ok := storable(s.RevokedAt)
	if !ok {
		at = 0
	}
	reason := byte(noReason)
	if s.Reason >= 0 && s.Reason < noReason {
		reason = byte(s.Reason)
	}
	return append(le.AppendUint32(b, at), reason)
}

// decodeRevocation reads what payload, a tombstone's, ends with.
func decodeRevocation(payload []byte) (revokedAt int64, reason int) {
	b := payload[len(payload)-revocationSize:]
	revokedAt, reason = int64(le.Uint32(b)), int(b[4])
	if revokedAt == 0 {
		revokedAt = NoTime
	}
	if reason == noReason {
		reason = -1
	}
	return revokedAt, reason
}
