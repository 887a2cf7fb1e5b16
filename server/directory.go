package server

import (
	"fmt"
	"os"
)

// explain adds to what failed in the store that its directory is another one than when
// the server began, if it is: by mv, or behind a symbolic link. Whoever is confined by
// Landlock was confined to that one, and the watch is on it, too.
func (s *Server) explain(err error) error {
	if err == nil || s.dir == nil {
		return err
	}
	now, failed := os.Stat(s.cfg.Store)
	if failed != nil || os.SameFile(s.dir, now) {
		return err
	}
	return fmt.Errorf("%w: %s is another directory than when lancred started, which may read no other: restart it, or publish into the directory itself", err, s.cfg.Store)
}
