package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
)

// A Bucket is where a store is published to: it has objects under names, such as
// "manifest" and "objects/<sha256>". Its methods are safe for concurrent use.
type Bucket interface {
	// Open returns the content of name and its tag. Without such an object, the
	// error is an fs.ErrNotExist.
	Open(ctx context.Context, name string) (content io.ReadCloser, tag string, err error)

	// Put makes an object that is not to change any more, in one step. It may be there
	// already.
	Put(ctx context.Context, name string, content io.Reader, size int64) error

	// Swap replaces the object name by content if tag is still the one that it has;
	// "" if there is none. Otherwise the error is ErrChanged.
	Swap(ctx context.Context, name string, content []byte, tag string) error

	// Stat says what an object is. Without one, the error is an fs.ErrNotExist.
	Stat(ctx context.Context, name string) (Entry, error)

	// List returns the objects whose names begin with dir and a slash, in any order.
	List(ctx context.Context, dir string) ([]Entry, error)

	// Remove removes an object. It may be gone already.
	Remove(ctx context.Context, name string) error
}

// An Entry is an object of a Bucket.
type Entry struct {
	Name     string
	Size     int64     // octets
	Modified time.Time // when it was put last, by the clock of the bucket
}

// ErrChanged says that somebody else has replaced an object, or made it.
var ErrChanged = errors.New("it was changed meanwhile")

// OpenBucket opens what to names: s3://BUCKET/PREFIX or a directory, which is made if
// absent. It makes no request.
func OpenBucket(to string) (Bucket, error) {
	u, err := url.Parse(to)
	switch {
	case err == nil && u.Scheme == "s3":
		if u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			return nil, fmt.Errorf("%s: want s3://BUCKET/PREFIX", to)
		}
		return openS3(u.Host, strings.Trim(u.Path, "/"))
	case err == nil && u.Scheme != "" && strings.Contains(to, "://"):
		return nil, fmt.Errorf("%s: want s3://BUCKET/PREFIX or a directory", to)
	}
	d := dirBucket{to}
	return d, d.make()
}

// A Source is where a store that was published can be read from, as a Bucket.
type Source interface {
	Open(ctx context.Context, name string) (content io.ReadCloser, tag string, err error)
}

// OpenSource opens what from names: http://HOST/PREFIX, or https, as an edge reads it,
// or what OpenBucket does.
func OpenSource(from string) (Source, error) {
	u, err := url.Parse(from)
	switch {
	case err == nil && (u.Scheme == "http" || u.Scheme == "https"):
		return httpSource(strings.TrimSuffix(from, "/")), nil
	case err == nil && u.Scheme == "":
		return dirBucket{from}, nil // which is not to be made
	}
	return OpenBucket(from)
}
