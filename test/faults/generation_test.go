package faults

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"lancre/build/demo"
	"lancre/index/store"
)

// A damage is what can be wrong with a generation that arrives at an edge.
type damage struct {
	name string
	do   func(t *testing.T, dir string) // to the store dir
	says string                         // in the log line that refuses it
}

var damages = []damage{
	{"segment truncated", truncateSegment, "octets, the manifest says"},
	{"octet of the header flipped", flipSection(0), "header checksum"},
	{"octet of the records flipped", flipSection(96), "checksum"},
	{"octet of the slots flipped", flipSection(120), "checksum"},
	{"octet of the issuers flipped", flipSection(144), "checksum"},
	{"octet of the shapes flipped", flipSection(168), "checksum"},
	{"segment of another version", func(t *testing.T, dir string) { patch(t, segment(t, dir), 8, 0x7f) }, "this program reads versions 1 to 3"},
	{"octet of a page flipped", func(t *testing.T, dir string) { flip(t, page(t, dir), 3) }, "has sha256"},
	{"object missing", func(t *testing.T, dir string) { check(t, os.Remove(page(t, dir))) }, "no such file"},
	{"objects without permission", func(t *testing.T, dir string) { check(t, os.Chmod(segment(t, dir), 0)) }, "permission denied"},
	{"object a directory", makeDirectory(func(t *testing.T, dir string) string { return segment(t, dir) }), "not a regular file"},
	{"octet of the manifest flipped", func(t *testing.T, dir string) { flip(t, manifest(t, dir), 30) }, "manifest"},
	{"manifest truncated", func(t *testing.T, dir string) { check(t, os.Truncate(manifest(t, dir), 100)) }, "manifest"},
	{"manifest empty", func(t *testing.T, dir string) { check(t, os.Truncate(manifest(t, dir), 0)) }, "manifest"},
	{"manifest of another version", func(t *testing.T, dir string) { patch(t, manifest(t, dir), len("lancre store "), '7') }, "version"},
	{"manifest without permission", func(t *testing.T, dir string) { check(t, os.Chmod(manifest(t, dir), 0)) }, "permission denied"},
	{"manifest a directory", makeDirectory(manifest), "not a regular file"},
	{"manifest a FIFO", makeFIFO, "not a regular file"},
	{"manifest of 1 GiB", func(t *testing.T, dir string) { check(t, os.Truncate(manifest(t, dir), 1<<30)) }, "more than 4194304 octets"},
	{"manifest missing", func(t *testing.T, dir string) { check(t, os.Remove(manifest(t, dir))) }, "no manifest"},
	{"older generation", rewrite(func(m *store.Manifest) { m.Generation = 1 }), "older"},
	{"same generation with another content", repeatNumber, "must not be published twice"},
	{"generation that is empty", rewrite(func(m *store.Manifest) { m.Segments = nil; m.SetFiles(nil) }), "names nothing"},
}

// TestBadGenerations brings generations to an edge that are damaged on the way, and
// after each of them the same one undamaged.
func TestBadGenerations(t *testing.T) {
	o := newOrigin(t, 20)
	o.publish(t)
	o.served.Store(o.publish(t)) // the second, so that there is an older one
	edge := edgeDir(t)
	bring(t, o.store, edge)
	d := newDaemon(t, edge)
	d.user = another(t)
	d.start()
	l := newLoad(o, d.addr).start()
	lost := 0
	for _, dam := range damages {
		before := published(t, edge)
		bad := filepath.Join(t.TempDir(), "store")
		o.publishFile(t, demo.PageHost, "index.html", []byte("<!doctype html><title>"+dam.name+"</title>")) // anew: what is served is not read again
		o.publish(t)
		copyStore(t, o.store, bad)
		dam.do(t, bad)
		bring(t, bad, edge)
		d.signal(syscall.SIGHUP) // not every damage is a change of the manifest
		d.awaitLine("generation refused", func(l logLine) bool {
			return l["serving"] == float64(before) && l.contains("err", dam.says)
		})
		l.awaitRequests(t, 20) // they are of the generation before, or of none
		bring(t, o.store, edge)
		d.signal(syscall.SIGHUP)
		d.awaitGeneration(t, published(t, o.store))
		o.served.Store(o.published.Load())
		lost += lostGenerations(t, edge, published(t, o.store), published(t, o.store))
	}
	r := l.finish(t, "a damaged generation arrives, then a good one", len(damages))
	r.lost = lost
	refused := d.metric("lancred_reloads_total", `result="refused"`)
	if int(refused) < len(damages) {
		t.Errorf("lancred_reloads_total says %v refused, want %d or more", refused, len(damages))
	}
	r.note = "each refused in the log and in lancred_reloads_total"
	record(t, r)
	d.stop()
}

