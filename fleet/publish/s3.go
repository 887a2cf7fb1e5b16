package publish

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// An s3Bucket is a bucket of an S3-compatible storage, below a prefix. The tag of an
// object is its ETag.
type s3Bucket struct {
	client *minio.Core
	bucket string
	prefix string // "" or with a slash at its end
	tried  *attempts
}

// attempts make requests and remember what was wrong with the last one that failed: the
// client repeats it until its time is over, and then says no more than that.
type attempts struct {
	http.RoundTripper
	last atomic.Pointer[string]
}

// RoundTrip implements http.RoundTripper.
func (a *attempts) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := a.RoundTripper.RoundTrip(req)
	what := ""
	switch {
	case err != nil && req.Context().Err() == nil: // else it was the time that was over
		what = err.Error()
	case err == nil && resp.StatusCode >= http.StatusInternalServerError:
		what = req.URL.Host + ": " + resp.Status
	default:
		return resp, err
	}
	a.last.Store(&what)
	return resp, err
}

// How caches may keep what a bucket has (RFC 9111): a manifest must be asked for again,
// everything else is named by its content.
const (
	cacheManifest = "no-cache"
	cacheObject   = "public, max-age=31536000, immutable"
)

// openS3 takes endpoint, region and credentials from where the tools of AWS take them.
func openS3(bucket, prefix string) (Bucket, error) {
	endpoint := cmp.Or(os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL"), "https://s3.amazonaws.com")
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("endpoint %q of AWS_ENDPOINT_URL_S3: want https://HOST", endpoint)
	}
	transport, err := minio.DefaultTransport(u.Scheme == "https")
	if err != nil {
		return nil, err
	}
	tried := &attempts{RoundTripper: transport}
	client, err := minio.NewCore(u.Host, &minio.Options{
		Transport: tried,
		Creds: credentials.NewChainCredentials([]credentials.Provider{
			&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}, &credentials.IAM{},
		}),
		Secure: u.Scheme == "https",
		Region: cmp.Or(os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"), "us-east-1"), // asked for, it would need a permission of its own
	})
	if err != nil {
		return nil, err
	}
	if prefix != "" {
		prefix += "/"
	}
	return &s3Bucket{client, bucket, prefix, tried}, nil
}

// fault is err, of a request about name, as Bucket wants it.
func (b *s3Bucket) fault(name string, err error) error {
	if err == nil {
		return nil
	}
	if last := b.tried.last.Load(); last != nil && errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%w; the last attempt: %s", err, *last)
	}
	var r minio.ErrorResponse
	if errors.As(err, &r) {
		switch {
		case r.Code == minio.NoSuchKey || r.StatusCode == http.StatusNotFound && r.Code != minio.NoSuchBucket:
			err = fs.ErrNotExist
		case r.StatusCode == http.StatusPreconditionFailed:
			err = ErrChanged
		}
	}
	return fmt.Errorf("s3://%s/%s%s: %w", b.bucket, b.prefix, name, err)
}

// Open implements Bucket.
func (b *s3Bucket) Open(ctx context.Context, name string) (io.ReadCloser, string, error) {
	r, info, _, err := b.client.GetObject(ctx, b.bucket, b.prefix+name, minio.GetObjectOptions{})
	if err != nil {
		return nil, "", b.fault(name, err)
	}
	return r, info.ETag, nil
}

// Put implements Bucket. The octets are sent as they are, with their MD5. Else they would be
// signed piece by piece where there is no TLS, which is called Content-Encoding aws-chunked:
// versitygw tells that to whoever reads the object, and edges take none that is encoded. And
// by the MD5 what is damaged here, or cut off on the way, does not become an object.
func (b *s3Bucket) Put(ctx context.Context, name string, content io.Reader, size int64) error {
	_, err := b.client.Client.PutObject(ctx, b.bucket, b.prefix+name, content, size, minio.PutObjectOptions{
		ContentType: "application/octet-stream", CacheControl: cacheObject, DisableContentSha256: true, SendContentMd5: true,
	})
	return b.fault(name, err)
}

// How often, and after which time, Swap is tried again where the storage is still at
// work on another one (409, which AWS asks to repeat).
const (
	busyTries = 10
	busyPause = 200 * time.Millisecond
)

// Swap implements Bucket, by the preconditions of PutObject. They would be lost on an
// upload in parts, which content is too small for.
func (b *s3Bucket) Swap(ctx context.Context, name string, content []byte, tag string) error {
	opts := minio.PutObjectOptions{ContentType: "text/plain; charset=utf-8", CacheControl: cacheManifest, DisableContentSha256: true, SendContentMd5: true, DisableMultipart: true}
	if tag == "" {
		opts.SetMatchETagExcept("*")
	} else {
		opts.SetMatchETag(tag)
	}
	for try := 1; ; try++ {
		_, err := b.client.Client.PutObject(ctx, b.bucket, b.prefix+name, bytes.NewReader(content), int64(len(content)), opts)
		if minio.ToErrorResponse(err).StatusCode != http.StatusConflict || try == busyTries {
			err = b.fault(name, err)
			if tag != "" && errors.Is(err, fs.ErrNotExist) { // what was there is gone
				err = ErrChanged
			}
			return err
		}
		if err := pause(ctx, busyPause); err != nil {
			return err
		}
	}
}

// pause waits for d, or until ctx is over.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Stat implements Bucket.
func (b *s3Bucket) Stat(ctx context.Context, name string) (Entry, error) {
	info, err := b.client.Client.StatObject(ctx, b.bucket, b.prefix+name, minio.StatObjectOptions{})
	return Entry{name, info.Size, info.LastModified}, b.fault(name, err)
}

// List implements Bucket.
func (b *s3Bucket) List(ctx context.Context, dir string) (list []Entry, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // of what goes on if the loop ends by an error
	for info := range b.client.Client.ListObjects(ctx, b.bucket, minio.ListObjectsOptions{Prefix: b.prefix + dir + "/"}) {
		if info.Err != nil {
			return nil, b.fault(dir+"/", info.Err)
		}
		list = append(list, Entry{strings.TrimPrefix(info.Key, b.prefix), info.Size, info.LastModified})
	}
	return list, nil
}

// Remove implements Bucket.
func (b *s3Bucket) Remove(ctx context.Context, name string) error {
	return b.fault(name, b.client.Client.RemoveObject(ctx, b.bucket, b.prefix+name, minio.RemoveObjectOptions{}))
}
