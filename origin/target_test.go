package origin

import (
	"bytes"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lancre/index"
	"lancre/index/store"
)

const bucket = "[[publish]]\nto = \"bucket\"\n"

// Every generation is signed, whatever made it: the first, an addition, a heartbeat, a
// merge.
func TestFollowSigns(t *testing.T) {
	config := "manifest_key = \"origin.key\"\ntrust = \"origin.pub\"\nexpires = \"1h\"\nheartbeat = \"20ms\"\n"
	for i := range 8 { // a merge joins eight layers
		config += fmt.Sprintf("[[spool]]\ndir = \"spool%d\"\n", i)
		config += fmt.Sprintf("name = \"spool%d\"\n", i)
	}
	w := newWorld(t, config)
	w.makeKey("origin")
	for i := range 8 {
		w.write(fmt.Sprintf("spool%d/a", i), w.sign(uint64(i), index.Good))
	}
	f := w.follow()
	w.await("merged")
	merged := w.manifest().Generation
	w.until("a heartbeat followed", func() bool { return w.manifest().Generation > merged+1 })
	w.stop()
	trust, err := store.ReadTrust(w.path("origin.pub"))
	check(t, err)
	signed := 0
	check(t, filepath.WalkDir(w.path("store"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() != "manifest" && filepath.Base(filepath.Dir(path)) != "history" {
			return err
		}
		text, err := os.ReadFile(path)
		check(t, err)
		m, _, err := trust.Open(text)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		} else if m.Expires.Sub(m.Created) != f.config.signing.Expires {
			t.Errorf("generation %d expires %v after it was made, want %v", m.Generation, m.Expires.Sub(m.Created), f.config.signing.Expires)
		}
		signed++
		return nil
	}))
	if signed < 11 {
		t.Errorf("%d manifests were looked at, want the first, 8 additions, a merge and a heartbeat at least", signed)
	}
}

// Where it trusts somebody, it begins with nothing that they did not sign.
func TestFollowBeginsWithWhatIsTrusted(t *testing.T) {
	w := newWorld(t, spool)
	w.follow()
	w.stop()
	w.makeKey("origin")
	w.write("lancre.toml", slices.Concat([]byte("manifest_key = \"origin.key\"\ntrust = \"origin.pub\"\n"), w.read("lancre.toml")))
	c, err := Load(w.path("lancre.toml"))
	check(t, err)
	if err := New(c, slog.New(slog.DiscardHandler)).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "no signature, want one by origin.test+") {
		t.Errorf("error %v, want that the store is not signed", err)
	}
}

// A store that was signed is not gone on with unsigned; the remedy is a key of the
// configuration.
func TestFollowGoesOnSigning(t *testing.T) {
	w := newWorld(t, spool)
	unsigned := slices.Concat([]byte("heartbeat = \"20ms\"\n"), w.read("lancre.toml"))
	w.makeKey("origin")
	w.write("lancre.toml", slices.Concat([]byte("manifest_key = \"origin.key\"\n"), w.read("lancre.toml")))
	w.follow()
	w.stop()
	w.write("lancre.toml", unsigned)
	w.follow()
	if err := w.await("upkeep failed", "task", "heartbeat")["err"].(string); !strings.HasSuffix(err, "refuse one that is not: sign with manifest_key") {
		t.Errorf("the heartbeat fails: %s", err)
	}
}

// What is published, by whomever, is in the bucket, and a command is told.
func TestFollowPublishes(t *testing.T) {
	w := newWorld(t, spool+bucket)
	w.write("lancre.toml", fmt.Appendf(w.read("lancre.toml"), "on_publish = '''echo $LANCRE_REPLACED >>%s; cat >>%[1]s'''\n", w.path("told")))
	f := w.follow()
	w.await("copied", "generation", float64(1))
	w.write("spool/a", w.sign(0, index.Good))
	w.await("copied", "replaced", float64(1))
	second := w.manifest().Generation
	if !bytes.Equal(w.read("bucket/manifest"), w.read("store/manifest")) {
		t.Error("the bucket has another manifest than the store")
	}
	p, err := store.Begin(w.path("store"))
	check(t, err)
	m := *p.Previous()
	check(t, p.Commit(&m))
	w.await("copied", "replaced", float64(second))
	w.stop()
	told := strings.Split(strings.TrimSpace(string(w.read("told"))), "\n")
	if len(told) != 5 || told[0] != "0" || told[1] != "everything" || told[2] != "1" || !strings.HasPrefix(told[3], "serial sha256 ") || told[4] != fmt.Sprint(second) {
		t.Errorf("the command was told %q", told)
	}
	if s := w.targets(f)[0]; s.Generation != second+1 || s.Current.IsZero() || s.Failures != 0 {
		t.Errorf("status %+v, want generation %d to be there", s, second+1)
	}
}

func (w *world) targets(f *Follower) []TargetStatus {
	w.Helper()
	s, err := f.Status()
	check(w, err)
	return s.Targets
}

// Where a bucket is away, additions and other buckets go on, and alarms are raised. When it
// is back, it gets the newest generation, and none of those between.
func TestFollowPublishesWhatIsNewestWhenItCan(t *testing.T) {
	w := newWorld(t, spool+bucket+"[[publish]]\nto = \"other\"\n")
	f := w.follow()
	w.await("copied", "target", "publish")
	check(t, os.Rename(w.path("bucket"), w.path("away")))
	w.write("bucket", []byte("no directory"))
	for i := range uint64(3) {
		w.write(fmt.Sprint("spool/", i), w.sign(i, index.Good))
		w.awaitGeneration()
		w.until("the bucket failed", func() bool { return w.targets(f)[0].Failures > 0 })
	}
	newest := w.manifest().Generation
	w.until("the other bucket had it", func() bool { return w.targets(f)[1].Generation == newest })
	for path, want := range map[string]string{
		"/metrics":     `lancre_target_failing{target="publish"} 1`,
		"/status.json": `"name":"publish","failure":"`,
		"/readyz":      `{"ok":true}`,
	} {
		if code, body := ask(t, f, path); code != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s, want %s", path, code, body, want)
		}
	}
	check(t, os.Remove(w.path("bucket")))
	check(t, os.Rename(w.path("away"), w.path("bucket")))
	w.await("copied", "target", "publish", "generation", float64(newest), "replaced", float64(1))
	w.hasFiles("bucket/history", "1")
}
