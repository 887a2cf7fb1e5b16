package store

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// objectOf names content.
func objectOf(content []byte) Object {
	sum, size, _ := digest(bytes.NewReader(content)) // reading memory cannot fail
	return Object{size, sum}
}

func openIncoming(t *testing.T, dir string) *Incoming {
	t.Helper()
	in, err := OpenIncoming(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	return in
}

func openPart(t *testing.T, in *Incoming, o Object) *Part {
	t.Helper()
	p, err := in.Part(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// An object comes in pieces, over the end of the process, and gets its name when all of
// it has come.
func TestIncoming(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "edge")
	content := bytes.Repeat([]byte("0123456789abcdef"), 1000)
	o := objectOf(content)
	in := openIncoming(t, dir)
	p := openPart(t, in, o)
	if got := in.Reserved(o); got != o.Size {
		t.Errorf("%d octets are set aside, want %d", got, o.Size)
	}
	for _, piece := range [][]byte{content[:1], content[1:4000]} {
		if _, err := p.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Finish(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a part of it is finished: %v", err)
	}
	p.Close()
	in.Close()

	in = openIncoming(t, dir)
	p = openPart(t, in, o)
	if p.Have() != 4000 {
		t.Fatalf("%d octets are there, want 4000", p.Have())
	}
	if _, err := p.Write(append(content[4000:], 'x')); !isWrongObject(err) || p.Have() != 4000 {
		t.Errorf("more than all of it: %v, and %d octets are there", err, p.Have())
	}
	if _, err := p.Write(content[4000:]); err != nil {
		t.Fatal(err)
	}
	if err := p.Finish(); err != nil {
		t.Fatal(err)
	}
	p.Close()
	path := ObjectPath(dir, o.SHA256)
	if got := read(t, path); !bytes.Equal(got, content) {
		t.Errorf("it became %d octets", len(got))
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o444 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if in.Reserved(o) != 0 {
		t.Error("something is set aside still")
	}
}

func isWrongObject(err error) bool {
	_, ok := errors.AsType[*WrongObjectError](err)
	return ok
}

// What is not the object is forgotten, and the object takes the place of a damaged one.
func TestIncomingWrongObject(t *testing.T) {
	dir := t.TempDir()
	content := []byte("content")
	o := objectOf(content)
	in := openIncoming(t, dir)
	if err := os.WriteFile(ObjectPath(dir, o.SHA256), []byte("damaged"), 0o444); err != nil {
		t.Fatal(err)
	}
	p := openPart(t, in, o)
	for _, try := range []string{"CONTENT", "content"} {
		if _, err := p.Write([]byte(try)); err != nil {
			t.Fatal(err)
		}
		err := p.Finish()
		if wrong := try != "content"; isWrongObject(err) != wrong || !wrong && err != nil || wrong && p.Have() != 0 {
			t.Errorf("%s: %v, and %d octets are there", try, err, p.Have())
		}
	}
	if got := read(t, ObjectPath(dir, o.SHA256)); string(got) != "content" {
		t.Errorf("it is %q", got)
	}
	// A longer file under the name of a part is no part of it.
	if err := os.WriteFile(filepath.Join(in.parts, o.SHA256), []byte("longer than it"), 0o644); err != nil {
		t.Fatal(err)
	}
	if p := openPart(t, in, o); p.Have() != 0 {
		t.Errorf("%d octets are there", p.Have())
	}
}

// Nobody else has a store meanwhile, and gc spares what comes; then it does not.
func TestIncomingIsClaimed(t *testing.T) {
	dir := t.TempDir()
	publishSample(t, dir, "sample")
	in := openIncoming(t, dir)
	o, other := objectOf([]byte("some")), objectOf([]byte("other"))
	for _, o := range []Object{o, other} {
		if _, err := openPart(t, in, o).Write([]byte("so")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := OpenIncoming(dir); err == nil || !strings.Contains(err.Error(), "somebody fetches objects into it already") {
		t.Errorf("it is opened twice: %v", err)
	}
	if err := in.Keep(map[string]bool{o.SHA256: true}); err != nil {
		t.Error(err)
	}
	gc := func() (parts []string) {
		if _, err := GC(dir, Keep{}, time.Now()); err != nil {
			t.Fatal(err)
		}
		parts, _ = filepath.Glob(filepath.Join(in.parts, "*"))
		return parts
	}
	if parts := gc(); len(parts) != 1 || filepath.Base(parts[0]) != o.SHA256 {
		t.Errorf("gc leaves %q", parts)
	}
	in.Close()
	if parts := gc(); len(parts) != 0 {
		t.Errorf("gc leaves %q of what nobody has open", parts)
	}
}

// GC spares what it is told to, though no manifest has it.
func TestGCSparesObjects(t *testing.T) {
	dir := t.TempDir()
	publishSample(t, dir, "sample")
	spared, gone := objectOf([]byte("spared")), objectOf([]byte("gone"))
	for content, o := range map[string]Object{"spared": spared, "gone": gone} {
		if err := os.WriteFile(ObjectPath(dir, o.SHA256), []byte(content), 0o444); err != nil {
			t.Fatal(err)
		}
	}
	removed, err := GC(dir, Keep{Objects: map[string]bool{spared.SHA256: true}}, time.Now())
	if err != nil || len(removed) != 1 || removed[0].SHA256 != gone.SHA256 {
		t.Errorf("removed %v, %v", removed, err)
	}
}
