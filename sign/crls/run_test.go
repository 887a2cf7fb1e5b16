package crls

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lancre/build/rule"
	"lancre/index"
	"lancre/internal/durable"
	"lancre/internal/signtest"
)

func keys() map[string]crypto.Signer {
	return map[string]crypto.Signer{"RSA": signtest.RSA(), "P-256": signtest.P256(), "P-384": signtest.P384(), "Ed25519": signtest.Ed25519()}
}

// Everything that is signed is what a build publishes without a warning, under every
// profile that it was signed for, the first time and after changes.
func TestBuildPublishesWithoutWarning(t *testing.T) {
	public := []rule.Profile{rule.BR, rule.MS, rule.Moz}
	for name, key := range keys() {
		for _, sharded := range []bool{false, true} {
			for _, profiles := range [][]rule.Profile{public, {rule.Private}} {
				if name == "Ed25519" && len(profiles) > 1 {
					continue
				}
				t.Run(fmt.Sprint(name, sharded, profiles), func(t *testing.T) {
					w := newWorld(t, key, 20)
					w.config.Profiles = profiles
					if sharded {
						w.sharded()
					}
					w.mustRun()
					w.publish(profiles...)
					w.later(time.Hour)
					for i, reason := range []string{"", "0", "1", "3", "4", "5", "9"} {
						w.revoke(i+1, reason)
					}
					w.mustRun()
					w.publish(profiles...)
					w.later(25 * time.Hour)
					w.mustRun()
					w.publish(profiles...)
					if got := w.serials(); got != "[1 2 3 4 5 6 7]" {
						t.Errorf("listed are %s", got)
					}
				})
			}
		}
	}
}

// A CRL is signed when it says something new, or is old, and then only that one.
func TestWhenCRLsAreSigned(t *testing.T) {
	w := newWorld(t, signtest.P256(), 8)
	w.sharded()
	for _, step := range []struct {
		what  string
		do    func()
		after time.Duration
		want  int
	}{
		{"the first time", func() {}, 0, 4},
		{"nothing happened", func() {}, time.Hour, 0},
		{"a revocation", func() { w.revoke(2, "1") }, time.Second, 1},
		{"its reason changes", func() { w.revokeAt(2, w.now.Add(-time.Hour), "4") }, time.Second, 1},
		{"two revocations", func() { w.revoke(3, ""); w.revoke(4, "") }, time.Second, 2},
		{"all but the last two are a day old", func() {}, 24*time.Hour - 3*time.Second, 1},
		{"all are", func() {}, 3 * time.Second, 3},
	} {
		step.do()
		w.later(step.after)
		if got := len(w.mustRun().Made); got != step.want {
			t.Errorf("%s: %d CRLs signed, want %d", step.what, got, step.want)
		}
	}
}

// A number is the time, or one more than that before, however that was counted.
func TestNumbers(t *testing.T) {
	w := newWorld(t, signtest.P256(), 3)
	const unix = 1795176000 // signtest.Now
	nanoseconds := new(big.Int).Mul(big.NewInt(unix), big.NewInt(1e9))
	for _, tt := range []struct{ before, want *big.Int }{
		{nil, big.NewInt(unix)},
		{big.NewInt(7), big.NewInt(unix)},
		{big.NewInt(unix), big.NewInt(unix + 1)},
		{nanoseconds, new(big.Int).Add(nanoseconds, big.NewInt(1))},
	} {
		os.RemoveAll(w.config.Static)
		if tt.before != nil {
			w.putBefore(tt.before)
		}
		if got := w.mustRun().Made[0].Number; got.Cmp(tt.want) != 0 {
			t.Errorf("after %v: number %v, want %v", tt.before, got, tt.want)
		}
	}
	os.RemoveAll(w.config.Static)
	w.putBefore(new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 159), big.NewInt(1)))
	if _, err := w.run(); err == nil || !strings.Contains(err.Error(), "want one below 2^159") {
		t.Errorf("error %v", err)
	}
}

