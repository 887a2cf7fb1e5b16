package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"lancre/index/store"
)

// A CRLURL is a CRL that a CA publishes itself, and that is published beside the others.
type CRLURL struct {
	Common
	URL     string `toml:"url"`
	Publish string `toml:"publish"` // HOST/PATH at which it is published

	client       *http.Client
	etag         string // of what was published or refused last
	lastModified string
	refused      error // that was; nil if it was published
}

// Prepare checks what the configuration says of it.
func (c *CRLURL) Prepare(string) error {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("url = %q: want http://HOST/PATH or https://HOST/PATH", c.URL)
	}
	host, path, _ := strings.Cut(c.Publish, "/")
	if host == "" || path == "" || !filepath.IsLocal(c.Publish) || filepath.Clean(c.Publish) != c.Publish {
		return fmt.Errorf("publish = %q: want HOST/PATH", c.Publish)
	}
	c.client = &http.Client{Timeout: time.Minute}
	return c.Common.check()
}

// Settings implements Source.
func (c *CRLURL) Settings() Settings { return c.Common.settings("crl-url", time.Minute) }

// String says what is read.
func (c *CRLURL) String() string { return c.URL + ", published at " + c.Publish }

// Rewind implements Source: the CRL is fetched anew.
func (c *CRLURL) Rewind(Position) error {
	c.etag, c.lastModified, c.refused = "", "", nil
	return nil
}

// Close implements Source.
func (c *CRLURL) Close() { c.client.CloseIdleConnections() }

// Read implements Source.
func (c *CRLURL) Read(ctx context.Context, to Publisher) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL, nil)
	if err != nil {
		return err
	}
	if c.etag != "" {
		request.Header.Set("If-None-Match", c.etag)
	}
	if c.lastModified != "" {
		request.Header.Set("If-Modified-Since", c.lastModified)
	}
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusNotModified:
		return c.refused
	case http.StatusOK:
		return c.publish(ctx, to, response)
	}
	return fmt.Errorf("GET %s: status %s, want 200 or 304", c.URL, response.Status)
}

// publish publishes what was fetched, as a static tree of one file.
func (c *CRLURL) publish(ctx context.Context, to Publisher, response *http.Response) error {
	dir, err := os.MkdirTemp("", "lancre-crl-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := save(filepath.Join(dir, c.Publish), response.Body); err != nil {
		return fmt.Errorf("GET %s: %w", c.URL, err)
	}
	outcome, err := to.Publish(ctx, Change{Static: dir})
	if err != nil {
		return err
	}
	c.refused = nil
	if len(outcome.Refused) > 0 {
		x := outcome.Refused[0]
		c.refused = fmt.Errorf("what %s gives is refused: %s [%s]", c.URL, x.Reason, x.Check)
	}
	c.etag, c.lastModified = response.Header.Get("ETag"), settled(response.Header)
	return c.refused
}

// settled is the Last-Modified of an answer, or nothing if that is of the second in which
// it was made: what was there can have changed once more in that (RFC 9110 section
// 8.8.2.2).
func settled(h http.Header) string {
	modified, err := http.ParseTime(h.Get("Last-Modified"))
	date, without := http.ParseTime(h.Get("Date"))
	if err != nil || without != nil || !date.After(modified) {
		return ""
	}
	return h.Get("Last-Modified")
}

// save writes what r gives to a file.
func save(path string, r io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, io.LimitReader(r, store.MaxFileSize+1))
	if err == nil && n > store.MaxFileSize {
		err = fmt.Errorf("more than %d octets, which no edge holds", int64(store.MaxFileSize))
	}
	return errors.Join(err, f.Close())
}
