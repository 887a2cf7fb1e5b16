package index

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
func (r Record) Moment() Moment { return Moment{r.ThisUpdate(), r.ProducedAt()} }

// Newer reports whether r's moment comes after that of other.
func (r Record) Newer(other Record) bool { return r.Moment().Newer(other.Moment()) }

// preferred reports whether r takes the place of other in one segment, under a
// CertID that both have: if it is newer, or, of two of one moment, by its content,
// for the outcome not to depend on the order of input.
func (r Record) preferred(other Record) bool {
	return r.Newer(other) || !other.Newer(r) && r.ETag() > other.ETag()
}
