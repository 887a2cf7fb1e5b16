package sign

import (
	"time"

	"github.com/cespare/xxhash/v2"

	"lancre/index"
)

// A class is why a response is signed. The most urgent come first.
type class uint8

const (
	changed class = iota // revoked, or revoked otherwise
	added                // nobody answers for it now
	due                  // it is time
	kept                 // not signed
)

// due reports whether it is time to replace what said last of the certificate with that
// serial number. When it is differs between certificates, and from one time to the next:
// responses that were signed together, after an outage say, drift apart. With a part
// that only the certificate decides they would bunch again and again.
func (r *run) due(serial []byte, last *said, notAfter int64) bool {
	validity := min(last.nextUpdate-last.thisUpdate, int64(r.Validity/time.Second))
	if last.nextUpdate >= notAfter && validity <= 2*int64(minValidity/time.Second) {
		return false // it holds until the certificate ends, and public rules ask for no other
	}
	from, to := r.Refresh[0], r.Refresh[1]
	part := from + (to-from)*spread(serial, last.thisUpdate)
	return float64(r.now()-last.thisUpdate) >= part*float64(validity)
}

// spread is a number from 0 to below 1 that looks random.
func spread(serial []byte, thisUpdate int64) float64 {
	var b [index.MaxSerial + 8]byte
	sum := xxhash.Sum64(be.AppendUint64(append(b[:0], serial...), uint64(thisUpdate)))
	return float64(sum>>11) / (1 << 53)
}

// nextUpdate is when a response of thisUpdate ends: with the certificate, for some clients
// refuse a staple that outlives it, but not before the least validity that public rules
// ask for.
func (r *run) nextUpdate(thisUpdate, notAfter int64) int64 {
	least := min(r.Validity, minValidity)
	return max(min(thisUpdate+int64(r.Validity/time.Second), notAfter), thisUpdate+int64(least/time.Second))
}
