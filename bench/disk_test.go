package bench

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"lancre/internal/durable"
)

// BenchmarkDisk is what this disk takes for the two steps that a publication consists of:
// a small object that is written and synced, and a rename with its directory.
func BenchmarkDisk(b *testing.B) {
	content := bytes.Repeat([]byte{1}, 4096)
	b.Run("fsync", func(b *testing.B) {
		dir := b.TempDir()
		for b.Loop() {
			f, err := os.CreateTemp(dir, "")
			if err != nil {
				b.Fatal(err)
			}
			if _, err := f.Write(content); err != nil {
				b.Fatal(err)
			}
			if err := f.Sync(); err != nil {
				b.Fatal(err)
			}
			f.Close()
		}
	})
	b.Run("rename", func(b *testing.B) {
		dir := b.TempDir()
		names := []string{filepath.Join(dir, "1"), filepath.Join(dir, "2")}
		if err := os.WriteFile(names[0], content, 0o644); err != nil {
			b.Fatal(err)
		}
		for i := 0; b.Loop(); i++ {
			if err := os.Rename(names[i%2], names[(i+1)%2]); err != nil {
				b.Fatal(err)
			}
			if err := durable.SyncDir(dir); err != nil {
				b.Fatal(err)
			}
		}
	})
}
