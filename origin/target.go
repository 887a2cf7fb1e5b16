package origin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"lancre/fleet/publish"
	"lancre/index/store"
	"lancre/origin/source"
)

// A Target is a place to which the store is published, as by lancre publish.
type Target struct {
	// Name is what it is called in logs and metrics, as a source has one. Default:
	// publish, with a number where there are several.
	Name string `toml:"name"`

	// To is s3://BUCKET/PREFIX or a directory, which is made if absent.
	To string `toml:"to"`

	// The others are those of publish.Config.
	Retain       *source.Duration `toml:"retain"`
	Canary       string           `toml:"canary"`
	OnPublish    string           `toml:"on_publish"`
	SingleWriter bool             `toml:"single_writer"`

	config publish.Config
}

// prepare checks t, whose path, if To is one, is relative to base. Nothing is written, and
// no request made.
func (t *Target) prepare(base string, c *Config) (err error) {
	if t.To == "" {
		return errors.New("no place to publish to: want to = \"s3://BUCKET/PREFIX\" or \"DIR\"")
	}
	if !t.isURL() {
		t.To = within(base, t.To)
	}
	if t.To == c.Store {
		return fmt.Errorf("to = %q is the store itself: want another directory", t.To)
	}
	t.config = publish.DefaultConfig()
	t.config.Store, t.config.Trust = c.Store, c.trust
	t.config.Canary, t.config.OnPublish, t.config.SingleWriter = t.Canary, t.OnPublish, t.SingleWriter
	if t.Retain != nil {
		t.config.Retain = time.Duration(*t.Retain)
	}
	if err := t.config.Check(); err != nil {
		return err
	}
	if t.isURL() { // a directory would be made
		_, err = publish.OpenBucket(t.To)
	}
	return err
}

func (t *Target) isURL() bool { return strings.Contains(t.To, "://") }

// open makes ready to publish.
func (t *Target) open() (*publish.Publisher, error) {
	bucket, err := publish.OpenBucket(t.To)
	if err != nil {
		return nil, err
	}
	return publish.New(t.config, bucket)
}

// String is what is done, for a person.
func (t *Target) String() string {
	text := fmt.Sprintf("to %s, when something changes; what was replaced stays for %s", t.To, t.config.Retain)
	if t.config.Retain == 0 {
		text = fmt.Sprintf("to %s, when something changes; what was replaced stays", t.To)
	}
	if t.Canary != "" {
		text += "; only what " + t.Canary + " serves"
	}
	if t.OnPublish != "" {
		text += "; then " + t.OnPublish
	}
	return text
}

// lookEvery is how often it is looked whether somebody else has published: lancre add, or
// a rollback. It costs the reading of a manifest.
const lookEvery = 5 * time.Second

// An outlet publishes the store to one target, beside the sources: always the newest
// generation, so that where the bucket is slow or away, those between are left out.
type outlet struct {
	*Follower
	task
	target    *Target
	publisher *publish.Publisher // nil before the first time; of the task alone
	wake      chan struct{}      // holds one element when there may be something to publish

	generations atomic.Uint64 // that were published
	octets      atomic.Uint64 // that were put

	// Under the Follower's mu:
	generation uint64    // that is there, as far as is known
	current    time.Time // when that was last the one of the store
}

func newOutlet(f *Follower, t *Target) *outlet {
	o := &outlet{Follower: f, target: t, wake: make(chan struct{}, 1)}
	o.task = task{name: t.Name, every: lookEvery, do: o.publish, worth: o.wake}
	return o
}

// publish publishes the newest generation, unless it is there.
func (o *outlet) publish(ctx context.Context) (err error) {
	m, err := store.ReadManifest(o.config.Store)
	if err != nil {
		return err
	}
	if o.isCurrent(m.Generation) {
		return nil
	}
	if o.publisher == nil {
		if o.publisher, err = o.target.open(); err != nil {
			return err
		}
	}
	began := time.Now()
	r, err := o.publisher.Publish(ctx)
	o.octets.Add(uint64(r.Octets))
	o.noteResult(r, err)
	if r.Published {
		o.log.Info("copied", "target", o.name, "generation", r.Generation, "replaced", r.Replaced, "objects", r.Objects, "octets", r.Octets,
			"took", time.Since(began).Round(time.Millisecond).String())
	}
	return err
}

// isCurrent reports whether that generation is there, and nothing is to be made good, and
// if so takes it down.
func (o *outlet) isCurrent(generation uint64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.generation != generation || o.failures > 0 {
		return false
	}
	o.current = time.Now()
	return true
}

// noteResult takes down what is there now.
func (o *outlet) noteResult(r *publish.Result, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r.Published {
		o.generations.Add(1)
	}
	if r.Published || err == nil {
		o.generation, o.current = r.Generation, time.Now()
	}
}
