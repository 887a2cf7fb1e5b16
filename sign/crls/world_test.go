package crls

import (
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lancre/build"
	"lancre/build/crl"
	"lancre/build/rule"
	"lancre/internal/signtest"
	"lancre/sign/certificates"
)

// A world is a CA with a list and a static tree, and a clock.
type world struct {
	t      *testing.T
	dir    string
	now    time.Time
	ca     *x509.Certificate
	key    crypto.Signer
	list   map[int]string // by serial number, what follows it in the CSV
	config Config         // of all runs
}

// newWorld has a CA with good certificates of the serial numbers 1 to n, that end in 90
// days.
func newWorld(t *testing.T, key crypto.Signer, n int) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), now: signtest.Now, key: key, list: make(map[int]string)}
	w.ca = signtest.NewCA(t, key)
	for serial := 1; serial <= n; serial++ {
		w.good(serial)
	}
	w.config = DefaultConfig()
	w.config.Issuer, w.config.Key, w.config.Static = signtest.WriteCert(t, w.ca), key, filepath.Join(w.dir, "www")
	w.config.List = certificates.List{Source: filepath.Join(w.dir, "all.csv"), Serial: certificates.Hex}
	w.config.URL = "http://c.example.org/ca.crl"
	w.config.clock = func() time.Time { return w.now }
	return w
}

func (w *world) good(serial int) {
	w.list[serial] = fmt.Sprintf("good,%d,,,%s", w.now.AddDate(0, 0, 90).Unix(), shardOf(serial))
}

// revoke revokes a certificate an hour ago.
func (w *world) revoke(serial int, reason string) { w.revokeAt(serial, w.now.Add(-time.Hour), reason) }

func (w *world) revokeAt(serial int, at time.Time, reason string) {
	w.list[serial] = fmt.Sprintf("revoked,%d,%d,%s,%s", w.now.AddDate(0, 0, 90).Unix(), at.Unix(), reason, shardOf(serial))
}

// shardOf is the column shard: serial numbers are in four shards.
func shardOf(serial int) string { return fmt.Sprint(serial%4 + 1) }

// sharded has the CRL be in four shards, by the column.
func (w *world) sharded() {
	w.config.URL = "http://c.example.org/{shard}.crl"
	w.config.Shards = must(ParseShards("1-4"))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// run signs what the list says now.
func (w *world) run(change ...func(*Config)) (*Report, error) {
	w.t.Helper()
	var text strings.Builder
	text.WriteString("serial,status,not_after,revoked_at,reason,shard\n")
	for _, serial := range slices.Sorted(maps.Keys(w.list)) {
		fmt.Fprintf(&text, "%x,%s\n", serial, w.list[serial])
	}
	if err := os.WriteFile(w.config.List.Source, []byte(text.String()), 0o600); err != nil {
		w.t.Fatal(err)
	}
	c := w.config
	for _, f := range change {
		f(&c)
	}
	return Run(context.Background(), c)
}

func (w *world) mustRun(change ...func(*Config)) *Report {
	w.t.Helper()
	report, err := w.run(change...)
	if err != nil {
		w.t.Fatal(err)
	}
	return report
}

// later moves the clock.
func (w *world) later(d time.Duration) { w.now = w.now.Add(d) }

// file is where the CRL of a name lies.
func (w *world) file(name string) string {
	return filepath.Join(w.config.Static, "c.example.org", name+".crl")
}

// read is the CRL of that name.
func (w *world) read(name string) *crl.CRL {
	w.t.Helper()
	data, err := os.ReadFile(w.file(name))
	if err != nil {
		w.t.Fatal(err)
	}
	c, broken := crl.Parse(data)
	if broken != nil {
		w.t.Fatal(broken.Reason)
	}
	return c
}

// entry is what a CRL says of a certificate.
type entry struct {
	revoked int64
	reason  int
}

// listed is what all CRLs list, by serial number.
func (w *world) listed() map[int]entry {
	w.t.Helper()
	all := make(map[int]entry)
	for _, name := range must(filepath.Glob(w.file("*"))) {
		w.read(strings.TrimSuffix(filepath.Base(name), ".crl")).Walk(func(e *crl.Entry) {
			serial := 0
			for _, octet := range e.Serial {
				serial = serial<<8 | int(octet)
			}
			if _, twice := all[serial]; twice {
				w.t.Errorf("serial %x is listed twice", serial)
			}
			all[serial] = entry{e.Revoked, e.Reason}
		})
	}
	return all
}

// serials are those that all CRLs list.
func (w *world) serials() string { return fmt.Sprint(slices.Sorted(maps.Keys(w.listed()))) }

// publish has a build take all, without a warning.
func (w *world) publish(profiles ...rule.Profile) {
	w.t.Helper()
	c := build.DefaultConfig()
	c.Out, c.Issuers, c.Static, c.At, c.Profiles = filepath.Join(w.dir, "store"), []string{w.config.Issuer}, []string{w.config.Static}, w.now, profiles
	report, err := build.Run(context.Background(), c)
	var text strings.Builder
	if err == nil {
		err = report.WriteSummary(&text)
	}
	if err != nil || strings.Contains(text.String(), "× crl.") {
		w.t.Fatalf("what was signed is not what a build wants: %v\n%s", err, text.String())
	}
}
