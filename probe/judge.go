package probe

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"lancre/build/ca"
	"lancre/build/certs"
	"lancre/build/crl"
	"lancre/build/static"
	"lancre/index"
	"lancre/index/store"
)

// slack is for how long a cache may keep an answer beyond what is right without fault:
// clocks differ, and a CRL about to expire is kept a minute so as not to be asked for by
// all at once.
const slack = time.Minute

// A judge knows what an answer should be like.
type judge struct {
	issuers *ca.Issuers
	now     func() time.Time
}

// newJudge makes the judge of a round, who knows the CAs of the Config, else those whose
// certificates are published.
func (p *Prober) newJudge(ctx context.Context) (*judge, error) {
	files := p.cfg.Issuers
	if len(files) == 0 {
		var err error
		if files, err = p.reference.issuers(ctx); err != nil {
			return nil, err
		}
	}
	all, err := ca.Load(files)
	return &judge{all, p.cfg.Now}, err
}

// A verdict is what a judge says of an answer.
type verdict struct {
	asked      *question
	how        string
	findings   []finding
	differs    *difference // nil if it is what the store has
	unverified bool        // nobody knows the issuer
}

// A finding is a fault of one answer.
type finding struct {
	kind   Kind
	detail string
}

// A difference is an answer that is not what the store has.
type difference struct {
	question *question
	how      string
	absent   bool   // there is no such certificate, or no such file
	status   int    // by which it said so
	body     []byte // the OCSP response
	sum      string // of a file, its SHA-256
	at       int64  // thisUpdate, Unix seconds; 0 if it has none
	signed   bool   // by who must
	tally    *tally // of the place that gave it
}

func (v *verdict) find(kind Kind, format string, args ...any) {
	v.findings = append(v.findings, finding{kind, fmt.Sprintf(format, args...)})
}

func (v *verdict) has(kinds ...Kind) bool {
	return slices.ContainsFunc(v.findings, func(f finding) bool { return slices.Contains(kinds, f.kind) })
}

// unauthorized is what a responder says of certificates that it does not know (RFC 9919
// section 3.2.3).
var unauthorized = []byte{0x30, 0x03, 0x0a, 0x01, 0x06}

// judge judges what came back when q was asked, an answer or an error.
func (j *judge) judge(q *question, w way, a *answer, err error) verdict {
	v := verdict{asked: q, how: w.name}
	if err != nil {
		v.find(Unreachable, "%v", err)
		return v
	}
	switch {
	case a.status >= 300 && a.status < 400:
		v.find(Redirect, "status %d to %q, want an answer: many clients follow no redirect", a.status, a.header.Get("Location"))
	case a.absent(q):
		v.differs = &difference{question: q, how: w.name, absent: true, status: a.status}
	case a.status != http.StatusOK:
		v.find(Status, "status %d, want 200", a.status)
	default:
		j.judgeContent(&v, q, w, a)
	}
	if w.slashes(q) && (v.differs != nil && v.differs.absent || v.has(Redirect, Status, Wrong)) {
		v.blameSlashes()
	}
	return v
}

// absent reports whether a says that q is not known there. A path that an edge does not
// know may be a request to it, and a malformed one.
func (a *answer) absent(q *question) bool {
	if q.file == nil {
		return a.status == http.StatusOK && bytes.Equal(a.body, unauthorized)
	}
	return a.status == http.StatusNotFound || a.status == http.StatusGone || a.status == http.StatusBadRequest
}

// blameSlashes says of an answer that is none that the slashes are why. Where they are
// not, those to whom the same was asked otherwise say so, too.
func (v *verdict) blameSlashes() {
	detail := "the answer says that the certificate is not known"
	if len(v.findings) > 0 {
		detail = v.findings[0].detail
	}
	v.findings, v.differs = nil, nil
	v.find(Slashes, "a request with // in its base64 came changed, or is not let through: %s", detail)
}

// judgeContent judges an answer with status 200.
func (j *judge) judgeContent(v *verdict, q *question, w way, a *answer) {
	want := typeResponse
	if q.file != nil {
		want = q.file.ContentType
	}
	if got := a.header.Values("Content-Type"); len(got) != 1 || got[0] != want {
		v.find(ContentType, "Content-Type is %q, want %q", strings.Join(got, ", "), want)
	}
	if got := a.header.Get("Content-Encoding"); got != "" {
		v.find(ContentEncoding, "Content-Encoding is %q, want none: the octets are to come as they are", got)
		return
	}
	if q.file != nil {
		j.judgeFile(v, q, w, a)
	} else {
		j.judgeResponse(v, q, w, a)
	}
}

// judgeResponse judges an answer about a certificate.
func (j *judge) judgeResponse(v *verdict, q *question, w way, a *answer) {
	var r index.Response
	if err := r.Parse(a.body); err != nil {
		v.find(Wrong, "%v", err)
		return
	}
	if !slices.ContainsFunc(r.Singles, func(s index.Single) bool { return s.CertID.Equal(q.id) }) {
		v.find(Wrong, "a response about %v, want one about %v", &r.Singles[0].CertID, q.id)
		return
	}
	if err := j.verifyResponse(&r, q.id); errors.Is(err, errUnknownIssuer) {
		v.unverified = true
	} else if err != nil {
		v.find(Signature, "%v", err)
	}
	j.checkTimes(v, r.ThisUpdate, r.NextUpdate)
	if !bytes.Equal(a.body, q.want) {
		v.differs = &difference{question: q, how: w.name, body: a.body, at: r.ThisUpdate, signed: !v.unverified && !v.has(Signature)}
	}
	if !w.post {
		checkTag(v, a, fmt.Sprintf(`"%016x"`, index.ETag(a.body)))
		j.checkAge(v, a, r.NextUpdate)
	}
}

