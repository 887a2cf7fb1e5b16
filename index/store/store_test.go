package store

import (
	"bytes"
	"math/big"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"lancre/index"
	"lancre/internal/ocsptest"
)

func mkfifo(path string) error { return syscall.Mkfifo(path, 0o644) }

var start = time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC)

var testCA = ocsptest.NewCA("Test CA", nil)

// respond signs a response for serial, valid from day to seven days later; days
// count from start.
func respond(serial int64, day int) []byte {
	thisUpdate := start.AddDate(0, 0, day)
	return testCA.Sign(ocsp.Response{
		Status: ocsp.Good, SerialNumber: big.NewInt(serial),
		ThisUpdate: thisUpdate, NextUpdate: thisUpdate.AddDate(0, 0, 7),
	})
}

// revoke signs a response that revokes serial, for keyCompromise, valid as those of
// respond.
func revoke(serial int64, day int) []byte {
	thisUpdate := start.AddDate(0, 0, day)
	return testCA.Sign(ocsp.Response{
		Status: ocsp.Revoked, SerialNumber: big.NewInt(serial), RevokedAt: start.Add(-time.Hour), RevocationReason: ocsp.KeyCompromise,
		ThisUpdate: thisUpdate, NextUpdate: thisUpdate.AddDate(0, 0, 7),
	})
}

// A record is what a test puts into a segment.
type record struct {
	der       []byte
	id        index.CertID
	tombstone bool
	day       int
	produced  int64 // producedAt, Unix seconds
}

// response is a record with a signed response for serial.
func response(t testing.TB, serial int64, day int) record {
	t.Helper()
	return recordOf(t, respond(serial, day), day)
}

// revocation is a record with a signed response that revokes serial.
func revocation(t testing.TB, serial int64, day int) record {
	t.Helper()
	return recordOf(t, revoke(serial, day), day)
}

func recordOf(t testing.TB, der []byte, day int) record {
	t.Helper()
	var parsed index.Response
	if err := parsed.Parse(der); err != nil {
		t.Fatal(err)
	}
	return record{der: der, id: parsed.Singles[0].CertID, day: day, produced: parsed.ProducedAt}
}

// tombstone is a record that says there is no response for serial any more.
func tombstone(t testing.TB, serial int64, day int) record {
	t.Helper()
	return record{id: response(t, serial, day).id, tombstone: true, day: day, produced: start.AddDate(0, 0, day).Unix()}
}

// responses are n records with serials from first on.
func responses(t testing.TB, first int64, n, day int) []record {
	t.Helper()
	records := make([]record, n)
	for i := range records {
		records[i] = response(t, first+int64(i), day)
	}
	return records
}

// addSegment makes records an object of o and returns its manifest line.
func addSegment(t testing.TB, o *Objects, role string, shard index.Shard, records []record) SegmentLine {
	t.Helper()
	w, err := index.NewWriter(o.TempDir(), index.Everything) // also what is not in the shard
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		var e index.Entry
		var parsed index.Response
		if r.tombstone && r.der != nil { // of what that says
			if err = parsed.Parse(r.der); err == nil {
				err = e.SetTombstone(&r.id, parsed.CertStatus(0))
			}
		} else if r.tombstone {
			err = e.SetTombstone(&r.id, index.CertStatus{Moment: index.Moment{ThisUpdate: start.AddDate(0, 0, r.day).Unix(), ProducedAt: r.produced}})
		} else if err = parsed.Parse(r.der); err == nil {
			err = e.Set(&parsed)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Add(&e); err != nil {
			t.Fatal(err)
		}
	}
	path, stats, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	line, err := o.AddSegment(path, role, shard, stats.Info)
	if err != nil {
		t.Fatal(err)
	}
	return line
}

// addFile makes body an object of p and returns its manifest line.
func addFile(t testing.TB, p *Publication, host, path, body string) FileLine {
	t.Helper()
	sum, size, err := p.AddObject(bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	return FileLine{Host: host, Path: path, ContentType: "text/plain", Size: size, SHA256: sum, LastModified: start}
}

// publish makes one generation in dir of what fill adds to the manifest.
func publish(t testing.TB, dir string, fill func(p *Publication, m *Manifest)) *Manifest {
	t.Helper()
	p, err := Begin(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	m := &Manifest{Origin: "test", Created: start}
	fill(p, m)
	count(t, p, m)
	if err := p.Commit(m); err != nil {
		t.Fatal(err)
	}
	return m
}

// count has m say what answers in it.
func count(t testing.TB, p *Publication, m *Manifest) {
	t.Helper()
	g, err := p.Open(m, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	c, err := g.Count()
	if err != nil {
		t.Fatal(err)
	}
	c.Fill(m)
}

// publishSample makes a generation with one segment and two files, whose content
// begins with label. Its manifest counts on lines 9 and 10, names the segment on
// line 11 and the list of files on line 12.
func publishSample(t testing.TB, dir, label string) *Manifest {
	t.Helper()
	return publish(t, dir, func(p *Publication, m *Manifest) {
		m.Segments = []SegmentLine{addSegment(t, p.Objects, RoleBase, index.Everything, responses(t, 1, 3, 0))}
		m.Files = []FileLine{addFile(t, p, "_", "/a", label+" a"), addFile(t, p, "h.example", "/b", label+" b")}
	})
}

// open opens the store dir until the test ends.
func open(t testing.TB, dir string) *Generation {
	t.Helper()
	g, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

// objectsIn lists the names in dir/objects.
func objectsIn(t testing.TB, dir string) map[string]bool {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "objects"))
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, e := range entries {
		names[e.Name()] = true
	}
	return names
}

// overwrite replaces the content of a file, whatever its mode.
func overwrite(t testing.TB, path string, content []byte) {
	t.Helper()
	os.Remove(path)
	if err := os.WriteFile(path, content, 0o444); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
