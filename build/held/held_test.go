package held

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func example(der string) Response {
	return Response{
		Check: "ocsp.previous-conflict", Reason: "a reason\nof two lines, \x1b[31m and \"quotes\"", Place: "responses.der offset 4096", Serial: "1a2b",
		Since: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC), DER: []byte(der),
	}
}

func open(t *testing.T, store string) *Box {
	t.Helper()
	b, err := Open(store)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What is put aside is there when the box is opened again, as it was, until it is
// dropped.
func TestBox(t *testing.T) {
	store := t.TempDir()
	b := open(t, store)
	if b.Len() != 0 {
		t.Fatalf("%d held in a new store", b.Len())
	}
	first, second := example("first"), example("second")
	second.Since = second.Since.Add(-time.Hour)
	for _, r := range []Response{first, second} {
		if err := b.Put(r); err != nil {
			t.Fatal(err)
		}
	}
	again := first
	again.Reason, again.Place, again.Since = "another reason", "elsewhere", first.Since.Add(time.Hour)
	if err := b.Put(again); err != nil {
		t.Fatal(err)
	}
	b = open(t, store)
	list := b.List()
	if len(list) != 2 || string(list[0].DER) != "second" || list[0].Reason != second.Reason {
		t.Fatalf("%+v, want the oldest first, as it was put", list)
	}
	if r := list[1]; r.Reason != again.Reason || r.Place != first.Place || !r.Since.Equal(first.Since) || r.Check != first.Check || r.Serial != first.Serial {
		t.Errorf("put again: %+v, want the new reason and the first place and time", r)
	}
	path := filepath.Join(b.Dir(), list[0].Name+".pem")
	if r, ok := b.At(path); !ok || r.Name != list[0].Name || !b.Has(r.Name) {
		t.Errorf("%s: %+v, %v", path, r, ok)
	}
	if _, ok := b.At(filepath.Join(store, "elsewhere", list[0].Name+".pem")); ok {
		t.Error("a file elsewhere is taken for one that is held")
	}
	if err := b.Drop(list[0].Name); err != nil {
		t.Fatal(err)
	}
	if err := b.Drop(list[0].Name); err == nil || !strings.Contains(err.Error(), "no response of that name is held") {
		t.Errorf("dropped twice: %v", err)
	}
	if b = open(t, store); b.Len() != 1 {
		t.Errorf("%d held, want 1", b.Len())
	}
}

// What a crash left is passed over; what somebody has changed is an error that names
// the file.
func TestOpenRefuses(t *testing.T) {
	r := example("first")
	store := t.TempDir()
	b := open(t, store)
	if err := b.Put(r); err != nil {
		t.Fatal(err)
	}
	name := NameOf(r.DER) + ".pem"
	good, err := os.ReadFile(filepath.Join(b.Dir(), name))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.Dir(), ".tmp-1"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	open(t, store)
	for text, want := range map[string]string{
		"": "want one PEM block",
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n": "want one PEM block",
		string(good) + "more": "want one PEM block",
		strings.Replace(string(good), "Zmlyc3Q=", "b3RoZXI=", 1):             "its content has another SHA-256",
		strings.Replace(string(good), "Since: 2026-11-21T", "Since: of ", 1): "header Since",
	} {
		if err := os.WriteFile(filepath.Join(b.Dir(), name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(store); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) {
			t.Errorf("%q: %v, want %q and the name", text, err, want)
		}
	}
}
