package e2e

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// newCorpora makes two corpora in dir as lancre demo leaves them: a is small, and b
// makes a build long enough to be hit by most kills.
func newCorpora(t *testing.T, dir string) {
	t.Helper()
	sh(t, dir, `
		lancre demo --out a --responses 100
		lancre demo --out b --responses 3000
	`)
}

// buildCommand builds corpora into store, each named by its letter: "a", and "ab",
// which has all that "a" has. The moment is fixed, for equal inputs to make equal
// generations.
func buildCommand(dir, store, corpora string) *exec.Cmd {
	cmd := exec.Command("lancre", "build", "--out", store, "--static", "a/static", "--at", buildTime)
	for _, corpus := range strings.Split(corpora, "") {
		cmd.Args = append(cmd.Args, "--issuer", corpus+"/issuer.pem", "--responses", corpus+"/responses.der")
	}
	cmd.Dir = dir
	return cmd
}

// buildTime is just after the corpora are made.
var buildTime = time.Now().UTC().Add(time.Minute).Format(time.RFC3339)

func mustBuild(t *testing.T, dir, store, corpora string) {
	t.Helper()
	if out, err := buildCommand(dir, store, corpora).CombinedOutput(); err != nil {
		t.Fatalf("build of %s: %v\n%s", corpora, err, out)
	}
}

// content is what the store holds, whatever its generation and history: the
// objects by their SHA-256. It fails the test unless lancre verify finds no fault.
func content(t *testing.T, dir, store string) string {
	t.Helper()
	sh(t, dir, "lancre verify $STORE", "STORE="+store)
	var o struct {
		Segments []struct{ SHA256 string }
		Files    []struct{ URL, SHA256 string }
	}
	inspected := sh(t, dir, "lancre inspect $STORE --json", "STORE="+store)
	if err := json.Unmarshal([]byte(inspected), &o); err != nil {
		t.Fatalf("lancre inspect --json: %v\n%s", err, inspected)
	}
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// filesObject finds, in a manifest, the object that holds its list of files.
var filesObject = regexp.MustCompile(`(?m)^files \d+ \d+ ([0-9a-f]{64})$`)

// leftovers lists what is in a store beyond its manifest, its list of files, the
// objects that they name, and its history.
func leftovers(t *testing.T, store string) (names []string) {
	t.Helper()
	named := string(readFile(t, filepath.Join(store, "manifest")))
	if list := filesObject.FindStringSubmatch(named); list != nil {
		named += list[1] + " " + string(readFile(t, filepath.Join(store, "objects", list[1])))
	}
	err := filepath.WalkDir(store, func(path string, e fs.DirEntry, err error) error {
		known := path == store || e.Name() == "manifest" || e.Name() == "objects" || strings.HasPrefix(path, filepath.Join(store, "history")) || strings.Contains(named, e.Name()+" ")
		if err == nil && !known {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestKill ends builds by SIGKILL at random moments, from before they begin to
// after they have ended. The store always holds one generation, whole: that before
// or the new one. What killed builds leave behind does not hinder the next, and gc
// removes it.
func TestKill(t *testing.T) {
	const kills = 20
	dir := t.TempDir()
	store := filepath.Join(dir, "store")
	newCorpora(t, dir)
	mustBuild(t, dir, store, "a")
	sh(t, dir, "cp -a store before")
	start := time.Now()
	mustBuild(t, dir, store, "ab")
	typical := time.Since(start)
	whole := map[string]string{content(t, dir, "before"): "a", content(t, dir, store): "ab"}
	published := 0
	for range kills {
		before := whole[content(t, dir, store)]
		if before == "ab" {
			sh(t, dir, "rm -r store; cp -a before store")
			before = "a"
		}
		moment := rand.N(typical)
		killed := killedBuild(t, buildCommand(dir, store, "ab"), moment)
		after := whole[content(t, dir, store)]
		if after != "ab" && (after != before || !killed) {
			t.Fatalf("killed after %v (%v): the store holds %q, want %q as before or all of ab", moment, killed, after, before)
		}
		if after == "ab" {
			published++
		}
	}
	t.Logf("%d of %d builds published before they were killed", published, kills)
	mustBuild(t, dir, store, "ab")
	if got := whole[content(t, dir, store)]; got != "ab" {
		t.Errorf("the build after all the kills left %q, want ab", got)
	}
	sh(t, dir, "lancre gc store --keep 0 --keep-for 0s")
	if names := leftovers(t, store); names != nil {
		t.Errorf("gc left %q", names)
	}
}

// killedBuild starts a build and kills it after that time. It reports whether the
// kill was what ended it.
func killedBuild(t *testing.T, build *exec.Cmd, after time.Duration) bool {
	t.Helper()
	if err := build.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { build.Process.Kill() })
	defer timer.Stop()
	err := build.Wait()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || !exit.Sys().(syscall.WaitStatus).Signaled()) {
		t.Fatalf("build: %v, want it to be killed or to end well", err)
	}
	return err != nil
}

// TestFullDisk builds what there is no room for.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	newCorpora(t, dir)
	store := mount(t, 640<<10) + "/store" // octets: room for a, whose pages have some 400 KiB, and not for b of some 300 KiB more
	mustBuild(t, dir, store, "a")
	checkFailedBuild(t, dir, store, "no space left on device")
}

// TestFullDiskOfWhatGrows has additions, merges and rollbacks meet a full disk, one after
// the other: nothing changes, and each succeeds when there is room again.
func TestFullDiskOfWhatGrows(t *testing.T) {
	dir := t.TempDir()
	newCorpora(t, dir)
	disk := mount(t, 4<<20)
	store := disk + "/store"
	mustBuild(t, dir, store, "a")
	sh(t, dir, `{ echo serial; lancre inspect a/store --issuer a/issuer.pem --cert a/good.pem --json | sed -n 's/.*"serial": "\(.*\)".*/\1/p'; } >withdraw.csv`)
	for _, command := range []string{
		"lancre add $STORE --issuer a/issuer.pem --withdraw withdraw.csv --at " + buildTime,
		"lancre merge $STORE --into-base --at " + buildTime,
		"lancre rollback $STORE --generation $(ls $STORE/history | head -1) --force --at " + buildTime,
	} {
		before := content(t, dir, store)
		fill := "cat /dev/zero >" + disk + "/filler 2>/dev/null || true"
		sh(t, dir, fill)
		cmd := exec.Command("sh", "-c", command)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "STORE="+store)
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "no space left on device") {
			t.Errorf("%s: %v, want it to find no space:\n%s", command, err, out)
		}
		if after := content(t, dir, store); after != before {
			t.Errorf("%s: the store holds\n%s\nwant, as before\n%s", command, after, before)
		}
		sh(t, dir, "rm "+disk+"/filler; "+command, "STORE="+store)
		if after := content(t, dir, store); after == before {
			t.Errorf("%s: with room again, nothing changed", command)
		}
	}
	for _, name := range leftovers(t, store) {
		if strings.HasPrefix(filepath.Base(name), ".tmp-") {
			t.Errorf("%s was left behind", name)
		}
	}
}

