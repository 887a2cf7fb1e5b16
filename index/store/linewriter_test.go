package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ocsp"

	"lancre/index"
)

// openObjects are objects in the making of a new store, until the test ends.
func openObjects(t *testing.T) *Objects {
	t.Helper()
	o, err := OpenObjects(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	return o
}

// openLines opens lines of o until the test ends.
func openLines(t *testing.T, o *Objects, lines ...SegmentLine) *Generation {
	t.Helper()
	g, err := o.Open(&Manifest{Segments: lines}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

// What is copied answers as before; what is buried is a tombstone that remembers.
func TestLineWriter(t *testing.T) {
	o := openObjects(t)
	good, revoked, withdrawn := response(t, 1, 0), revocation(t, 2, 0), tombstone(t, 3, 2)
	from := openLines(t, o, addSegment(t, o, RoleBase, index.Everything, []record{good, revoked, withdrawn}))
	w := NewLineWriter(o, index.Everything)
	defer w.Abort()
	for _, err := range []error{
		w.Add(lookUp(t, from, &good.id), good.id),
		w.Bury(lookUp(t, from, &revoked.id), &revoked.id),
		w.Add(lookUp(t, from, &withdrawn.id), withdrawn.id),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	line, err := w.Finish(RoleDelta)
	if err != nil || line.Records != 3 || line.Role != RoleDelta || line.Shard != index.Everything {
		t.Fatalf("line is %+v, %v", line, err)
	}
	g := openLines(t, o, line)
	if got := answer(t, g, &good.id); got != good.answer() {
		t.Errorf("the copy answers %.20q, want %.20q", got, good.answer())
	}
	stood := lookUp(t, from, &revoked.id)
	was, _ := stood.CertStatus(&revoked.id)
	buried := lookUp(t, g, &revoked.id)
	if is, _ := buried.CertStatus(&revoked.id); !buried.Tombstone() || is != was || is.Status != index.Revoked || is.Reason != ocsp.KeyCompromise {
		t.Errorf("buried as %+v, want the tombstone of %+v", is, was)
	}
	if was, is := lookUp(t, from, &withdrawn.id), lookUp(t, g, &withdrawn.id); !sameAnswer(was, is) {
		t.Errorf("the tombstone's moment is %+v, want %+v", is.Moment(), was.Moment())
	}
}

// A delta of nothing is none; a base of nothing says that there is nothing.
func TestLineWriterOfNothing(t *testing.T) {
	o := openObjects(t)
	half := index.Shard{Index: 1, Of: 2}
	if line, err := NewLineWriter(o, half).Finish(RoleDelta); err != nil || line != (SegmentLine{}) {
		t.Errorf("a delta is %+v, %v; want none", line, err)
	}
	line, err := NewLineWriter(o, half).Finish(RoleBase)
	if err != nil || line.Records != 0 || line.Shard != half || line.SHA256 == "" || !line.NextUpdate.IsZero() {
		t.Fatalf("a base is %+v, %v", line, err)
	}
	if n := len(openLines(t, o, line).Segments()); n != 1 {
		t.Errorf("%d segments", n)
	}
}

// What was given up leaves no file, and may be given up twice.
func TestLineWriterAborts(t *testing.T) {
	o := openObjects(t)
	r := response(t, 1, 0)
	from := openLines(t, o, addSegment(t, o, RoleBase, index.Everything, []record{r}))
	before, err := os.ReadDir(o.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := NewLineWriter(o, index.Everything)
	if err := w.Add(lookUp(t, from, &r.id), r.id); err != nil {
		t.Fatal(err)
	}
	w.Abort()
	w.Abort()
	if after, err := os.ReadDir(o.TempDir()); err != nil || len(after) != len(before) {
		t.Errorf("left are %v, %v; want %v", after, err, before)
	}
	if line, err := w.Finish(RoleDelta); err != nil || line.Records != 0 {
		t.Errorf("finished after that: %+v, %v; want nothing", line, err)
	}
}

// What cannot be written is the error of a later call, of Finish at the latest.
func TestLineWriterSaysWhatCannotBeWritten(t *testing.T) {
	o := openObjects(t)
	r := response(t, 1, 0)
	from := openLines(t, o, addSegment(t, o, RoleBase, index.Everything, []record{r}))
	elsewhere := index.ShardOf(r.id.SerialHash(), 2)
	elsewhere.Index = 1 - elsewhere.Index
	before := segmentsIn(t, o)
	many := (batches + 2) * batchSize
	for _, records := range []int{1, many} {
		w := NewLineWriter(o, elsewhere)
		added := 0
		var err error
		for ; added < records && err == nil; added++ {
			err = w.Add(lookUp(t, from, &r.id), r.id)
		}
		if (err != nil) != (records == many) || added == many {
			t.Errorf("of %d records %d were added: %v", records, added, err)
		}
		if err == nil {
			_, err = w.Finish(RoleDelta)
		}
		if err == nil || !strings.Contains(err.Error(), "shard") {
			t.Errorf("of %d records: %v, want an error that names the shard", records, err)
		}
		w.Abort()
	}
	if now := segmentsIn(t, o); now != before {
		t.Errorf("there are %d segments in the making, want %d as before", now, before)
	}
}

// segmentsIn counts the files of segments in the making.
func segmentsIn(t *testing.T, o *Objects) int {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(o.TempDir(), ".tmp-segment-*"))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
