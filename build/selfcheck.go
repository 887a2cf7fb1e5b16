package build

import (
	"bytes"
	"cmp"
	"fmt"

	"lancre/build/rule"
	"lancre/index"
)

// maxSample is how many responses a sample keeps: enough that a fault of one
// percent of them shows.
const maxSample = 256

// A sample is every n-th of the responses that were packed, as they were read. n
// doubles when the sample is full, so that it is spread over all of them.
type sample struct {
	kept  [][]byte
	every uint64 // n
	seen  uint64
}

// add considers a response; it copies what it keeps.
func (s *sample) add(der []byte) {
	s.every = max(s.every, 1)
	if s.seen++; (s.seen-1)%s.every != 0 {
		return
	}
	if len(s.kept) == maxSample {
		for i := range maxSample / 2 {
			s.kept[i] = s.kept[2*i]
		}
		s.kept, s.every = s.kept[:maxSample/2], 2*s.every
		if (s.seen-1)%s.every != 0 {
			return
		}
	}
	s.kept = append(s.kept, bytes.Clone(der))
}

// selfCheck reads back the whole of a new segment, which must hold what want says
// and answer for every response of the sample.
func selfCheck(s *index.Segment, want index.Info, of *sample) error {
	if got := s.Info(); got != want {
		return fmt.Errorf("written %+v, read back %+v", want, got)
	}
	var first error
	if !s.Verify(func(f *index.Fault) { first = cmp.Or(first, error(f)) }) {
		return first
	}
	return of.lookUp(s)
}

// lookUp checks that s answers for every CertID, of its shard, of every response of the
// sample with the octets that were read, or with a response that is not older.
func (of *sample) lookUp(s *index.Segment) error {
	var r index.Response
	var got []byte
	for _, der := range of.kept {
		if err := r.Parse(der); err != nil {
			return err
		}
		for i := range r.Singles {
			id := &r.Singles[i].CertID
			if !s.Info().Shard.Has(id) {
				continue
			}
			rec, found, err := s.Lookup(id.Key(), id)
			if err != nil {
				return fmt.Errorf("look-up of %s: %w", id, err)
			}
			if !found {
				return fmt.Errorf("look-up of %s, which was packed, finds nothing", id)
			}
			if got = rec.AppendResponse(got[:0]); !bytes.Equal(got, der) && r.Moment().Newer(rec.Moment()) {
				return fmt.Errorf("look-up of %s finds a response of %s, older than the one of %s that was packed", id, rule.UTC(rec.ThisUpdate()), rule.UTC(r.ThisUpdate))
			}
		}
	}
	return nil
}
