package server

import (
	"errors"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"

	"lancre/index/store"
)

const (
	// pollEvery is how often the manifest is read although nothing was notified:
	// not every file system does, NFS for one.
	pollEvery = 30 * time.Second

	// lookAgain is how soon the store is looked at again for an object that was not
	// there: one that arrives just after its manifest is to wait for nothing else.
	lookAgain = 100 * time.Millisecond
)

// watch reloads when the manifest changes, until the server stops.
func (s *Server) watch() {
	var events chan fsnotify.Event // nil blocks for ever
	var failures chan error
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		defer watcher.Close()
		// The directory, for the manifest is replaced by a rename.
		err = watcher.Add(s.cfg.Store)
		events, failures = watcher.Events, watcher.Errors
	}
	var next schedule
	timer := time.NewTimer(pollEvery)
	defer timer.Stop()
	look := func(why string) {
		_, err := s.reload(why)
		timer.Reset(next.after(err))
	}
	if err != nil {
		s.log.Warn("the store is not watched, only polled", "store", s.cfg.Store, "every", pollEvery.String(), "err", err)
	}
	look("watching") // what was published since the start
	for {
		select {
		case <-s.stop:
			return
		case e := <-events:
			if filepath.Base(e.Name) == "manifest" && (e.Has(fsnotify.Create) || e.Has(fsnotify.Write)) {
				look("changed")
			}
		case err := <-failures:
			s.log.Warn("watching the store failed", "store", s.cfg.Store, "err", err)
			look("watching failed")
		case <-timer.C:
			look(next.why())
		}
	}
}

// A schedule says when the store is looked at although nothing was notified.
type schedule struct {
	missing string        // what was, when it was last looked at; "" for nothing
	wait    time.Duration // from then on
}

// after returns how long to wait after a reload that ended with err: twice as long each
// time while the same object is missing, and as long as a poll if none is.
func (n *schedule) after(err error) time.Duration {
	missing, ok := errors.AsType[*store.MissingError](err)
	switch {
	case !ok:
		*n = schedule{wait: pollEvery}
	case n.missing != missing.Error():
		*n = schedule{missing.Error(), lookAgain}
	default:
		n.wait = min(2*n.wait, pollEvery)
	}
	return n.wait
}

// why is what the log says of a reload at that time.
func (n *schedule) why() string {
	if n.missing != "" {
		return "looking again for what was missing"
	}
	return "polled"
}
