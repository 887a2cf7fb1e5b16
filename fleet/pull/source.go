package pull

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"lancre/index/store"
)

const (
	// patience is how long a source may be silent, or take for a manifest.
	patience = 30 * time.Second

	// leastProgress is how many octets of an object must come in that time: 2 KiB/s, a
	// fiftieth of the slowest link on which an edge keeps up with anything.
	leastProgress = 64 << 10

	// rest is for how long a source that did not answer is asked last.
	rest = time.Minute
)

// A source is where a store is fetched from: a cache, a bucket, a web server. It is
// asked by one goroutine for manifests, and by several for objects.
type source struct {
	url      string
	client   *http.Client
	trust    *store.Trust
	patience time.Duration

	etag   string       // of the manifest that came last
	last   *offer       // that; nil for none
	said   string       // what was last logged of it
	failed atomic.Int64 // when it last did not answer, in Unix seconds
	stuck  atomic.Int64 // when it last did not give an object that it has, likewise
}

// An offer is a manifest that a source has, and that Trust opened.
type offer struct {
	text     []byte // as it came, signatures and all
	manifest *store.Manifest
	key      string // that signed it
	unproven bool   // it is the store's, and no key of Trust signed it
}

func (o *offer) generation() uint64 { return o.manifest.Generation }

// newClient makes a client that does what it is told and nothing more: it follows no
// redirect, for those lead to hosts that nobody chose, unpacks nothing, for what is
// hashed is what came, and sends no cookies.
func newClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: patience}).DialContext,
			TLSHandshakeTimeout:    5 * time.Second,
			ResponseHeaderTimeout:  patience,
			MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConnsPerHost:    parallel + 1,
			IdleConnTimeout:        time.Minute + patience,
			DisableCompression:     true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// A statusError says that a source answered otherwise than asked.
type statusError struct {
	url    string
	status int
	detail string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%s: status %d %s%s", e.url, e.status, http.StatusText(e.status), e.detail)
}

// absent reports whether a source said that it does not have something. Buckets say 403
// to those who may not list what they have.
func absent(err error) bool {
	status, ok := errors.AsType[*statusError](err)
	return ok && (status.status == http.StatusNotFound || status.status == http.StatusGone || status.status == http.StatusForbidden)
}

// get asks for the file name of the store. A query makes caches ask the origin.
func (s *source) get(ctx context.Context, name, query string, header http.Header) (*http.Response, error) {
	address := strings.TrimSuffix(s.url, "/") + "/" + name
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+query, nil)
	if err != nil {
		return nil, err
	}
	if header != nil {
		req.Header = header
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, because(ctx, err))
	}
	switch code := resp.StatusCode; {
	case code == http.StatusOK,
		code == http.StatusPartialContent && header.Get("Range") != "",
		code == http.StatusNotModified && header.Get("If-None-Match") != "":
		return resp, nil // whatever Content-Encoding says: some storage says "aws-chunked" of what is not
	}
	detail := ""
	if to := resp.Header.Get("Location"); to != "" {
		detail = fmt.Sprintf(" to %q: redirects are not followed; give that URL", to)
	}
	resp.Body.Close()
	return nil, &statusError{address, resp.StatusCode, detail}
}

// because is why ctx ended, else what err says beside the URL.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return failed.Err
	}
	return err
}

// pastCaches is a query that no cache has an answer to.
func pastCaches() string { return "?again=" + strconv.FormatUint(rand.Uint64(), 36) }

// manifest asks for the manifest, past caches if wanted. What has not changed is not
// sent, verified or parsed again.
func (s *source) manifest(ctx context.Context, fresh bool) (*offer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.patience, s.slow())
	defer cancel()
	query, header := "", make(http.Header)
	if s.last != nil && s.etag != "" {
		header.Set("If-None-Match", s.etag)
	}
	if fresh {
		query = pastCaches()
	}
	resp, err := s.get(ctx, "manifest", query, header)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotModified {
		return s.last, nil
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, store.MaxManifestSize+1))
	if err != nil {
		return nil, fmt.Errorf("%s/manifest: %w", s.url, because(ctx, err))
	}
	m, key, err := s.trust.Open(text)
	if err != nil {
		return nil, refuse("forged", "%s/manifest: %w", s.url, err)
	}
	s.etag, s.last = resp.Header.Get("Etag"), &offer{text: text, manifest: m, key: key}
	return s.last, nil
}

// slow says that patience is at an end.
func (s *source) slow() error {
	return fmt.Errorf("no answer, or less than %d octets of it, within %v", leastProgress, s.patience)
}

// object asks for the octets of object from an offset on, and has part take them.
func (s *source) object(ctx context.Context, object store.Object, query string, part *store.Part, pace func(int)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slow := time.AfterFunc(s.patience, func() { cancel(s.slow()) })
	defer slow.Stop()
	var header http.Header
	if part.Have() > 0 {
		header = http.Header{"Range": {fmt.Sprintf("bytes=%d-", part.Have())}}
	}
	resp, err := s.get(ctx, "objects/"+object.SHA256, query, header)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := s.align(resp, object, part); err != nil {
		return err
	}
	body := &progress{from: resp.Body, left: leastProgress, made: func() { slow.Reset(s.patience) }, pace: pace}
	if _, err = io.Copy(part, body); err != nil {
		return fmt.Errorf("%s/objects/%s: %w", s.url, object.SHA256, because(ctx, err))
	}
	return nil
}

// align has part begin where the answer does, and wants the answer to end where the
// object does.
func (s *source) align(resp *http.Response, object store.Object, part *store.Part) error {
	want := ""
	if resp.StatusCode == http.StatusPartialContent {
		want = fmt.Sprintf("bytes %d-%d/%d", part.Have(), object.Size-1, object.Size)
	} else if part.Have() > 0 {
		if err := part.Restart(); err != nil {
			return err
		}
	}
	if got := resp.Header.Get("Content-Range"); got != want {
		return wrongObject("%s/objects/%s: Content-Range is %q, want %q", s.url, object.SHA256, got, want)
	}
	if left := object.Size - part.Have(); resp.ContentLength >= 0 && resp.ContentLength != left {
		return wrongObject("%s/objects/%s: %d octets come, want %d", s.url, object.SHA256, resp.ContentLength, left)
	}
	return nil
}

func wrongObject(format string, args ...any) error {
	return &store.WrongObjectError{Reason: fmt.Sprintf(format, args...)}
}

// A progress is a reader that tells when so many octets more have come, and pauses
// after each piece.
type progress struct {
	from io.Reader
	left int
	made func()
	pace func(octets int)
}

// Read implements io.Reader.
func (p *progress) Read(b []byte) (int, error) {
	n, err := p.from.Read(b)
	if p.left -= n; p.left <= 0 {
		p.left = leastProgress
		p.made()
	}
	p.pace(n)
	return n, err
}
