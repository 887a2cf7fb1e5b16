package main

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"io"
	"time"

	"lancre/index"
	"lancre/index/store"
)

// explain says in words what response der, stored in g as r and found under id, says.
func (q *question) explain(out io.Writer, g *store.Generation, r index.Record, id *index.CertID, der []byte) error {
	var p index.Response
	if err := p.Parse(der); err != nil {
		return err
	}
	w := newTable(out)
	w.row("serial", "%x", id.Serial)
	w.row("CertID", "%s, issuer name hash %x, key hash %x", id.Alg, id.NameHash, id.KeyHash)
	for i := range p.Singles {
		if s := &p.Singles[i]; s.CertID.Equal(id) {
			w.row("status", "%s", statusWords(s))
		}
	}
	w.row("producedAt", "%s", when(p.ProducedAt, q.at))
	w.row("thisUpdate", "%s", when(p.ThisUpdate, q.at))
	w.row("nextUpdate", "%s", when(p.NextUpdate, q.at))
	w.row("answer", "%s", answerAt(r, q.at))
	w.row("signer", "%s", signer(&p))
	w.row("ETag", "\"%016x\"", r.ETag())
	w.row("response", "%d octets, stored in %d", len(der), r.Size())
	w.row("segment", "%s, offset %d", segmentOf(g, id), r.Offset())
	return w.Flush()
}

// segmentOf is the SHA-256 of the segment that a look-up of id ends in.
func segmentOf(g *store.Generation, id *index.CertID) string {
	for i, s := range g.Segments() {
		if _, found, _ := s.Lookup(id.Key(), id); found {
			return g.Manifest().Segments[i].SHA256
		}
	}
	return "none"
}

// reasonNames are the CRLReasons (RFC 5280 section 5.3.1).
var reasonNames = map[int]string{
	0: "unspecified", 1: "keyCompromise", 2: "cACompromise", 3: "affiliationChanged", 4: "superseded",
	5: "cessationOfOperation", 6: "certificateHold", 8: "removeFromCRL", 9: "privilegeWithdrawn", 10: "aACompromise",
}

func statusWords(s *index.Single) string {
	if s.Status != index.Revoked {
		return s.Status.String()
	}
	reason := "no reason"
	if s.Reason >= 0 {
		reason = fmt.Sprintf("reason %d %s", s.Reason, reasonNames[s.Reason])
	}
	return fmt.Sprintf("revoked %s, %s", time.Unix(s.RevokedAt, 0).UTC().Format(time.RFC3339), reason)
}

// answerAt says what an edge does with r at the time at.
func answerAt(r index.Record, at time.Time) string {
	switch {
	case at.Unix() >= r.NextUpdate():
		return "expired: an edge answers tryLater"
	case at.Unix() < r.ThisUpdate()-300: // the clock skew that edges allow, seconds
		return "not valid yet: an edge answers tryLater"
	}
	return "an edge answers with this response"
}

// signer says who signed p, by the certificate in it if there is one.
func signer(p *index.Response) string {
	if cert, err := x509.ParseCertificate(p.Certificates); err == nil {
		return fmt.Sprintf("delegated responder %s, valid until %s", cert.Subject, cert.NotAfter.Format(time.RFC3339))
	}
	if p.ResponderKeyHash != nil {
		return fmt.Sprintf("key hash %x", p.ResponderKeyHash)
	}
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(p.ResponderName, &name); err != nil {
		return fmt.Sprintf("name %x", p.ResponderName)
	}
	return name.String()
}
