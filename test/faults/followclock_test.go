package faults

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lancre/index/store"
	"lancre/internal/programs"
)

const setBackConfig = `
store = "store"
issuers = ["issuer.pem"]
admin = "127.0.0.1:0"
heartbeat = "1s"
[[spool]]
dir = "spool"
[[command]]
run = ["test", "-e", "alive"]
every = "1s"
`

// A clock that was an hour ahead, while lancre follow published, is set right: nothing is
// published until somebody says that it is right, and then everything goes on, with what
// came meanwhile; numbers go on as well, and no source that is dead hides in an hour that
// has not come.
func TestFollowClockIsSetBack(t *testing.T) {
	g := newGrowth(t, 10)
	clock := newClock(t)
	t.Setenv("PATH", buildStepped(t)+":"+os.Getenv("PATH"))
	t.Setenv("STEPPED_CLOCK", clock.file)
	put := func(q int) {
		t.Helper()
		g.signNext(t, q)
		made := filepath.Join(g.dir, "made")
		check(t, os.WriteFile(made, g.latest[q], 0o644))
		check(t, os.Rename(made, filepath.Join(g.dir, "spool", fmt.Sprint(q))))
	}
	manifest := func() *store.Manifest {
		t.Helper()
		m, err := store.ReadManifest(g.store)
		check(t, err)
		return m
	}
	check(t, os.WriteFile(filepath.Join(g.dir, "alive"), nil, 0o644))
	check(t, os.WriteFile(filepath.Join(g.dir, "lancre.toml"), []byte(setBackConfig), 0o644))
	check(t, os.Mkdir(filepath.Join(g.dir, "spool"), 0o755))
	t.Chdir(g.dir)
	f := programs.Follow(t, "lancre.toml")

	clock.set(hour)
	put(0)
	f.Await(t, "published", "source", "spool")
	ahead := manifest()
	if early := time.Now().Add(hour / 2); ahead.Created.Before(early) {
		t.Fatalf("created %v, want after %v: the clock did not step", ahead.Created, early)
	}
	check(t, os.Remove("alive"))
	f.Await(t, "source failed", "source", "command")

	clock.set(0)
	put(1)
	failure := f.Await(t, "source failed", "source", "spool")
	if reason := fmt.Sprint(failure["err"]); !strings.Contains(reason, "by the clock of this host") {
		t.Errorf("the spool fails with %q, want that the clock is behind", reason)
	}
	stopped := manifest() // with the heartbeats of the hour that has not come
	g.signNext(t, 2)
	check(t, os.WriteFile("believed.der", g.latest[2], 0o644))
	run(t, g.lancre(t, "add", "--responses", "believed.der", "--force", "build.clock"))
	believed := manifest()
	f.Await(t, "published", "source", "spool")
	await(t, "checked says since when the command fails", func() bool {
		m := manifest()
		return m.Created.Sub(m.Checked) >= 3*time.Second
	})
	now := manifest()
	if stopped.Generation < ahead.Generation || believed.Generation != stopped.Generation+1 || now.Generation <= believed.Generation || now.Created.After(time.Now()) {
		t.Errorf("generations %d, %d, then %d of %v; want nothing between the first two, each after the one before, the last of now", stopped.Generation, believed.Generation, now.Generation, now.Created)
	}
	run(t, g.lancre(t, "merge", "--into-base"))
	d := serve(t, g.store)
	for q := range 3 {
		g.floor[q].Store(g.roof[q].Load())
		g.askOne(http.DefaultClient, d.addr, q)
	}
	http.DefaultClient.CloseIdleConnections()
	if g.failed.Load()+g.wrong.Load() > 0 {
		g.faults.Range(func(text, _ any) bool { t.Error(text); return true })
	}
}
