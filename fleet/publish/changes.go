package publish

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"

	"lancre/index/store"
)

// tell runs OnPublish, if the manifest there was replaced by m. The command is run to its
// end: nobody would tell what changed a second time.
func (p *Publisher) tell(there state, m *store.Manifest, r *Result) error {
	if p.config.OnPublish == "" || !r.Published {
		return nil
	}
	cmd := exec.Command("/bin/sh", "-c", p.config.OnPublish)
	cmd.Env = append(os.Environ(), fmt.Sprintf("LANCRE_GENERATION=%d", r.Generation), fmt.Sprintf("LANCRE_REPLACED=%d", r.Replaced))
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	w := bufio.NewWriter(stdin)
	err = p.writeChanges(w, there.manifest, m)
	w.Flush() // an error means that the command reads no more, which is its business
	stdin.Close()
	if err := errors.Join(err, cmd.Wait()); err != nil {
		return fmt.Errorf("generation %d is published, but --on-publish %q failed: %w", r.Generation, p.config.OnPublish, err)
	}
	return nil
}

// writeChanges writes what differs from before, which may be nil, to m. w keeps its
// errors.
func (p *Publisher) writeChanges(w io.Writer, before, m *store.Manifest) error {
	if before == nil || !store.WasPublished(p.config.Store, before) {
		fmt.Fprintln(w, "everything")
		return nil
	}
	was, err := store.OpenPast(p.config.Store, before.Generation, nil)
	if err != nil {
		return err
	}
	defer was.Close()
	is, err := store.OpenPast(p.config.Store, m.Generation, was)
	if err != nil {
		return err
	}
	defer is.Close()
	err = store.Diff(was, is, func(c store.Change) bool {
		fmt.Fprintf(w, "serial %s %x %x %x\n", c.ID.Alg, c.ID.NameHash, c.ID.KeyHash, c.ID.Serial)
		return true
	})
	for _, url := range changedFiles(was.Manifest().Files, is.Manifest().Files) {
		fmt.Fprintf(w, "url %s\n", url)
	}
	return err
}

// changedFiles are the places, in order, at which something else, or nothing, was.
func changedFiles(before, after []store.FileLine) []string {
	changed := make(map[string]bool)
	was := make(map[string]store.FileLine)
	for _, f := range before {
		was[f.Host+f.Path] = f
		changed[f.Host+f.Path] = true
	}
	for _, f := range after {
		changed[f.Host+f.Path] = was[f.Host+f.Path] != f
	}
	maps.DeleteFunc(changed, func(_ string, is bool) bool { return !is })
	return slices.Sorted(maps.Keys(changed))
}