// edgeDir is a directory that another user can read.
func edgeDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "lancre-edge-")
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	check(t, os.Chmod(dir, 0o755))
	return dir
}

// another is a user that permissions apply to: nobody, if the test is root.
func another(t *testing.T) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	const nobody = 65534
	return &syscall.Credential{Uid: nobody, Gid: nobody}
}

func copyStore(t *testing.T, from, to string) {
	t.Helper()
	run(t, exec.Command("cp", "-a", from, to))
}

// bring replaces the store edge by from: the objects first, and what is there by
// renames.
func bring(t *testing.T, from, edge string) {
	t.Helper()
	next := filepath.Join(edge, ".next")
	copyStore(t, from, next)
	for _, name := range []string{"objects", "manifest"} {
		check(t, os.RemoveAll(filepath.Join(edge, ".old")))
		if err := os.Rename(filepath.Join(edge, name), filepath.Join(edge, ".old")); !os.IsNotExist(err) {
			check(t, err)
		}
		if err := os.Rename(filepath.Join(next, name), filepath.Join(edge, name)); !os.IsNotExist(err) {
			check(t, err)
		}
	}
	check(t, os.RemoveAll(next))
}

func manifest(_ *testing.T, dir string) string { return filepath.Join(dir, "manifest") }

// page is the path of the one file of a store of an origin.
func page(t *testing.T, dir string) string {
	t.Helper()
	m, err := store.ReadManifest(dir)
	check(t, err)
	return filepath.Join(dir, "objects", m.Files[0].SHA256)
}

func truncateSegment(t *testing.T, dir string) {
	t.Helper()
	path := segment(t, dir)
	info, err := os.Stat(path)
	check(t, err)
	check(t, os.Truncate(path, info.Size()-1))
}

// flipSection flips an octet in the middle of the section of a segment that the
// header describes at that offset; at 0, one of the header itself.
func flipSection(head int64) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		path := segment(t, dir)
		if head == 0 {
			flip(t, path, 32)
			return
		}
		offset, size := section(t, path, head)
		flip(t, path, offset+size/2)
	}
}

// section reads where a section lies from the header of a segment (package index).
func section(t *testing.T, path string, head int64) (offset, size int64) {
	t.Helper()
	b, err := os.ReadFile(path)
	check(t, err)
	return int64(binary.LittleEndian.Uint64(b[head:])), int64(binary.LittleEndian.Uint64(b[head+8:]))
}

// flip changes one octet of a file in place.
func flip(t *testing.T, path string, at int64) {
	t.Helper()
	b, err := os.ReadFile(path)
	check(t, err)
	patch(t, path, int(at), b[at]^0x01)
}

// patch writes one octet of a file in place.
func patch(t *testing.T, path string, at int, octet byte) {
	t.Helper()
	info, err := os.Stat(path)
	check(t, err)
	check(t, os.Chmod(path, 0o644))
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	check(t, err)
	defer f.Close()
	_, err = f.WriteAt([]byte{octet}, int64(at))
	check(t, err)
	check(t, f.Chmod(info.Mode()))
}

func makeDirectory(of func(t *testing.T, dir string) string) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		path := of(t, dir)
		check(t, os.Remove(path))
		check(t, os.Mkdir(path, 0o755))
	}
}

func makeFIFO(t *testing.T, dir string) {
	t.Helper()
	check(t, os.Remove(manifest(t, dir)))
	check(t, syscall.Mkfifo(manifest(t, dir), 0o644))
}

// repeatNumber gives the manifest the number of the one before.
func repeatNumber(t *testing.T, dir string) {
	t.Helper()
	past, err := store.History(dir)
	check(t, err)
	rewrite(func(m *store.Manifest) { m.Generation, m.Origin = past[0], "another" })(t, dir)
}

// rewrite changes the manifest, with a right checksum at its end.
func rewrite(change func(*store.Manifest)) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		m, err := store.ReadManifest(dir)
		check(t, err)
		change(m)
		check(t, os.WriteFile(manifest(t, dir), m.Encode(), 0o644))
	}
}
