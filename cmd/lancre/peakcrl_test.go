package main

import (
	"bufio"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lancre/bench/proc"
	"lancre/internal/programs"
	"lancre/internal/signtest"
)

// A CRL of many entries takes little memory that cannot be taken back, also where the CRL
// before has as many.
func TestPeakMemoryOfCRL(t *testing.T) {
	if programs.RaceDetected() {
		t.Skip("the race detector takes memory of its own")
	}
	const entries = 500_000
	const most = 48 << 20 // half a million take some 23 MiB
	dir := t.TempDir()
	writeRevoked(t, filepath.Join(dir, "all.csv"), entries)
	key := signtest.P256()
	ca := signtest.NewCA(t, key, func(c *x509.Certificate) { c.NotAfter = c.NotAfter.AddDate(60, 0, 0) }) // whatever the clock says
	args := []string{"sign", "crl", "--issuer", signtest.WriteCert(t, ca), "--key", signtest.WriteKey(t, key), "--every", "0s",
		"--certificates", filepath.Join(dir, "all.csv"), "--serial", "hex", "--static", filepath.Join(dir, "www"), "--url", "http://c.example.org/1.crl"}
	for _, before := range []string{"none before", "as many before"} {
		var out strings.Builder
		cmd := exec.Command("lancre", args...)
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		stop, peak := make(chan struct{}), make(chan int64)
		go func() { peak <- proc.PeakAnon(cmd.Process.Pid, 5*time.Millisecond, stop) }()
		err := cmd.Wait()
		close(stop)
		anon := <-peak
		if want := fmt.Sprintf(", %d entries", entries); err != nil || !strings.Contains(out.String(), want) {
			t.Fatalf("%v\n%swant %s", err, out.String(), want)
		}
		t.Logf("%s: %d MiB, %.2f s of processor time", before, anon>>20, (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds())
		if anon > most {
			t.Errorf("%s: %d octets of anonymous memory, want at most %d", before, anon, most)
		}
	}
}

// writeRevoked writes a list of so many certificates, all revoked, in no order.
func writeRevoked(t *testing.T, name string, n int) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "serial,status,not_after,revoked_at,reason")
	for i := range n {
		serial := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
		fmt.Fprintf(w, "40%x,revoked,2096-01-01T00:00:00Z,2026-01-01T00:00:00Z,1\n", serial[:15])
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
}
