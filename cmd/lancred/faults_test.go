package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lancre/index"
	"lancre/index/store"
	"lancre/internal/programs"
)

// ask POSTs the request of that name on a connection of its own.
func (c *corpus) ask(t *testing.T, d *programs.Daemon, name string) *answer {
	t.Helper()
	conn, r := dial(t, d)
	_, err := fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: o.test\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s",
		len(c.names[name]), c.names[name])
	check(t, err)
	return readAnswer(t, r, "POST")
}

// wants wants the answer about a certificate to have that status and to be of that
// kind, as in the transcripts.
func (c *corpus) wants(t *testing.T, d *programs.Daemon, name string, status int, kind string) {
	t.Helper()
	a := c.ask(t, d, name)
	if a.StatusCode != status {
		t.Fatalf("%s is answered %d with %x, want %d", name, a.StatusCode, a.body, status)
	}
	c.judge(t, a, kind)
}

// objects are the files of the segments being published, newest first.
func (c *corpus) objects(t *testing.T) (paths []string) {
	t.Helper()
	m, err := store.ReadManifest(c.dir)
	check(t, err)
	for _, line := range m.Segments {
		paths = append(paths, filepath.Join(c.dir, "objects", line.SHA256))
	}
	return paths
}

// edit changes a file in place, which no one should do.
func edit(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	old, err := os.ReadFile(path)
	check(t, err)
	check(t, os.Chmod(path, 0o644))
	check(t, os.WriteFile(path, change(old), 0o644))
}

