package store

import (
	"cmp"
	"slices"
	"time"
)

// Announce publishes a generation that answers as the one before does, and says that what
// was added to o so far is coming, and nothing else: edges fetch that ahead, so that it
// holds up nothing when a later publication of o names it. now is when that generation is
// made, unless the one before is younger. There must be one. After an error o is to be closed.
//
// What was announced and never came goes when something else is announced, and is garbage
// then.
func (o *Objects) Announce(now time.Time) error {
	ahead, err := OpenObjects(o.dir)
	if err != nil {
		return err
	}
	ahead.signing = o.signing
	ahead.staged, o.staged = o.staged, make(map[string]stagedObject) // they have their names then
	p, err := ahead.Begin()
	if err != nil {
		ahead.Close()
		return err
	}
	defer p.Close()
	_, err = new(Delta).Commit(p, func(next *Manifest) error {
		next.Coming = nil
		for sum, s := range ahead.staged {
			next.Coming = append(next.Coming, Object{s.size, sum})
		}
		slices.SortFunc(next.Coming, func(a, b Object) int { return cmp.Compare(a.SHA256, b.SHA256) })
		if now.After(next.Created) {
			next.Date(now)
		}
		return nil
	})
	return err
}

// dropArrived takes out of m.Coming what m needs.
func (m *Manifest) dropArrived() {
	if len(m.Coming) == 0 {
		return
	}
	needed := make(map[string]bool)
	m.eachObject(needed)
	m.Coming = slices.DeleteFunc(slices.Clone(m.Coming), func(o Object) bool { return needed[o.SHA256] })
}