// judgeFile judges a file.
func (j *judge) judgeFile(v *verdict, q *question, w way, a *answer) {
	digest := sha256.Sum256(a.body)
	sum := hex.EncodeToString(digest[:])
	next, at := index.NoTime, int64(0)
	if q.file.ContentType == store.TypeCRL {
		list, broken := crl.Parse(a.body)
		if broken != nil {
			v.find(Wrong, "%s", broken.Reason)
			return
		}
		next, at = list.NextUpdate, list.ThisUpdate
		j.verifyCRL(v, list)
		j.checkTimes(v, at, next)
	}
	if sum != q.file.SHA256 {
		v.differs = &difference{question: q, how: w.name, sum: sum, at: at, signed: !v.unverified && !v.has(Signature)}
	}
	checkTag(v, a, `"`+sum+`"`)
	j.checkAge(v, a, next)
}

// checkTimes checks that what was signed holds now.
func (j *judge) checkTimes(v *verdict, thisUpdate, nextUpdate int64) {
	now := j.now().Unix()
	switch {
	case nextUpdate != index.NoTime && nextUpdate <= now:
		v.find(Times, "nextUpdate was %s, and it is %s: it has expired", utc(nextUpdate), utc(now))
	case thisUpdate > now+index.MaxSkew:
		v.find(Times, "thisUpdate is %s, and it is %s: it does not hold yet", utc(thisUpdate), utc(now))
	}
}

// checkTag checks that the entity tag is the one that the octets which came have at an
// edge: of others, caches revalidate what has changed.
func checkTag(v *verdict, a *answer, want string) {
	if got := a.header.Get("Etag"); got != want {
		v.find(ETag, "ETag is %q, want %q: caches and clients revalidate by it", got, want)
	}
}

// checkAge checks for how long the answer may be kept, and for how long it was. nextUpdate
// may be NoTime.
func (j *judge) checkAge(v *verdict, a *answer, nextUpdate int64) {
	control := strings.Join(a.header.Values("Cache-Control"), ", ")
	seconds, ok := maxAge(control)
	if !ok {
		v.find(MaxAge, "Cache-Control is %q, want a max-age: without one caches guess", control)
		return
	}
	now, most := j.now(), time.Duration(seconds)*time.Second
	kept := keptFor(a.header, now)
	if kept > most+slack {
		v.find(Kept, "it was kept for %v, and max-age is %v: a cache does not heed it", kept, most)
	}
	if left := time.Unix(nextUpdate, 0).Sub(now); nextUpdate != index.NoTime && left > 0 && most-kept > left+slack {
		v.find(MaxAge, "caches may keep it for another %v, and nextUpdate is in %v", most-kept, left.Round(time.Second))
	}
}

// keptFor is for how long caches have kept an answer, by what they say of it, and by when
// it was made (RFC 9111 section 4.2.3).
func keptFor(h http.Header, now time.Time) (kept time.Duration) {
	if seconds, err := strconv.ParseUint(h.Get("Age"), 10, 31); err == nil {
		kept = time.Duration(seconds) * time.Second
	}
	if made, err := http.ParseTime(h.Get("Date")); err == nil {
		kept = max(kept, now.Sub(made).Truncate(time.Second))
	}
	return kept
}

// maxAge is the max-age in a Cache-Control (RFC 9111 section 5.2.2.1).
func maxAge(control string) (seconds uint64, ok bool) {
	for directive := range strings.SplitSeq(control, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		if strings.EqualFold(name, "max-age") {
			seconds, err := strconv.ParseUint(value, 10, 31)
			return seconds, err == nil
		}
	}
	return 0, false
}

// errUnknownIssuer says that nobody knows by which key something should be signed.
var errUnknownIssuer = errors.New("its issuer is not known")

// issuers are the files of the CA certificates that the store publishes.
func (r *reference) issuers(ctx context.Context) (paths []string, err error) {
	m := r.now()
	for i := range m.Files {
		if m.Files[i].ContentType != store.TypeCertificate {
			continue
		}
		if err := r.fetch(ctx, []store.Object{{Size: m.Files[i].Size, SHA256: m.Files[i].SHA256}}); err != nil {
			return nil, err
		}
		body, err := store.ReadFile(r.dir, &m.Files[i])
		if err != nil {
			return nil, err
		}
		if cert, err := certs.Parse(body); err == nil && certs.CAFault(cert) == "" {
			paths = append(paths, store.ObjectPath(r.dir, m.Files[i].SHA256))
		}
	}
	return paths, nil
}

// verifyCRL checks who signed list.
func (j *judge) verifyCRL(v *verdict, list *crl.CRL) {
	switch {
	case static.SignerOf(list, j.issuers) != nil:
	case len(j.issuers.Named(list.Issuer)) == 0:
		v.unverified = true
	default:
		v.find(Signature, "the CRL is not signed by a key of its issuer")
	}
}

// verifyResponse checks who signed r, which is about id: the issuer, or one to whom it
// delegated that by a certificate (RFC 6960 section 4.2.2.2).
func (j *judge) verifyResponse(r *index.Response, id *index.CertID) error {
	is := j.issuers.Find(id)
	if is == nil {
		return errUnknownIssuer
	}
	alg, err := ca.ParseAlgorithm(r.SignatureAlgorithm)
	if err != nil {
		return err
	}
	signer := &is.Signer
	if !is.Is(r) {
		if signer, err = j.delegate(r, is); err != nil {
			return err
		}
	}
	if err := signer.Verify(alg, r.TBS, r.Signature); err != nil {
		return fmt.Errorf("signature is not by the key of %s: %w", signer.Cert.Subject, err)
	}
	return nil
}

func utc(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }
