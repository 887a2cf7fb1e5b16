// Package publish copies a store to where edges, or the caches before them, fetch it
// from: a bucket of S3-compatible storage, or a directory. There it has the same layout,
//
//	manifest              as the store has it, with its signatures
//	objects/<sha256>      all that it names
//	history/<generation>  manifests that were replaced lately
//	probe, swept          what publishers ask the bucket, and tell each other
//
// and it is one atomic generation at any moment: objects come first, and the manifest
// is replaced last, by compare-and-swap.
//
// # One writer, even where there are two
//
// A manifest is replaced only by one of its own history: one whose store has published
// it. So of two origins that publish to one bucket the second fails, and says so; they
// cannot take turns and so lose what the other has. The swap is made on the ETag of what
// was looked at, and the bucket is first made to prove that it heeds If-Match and
// If-None-Match: some storage takes the headers and does not. Where it cannot,
// SingleWriter says that somebody else sees to it.
//
// # What may go
//
// What a generation has in common with the one that it replaces is not looked at again.
// The rest is put unless it is there, and put again if it lies there for longer than
// half of Retain: an object that no manifest names is removed when it has not been put
// for Retain, and nobody but publishers removes any. So what one of them relies on, no
// other one removes.
package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"lancre/index/store"
)

// Names in a bucket.
const (
	manifestName = "manifest"
	objectsDir   = "objects"
	historyDir   = "history"
	probeName    = "probe" // see prove
	sweptName    = "swept" // when that was done last, by when this object was put
)

func objectName(sum string) string { return objectsDir + "/" + sum }

// Config says what is published where. Begin with DefaultConfig.
type Config struct {
	// Store is the STORE directory.
	Store string

	// Trust is whose signature the store's manifest and that of the bucket must have;
	// nil asks for none.
	Trust *store.Trust

	// Retain is how long manifests that were replaced are kept, all of the last hour
	// and one an hour before, with what they name; and objects that no manifest names.
	// A day by default; it must be longer than an upload can take. Zero keeps all.
	Retain time.Duration

	// SweepEvery is how often it is seen what the bucket has lost, and what may go: and
	// whenever there is nothing new to publish. An hour by default.
	SweepEvery time.Duration

	// SingleWriter goes without the proof that the bucket heeds preconditions:
	// somebody else sees to it that there is one origin.
	SingleWriter bool

	// Force replaces a manifest that is not of the store's history, or cannot be read.
	Force bool

	// Canary is the admin URL of a lancred that serves Store, such as
	// http://127.0.0.1:9090: what it does not serve is not published. Optional.
	Canary string

	// OnPublish is a command for the shell that is run after each publication. On its
	// standard input it has a line for all that is answered otherwise since:
	//
	//	serial ALG NAMEHASH KEYHASH SERIAL    a certificate by its CertID, in hexadecimal digits
	//	url HOST/PATH                         a file; _ is every host
	//	everything                            where it is not known: nothing was there, or
	//	                                      the store has no copy of it any more
	//
	// The environment has LANCRE_GENERATION, and LANCRE_REPLACED, which is 0 for none.
	// Optional.
	OnPublish string

	// Parallel is how many objects are put at a time. 8 by default.
	Parallel int

	// Timeout bounds each request; that of a large object has a second more for each
	// 256 KiB. 30 s by default.
	Timeout time.Duration

	// Progress is told, if not nil, how much of what is to be put, or there, is: in
	// octets, and in objects.
	Progress func(done, total int64, objects uint64)
}

// DefaultConfig is right for most, but for the Store.
func DefaultConfig() Config {
	return Config{Retain: 24 * time.Hour, SweepEvery: time.Hour, Parallel: 8, Timeout: 30 * time.Second}
}

// Check finds what is wrong with the settings by themselves.
func (c *Config) Check() error {
	switch {
	case c.Store == "":
		return errors.New("no store to publish")
	case c.Retain < 0 || c.SweepEvery < 0:
		return fmt.Errorf("retain %v, sweep every %v: want 0s or more", c.Retain, c.SweepEvery)
	case c.Parallel < 1:
		return fmt.Errorf("%d objects at a time: want 1 or more", c.Parallel)
	case c.Timeout <= 0:
		return fmt.Errorf("timeout %v: want more than 0s", c.Timeout)
	}
	return nil
}

// A Result is what Publish did. It is meaningful also with an error.
type Result struct {
	Generation uint64 `json:"generation"`
	Replaced   uint64 `json:"replaced,omitempty"` // generation that was there before; 0 for none
	Published  bool   `json:"published"`          // whether the manifest was replaced; if not, it was there already
	Objects    int    `json:"objects"`            // put
	Octets     int64  `json:"octets"`             // of these
	Removed    int    `json:"removed"`            // objects and old manifests
}

// A Publisher publishes the generations of one store, one after another. It is not safe
// for concurrent use.
type Publisher struct {
	config Config
	bucket Bucket
	proven bool                // that the bucket heeds preconditions
	ahead  time.Duration       // of the clock here is that of the bucket
	swept  time.Time           // by the clock of the bucket; zero if not known yet
	known  map[string][]string // names of objects by that of the manifest, or list of files, that names them
}

// New returns a Publisher to bucket.
func New(c Config, bucket Bucket) (*Publisher, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if d, ok := bucket.(dirBucket); ok && filepath.Clean(d.path) == filepath.Clean(c.Store) {
		return nil, fmt.Errorf("%s is the store itself: publish to another directory", c.Store)
	}
	return &Publisher{config: c, bucket: bucket, known: make(map[string][]string)}, nil
}

// maxMoved is how often Publish begins again since the bucket or the store has changed.
const maxMoved = 5

// Publish publishes the current generation of the store. What a crash or an error left
// half done the next call makes good, and a sweep what the bucket has lost: also where
// the manifest is there already.
//
// It does nothing that edges could notice before it has put all objects. After an
// error the manifest there is the one before, unless Published says otherwise.
func (p *Publisher) Publish(ctx context.Context) (*Result, error) {
	for try := 1; ; try++ {
		r, err := p.publish(ctx)
		if try == maxMoved || !errors.Is(err, ErrChanged) {
			return r, err
		}
	}
}

func (p *Publisher) publish(ctx context.Context) (*Result, error) {
	text, m, err := store.ReadSigned(p.config.Store, p.config.Trust)
	if err != nil {
		return &Result{}, err
	}
	r := &Result{Generation: m.Generation}
	if p.config.Canary != "" {
		if err := askCanary(ctx, p.config.Canary, m.Generation); err != nil {
			return r, err
		}
	}
	if err := p.prove(ctx); err != nil {
		return r, err
	}
	there, err := p.current(ctx)
	if err != nil {
		return r, err
	}
	if err := p.mayReplace(there, m); err != nil {
		return r, err
	}
	if err := p.upload(ctx, m, there, r); err != nil {
		return r, err
	}
	if err := p.replace(ctx, there, text, r); err != nil {
		return r, err
	}
	swept := p.sweep(ctx, m, r)
	return r, cmp.Or(p.tell(there, m, r), swept)
}

// brief is ctx for one request, which transfers so many octets.
func (p *Publisher) brief(ctx context.Context, octets int64) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, timeoutOf(p.config.Timeout, octets))
}

// timeoutOf is the time that a request may take.
func timeoutOf(timeout time.Duration, octets int64) time.Duration {
	const slowest = 256 << 10 // octets a second
	return timeout + time.Duration(octets/slowest)*time.Second
}

// now is the time by the clock of the bucket.
func (p *Publisher) now() time.Time { return time.Now().Add(p.ahead) }
