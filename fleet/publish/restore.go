package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"time"

	"lancre/index/store"
)

// A Restoration says what Restore makes a store of.
type Restoration struct {
	From  Source
	Trust *store.Trust // whose signature the manifest must have; nil asks for none
	Store string       // the directory; it must have no manifest

	Timeout  time.Duration // as that of Config
	Progress func(done, total int64, objects uint64)
}

// Restore makes a store of what is published, for an origin that has lost its own. What
// that publishes next follows what is published now. What the bucket never had is not
// restored: responses that were held, and generations to go back to.
func Restore(ctx context.Context, r Restoration) (*store.Manifest, error) {
	if now, err := store.ReadManifest(r.Store); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fmt.Errorf("it has generation %d", now.Generation)
		}
		return nil, fmt.Errorf("%s is a store already: restore to another directory: %w", r.Store, err)
	}
	text, err := r.read(ctx, manifestName, store.MaxManifestSize)
	if err != nil {
		return nil, err
	}
	m, _, err := r.Trust.Open(text)
	if err != nil {
		return nil, err
	}
	if m.List.Count > 0 {
		list, err := r.read(ctx, objectName(m.List.SHA256), maxList)
		if err != nil {
			return nil, err
		}
		if m.Files, err = store.ParseFiles(list); err != nil {
			return nil, fmt.Errorf("%s: %w", objectName(m.List.SHA256), err)
		}
	}
	o, err := store.OpenObjects(r.Store)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	if err := r.fetchAll(ctx, o, m.Objects()); err != nil {
		return nil, err
	}
	return o.Install(text)
}

// read returns the content of name, of at most limit octets.
func (r *Restoration) read(ctx context.Context, name string, limit int64) ([]byte, error) {
	var content []byte
	err := r.fetch(ctx, name, limit, func(body io.Reader) (err error) {
		content, err = io.ReadAll(io.LimitReader(body, limit+1))
		if err == nil && int64(len(content)) > limit {
			err = fmt.Errorf("more than %d octets, the most that it can have", limit)
		}
		return err
	})
	return content, err
}

func (r *Restoration) fetchAll(ctx context.Context, o *store.Objects, objects []store.Object) error {
	var total, done int64
	for _, object := range objects {
		total += object.Size
	}
	for i, object := range objects {
		err := r.fetch(ctx, objectName(object.SHA256), object.Size, func(body io.Reader) error {
			sum, size, err := o.AddObject(io.LimitReader(body, object.Size+1))
			if err == nil && sum != object.SHA256 {
				err = fmt.Errorf("%d octets with SHA-256 %s, want %d octets: it is damaged there; an edge has a good copy", size, sum, object.Size)
			}
			return err
		})
		if err != nil {
			return err
		}
		if done += object.Size; r.Progress != nil {
			r.Progress(done, total, uint64(i)+1)
		}
	}
	return nil
}

// How often a request is made that fails, and the time before the first repetition,
// which doubles.
const (
	fetchTries = 4
	fetchPause = 250 * time.Millisecond
)

// fetch has use read the object called name, of so many octets, and tries again what
// fails.
func (r *Restoration) fetch(ctx context.Context, name string, octets int64, use func(io.Reader) error) error {
	for try, wait := 1, fetchPause; ; try, wait = try+1, 2*wait {
		err := r.fetchOnce(ctx, name, octets, use)
		if err == nil || errors.Is(err, fs.ErrNotExist) || try == fetchTries || ctx.Err() != nil {
			return err
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

func (r *Restoration) fetchOnce(ctx context.Context, name string, octets int64, use func(io.Reader) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeoutOf(r.Timeout, octets))
	defer cancel()
	body, _, err := r.From.Open(ctx, name)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := use(body); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// An httpSource is the URL below which a store is published.
type httpSource string

// Open implements Source.
func (s httpSource) Open(ctx context.Context, name string) (io.ReadCloser, string, error) {
	url := string(s) + "/" + name
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, "", err
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, resp.Header.Get("ETag"), nil
	}
	resp.Body.Close()
	if resp.StatusCode == http.StatusNotFound {
		return nil, "", fmt.Errorf("%s: %w", url, fs.ErrNotExist)
	}
	return nil, "", fmt.Errorf("%s: %s", url, resp.Status)
}
