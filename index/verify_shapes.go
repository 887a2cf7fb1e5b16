package index

import "math"

// A proof says what holds for all responses of a shape, so that they need not be
// parsed one by one.
type proof struct {
	holds  bool   // their CertIDs and times are those of their records; serials are still to be looked at
	status Status // of each
}

// proofs are those of the shapes of s, by number.
func (s *Segment) proofs() []proof {
	list := make([]proof, len(s.shapes))
	var p prover
	for i := range list {
		list[i] = p.prove(s, &s.shapes[i])
	}
	return list
}

// A prover proves one shape after another.
type prover struct {
	octets, response []byte
	parsed           Response
	cut              cutter
}

// prove parses one response in place of all that have the shape. Where the cutter makes
// the same shape of it again, each hole is just a serial number, a time or a part of a
// signature, and all tags and lengths are literal octets: then the parser finds the same
// in every response, but for what fills these.
func (p *prover) prove(s *Segment, sh *shape) proof {
	rec := p.record(s, sh)
	p.response = rec.AppendResponse(p.response[:0])
	r := &p.parsed
	if r.Parse(p.response) != nil || len(r.Singles) != len(sh.ids) || r.NextUpdate == NoTime {
		return proof{}
	}
	if p.cut.cut(r); !p.cut.shape.sameOctets(sh) {
		return proof{} // so always for a tombstone, or a response stored whole
	}
	for i := range sh.ids {
		in, of := sh.ids[i], p.cut.shape.ids[i]
		if id := rec.certID(&in); in.offset != of.offset || in.size != of.size || !id.Equal(&r.Singles[i].CertID) {
			return proof{}
		}
	}
	return proof{true, r.Status}
}

// record makes a record of the shape whose serial numbers are minimal INTEGERs, not all
// alike. Its thisUpdate and nextUpdate are the least and the greatest that there are, and
// the times in its payload are between them: if one of these had a say in the latest
// thisUpdate or the earliest nextUpdate, it would have it here.
func (p *prover) record(s *Segment, sh *shape) Record {
	p.octets = append(p.octets[:0], make([]byte, int(s.recHead)+sh.payload)...)
	rec := Record{segment: s, shape: sh, octets: p.octets}
	payload := rec.payload()
	for i := range payload {
		payload[i] = byte(1 + i%0x7f)
	}
	le.PutUint32(p.octets[12:], math.MaxUint32)
	return rec
}

// proved reports whether rec, whose CertIDs are v.ids, is what was proved of its shape.
func (v *recordVerifier) proved(rec *Record) bool {
	p := &v.proofs[rec.bits()&(maxShapes-1)]
	if !p.holds || p.status != rec.Status() {
		return false
	}
	for i := range v.ids {
		if !MinimalInteger(v.ids[i].Serial) {
			return false
		}
	}
	return true
}
