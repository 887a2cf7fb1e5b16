package ocsp

import (
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"hash"
	"math"
	"time"

	"lancre/index"
)

// An Answer is what a response is to say of one certificate.
type Answer struct {
	Alg              index.HashAlg // of the CertID; one of the responder's
	Serial           []byte        // content octets of a DER INTEGER
	index.CertStatus               // as index.Response.CertStatus gives it back
	NextUpdate       int64         // Unix seconds
}

// An Encoder makes the responses of one responder, any number of which have encoders
// of their own on other goroutines. Not safe for concurrent use.
type Encoder struct {
	r         *Responder
	templates map[shape]*template
	frames    map[sizes]*frame
	tbs       []byte         // scratch
	hash      hash.Hash      // nil where the whole message is signed
	digest    []byte         // scratch
	made      index.Response // scratch
}

// NewEncoder returns an encoder of r's responses.
func NewEncoder(r *Responder) *Encoder {
	e := &Encoder{r: r, templates: make(map[shape]*template), frames: make(map[sizes]*frame)}
	if h := r.algorithm.Hash; h != 0 {
		e.hash = h.New()
	}
	return e
}

// ErrKey says that the key did not sign. It may do so later.
var ErrKey = errors.New("the key does not sign")

// Append appends the signed DER OCSPResponse that says a. What it appends was read
// back and says a. An error is ErrKey, or a is nothing that a response can say.
func (e *Encoder) Append(dst []byte, a *Answer) ([]byte, error) {
	if err := e.fill(a); err != nil {
		return dst, fmt.Errorf("serial %x: %w", a.Serial, err)
	}
	signature, err := e.sign()
	if err != nil {
		return dst, fmt.Errorf("serial %x: %w: %w", a.Serial, ErrKey, err)
	}
	start := len(dst)
	dst = e.wrap(dst, signature)
	if err := e.readBack(dst[start:], a); err != nil {
		return dst[:start], fmt.Errorf("serial %x: %w", a.Serial, err)
	}
	return dst, nil
}

// fill makes e.tbs the ResponseData that says a.
func (e *Encoder) fill(a *Answer) error {
	if _, ours := e.r.ids[a.Alg]; !ours {
		return fmt.Errorf("hash algorithm %s is none of this responder's", a.Alg)
	}
	if n := len(a.Serial); n > index.MaxSerial || !index.MinimalInteger(a.Serial) {
		return fmt.Errorf("serial number of %d octets %x: want the content of a DER INTEGER, at most %d", n, a.Serial, index.MaxSerial)
	}
	s := shape{a.Alg, len(a.Serial), a.Status, a.Status == index.Revoked && a.Reason >= 0}
	t := e.templates[s]
	if t == nil {
		t = e.r.template(s)
		e.templates[s] = t
	}
	e.tbs = append(e.tbs[:0], t.tbs...)
	copy(e.tbs[t.serial:], a.Serial)
	times := []place{{t.producedAt, a.ProducedAt}, {t.thisUpdate, a.ThisUpdate}, {t.nextUpdate, a.NextUpdate}, {t.revokedAt, a.RevokedAt}}
	if a.Status != index.Revoked {
		times = times[:3]
	}
	for _, p := range times {
		if p.unix < 0 || p.unix > math.MaxUint32 {
			return fmt.Errorf("time of %d Unix seconds: want 0 to %d (2106-02-07)", p.unix, uint32(math.MaxUint32))
		}
		index.AppendTime(e.tbs[:p.at], uint32(p.unix))
	}
	if s.reason {
		e.tbs[t.reason] = byte(a.Reason)
	}
	return nil
}

// A place is where a time goes.
type place struct {
	at   int
	unix int64
}

// sign signs e.tbs.
func (e *Encoder) sign() ([]byte, error) {
	if e.hash == nil {
		return e.r.key.Sign(rand.Reader, e.tbs, crypto.Hash(0))
	}
	e.hash.Reset()
	e.hash.Write(e.tbs)
	e.digest = e.hash.Sum(e.digest[:0])
	return e.r.key.Sign(rand.Reader, e.digest, e.r.algorithm.Hash)
}

// wrap appends the OCSPResponse of e.tbs with that signature.
func (e *Encoder) wrap(dst, signature []byte) []byte {
	n := sizes{len(e.tbs), len(signature)}
	f := e.frames[n]
	if f == nil {
		f = e.r.frame(n)
		e.frames[n] = f
	}
	dst = append(dst, f.before...)
	dst = append(dst, e.tbs...)
	dst = append(dst, f.between...)
	dst = append(dst, signature...)
	return append(dst, e.r.tail...)
}

// readBack checks that der says a: nothing that a bug or a fault of memory made goes
// out under a signature.
func (e *Encoder) readBack(der []byte, a *Answer) error {
	if err := e.made.Parse(der); err != nil {
		return fmt.Errorf("the response just made cannot be read: %w", err)
	}
	s, want := &e.made.Singles[0], e.r.CertID(a.Alg, a.Serial)
	said := e.made.CertStatus(0)
	if len(e.made.Singles) != 1 || !s.CertID.Equal(&want) || said != a.CertStatus || s.NextUpdate != a.NextUpdate {
		return fmt.Errorf("the response just made says %+v of %s, want %+v", said, &s.CertID, a.CertStatus)
	}
	return nil
}

// text is a time for people.
func text(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }
