package pull

import (
	"fmt"
	"time"

	"lancre/index/store"
)

const (
	// aheadAtMost is how far ahead of the clock the number of a generation may be, which
	// is a Unix time: whoever has stolen the key could else use up all numbers.
	aheadAtMost = 24 * time.Hour

	// oldAfter is the age of a manifest beyond which it may be that of a source that is
	// behind: an origin that runs has another one every minute.
	oldAfter = 3 * time.Minute
)

// A refusal says why a manifest is not taken.
type refusal struct {
	reason string // one of refusals
	err    error
}

// refusals are why a manifest is not taken, as metrics name it.
var refusals = []string{"ahead", "expired", "forged", "origin", "pinned", "size", "twice"}

func (r *refusal) Error() string { return r.err.Error() }

func (r *refusal) Unwrap() error { return r.err }

func refuse(reason, format string, args ...any) error {
	return &refusal{reason, fmt.Errorf(format, args...)}
}

// judge says why o may not follow what is here; nil if it may, or is that. A generation
// lower than that is not judged: its source is behind.
func (p *Puller) judge(o *offer) error {
	m, here := o.manifest, p.newest()
	switch {
	case here == nil:
		if !m.Expires.IsZero() && p.cfg.Now().After(m.Expires) && !p.cfg.AcceptExpired {
			return refuse("expired", "generation %d expired %s, and nothing newer is here: --accept-expired takes it", m.Generation, m.Expires.UTC().Format(time.RFC3339))
		}
	case m.Origin != here.manifest.Origin:
		return refuse("origin", "generation %d is of origin %s, what is here of %s: another origin needs an empty store", m.Generation, m.Origin, here.manifest.Origin)
	case m.Generation == here.generation() && m.Digest() != here.manifest.Digest():
		return refuse("twice", "generation %d is here with another content, manifest %s, not %s: there are two origins with one key, or a stolen one",
			m.Generation, here.manifest.Digest(), m.Digest())
	case m.Generation <= here.generation():
		return nil
	}
	if latest := p.cfg.Now().Add(aheadAtMost).Unix(); m.Generation > uint64(max(0, latest)) {
		return refuse("ahead", "generation %d is a number of more than %v ahead, which is %d: look at the clocks of this host and the origin", m.Generation, aheadAtMost, latest)
	}
	if size := sizeOf(append(m.Objects(), m.Coming...)); size > p.cfg.MaxSize {
		return refuse("size", "generation %d has %d octets, with what is coming, more than the %d of --max-size", m.Generation, size, p.cfg.MaxSize)
	}
	return p.pin.judge(m)
}

// sizeOf adds up the sizes of objects, to the largest number if it is more.
func sizeOf(objects []store.Object) (size int64) {
	for _, o := range objects {
		if size += o.Size; size < 0 {
			return 1<<63 - 1
		}
	}
	return size
}

// newest is what was taken last, installed or waiting to be; nil for nothing.
func (p *Puller) newest() *offer {
	if n := len(p.waiting); n > 0 {
		return p.waiting[n-1].offer
	}
	return p.installed
}

// behind reports whether o, of what a source has, is older than what is here.
func (p *Puller) behind(o *offer) bool {
	here := p.newest()
	return here != nil && o.generation() < here.generation()
}
