package build

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"lancre/index"
	"lancre/index/store"
)

// A segment that cannot be finished ends the build, whichever it is of those that are
// finished side by side, and nothing of them is left.
func TestFinishEndsWithAnError(t *testing.T) {
	for broken := range uint32(8) {
		dir := filepath.Join(t.TempDir(), "store")
		objects, err := store.OpenObjects(dir)
		if err != nil {
			t.Fatal(err)
		}
		var shards []index.Shard
		for i := range uint32(8) {
			shards = append(shards, index.Shard{Index: i, Of: 8})
		}
		o, err := newOutputs(objects.TempDir(), shards)
		if err != nil {
			t.Fatal(err)
		}
		o.byShard[broken].writer.Abort()
		b := &builder{objects: objects, report: new(Report)}
		if lines, _, err := b.finish(o, store.RoleBase); !errors.Is(err, os.ErrClosed) || lines != nil {
			t.Errorf("shard %d: lines %v, error %v", broken, lines, err)
		}
		objects.Close()
		if left, err := os.ReadDir(filepath.Join(dir, "objects")); err != nil || len(left) > 0 {
			t.Errorf("shard %d: %v is left, error %v", broken, left, err)
		}
	}
}
