package index

import "bytes"

// A Moment is when what a response says was known, in Unix seconds: the latest
// thisUpdate of its SingleResponses and its producedAt. It orders what a CA has
// said of one certificate.
type Moment struct{ ThisUpdate, ProducedAt int64 }

// Newer reports whether m comes after than: by thisUpdate, then by producedAt,
// for CAs round thisUpdate and sign again within the same hour. Neither of two
// equal moments is newer.
//
// Moments are compared where a response comes in. From then on its position in a
// store decides, so that an operator can go back to an older response.
func (m Moment) Newer(than Moment) bool {
	if m.ThisUpdate != than.ThisUpdate {
		return m.ThisUpdate > than.ThisUpdate
	}
	return m.ProducedAt > than.ProducedAt
}

// Moment is that of the response.
func (r *Response) Moment() Moment { return Moment{r.ThisUpdate, r.ProducedAt} }

// Moment is that of the stored response; a tombstone's is that of what it hides.
func (r *Record) Moment() Moment { return Moment{r.ThisUpdate(), r.ProducedAt()} }

// Newer reports whether r's moment comes after that of other.
func (r *Record) Newer(other *Record) bool { return r.Moment().Newer(other.Moment()) }

// compare says which of two records with a CertID in common is entered under it:
// r if the result is above 0, other if it is below. It is the newer one or, of two
// of one moment, the one with the later content, for the outcome not to depend on
// the order of input. The result is 0 where both say the same.
func (r *Record) compare(other *Record) int {
	switch {
	case r.Newer(other):
		return 1
	case other.Newer(r):
		return -1
	}
	return bytes.Compare(r.content(), other.content())
}

// content is the octets that decide between records of one moment: the response; of
// a tombstone, which comes before any response (an octet 30), what it hides, the
// gravest last.
func (r *Record) content() []byte {
	if !r.Tombstone() {
		return r.AppendResponse(nil)
	}
	return append([]byte{byte(r.Status().gravity())}, r.payload()...)
}
