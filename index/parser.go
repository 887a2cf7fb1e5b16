package index

import "bytes"

// A Parser parses responses one after the other. Most of them differ from one before only
// in serial number, times and signature: in what fills the holes of its shape. Such a one
// is compared with it, and only what is in the holes is parsed, in half the time.
// The zero value is ready. It is not safe for concurrent use.
type Parser struct {
	patterns [maxPattern + 1][]*pattern // by the length of the response
}

const (
	// maxPattern is the longest response that becomes a pattern: few have more with a
	// certificate in them.
	maxPattern = 4 << 10

	// maxPatterns is how many patterns of a length there are: two for each of eight signers,
	// since two numbers of an ECDSA signature have one length in two ways.
	maxPatterns = 16
)

// Parse makes r what r.Parse(der) does. What r has of octets that are the same in many
// responses may alias one of these, which is the Parser's: it never changes.
func (p *Parser) Parse(r *Response, der []byte) error {
	if len(der) > maxPattern {
		return r.Parse(der)
	}
	patterns := p.patterns[len(der)]
	for _, known := range patterns {
		if known.parse(r, der) {
			return nil
		}
	}
	err := r.Parse(der)
	if err == nil && len(r.Singles) == 1 && len(patterns) < maxPatterns {
		p.patterns[len(der)] = append(patterns, newPattern(der))
	}
	return err
}

// A pattern is a response for one certificate that was parsed and cut. Where another one
// has the same octets but for what fills the holes, it is parsed and cut the same way, for
// all tags and lengths are among these octets.
type pattern struct {
	response Response
	shape    shape
	parts    [2]part // of the signature
}

func newPattern(der []byte) *pattern {
	var p pattern
	p.response.Parse(bytes.Clone(der)) // without an error, as before
	var c cutter
	c.cut(&p.response)
	p.shape, p.parts = c.own, signatureParts(p.response.Signature)
	return &p
}

// parse parses der, which has the pattern's length, if it is like the pattern; else r is of
// no use.
func (p *pattern) parse(r *Response, der []byte) bool {
	if !p.shape.frames(der) {
		return false
	}
	singles := append(r.Singles[:0], p.response.Singles[0])
	*r = p.response
	r.DER, r.Singles, r.pattern = der, singles, p
	r.TBS, r.Signature = moved(r.TBS, der, r.tbs), moved(r.Signature, der, r.signature)
	s := &singles[0]
	s.CertID.Serial = moved(s.CertID.Serial, der, s.serial)
	read := readAgain(&r.ProducedAt, der, r.producedAt) && readAgain(&s.RevokedAt, der, s.revokedAt) &&
		readAgain(&s.ThisUpdate, der, s.thisUpdate) && readAgain(&s.NextUpdate, der, s.nextUpdate)
	r.ThisUpdate, r.NextUpdate = s.ThisUpdate, s.NextUpdate
	return read && MinimalInteger(s.CertID.Serial) && signatureParts(r.Signature) == p.parts
}

// moved is as many octets of der, from at on, as the pattern's are.
func moved(pattern, der []byte, at int) []byte { return der[at : at+len(pattern) : at+len(pattern)] }

// readAgain reads a time that the pattern has one in the place of, if it has. One that a
// record cannot hold is not read: whether it is cut out depends on that.
func readAgain(unix *int64, der []byte, at int) bool {
	if *unix == NoTime {
		return true
	}
	now, ok := ParseTime(der[at : at+timeSize])
	_, stored := storable(now)
	_, was := storable(*unix)
	*unix = now
	return ok && stored && was
}

// frames reports whether der, which has the length of the shape's responses, has their
// octets around the holes.
func (s *shape) frames(der []byte) bool {
	literal := s.literal
	for i := range s.holes {
		h := &s.holes[i]
		if !bytes.Equal(der[:h.literal], literal[:h.literal]) {
			return false
		}
		der, literal = der[int(h.literal)+h.filled():], literal[h.literal:]
	}
	return bytes.Equal(der, s.tail)
}

// fill makes the shape and payload of r, which was parsed by its pattern, as cut does.
func (c *cutter) fill(r *Response) {
	c.begin(r.DER)
	c.shape = &r.pattern.shape
	s := &r.Singles[0]
	c.certIDs = append(c.certIDs, s.CertID)
	at := 0
	for i := range c.shape.holes {
		h := &c.shape.holes[i]
		at += int(h.literal)
		switch h.kind {
		case holePayload:
			c.payload = append(c.payload, r.DER[at:at+int(h.size)]...)
		case holeTime: // the only one of its own
			c.payload = le.AppendUint32(c.payload, uint32(s.RevokedAt))
		}
		at += h.filled()
	}
}