// putBefore puts a CRL of crypto/x509 where the CRL before lies, a day old.
func (w *world) putBefore(number *big.Int, entries ...x509.RevocationListEntry) {
	w.t.Helper()
	template := &x509.RevocationList{Number: number, ThisUpdate: w.now.AddDate(0, 0, -1), NextUpdate: w.now.AddDate(0, 0, 6), RevokedCertificateEntries: entries}
	der := must(x509.CreateRevocationList(nil, template, w.ca, w.key))
	if err := errors.Join(os.MkdirAll(w.file("")[:len(w.file(""))-len("/.crl")], 0o755), durable.WriteBytes(w.file("ca"), der)); err != nil {
		w.t.Fatal(err)
	}
}

// thisUpdate is later than that of the CRL before, and the clock may not be far behind.
func TestClock(t *testing.T) {
	w := newWorld(t, signtest.P256(), 3)
	w.mustRun()
	first := w.read("ca").ThisUpdate
	w.revoke(1, "")
	w.now = w.now.Add(-200 * time.Second)
	w.mustRun()
	if got := w.read("ca").ThisUpdate; got != first+1 {
		t.Errorf("thisUpdate %d, want %d", got, first+1)
	}
	for d, want := range map[time.Duration]string{
		-200 * time.Second: "it is 2026-11-20T11:53:20Z by the clock, but thisUpdate of a CRL before is 2026-11-20T12:00:01Z",
		8 * 24 * time.Hour: "it is 2026-11-28T11:56:40Z by the clock, and no CRL was signed since 2026-11-20T12:00:01Z",
	} {
		now := w.now
		w.later(d)
		if _, err := w.run(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", d, err, want)
		}
		if _, err := w.run(func(c *Config) { c.Force = []string{ForceClock}; c.DryRun = true }); err != nil {
			t.Errorf("%s: %v", d, err)
		}
		w.now = now
	}
}

// A revocation of a moment that the list's host has reached and this one has not is
// listed at once, as of thisUpdate.
func TestRevokedAheadOfTheClock(t *testing.T) {
	w := newWorld(t, signtest.P256(), 3)
	w.revokeAt(1, w.now.Add((index.MaxSkew-1)*time.Second), "")
	w.mustRun()
	if got := w.listed()[1].revoked; got != w.now.Unix() {
		t.Errorf("revoked %s, want thisUpdate", utc(got))
	}
	w.publish(rule.BR)
}

// An entry goes once the certificate has expired and a CRL of later than that listed it.
func TestExpiredEntries(t *testing.T) {
	w := newWorld(t, signtest.P256(), 3)
	w.revoke(1, "1") // ends in 90 days
	w.later(89 * 24 * time.Hour)
	steps := []struct {
		after time.Duration
		want  string
	}{{0, "[1]"}, {2 * 24 * time.Hour, "[1]"}, {24 * time.Hour, "[]"}, {24 * time.Hour, "[]"}}
	for i, step := range steps {
		w.later(step.after)
		w.mustRun()
		if got := w.serials(); got != step.want {
			t.Errorf("step %d: %s, want %s", i, got, step.want)
		}
	}
	// What was revoked after it expired comes on one CRL, too.
	w.list[2] = fmt.Sprintf("revoked,%d,%d,1,", w.now.AddDate(0, 0, -2).Unix(), w.now.Add(time.Hour).Unix())
	for i, want := range []string{"[2]", "[]"} {
		w.later(25 * time.Hour)
		w.mustRun()
		if got := w.serials(); got != want {
			t.Errorf("revoked after expiry, run %d: %s, want %s", i, got, want)
		}
	}
}

func TestKeepExpired(t *testing.T) {
	w := newWorld(t, signtest.P256(), 3)
	w.config.KeepExpired = 1
	w.revoke(1, "1")
	for _, step := range []struct {
		days int
		want string
	}{{0, "[1]"}, {400, "[1]"}, {100, "[1]"}, {1, "[]"}} {
		w.later(time.Duration(step.days) * 24 * time.Hour)
		w.mustRun(func(c *Config) { c.Force = []string{ForceClock} })
		if got := w.serials(); got != step.want {
			t.Errorf("%d days later: %s, want %s", step.days, got, step.want)
		}
	}
}

