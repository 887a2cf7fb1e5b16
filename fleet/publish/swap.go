package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"lancre/index/store"
)

// noTag is the tag of no object: the form is that of an ETag.
const noTag = "00000000000000000000000000000000"

// prove sees, once, what the clock of the bucket says and whether it heeds the
// preconditions by which a manifest is replaced. It tries them on an object of its own:
// a bucket that did not would replace the manifest.
func (p *Publisher) prove(ctx context.Context) error {
	if p.proven {
		return nil
	}
	ctx, cancel := p.brief(ctx, 0)
	defer cancel()
	probe := []byte("Lancre tries here whether this storage heeds If-Match and If-None-Match.\n")
	if err := p.bucket.Put(ctx, probeName, bytes.NewReader(probe), int64(len(probe))); err != nil {
		return err
	}
	e, err := p.bucket.Stat(ctx, probeName)
	if err != nil {
		return err
	}
	p.ahead = time.Until(e.Modified)
	for _, tag := range []string{noTag, ""} {
		err := p.bucket.Swap(ctx, probeName, probe, tag)
		switch {
		case errors.Is(err, ErrChanged) || err == nil && p.config.SingleWriter:
		case err == nil:
			return errors.New("this storage replaces an object although If-Match or If-None-Match forbid it, so that two origins could overwrite each other: " +
				"use another one, or see to it that there is one origin and say --single-writer")
		default:
			return err
		}
	}
	p.proven = true
	return nil
}

// A state is the manifest that a bucket has.
type state struct {
	text     []byte
	tag      string // "" if there is none
	manifest *store.Manifest
}

// current reads the manifest of the bucket. One that cannot be opened is an error,
// unless forced: then it is one that names nothing.
func (p *Publisher) current(ctx context.Context) (there state, err error) {
	there.text, there.tag, err = p.read(ctx, manifestName, store.MaxManifestSize)
	if errors.Is(err, fs.ErrNotExist) {
		return state{}, nil
	}
	if err != nil {
		return there, err
	}
	there.manifest, _, err = p.config.Trust.Open(there.text)
	if err != nil && !p.config.Force {
		return there, fmt.Errorf("the manifest that is published there: %w; to replace it: --force", err)
	}
	return there, nil
}

// read returns the content of name, of at most limit octets, and its tag.
func (p *Publisher) read(ctx context.Context, name string, limit int64) ([]byte, string, error) {
	ctx, cancel := p.brief(ctx, limit)
	defer cancel()
	return read(ctx, p.bucket, name, limit)
}

func read(ctx context.Context, b Bucket, name string, limit int64) ([]byte, string, error) {
	r, tag, err := b.Open(ctx, name)
	if err != nil {
		return nil, "", err
	}
	defer r.Close()
	content, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(content)) > limit {
		err = fmt.Errorf("%s: more than %d octets, the most that it can have", name, limit)
	}
	return content, tag, err
}

// mayReplace wants what is there to be what the store has published, if anything.
func (p *Publisher) mayReplace(there state, m *store.Manifest) error {
	now := there.manifest
	switch {
	case now == nil || now.Digest() == m.Digest() || p.config.Force:
		return nil
	case now.Generation < m.Generation && (now.Digest() == m.Parent || store.WasPublished(p.config.Store, now)):
		return nil
	case now.Generation > m.Generation:
		return fmt.Errorf("generation %d of %s is published there, the store has %d: another origin publishes there, or this store was put back (lancre restore makes one of what is there; to replace it: --force)",
			now.Generation, now.Origin, m.Generation)
	}
	return fmt.Errorf("generation %d of %s, created %s, is published there, and not of the history of this store: another origin publishes there (lancre restore makes a store of what is there; to replace it: --force)",
		now.Generation, now.Origin, now.Created.UTC().Format(time.RFC3339))
}

// replace makes text the manifest in the place of there, which it keeps.
func (p *Publisher) replace(ctx context.Context, there state, text []byte, r *Result) error {
	if bytes.Equal(there.text, text) {
		return nil
	}
	if there.manifest != nil {
		r.Replaced = there.manifest.Generation
		past := fmt.Sprintf("%s/%d", historyDir, r.Replaced)
		if err := p.put(ctx, past, bytes.NewReader(there.text), int64(len(there.text))); err != nil {
			return err
		}
	}
	if err := p.swap(ctx, text, there.tag); err != nil {
		return err
	}
	r.Published = true
	return nil
}

// swap replaces the manifest with the given tag by text. What fails may have been done:
// the answer was lost, and repeated the request fails by itself. So what counts is what
// is there then.
func (p *Publisher) swap(ctx context.Context, text []byte, tag string) error {
	brief, cancel := p.brief(ctx, int64(len(text)))
	defer cancel()
	err := p.bucket.Swap(brief, manifestName, text, tag)
	if err == nil {
		return nil
	}
	now, _, readErr := p.read(ctx, manifestName, store.MaxManifestSize)
	if readErr == nil && bytes.Equal(now, text) {
		return nil
	}
	return fmt.Errorf("replacing the manifest: %w", err)
}

func (p *Publisher) put(ctx context.Context, name string, content io.Reader, size int64) error {
	ctx, cancel := p.brief(ctx, size)
	defer cancel()
	return p.bucket.Put(ctx, name, content, size)
}
