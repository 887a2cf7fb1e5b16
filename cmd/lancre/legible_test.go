package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"lancre/internal/legible"
	"lancre/internal/ocsptest"
)

// evil is what somebody may have written into a name: it clears the screen, begins a
// line and turns what follows around.
const evil = "x\x1b[2J\r\nforged: all is well\x7f\u009b2J\u202e"

// spoilt is a name as it is shown.
const spoilt = `x\x1b[2J\r\nforged: all is well\x7f\u009b2J\u202e`

// No name steers the terminal or forges a line, whatever a command says of it and where.
func TestNamesAreLegible(t *testing.T) {
	t.Chdir(t.TempDir())
	ca := ocsptest.NewCA("CA "+evil, nil)
	now := time.Now().UTC().Truncate(time.Minute)
	good := ca.Sign(ocsp.Response{Status: ocsp.Good, SerialNumber: big.NewInt(7), ThisUpdate: now, NextUpdate: now.AddDate(0, 0, 3)})
	write(t, "ca.pem", encodePEM(ca.Raw))
	write(t, "good", good)
	write(t, "bad.tar", memberOf(evil, []byte("junk"), good))
	write(t, "www/c.example.org/"+evil+".crl", []byte("junk"))
	write(t, "www/"+evil+"/x.crl", []byte("junk"))
	write(t, evil, []byte("junk"))
	for _, tt := range []struct {
		line string // of words; EVIL is the name
		want string // that is said somewhere
	}{
		{"build --out store --issuer ca.pem --responses good", "CN=CA " + spoilt},
		{"build --out store --issuer ca.pem --responses bad.tar --report report", "bad.tar(" + spoilt + ")"},
		{"build --out store --issuer ca.pem --responses bad.tar --report report --max-rejects 1", "bad.tar(" + spoilt + ")"},
		{"build --out store --issuer ca.pem --responses EVIL", spoilt + " line 1"},
		{"build --out store --issuer ca.pem --responses EVIL.absent", spoilt + ".absent"},
		{"build --out store --issuer EVIL --responses good", spoilt + ": not a certificate"},
		{"build --out store --issuer ca.pem --responses good --static www", spoilt},
		{"build --out store --issuer ca.pem --responses good --inventory EVIL", spoilt + ": "},
		{"build --out EVIL/new --issuer ca.pem --responses good", spoilt},
		{"build --out store --issuer ca.pem --responses sqlite:EVIL", spoilt},
		{"EVIL", spoilt[:1]},
		{"inspect store", "CN=CA " + spoilt},
		{"inspect store --json", "forged"},
		{"inspect store --issuer ca.pem --serial 07", spoilt},
		{"inspect store --issuer ca.pem --serial 07 --json", "forged"},
		{"inspect store --issuer EVIL --serial 07", spoilt},
		{"inspect EVIL", spoilt},
		{"verify store", "no fault"},
		{"verify EVIL", spoilt},
		{"gc EVIL", spoilt},
		{"pages --out EVIL --domain example.org --ca X", spoilt},
		{"demo --out EVIL", spoilt},
	} {
		args := strings.Fields(tt.line)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "EVIL", evil)
		}
		_, stdout, stderr := execute(t, args...)
		report, _ := os.ReadFile("report")
		all := stdout + stderr + string(report)
		if legible.Text(all) != all {
			t.Errorf("%s: a terminal takes part of this for orders: %q", tt.line, all)
		}
		if strings.Contains(all, "\nforged") || !strings.Contains(all, tt.want) {
			t.Errorf("%s: want %s, and no line of a stranger:\n%s", tt.line, tt.want, all)
		}
		os.Remove("report")
	}
}

// JSON holds names as they are, whatever it is shown on.
func TestReportHoldsNamesAsTheyAre(t *testing.T) {
	t.Chdir(t.TempDir())
	ca := ocsptest.NewCA("CA", nil)
	write(t, "ca.pem", encodePEM(ca.Raw))
	write(t, "bad.tar", memberOf(evil, []byte("junk")))
	execute(t, "build", "--out", "store", "--issuer", "ca.pem", "--responses", "bad.tar", "--report", "report")
	text, err := os.ReadFile("report")
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Rejections []struct{ Place struct{ Member string } }
	}
	if err := json.Unmarshal(text, &r); err != nil || len(r.Rejections) != 1 || r.Rejections[0].Place.Member != evil {
		t.Errorf("%v in %s, want the member %q", err, text, evil)
	}
}

// Errors that were joined have lines of their own, and so have the items of a list; no
// other line begins in one.
func TestErrorsAreSpelled(t *testing.T) {
	list := errors.New("lost:\n  a\n  b\nforged")
	joined := errors.Join(list, fmt.Errorf("%w, %w", errors.New("c\nd"), io.EOF))
	want := `lost:
  a
  b\nforged
c\nd, EOF`
	if got := spell(problem{joined}); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// memberOf is an archive of members that all have that name.
func memberOf(name string, contents ...[]byte) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, c := range contents {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(c)), Typeflag: tar.TypeReg}); err != nil {
			panic(err)
		}
		w.Write(c)
	}
	w.Close()
	return b.Bytes()
}