// What was revoked stays listed, whatever the list says later.
func TestNothingIsForgotten(t *testing.T) {
	newRevoked := func() *world {
		w := newWorld(t, signtest.P256(), 30)
		for serial := range 25 {
			w.revoke(serial+1, "4")
		}
		w.revoke(25, "6")
		w.mustRun()
		w.later(time.Minute)
		return w
	}
	all := newRevoked().serials()

	w := newRevoked()
	w.good(7)
	w.revoke(30, "")
	_, err := w.run()
	if want := "1 are good that the CRLs before list, the first is row 8, serial 07: they stay listed"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
	if got := w.serials(); got != strings.TrimSuffix(all, "]")+" 30]" {
		t.Errorf("good again: listed are %s", got)
	}

	w = newRevoked()
	w.good(25) // was on hold
	if _, err := w.run(); err == nil || w.serials() != all {
		t.Errorf("hold lifted: %v, listed are %s", err, w.serials())
	}
	w.mustRun(func(c *Config) { c.Force = []string{ForceHold} })
	if got := w.serials(); got != strings.TrimSuffix(all, " 25]")+"]" {
		t.Errorf("hold lifted by force: listed are %s", got)
	}

	w = newRevoked()
	delete(w.list, 7)
	w.revoke(30, "")
	if report := w.mustRun(); report.Vanished != 1 || w.serials() != strings.TrimSuffix(all, "]")+" 30]" {
		t.Errorf("row gone: %d, listed are %s", report.Vanished, w.serials())
	}
	w.mustRun(func(c *Config) { c.Forget = true })
	if strings.Contains(w.serials(), " 7 ") {
		t.Errorf("row forgotten: listed are %s", w.serials())
	}

	w = newRevoked()
	delete(w.list, 7)
	delete(w.list, 8)
	before := w.read("ca").ThisUpdate
	_, err = w.run()
	if want := "of 25 certificates on the CRLs before, 2 are not in the list (such as serial 07), more than 5 %: is it whole?"; err == nil && !strings.Contains(err.Error(), want) || w.read("ca").ThisUpdate != before {
		t.Errorf("two of 25 rows gone: %v", err)
	}
}

func TestRunRefuses(t *testing.T) {
	public := func(w *world) { w.config.Profiles = []rule.Profile{rule.BR} }
	for _, tt := range []struct {
		what   string
		change func(w *world)
		want   string
	}{
		{"another key", func(w *world) { w.config.Key = signtest.Other() }, "the key is not that of the certificate of CN=CA"},
		{"no cRLSign", func(w *world) {
			w.config.Issuer = signtest.WriteCert(t, signtest.NewCA(t, w.key, func(c *x509.Certificate) { c.KeyUsage &^= x509.KeyUsageCRLSign }))
		}, "lacks cRLSign"},
		{"an expired CA", func(w *world) { w.now = w.now.AddDate(3, 0, 0) }, "is valid from 2025-11-20T12:00:00Z to 2028-11-20T12:00:00Z, and it is 2029"},
		{"Ed25519, br", func(w *world) {
			public(w)
			w.config.Key, w.config.Issuer = signtest.Ed25519(), signtest.WriteCert(t, signtest.NewCA(t, signtest.Ed25519()))
		}, "is Ed25519, which public CAs must not use"},
		{"no shard", func(w *world) {
			w.sharded()
			w.list[2] = fmt.Sprintf("revoked,%d,%d,,", w.now.Unix(), w.now.Unix()-1)
		}, "line 3: serial 02 is revoked and has no shard: it would be on no CRL"},
		{"an unknown shard", func(w *world) {
			w.sharded()
			w.list[2] = fmt.Sprintf("revoked,%d,%d,,5", w.now.Unix(), w.now.Unix()-1)
		}, `line 3: serial 02 is revoked and of shard "5": want 1 to 4`},
		{"hold, br", func(w *world) { public(w); w.revoke(2, "6") }, "line 3: serial 02: reason 6, which public CAs must not give (crl.entry-reason-profile)"},
		{"a CA without reason, br", func(w *world) { public(w); w.config.Subordinates = true; w.revoke(2, "") }, "revoked without a reason (crl.entry-reason-missing)"},
		{"no certificates", func(w *world) { w.config.Issuer = w.config.List.Source }, "issuer"},
	} {
		w := newWorld(t, signtest.P256(), 4)
		tt.change(w)
		report, err := w.run()
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.what, err, tt.want)
		}
		if report != nil && len(report.Made) > 0 {
			t.Errorf("%s: %d CRLs were signed", tt.what, len(report.Made))
		}
	}
}

