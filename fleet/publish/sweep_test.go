package publish

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"lancre/index/store"
)

// age has what the bucket has under name be put there so long ago.
func (at target) age(t *testing.T, name string, ago time.Duration) {
	t.Helper()
	then := time.Now().Add(-ago)
	check(t, os.Chtimes(filepath.Join(at.dir, name), then, then))
}

func (at target) has(name string) bool {
	_, err := os.Stat(filepath.Join(at.dir, name))
	return err == nil
}

// only is the object that the first of two manifests names and the second does not.
func only(t *testing.T, a, b *store.Manifest) store.Object {
	t.Helper()
	names := make(map[string]bool)
	for _, o := range b.Objects() {
		names[o.SHA256] = true
	}
	for _, o := range a.Objects() {
		if !names[o.SHA256] {
			return o
		}
	}
	t.Fatal("they name the same")
	return store.Object{}
}

// What no manifest names that is kept goes when it was not put for Retain, and nothing
// else does.
func TestSweep(t *testing.T) {
	targets(t, func(t *testing.T, at target) {
		o := newOrigin(t)
		first := o.add("one")
		o.mustPublish(at.bucket)
		second := o.add("two")
		o.mustPublish(at.bucket)
		list := objectName(only(t, first, second).SHA256) // the list of files of the first
		for _, e := range second.Objects() {
			at.age(t, objectName(e.SHA256), 1000*time.Hour) // it is named: no reason to go
		}
		at.age(t, list, 1000*time.Hour)
		if r := o.mustPublish(at.bucket); r.Removed != 0 || !at.has(list) {
			t.Errorf("%+v: the list of a manifest that is kept is gone", r)
		}
		past := historyDir + "/" + strconv.FormatUint(first.Generation, 10)
		at.age(t, past, 25*time.Hour)
		if r := o.mustPublish(at.bucket, func(c *Config) { c.Retain = 0 }); r.Removed != 0 || !at.has(past) {
			t.Errorf("%+v: a manifest is gone that was to be kept for ever", r)
		}
		at.age(t, list, 23*time.Hour)
		if r := o.mustPublish(at.bucket); r.Removed != 1 || at.has(past) || !at.has(list) {
			t.Errorf("%+v: want the old manifest gone and what it named not yet", r)
		}
		at.age(t, list, 25*time.Hour)
		if r := o.mustPublish(at.bucket); r.Removed != 1 || at.has(list) {
			t.Errorf("%+v: want the list of the first gone", r)
		}
		at.whole(t, second)
	})
}

// A sweep is made once in a while, by whichever Publisher comes first then, and when
// there is nothing to publish.
func TestSweepEvery(t *testing.T) {
	targets(t, func(t *testing.T, at target) {
		o := newOrigin(t)
		m := o.add("one")
		o.mustPublish(at.bucket)
		stray := objectName("aa" + m.Files[0].SHA256[2:])
		litter := func() {
			check(t, os.WriteFile(filepath.Join(at.dir, stray), nil, 0o644))
			at.age(t, stray, 25*time.Hour)
		}
		litter()
		o.add("two")
		if r := o.mustPublish(at.bucket); r.Removed != 0 {
			t.Errorf("%+v: swept again at once", r)
		}
		at.age(t, sweptName, 61*time.Minute)
		o.add("three")
		if r := o.mustPublish(at.bucket); r.Removed != 1 {
			t.Errorf("%+v: not swept after an hour", r)
		}
		litter()
		if r := o.mustPublish(at.bucket); r.Removed != 1 {
			t.Errorf("%+v: not swept where nothing is new", r)
		}
	})
}

