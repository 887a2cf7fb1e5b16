package index

const (
	// MaxSkew is how far, in seconds, thisUpdate or producedAt may lie ahead of the
	// clock: what clients allow for theirs (OpenSSL's ocsp command by default).
	MaxSkew = 300

	// maxRefresh is the longest time, in seconds, from thisUpdate until a CA has
	// renewed a response (TLS BR 4.9.9: four days).
	maxRefresh = 96 * 3600
)

// A Currency says whether a record may be served at some time; if not, why.
type Currency uint8

// What a record can be.
const (
	Current     Currency = iota
	Withdrawn            // a tombstone: there is no response
	NotYetValid          // thisUpdate is more than MaxSkew ahead
	Expired              // nextUpdate has been reached
)

// Currency is that of r at now, in Unix seconds. A response may be served from
// MaxSkew before its thisUpdate to just before its nextUpdate.
func (r *Record) Currency(now int64) Currency {
	switch {
	case r.Tombstone():
		return Withdrawn
	case r.ThisUpdate() > now+MaxSkew:
		return NotYetValid
	case r.NextUpdate() <= now: // also if it has none: it could never be withdrawn from caches
		return Expired
	}
	return Current
}

// RefreshDue is by when the CA is to have renewed the response, in Unix seconds:
// at half of its validity, and no later than 96 hours after thisUpdate (TLS BR
// 4.9.9).
func (r *Record) RefreshDue() int64 {
	return r.ThisUpdate() + min((r.NextUpdate()-r.ThisUpdate())/2, maxRefresh)
}