// A certificate that is listed twice, or moves to another CRL, stops the run.
func TestContradictoryLists(t *testing.T) {
	w := newWorld(t, signtest.P256(), 4)
	w.sharded()
	w.revoke(2, "1")
	w.mustRun()
	w.list[2] = strings.TrimSuffix(w.list[2], shardOf(2)) + "1"
	if _, err := w.run(); err == nil || !strings.Contains(err.Error(), "serial 02 is of the CRL http://c.example.org/1.crl, but the CRL before that lists it is http://c.example.org/3.crl") {
		t.Errorf("moved: %v", err)
	}
	w = newWorld(t, signtest.P256(), 4)
	w.revoke(2, "1")
	w.list[3] = w.list[2] + "\n2," + w.list[2]
	if _, err := w.run(); err == nil || !strings.Contains(err.Error(), "serial 02 is listed twice, and as revoked") {
		t.Errorf("twice: %v", err)
	}
	w.good(3)
	w.mustRun()
	w.list[3] = w.list[2] + "\n2," + w.list[2] // what the CRL before lists by now
	if _, err := w.run(); err == nil || !strings.Contains(err.Error(), "serial 02 is listed twice, and as revoked") {
		t.Errorf("twice, and on the CRL before: %v", err)
	}
}

// What stands where the CRL is to lie is signed again in part: it must be the CA's own.
func TestCRLBeforeOfOthers(t *testing.T) {
	w := newWorld(t, signtest.P256(), 4)
	stranger := newWorld(t, signtest.Other(), 4)
	w.mustRun()
	for what, content := range map[string][]byte{
		"another key's": must(x509.CreateRevocationList(nil, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: w.now, NextUpdate: w.now.AddDate(0, 0, 1)}, stranger.ca, stranger.key)),
		"no CRL":        []byte("<html>"),
		"nothing":       nil,
	} {
		if err := os.WriteFile(w.file("ca"), content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := w.run(); err == nil || !strings.Contains(err.Error(), w.file("ca")) {
			t.Errorf("%s: error %v", what, err)
		}
	}
}

// Two runs cannot be at work in one place, and what one that was killed had in the making
// is in nobody's way.
func TestPlaceIsClaimed(t *testing.T) {
	w := newWorld(t, signtest.P256(), 4)
	w.mustRun()
	dir := filepath.Dir(w.file("ca"))
	left := filepath.Join(dir, durable.TempPrefix+"1")
	if err := durable.WriteBytes(left, []byte("half a CRL")); err != nil {
		t.Fatal(err)
	}
	w.publish(rule.BR)
	other, err := durable.Claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.run(); !errors.Is(err, durable.ErrClaimed) {
		t.Errorf("error %v", err)
	}
	w.mustRun(func(c *Config) { c.DryRun = true })
	other.Close()
	w.mustRun()
}

// A failingKey fails from the second signature on.
type failingKey struct {
	crypto.Signer
	signed int
}

func (k *failingKey) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	if k.signed++; k.signed > 1 {
		return nil, errors.New("the token was removed")
	}
	return k.Signer.Sign(random, digest, o)
}

// What is signed when a key fails stays, and the next run signs the rest.
func TestKeyFails(t *testing.T) {
	w := newWorld(t, signtest.P256(), 4)
	w.sharded()
	w.revoke(1, "")
	report, err := w.run(func(c *Config) { c.Key = &failingKey{Signer: w.key} })
	if err == nil || !strings.Contains(err.Error(), "3 of 4 CRLs were not signed: http://c.example.org/2.crl: the token was removed") || len(report.Made) != 1 {
		t.Errorf("%v, %+v", err, report)
	}
	if report := w.mustRun(); len(report.Made) != 3 {
		t.Errorf("then %d were signed, want 3", len(report.Made))
	}
	w.publish(rule.BR)
}

// A key that signs something else is found out.
func TestWrongSignature(t *testing.T) {
	w := newWorld(t, signtest.P256(), 4)
	_, err := w.run(func(c *Config) { c.Key = wrongKey{w.key} })
	if err == nil || !strings.Contains(err.Error(), "the signature is not by the key") {
		t.Error(err)
	}
}

type wrongKey struct{ crypto.Signer }

func (k wrongKey) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	return signtest.Other().Sign(random, digest, o)
}