// TestReadOnly builds where nothing can be written.
func TestReadOnly(t *testing.T) {
	dir := t.TempDir()
	newCorpora(t, dir)
	disk := mount(t, 1<<20)
	mustBuild(t, dir, disk+"/store", "a")
	if err := unix.Mount("", disk, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	checkFailedBuild(t, dir, disk+"/store", "read-only file system")
}

// checkFailedBuild wants a build of ab to fail with that reason, to change nothing
// and to leave nothing temporary.
func checkFailedBuild(t *testing.T, dir, store, reason string) {
	t.Helper()
	before := content(t, dir, store)
	out, err := buildCommand(dir, store, "ab").CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), reason) {
		t.Errorf("build: %v, want exit status 1 and %q:\n%s", err, reason, out)
	}
	if after := content(t, dir, store); after != before {
		t.Errorf("the store holds\n%s\nwant, as before\n%s", after, before)
	}
	for _, name := range leftovers(t, store) {
		if strings.HasPrefix(filepath.Base(name), ".tmp-") {
			t.Errorf("%s was left behind", name)
		}
	}
}

// mount makes a file system of that size, in octets, in memory. Where that is not
// permitted the test is skipped.
func mount(t *testing.T, size int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+strconv.Itoa(size))
	if errors.Is(err, unix.EPERM) {
		t.Skipf("mounting a tmpfs: %v: run the test as root to have it", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Errorf("unmounting %s: %v", dir, err)
		}
	})
	return dir
}

// TestTwoBuilds has a second build begin and end while one is under way. The first was
// made from what is not there any more: it says so, and what the second published stays.
func TestTwoBuilds(t *testing.T) {
	dir := t.TempDir()
	newCorpora(t, dir)
	mustBuild(t, dir, "store", "a")
	first := exec.Command("lancre", "build", "--out", "store", "--issuer", "a/issuer.pem", "--issuer", "b/issuer.pem", "--responses", "a/responses.der", "--responses", "-", "--static", "a/static", "--at", buildTime)
	first.Dir = dir
	var said strings.Builder
	first.Stdout, first.Stderr = &said, &said
	stdin, err := first.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	// A pipe has room for 64 KiB: all of it is written when the build reads, which it
	// does when it has seen what it begins from.
	if _, err := stdin.Write(readFile(t, filepath.Join(dir, "b/responses.der"))); err != nil {
		t.Fatal(err)
	}
	mustBuild(t, dir, "store", "ab")
	stdin.Close()
	before := content(t, dir, "store")
	if err := first.Wait(); err == nil || !strings.Contains(said.String(), "the store was changed meanwhile by another build") {
		t.Errorf("first build: %v, want to hear of the other:\n%s", err, &said)
	}
	if after := content(t, dir, "store"); after != before {
		t.Errorf("the store holds\n%s\nwant, as the second build left it\n%s", after, before)
	}
}
