package main

import (
	"fmt"
	"io"
	"time"

	"lancre/index"
	"lancre/index/store"
)

// An answer is what an edge answers for one certificate, as inspect --json prints it.
type answer struct {
	Serial     string    `json:"serial"`           // hex
	Hash       string    `json:"hash"`             // algorithm of the CertID
	NameHash   string    `json:"issuer_name_hash"` // hex
	KeyHash    string    `json:"issuer_key_hash"`  // hex
	Status     string    `json:"status"`
	RevokedAt  time.Time `json:"revoked_at,omitzero"`
	Reason     string    `json:"reason,omitempty"` // its number and name; empty if there is none
	ProducedAt time.Time `json:"produced_at"`
	ThisUpdate time.Time `json:"this_update"`
	NextUpdate time.Time `json:"next_update"`
	At         time.Time `json:"at"` // when an edge gives it, and
	Answer     string    `json:"answer"`
	Signer     signer    `json:"signer"`
	ETag       string    `json:"etag"`
	Size       int       `json:"size"`   // octets of the response
	Stored     int       `json:"stored"` // octets of its record
	Segment    string    `json:"segment"`
	Offset     int64     `json:"offset"` // of its record in the segment
	Lines      []trace   `json:"lines"`  // all that have the certificate, newest first
}

// A trace is what one line of the stack has for the certificate.
type trace struct {
	Line    int    `json:"line"` // from 1, the newest
	Role    string `json:"role"`
	Shard   string `json:"shard"`
	SHA256  string `json:"sha256"`
	Says    string `json:"says"`    // as "good 2026-03-01T12:00:00Z", its thisUpdate, or "tombstone of good …"
	Answers bool   `json:"answers"` // else something above hides it
}

func (t trace) String() string {
	hidden := ", hidden"
	if t.Answers {
		hidden = ", answers"
	}
	return fmt.Sprintf("%d, %s %s: %s%s", t.Line, t.Role, t.Shard, t.Says, hidden)
}

// tracesOf are all lines of g that have id.
func tracesOf(g *store.Generation, id *index.CertID) (list []trace, err error) {
	found, err := g.Traces(id)
	for _, f := range found {
		l := &g.Manifest().Segments[f.Line]
		list = append(list, trace{f.Line + 1, l.Role, l.Shard.String(), l.SHA256, said(f.Record, true, id), f.Answer})
	}
	return list, err
}

// explain says what response der, stored in g as r and found under id, says.
func (q *question) explain(g *store.Generation, r index.Record, id *index.CertID, der []byte) (*answer, error) {
	var p index.Response
	if err := p.Parse(der); err != nil {
		return nil, err
	}
	lines, err := tracesOf(g, id)
	if err != nil {
		return nil, err
	}
	a := &answer{
		Serial: fmt.Sprintf("%x", id.Serial), Hash: id.Alg.String(),
		NameHash: fmt.Sprintf("%x", id.NameHash), KeyHash: fmt.Sprintf("%x", id.KeyHash),
		ProducedAt: unixTime(p.ProducedAt), ThisUpdate: unixTime(p.ThisUpdate), NextUpdate: unixTime(p.NextUpdate),
		At: q.at.UTC().Truncate(time.Second), Answer: answerAt(r, q.at),
		Signer: newSignerID(&p).describe(issuerCerts(g.Files())[issuerID{id.Alg, string(id.NameHash), string(id.KeyHash)}]),
		ETag:   fmt.Sprintf("\"%016x\"", index.ETag(der)), Size: len(der), Stored: r.Size(),
		Lines: lines, Offset: r.Offset(),
	}
	for _, l := range lines {
		if l.Answers {
			a.Segment = l.SHA256
		}
	}
	for i := range p.Singles {
		if s := &p.Singles[i]; s.CertID.Equal(id) {
			a.setStatus(s)
		}
	}
	return a, nil
}

func (a *answer) setStatus(s *index.Single) {
	a.Status = s.Status.String()
	if s.Status != index.Revoked {
		return
	}
	a.RevokedAt = unixTime(s.RevokedAt)
	if s.Reason >= 0 {
		a.Reason = fmt.Sprintf("%d %s", s.Reason, reasonNames[s.Reason])
	}
}

// write says it in words.
func (a *answer) write(out io.Writer) error {
	w := newTable(out)
	w.row("serial", "%s", a.Serial)
	w.row("CertID", "%s, issuer name hash %s, key hash %s", a.Hash, a.NameHash, a.KeyHash)
	w.row("status", "%s", a.statusWords())
	w.row("producedAt", "%s", when(a.ProducedAt.Unix(), a.At))
	w.row("thisUpdate", "%s", when(a.ThisUpdate.Unix(), a.At))
	w.row("nextUpdate", "%s", when(a.NextUpdate.Unix(), a.At))
	w.row("answer", "%s", a.Answer)
	w.row("signer", "%s", a.Signer)
	w.row("ETag", "%s", a.ETag)
	w.row("response", "%d octets, stored in %d", a.Size, a.Stored)
	w.row("segment", "%s, offset %d", a.Segment, a.Offset)
	for _, l := range a.Lines {
		w.row("line", "%s", l)
	}
	return w.Flush()
}

func (a *answer) statusWords() string {
	switch {
	case a.RevokedAt.IsZero():
		return a.Status
	case a.Reason == "":
		return fmt.Sprintf("%s %s, no reason", a.Status, formatTime(a.RevokedAt))
	}
	return fmt.Sprintf("%s %s, reason %s", a.Status, formatTime(a.RevokedAt), a.Reason)
}

// reasonNames are the CRLReasons (RFC 5280 section 5.3.1).
var reasonNames = map[int]string{
	0: "unspecified", 1: "keyCompromise", 2: "cACompromise", 3: "affiliationChanged", 4: "superseded",
	5: "cessationOfOperation", 6: "certificateHold", 8: "removeFromCRL", 9: "privilegeWithdrawn", 10: "aACompromise",
}

// answerAt says what an edge does with r at the time at.
func answerAt(r index.Record, at time.Time) string {
	switch r.Currency(at.Unix()) {
	case index.Withdrawn:
		return "withdrawn: an edge answers tryLater"
	case index.Expired:
		return "expired: an edge answers tryLater"
	case index.NotYetValid:
		return "not valid yet: an edge answers tryLater"
	}
	return "an edge answers with this response"
}