// What lies there for long, and no manifest there names, is put again before it is
// relied on: the sweep of another publisher may be about to remove it.
func TestOldObjectIsPutAgain(t *testing.T) {
	targets(t, func(t *testing.T, at target) {
		o := newOrigin(t)
		o.add("one")
		o.mustPublish(at.bucket)
		m := o.add("two")
		file := m.Files[1]
		for _, test := range []struct {
			ago time.Duration
			put int
		}{{11 * time.Hour, 1}, {13 * time.Hour, 2}} {
			f, err := os.Open(store.ObjectPath(o.dir, file.SHA256))
			check(t, err)
			defer f.Close()
			check(t, at.bucket.Put(t.Context(), objectName(file.SHA256), f, file.Size))
			at.age(t, objectName(file.SHA256), test.ago)
			if r := o.mustPublish(at.bucket); r.Objects != test.put { // the list is always new
				t.Errorf("%v old: %+v, want %d objects put", test.ago, r, test.put)
			}
			m = o.add("three" + test.ago.String())
			file = m.Files[len(m.Files)-1]
		}
	})
}

// Of the last hour all manifests stay, before that one an hour, and for Retain.
func TestThinOut(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 30, 0, 0, time.UTC)
	p := Publisher{config: Config{Retain: 6 * time.Hour}, ahead: time.Until(now)}
	var past []Entry
	want := make(map[string]bool)
	for i := range 8 * 60 { // one a minute, for eight hours
		ago := time.Duration(i) * time.Minute
		e := Entry{Name: historyDir + "/" + strconv.Itoa(i), Modified: now.Add(-ago)}
		past = append(past, e)
		m := e.Modified.Minute()
		want[e.Name] = ago < time.Hour || m == 59 && ago < 6*time.Hour
	}
	kept, old := p.thinOut(past)
	if len(kept)+len(old) != len(past) {
		t.Fatalf("%d kept and %d old of %d", len(kept), len(old), len(past))
	}
	for _, e := range kept {
		if !want[e.Name] {
			t.Errorf("kept: the one of %s", e.Modified)
		}
		delete(want, e.Name)
	}
	for name, keep := range want {
		if keep {
			t.Errorf("goes: %s", name)
		}
	}
}

// A manifest of the history that cannot be read says nothing about what it needs: then
// nothing is removed. Once it is old it goes unread.
func TestSweepBesideADamagedHistory(t *testing.T) {
	targets(t, func(t *testing.T, at target) {
		o := newOrigin(t)
		o.add("one")
		o.mustPublish(at.bucket)
		m := o.add("two")
		o.mustPublish(at.bucket)
		stray := objectName("aa" + m.Files[0].SHA256[2:])
		check(t, os.WriteFile(filepath.Join(at.dir, stray), nil, 0o644))
		at.age(t, stray, 25*time.Hour)
		damaged := historyDir + "/7"
		check(t, os.WriteFile(filepath.Join(at.dir, damaged), []byte("nothing\n"), 0o644))
		r, err := o.publish(at.bucket)
		wantError(t, "damaged", err, "not removed: history/7: ")
		if r.Removed != 0 || !at.has(stray) {
			t.Errorf("%+v: something is gone", r)
		}
		at.age(t, damaged, 25*time.Hour)
		if r := o.mustPublish(at.bucket); r.Removed != 2 || at.has(stray) || at.has(damaged) {
			t.Errorf("%+v: want both gone", r)
		}
		at.whole(t, m)
	})
}

// What time it is, the bucket tells: a clock here that is an hour off removes nothing
// too early.
func TestClockOfTheBucket(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bucket")
	at, o := openTarget(t, dir, dir), newOrigin(t)
	o.add("one")
	behind := &skewed{at.bucket, -48 * time.Hour}
	o.mustPublish(behind)
	stray := objectName("aa" + o.add("two").Files[1].SHA256[2:])
	check(t, os.WriteFile(filepath.Join(at.dir, stray), nil, 0o644))
	if r := o.mustPublish(behind); r.Removed != 0 {
		t.Errorf("%+v: removed what has just come", r)
	}
}

// A skewed bucket has a clock of its own.
type skewed struct {
	Bucket
	by time.Duration
}

func (s *skewed) Stat(ctx context.Context, name string) (Entry, error) {
	e, err := s.Bucket.Stat(ctx, name)
	e.Modified = e.Modified.Add(s.by)
	return e, err
}

func (s *skewed) List(ctx context.Context, dir string) ([]Entry, error) {
	list, err := s.Bucket.List(ctx, dir)
	for i := range list {
		list[i].Modified = list[i].Modified.Add(s.by)
	}
	return list, err
}
