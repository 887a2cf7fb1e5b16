// Package held keeps the responses that were put aside: each broke a check that an
// operator chose not to have the others wait for. They lie in STORE/held, one file
// each, and are tried again until they pass or are dropped.
//
//	STORE/held/<sha256>.pem    of the response's DER
//
// A file is a PEM block "OCSP RESPONSE", as package input reads, whose headers say what
// is wrong with it:
//
//	-----BEGIN OCSP RESPONSE-----
//	Check: ocsp.previous-conflict
//	Place: responses.der offset 4096
//	Reason: certStatus is good; …
//	Serial: 1a2b3c
//	Since: 2026-03-01T12:00:00Z
//
//	MIIB…
//	-----END OCSP RESPONSE-----
package held

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"lancre/internal/durable"
)

const (
	dirName = "held"
	suffix  = ".pem"
	pemType = "OCSP RESPONSE"
)

// A Response is one that was put aside.
type Response struct {
	Name   string    `json:"name"`   // SHA-256 of DER, in hex
	Check  string    `json:"check"`  // id of the check that it broke when it was tried last
	Reason string    `json:"reason"` // how
	Place  string    `json:"place"`  // where it was read first
	Serial string    `json:"serial"` // hex, of the first certificate that it is about
	Since  time.Time `json:"since"`
	DER    []byte    `json:"-"`
}

// NameOf is the name of a response.
func NameOf(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// A Box is what is held in one store. Not safe for concurrent use.
type Box struct {
	dir  string
	list map[string]Response // by name
}

// Open reads what is held in a store.
func Open(store string) (*Box, error) {
	b := &Box{dir: filepath.Join(store, dirName), list: make(map[string]Response)}
	entries, err := os.ReadDir(b.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), durable.TempPrefix) {
			continue // in the making, or left by a crash
		}
		r, err := read(filepath.Join(b.dir, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("%w: put it right, or remove it", err)
		}
		b.list[r.Name] = r
	}
	return b, nil
}

// read reads one file.
func read(path string) (r Response, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	block, rest := pem.Decode(text)
	if block == nil || block.Type != pemType || len(bytes.TrimSpace(rest)) > 0 {
		return r, fmt.Errorf("%s: want one PEM block %q and nothing else", path, pemType)
	}
	h := block.Headers
	r = Response{Name: NameOf(block.Bytes), Check: h["Check"], Reason: unquoted(h["Reason"]), Place: unquoted(h["Place"]), Serial: h["Serial"], DER: block.Bytes}
	if want := r.Name + suffix; filepath.Base(path) != want {
		return r, fmt.Errorf("%s: its content has another SHA-256: want the name %s", path, want)
	}
	if r.Since, err = time.Parse(time.RFC3339, h["Since"]); err != nil {
		return r, fmt.Errorf("%s: header Since: %w", path, err)
	}
	return r, nil
}

// quoted is a text of one line that says s.
func quoted(s string) string {
	q := strconv.Quote(s)
	return q[1 : len(q)-1]
}

func unquoted(s string) string {
	if u, err := strconv.Unquote(`"` + s + `"`); err == nil {
		return u
	}
	return s
}

// Dir is where the files lie. It need not exist while the box is empty.
func (b *Box) Dir() string { return b.dir }

// Len is how many responses are held.
func (b *Box) Len() int { return len(b.list) }

// Has reports whether the response with that name is held.
func (b *Box) Has(name string) bool { _, ok := b.list[name]; return ok }

// List is all of them, the oldest first.
func (b *Box) List() []Response {
	list := make([]Response, 0, len(b.list))
	for _, r := range b.list {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b Response) int { return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.Name, b.Name)) })
	return list
}

// At returns the response whose file that is.
func (b *Box) At(path string) (Response, bool) {
	if len(b.list) == 0 { // as for nearly every response of every build
		return Response{}, false
	}
	name, ok := strings.CutSuffix(filepath.Base(path), suffix)
	if !ok || filepath.Dir(path) != b.dir {
		return Response{}, false
	}
	r, ok := b.list[name]
	return r, ok
}

// Put puts a response aside, durably. One that is held already keeps its Place and
// Since.
func (b *Box) Put(r Response) error {
	r.Name = NameOf(r.DER)
	if old, ok := b.list[r.Name]; ok {
		r.Place, r.Since = old.Place, old.Since
		if old.Check == r.Check && old.Reason == r.Reason {
			return nil
		}
	}
	if err := durable.MakeDir(b.dir); err != nil {
		return err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: r.DER, Headers: map[string]string{
		"Check": r.Check, "Place": quoted(r.Place), "Reason": quoted(r.Reason), "Serial": r.Serial, "Since": r.Since.UTC().Format(time.RFC3339),
	}})
	if err := durable.WriteBytes(filepath.Join(b.dir, r.Name+suffix), text); err != nil {
		return err
	}
	b.list[r.Name] = r
	return nil
}

// Drop forgets the response with that name, durably. Somebody else may have done so since
// the box was opened.
func (b *Box) Drop(name string) error {
	if _, ok := b.list[name]; !ok {
		return fmt.Errorf("%s: no response of that name is held", name)
	}
	if err := os.Remove(filepath.Join(b.dir, name+suffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	delete(b.list, name)
	return durable.SyncDir(b.dir)
}
