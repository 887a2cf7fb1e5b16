package probe

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"lancre/index/store"
)

const (
	// parallel is how many questions a place is asked at a time.
	parallel = 8

	// maxResponse bounds an answer to an OCSP request, in octets: some have certificates.
	maxResponse = 64 << 10

	typeRequest  = "application/ocsp-request"
	typeResponse = "application/ocsp-response"
)

// A place is a URL that is asked.
type place struct {
	url    *url.URL
	client *http.Client
}

// newPlace makes a place of a URL that Check has nothing against. Its client does nothing
// by itself: it follows no redirect, and unpacks nothing.
func newPlace(at string, timeout time.Duration) *place {
	u, err := url.Parse(strings.TrimSuffix(at, "/"))
	if err != nil {
		panic(err) // Check parsed it
	}
	return &place{u, &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DisableCompression: true, MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConnsPerHost: parallel, IdleConnTimeout: time.Minute,
		},
	}}
}

// A way is how a kind of client asks about a certificate.
type way struct {
	name   string
	post   bool
	escape bool   // what is no letter or digit in base64
	accept string // its Accept-Encoding, if any
}

// The ways in which the clients of docs/CLIENTS.md ask.
var (
	plain = way{name: "GET, unescaped", accept: "gzip, deflate"}
	ways  = []way{{name: "GET", escape: true}, plain, {name: "POST", post: true}}
	get   = way{name: "GET"}
)

// ways are those in which q is asked.
func (q *question) ways() []way {
	switch {
	case q.file != nil && fetched(q.file): // by software, which may say that it can unpack
		return []way{{name: get.name, accept: "gzip, deflate"}}
	case q.file != nil:
		return []way{get}
	case q.slashes:
		return []way{plain}
	}
	return ways
}

// fetched reports whether f is for software: a CRL, or certificates.
func fetched(f *store.FileLine) bool {
	return f.ContentType == store.TypeCRL || f.ContentType == store.TypeCertificate || f.ContentType == store.TypeCMS
}

var escaper = strings.NewReplacer("+", "%2B", "/", "%2F", "=", "%3D")

// request makes the request by which q is asked at p.
func (p *place) request(ctx context.Context, q *question, w way) (*http.Request, error) {
	method, address, host := http.MethodGet, p.url.String(), ""
	var body io.Reader
	switch {
	case q.file != nil:
		address = p.url.Scheme + "://" + p.url.Host + q.file.Path
		if q.file.Host != store.AnyHost {
			host = q.file.Host
		}
	case w.post:
		method, body = http.MethodPost, bytes.NewReader(q.request())
		address += "/"
	default:
		address += "/" + w.target(q)
	}
	r, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, err
	}
	r.Host = host
	r.Header.Set("User-Agent", "lancre-probe")
	if w.post {
		r.Header.Set("Content-Type", typeRequest)
	}
	if w.accept != "" {
		r.Header.Set("Accept-Encoding", w.accept)
	}
	return r, nil
}

// target is q in base64, as a GET has it.
func (w way) target(q *question) string {
	text := base64.StdEncoding.EncodeToString(q.request())
	if w.escape {
		text = escaper.Replace(text)
	}
	return text
}

// slashes reports whether q, asked in this way, has slashes that a proxy may merge.
func (w way) slashes(q *question) bool {
	return q.file == nil && !w.post && strings.Contains(w.target(q), "//")
}

// request is the OCSPRequest of q.
func (q *question) request() []byte {
	if q.slashes {
		return q.id.Request(manySlashes)
	}
	return q.id.Request(nil)
}

// manySlashes is a nonce whose base64, wherever it begins, has more slashes in a row than
// lancred can restore of those that a proxy has merged.
var manySlashes = bytes.Repeat([]byte{0xff}, 16)

// An answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// ask asks p one question.
func (p *place) ask(r *http.Request, limit int64) (*answer, error) {
	resp, err := p.client.Do(r)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err
		}
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	return &answer{resp.StatusCode, resp.Header, body}, err
}

// limit is how many octets are read of an answer to q. A CRL that is behind can be longer
// than the one that is published, but hardly four times and 1 MiB.
func (q *question) limit() int64 {
	if q.file != nil {
		return 4*q.file.Size + 1<<20
	}
	return maxResponse
}

// askAll asks p all questions, in all ways, and has j judge what comes back.
func (p *place) askAll(ctx context.Context, c *catalogue, j *judge, t *tally) {
	type task struct {
		q *question
		w way
	}
	tasks := make(chan task)
	var workers sync.WaitGroup
	for range parallel {
		workers.Go(func() {
			for k := range tasks {
				r, err := p.request(ctx, k.q, k.w)
				if err != nil {
					t.add(verdict{asked: k.q, how: k.w.name, findings: []finding{{Unreachable, err.Error()}}})
					continue
				}
				a, err := p.ask(r, k.q.limit())
				t.add(j.judge(k.q, k.w, a, err))
			}
		})
	}
	list := c.asks(p.url)
	for i := range list {
		for _, w := range list[i].ways() {
			if ctx.Err() == nil {
				tasks <- task{&list[i], w}
			}
		}
	}
	close(tasks)
	workers.Wait()
}