// damages are what copying and disks do to a store.
var damages = map[string]func(t *testing.T, c *corpus){
	"manifest empty": func(t *testing.T, c *corpus) {
		edit(t, c.dir+"/manifest", func([]byte) []byte { return nil })
	},
	"manifest truncated": func(t *testing.T, c *corpus) {
		edit(t, c.dir+"/manifest", func(b []byte) []byte { return b[:len(b)-10] })
	},
	"manifest of another version": func(t *testing.T, c *corpus) {
		edit(t, c.dir+"/manifest", func(b []byte) []byte { return bytes.Replace(b, []byte("1\n"), []byte("2\n"), 1) })
	},
	"manifest with a flipped bit": func(t *testing.T, c *corpus) {
		edit(t, c.dir+"/manifest", func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
	},
	"segment missing": func(t *testing.T, c *corpus) { check(t, os.Remove(c.objects(t)[1])) },
	"segment empty": func(t *testing.T, c *corpus) {
		edit(t, c.objects(t)[1], func([]byte) []byte { return nil })
	},
	"segment truncated": func(t *testing.T, c *corpus) {
		edit(t, c.objects(t)[1], func(b []byte) []byte { return b[:len(b)-1] })
	},
	"segment with a flipped bit in its header": func(t *testing.T, c *corpus) {
		edit(t, c.objects(t)[1], func(b []byte) []byte { b[0] ^= 1; return b })
	},
}

// Row F69, at the start: nothing can be served, and the reason is in the log.
func TestDamageAtStart(t *testing.T) {
	for name, damage := range damages {
		t.Run("F69 "+name, func(t *testing.T) {
			t.Parallel()
			c := newCorpus(t)
			damage(t, c)
			d := programs.Start(t, c.dir)
			d.Await(t, "generation refused")
			c.wants(t, d, "good", 503, "tryLater")
		})
	}
}

// Row F69, at a reload: the generation before is served on.
func TestDamageAtReload(t *testing.T) {
	for name, damage := range damages {
		t.Run("F69 "+name, func(t *testing.T) {
			t.Parallel()
			c := newCorpus(t)
			d := programs.Start(t, c.dir)
			live := c.dir
			c.dir = t.TempDir() // the next generation is made, and spoilt, elsewhere
			check(t, os.CopyFS(c.dir, os.DirFS(live)))
			c.renew(t, "good")
			damage(t, c)
			copyStore(t, live, c.dir)
			d.Await(t, "generation refused")
			c.stored["good"] = c.before
			c.wants(t, d, "good", 200, "$good")
		})
	}
}

// copyStore brings the generation in from to an edge, the manifest last.
func copyStore(t *testing.T, to, from string) {
	t.Helper()
	objects, err := filepath.Glob(filepath.Join(from, "objects", "*"))
	check(t, err)
	for _, object := range objects {
		_, err := os.Lstat(filepath.Join(to, "objects", filepath.Base(object)))
		if os.IsNotExist(err) {
			check(t, os.Rename(object, filepath.Join(to, "objects", filepath.Base(object))))
		}
	}
	check(t, os.Rename(filepath.Join(from, "manifest"), filepath.Join(to, "manifest")))
}

// renew signs a response anew, for an hour more, and publishes it.
func (c *corpus) renew(t *testing.T, name string) {
	t.Helper()
	c.ca.NextUpdate = c.ca.NextUpdate.Add(time.Hour)
	der, err := c.ca.Sign(certificate(1), index.SHA1)
	check(t, err)
	c.before, c.stored[name] = c.stored[name], der
	c.older[0].DER = der
	c.publish(t)
}

// Row F68: generations are swapped while clients ask, who notice nothing, and the
// old ones are unmapped.
func TestSwapUnderLoad(t *testing.T) {
	t.Parallel()
	const generations, clients = 20, 4
	c := newCorpus(t)
	d := programs.Start(t, c.dir)
	var stop atomic.Bool
	done := make(chan int)
	want := c.stored["revoked"]
	request := fmt.Sprintf("POST / HTTP/1.1\r\nHost: o.test\r\nContent-Length: %d\r\n\r\n%s", len(c.names["revoked"]), c.names["revoked"])
	for range clients {
		conn, r := dial(t, d)
		go func() {
			answers := 0
			for ; !stop.Load(); answers++ {
				if _, err := io.WriteString(conn, request); err != nil {
					t.Error(err)
					break
				}
				if a := readAnswer(t, r, "POST"); a.StatusCode != 200 || !bytes.Equal(a.body, want) {
					t.Errorf("status %d, body %x", a.StatusCode, a.body)
					break
				}
			}
			done <- answers
		}()
	}
	for n := 2; n <= generations; n++ {
		c.renew(t, "good")
		d.Await(t, "generation served", "generation", float64(n))
		c.wants(t, d, "good", 200, "$good")
	}
	stop.Store(true)
	for range clients {
		if answers := <-done; answers == 0 {
			t.Error("a client asked nothing")
		}
	}
	for deadline := time.Now().Add(patience); mappings(t, d) > len(c.objects(t)); {
		if time.Now().After(deadline) {
			t.Fatalf("%d segments are mapped, want %d", mappings(t, d), len(c.objects(t)))
		}
		time.Sleep(10 * time.Millisecond) // until the garbage collector has run
	}
}

// Row G76: a download that began goes on with the file as it was.
func TestReplaceWhileDownloaded(t *testing.T) {
	c := newCorpus(t)
	d := programs.Start(t, c.dir)
	conn, r := dial(t, d)
	_, err := fmt.Fprint(conn, "GET /2.crl HTTP/1.1\r\nHost: r10.c.test\r\n\r\n")
	check(t, err)
	_, err = r.Peek(1) // it has begun, and waits for us to read
	check(t, err)
	old := c.files["r10.c.test/2.crl"]
	c.files["r10.c.test/2.crl"] = bytes.ToUpper(old)
	c.publish(t)
	d.Await(t, "generation served", "generation", 2.0)
	if a := readAnswer(t, r, "GET"); !bytes.Equal(a.body, old) {
		t.Error("a download is not the file that it began with")
	}
	_, err = fmt.Fprint(conn, "GET /2.crl HTTP/1.1\r\nHost: r10.c.test\r\n\r\n")
	check(t, err)
	c.judge(t, readAnswer(t, r, "GET"), "r10.c.test/2.crl")
}

// mappings counts the segments in the daemon's memory.
func mappings(t *testing.T, d *programs.Daemon) int {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", d.Process.Pid))
	check(t, err)
	return strings.Count(string(maps), "/objects/")
}

// Row F70: a segment truncated while it is mapped costs the answers that need it,
// not the process.
func TestTruncatedInPlace(t *testing.T) {
	c := newCorpus(t)
	d := programs.Start(t, c.dir)
	check(t, os.Chmod(c.objects(t)[1], 0o644))
	check(t, os.Truncate(c.objects(t)[1], 0))
	c.wants(t, d, "good", 503, "tryLater")
	c.wants(t, d, "withdrawn", 503, "tryLater") // whose segment is whole
	conn, r := dial(t, d)
	_, err := fmt.Fprint(conn, "GET /1.crl HTTP/1.1\r\nHost: r10.c.test\r\n\r\n")
	check(t, err)
	c.judge(t, readAnswer(t, r, "GET"), "r10.c.test/1.crl")
}

// A record that goes bad on disk while it is served is not served any more, and the
// others are.
func TestCorruptRecord(t *testing.T) {
	c := newCorpus(t)
	d := programs.Start(t, c.dir)
	tail := c.stored["revoked"][len(c.stored["revoked"])-16:] // of its signature
	edit(t, c.objects(t)[1], func(b []byte) []byte {
		at := bytes.Index(b, tail)
		if at < 0 {
			t.Fatal("the signature is not in the segment")
		}
		b[at] ^= 1
		return b
	})
	c.wants(t, d, "revoked", 500, "internalError")
	c.wants(t, d, "good", 200, "$good")
}
