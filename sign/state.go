package sign

import (
	"errors"
	"fmt"
	"io/fs"

	"lancre/index"
	"lancre/index/store"
)

// A state is what was said before: in the store, and in responses that were signed for
// it and are not in it yet.
type state struct {
	store   *store.Generation // nil if there is none yet
	pending *index.Segment    // nil if there is nothing
}

// said is what was said last of a certificate.
type said struct {
	known bool // else nothing was
	status
	thisUpdate int64
	nextUpdate int64 // 0 of a tombstone: nothing is said now
	inStore    bool  // and answers there at present
}

// openState opens the state. What is pending must be read before: it may get into the
// store, but not back.
func (c *Config) openState(pending *index.Segment) (*state, error) {
	s := &state{pending: pending}
	g, err := store.OpenAnswers(c.Store, nil)
	switch missing := errors.Is(err, fs.ErrNotExist); {
	case missing && c.NoStore:
		return s, nil
	case missing:
		err = fmt.Errorf("%w: without a store all would be signed anew, and nothing would be known to be revoked; if there is none yet, say --no-store", err)
	case err == nil && c.NoStore:
		g.Close()
		err = errors.New("there is one: leave out --no-store")
	}
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", c.Store, err)
	}
	s.store = g
	return s, nil
}

// close unmaps all.
func (s *state) close() {
	if s.store != nil {
		s.store.Close()
	}
	if s.pending != nil {
		s.pending.Close()
	}
}

// newest is the latest producedAt, Unix seconds; 0 if there is none.
func (s *state) newest() (at int64) {
	for _, segment := range s.segments() {
		at = max(at, segment.Info().MaxProducedAt)
	}
	return at
}

func (s *state) segments() (list []*index.Segment) {
	if s.store != nil {
		list = append(list, s.store.Segments()...)
	}
	if s.pending != nil {
		list = append(list, s.pending)
	}
	return list
}

// find is what was said last of id.
func (s *state) find(id *index.CertID, now int64) (last said, err error) {
	key := id.Key()
	if s.store != nil {
		rec, found, err := s.store.Lookup(key, id)
		if err != nil {
			return last, err
		}
		if found {
			last = saidOf(rec, id)
			last.inStore = current(rec, now)
		}
	}
	if s.pending == nil {
		return last, nil
	}
	rec, found, err := s.pending.Lookup(key, id)
	if found && rec.ThisUpdate() >= last.thisUpdate {
		inStore := last.inStore
		last = saidOf(rec, id)
		last.inStore = inStore
	}
	return last, err
}

// current reports whether rec is a response that holds.
func current(rec index.Record, now int64) bool { return !rec.Tombstone() && rec.NextUpdate() > now }

func saidOf(rec index.Record, id *index.CertID) said {
	s, _ := rec.CertStatus(id) // which can be read, for the segment was verified when it was made
	if s.Reason == 0 {
		s.Reason = -1 // unspecified, which says as much
	}
	return said{
		known:      true,
		status:     status{s.Status, s.Reason, s.RevokedAt},
		thisUpdate: s.ThisUpdate, nextUpdate: rec.NextUpdate(), // 0 of a tombstone
	}
}
