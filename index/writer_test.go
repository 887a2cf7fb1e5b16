package index

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Another shape with the same sum, or another set of issuers, does no harm: a response
// is stored whole, and what cannot be is refused.
func TestEqualSumsOfDifferentShapes(t *testing.T) {
	revoked := simple(testID(SHA1, 1, 9))
	revoked.singles[0].status, revoked.singles[0].revoked = Revoked, "20260910111213Z"
	longer := simple(testID(SHA1, 1, 9))
	longer.signature = make([]byte, 65)
	dual := simple(testID(SHA1, 1, 9))
	dual.singles = append(dual.singles, dual.singles[0])
	dual.singles[1].id = testID(SHA1, 2, 9)
	for name, d := range map[string]*draft{
		"a status":           revoked,
		"another signature":  longer,
		"another name hash":  simple(CertID{SHA1, testID(SHA1, 2).NameHash, testID(SHA1, 1).KeyHash, []byte{9}}),
		"another key hash":   simple(CertID{SHA1, testID(SHA1, 1).NameHash, testID(SHA1, 2).KeyHash, []byte{9}}),
		"another algorithm":  simple(testID(SHA256, 1, 9)),
		"a longer serial":    simple(testID(SHA1, 1, 9, 9)),
		"two CertIDs":        dual,
		"an empty signature": {produced: longer.produced, singles: longer.singles},
		"another responder":  {produced: longer.produced, singles: longer.singles, signature: make([]byte, 64), byName: true},
		"a certificate":      {produced: longer.produced, singles: longer.singles, signature: make([]byte, 64), certs: []byte{0x30, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWriter(t)
			first, second := simple(testID(SHA1, 1, 1)), simple(testID(SHA1, 1, 2))
			add(t, w, first.build(), second.build()) // the second has a shape
			e, der := entry(t, d), d.build()
			e.sum = entry(t, first).sum
			if err := w.Add(e); err != nil {
				t.Fatal(err)
			}
			s, stats := finish(t, w)
			for _, der := range [][]byte{first.build(), second.build(), der} {
				checkHolds(t, s, der)
			}
			if stats.Whole != 2 {
				t.Errorf("%d responses are whole, want the first and the one with another's sum", stats.Whole)
			}
		})
	}
	w := newWriter(t)
	defer w.Abort()
	bury(t, w, testID(SHA1, 1, 1), 0, 0)
	var one, other Entry
	one.SetTombstone(ptr(testID(SHA1, 1, 1)), CertStatus{})
	other.SetTombstone(ptr(testID(SHA1, 2, 1)), CertStatus{})
	other.sum = one.sum
	if err := w.Add(&other); err == nil || !strings.Contains(err.Error(), "two sets of issuers have the same checksum") {
		t.Errorf("a tombstone with the sum of another issuer's: %v", err)
	}
}

func ptr[T any](v T) *T { return &v }

// Only what has several answers for one CertID is written twice.
func TestSegmentWithoutDuplicatesIsWrittenOnce(t *testing.T) {
	for name, c := range map[string]struct {
		serials []byte
		once    bool
	}{"different": {[]byte{1, 2, 3}, true}, "the same twice": {[]byte{1, 2, 1}, false}} {
		w := newWriter(t)
		for _, serial := range c.serials {
			add(t, w, simple(testID(SHA1, 1, serial)).build())
		}
		first := w.file.Name()
		path, _, err := w.Finish()
		if err != nil {
			t.Fatal(err)
		}
		if once := path == first; once != c.once {
			t.Errorf("%s serials: written once is %t, want %t", name, once, c.once)
		}
	}
}

// A record can begin at the last offset that a slot has bits for, and no later.
func TestWriterEndsWhereOffsetsDo(t *testing.T) {
	w := newWriter(t)
	defer w.Abort()
	e := entry(t, simple(testID(SHA1, 1, 1)))
	w.at = slotOffsetMask
	if err := w.Add(e); err != nil {
		t.Error(err)
	}
	if err := w.Add(e); err == nil || !strings.Contains(err.Error(), "build one segment a shard") {
		t.Errorf("a record behind all offsets: %v", err)
	}
}

// What the Writer counts is what it did.
func TestStats(t *testing.T) {
	w := newWriter(t)
	older, newer := simple(testID(SHA1, 1, 1)), simple(testID(SHA1, 1, 1))
	newer.produced = "20261101070708Z"
	add(t, w, older.build(), newer.build(), newer.build(), simple(testID(SHA1, 1, 2)).build())
	bury(t, w, testID(SHA1, 1, 3), 0, 0)
	s, stats := finish(t, w)
	if stats.Superseded != 1 || stats.Identical != 1 || stats.Records != 3 || stats.Keys != 3 || stats.Tombstones != 1 || stats.Info != s.Info() {
		t.Errorf("%+v, want 1 superseded, 1 identical, 3 records and keys, 1 of them a tombstone", stats)
	}
	if got := lookup(t, s, testID(SHA1, 1, 1)); !bytes.Equal(got, newer.build()) {
		t.Errorf("the older response is found: %x", got)
	}
}

// Two CertIDs with one key are two slots, and each leads to its own response.
func TestTwoCertIDsWithOneKey(t *testing.T) {
	const key = 0x1234567890abcdef // of all, though not by the hash
	w := newWriter(t)
	drafts := []*draft{simple(testID(SHA1, 1, 1)), simple(testID(SHA1, 1, 2)), simple(testID(SHA256, 1, 1))}
	for _, d := range drafts {
		e := entry(t, d)
		e.keys = []uint64{key}
		if err := w.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	s, err := OpenBytes(octets(t, w))
	if err != nil {
		t.Fatal(err)
	}
	if info := s.Info(); info.Keys != 3 || s.head.longestProbe != 3 {
		t.Errorf("%d keys in probes of at most %d, want 3 and 3", info.Keys, s.head.longestProbe)
	}
	for _, d := range drafts {
		rec, found, err := s.Lookup(key, &d.singles[0].id)
		if err != nil || !found || !bytes.Equal(rec.AppendResponse(nil), d.build()) {
			t.Errorf("%s: found %t, %v", &d.singles[0].id, found, err)
		}
	}
	stranger := testID(SHA1, 1, 3)
	if _, found, err := s.Lookup(key, &stranger); found || err != nil {
		t.Errorf("%s: found %t, %v", &stranger, found, err)
	}
}

// A Writer that cannot write says so and leaves nothing behind.
func TestFinishReportsErrors(t *testing.T) {
	for name, damage := range map[string]func(w *Writer){
		"the file is closed":     func(w *Writer) { w.file.Close() },
		"that of keys is closed": func(w *Writer) { w.keys.file.Close() },
	} {
		dir := t.TempDir()
		w, err := NewWriter(dir, Everything)
		if err != nil {
			t.Fatal(err)
		}
		w.keys.limit = 2
		for i := range byte(5) {
			add(t, w, simple(testID(SHA1, 1, i)).build())
		}
		damage(w)
		if path, _, err := w.Finish(); err == nil || path != "" {
			t.Errorf("%s: %q, %v", name, path, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%s: %v left behind, %v", name, left, err)
		}
	}
	if _, err := NewWriter(filepath.Join(t.TempDir(), "nowhere"), Everything); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("in no directory: %v", err)
	}
}
