package sign

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"lancre/build/rule"
)

// A certificate that was revoked stays so, and is signed for, whatever the list says;
// what else there is to sign is signed.
func TestRevokedStaysRevoked(t *testing.T) {
	w := newWorld(t, 3)
	w.revoke(1, 1)
	w.revoke(2, 0)
	w.mustRun()
	w.publish()
	before := w.answer(1)
	w.now = w.now.Add(time.Hour)
	w.good(1)
	w.good(4)
	report, err := w.run()
	if err == nil || !strings.Contains(err.Error(), "1 are good that were revoked before, the first is row") || !strings.Contains(err.Error(), "serial 01") {
		t.Errorf("error %v, want one that names the certificate", err)
	}
	if report.Signed != 2 || report.Contradicted != 1 {
		t.Errorf("%+v, want the new one signed", report)
	}
	w.publish()
	if got := w.answer(1); got != before {
		t.Errorf("the store says %s, want still %s", got, before)
	}
	w.now = w.now.Add(70 * time.Hour)
	w.run()
	w.publish()
	if got, want := w.answer(1), "revoked 2026-03-04T05:06:07Z for reason 1 at 2026-03-07T"; !strings.HasPrefix(got, want) {
		t.Errorf("the store says %s, want %s…", got, want)
	}
}

// What was withdrawn, or has gone from the store by its end, was revoked all the same.
func TestTombstonesAreRemembered(t *testing.T) {
	w := newWorld(t, 40)
	w.revoke(1, 1)
	w.mustRun()
	w.publish()
	w.now = w.now.AddDate(0, 0, 8) // all are expired: tombstones in the next generation
	delete(w.list, 1)
	force := func(c *Config) { c.Force = []string{ForceClock} }
	w.mustRun(force)
	w.publish()
	w.good(1)
	report, err := w.run(force)
	if err == nil || report.Contradicted != 1 {
		t.Errorf("%+v, error %v: want a contradiction", report, err)
	}
	w.publish()
	if got, want := w.answer(1), "revoked 2026-03-04T05:06:07Z for reason 1 at 2026-03-12T"; !strings.HasPrefix(got, want) {
		t.Errorf("the store says %s, want %s…", got, want)
	}
}

// A hold can be lifted, in a private PKI and by force.
func TestHold(t *testing.T) {
	w := newWorld(t, 2)
	w.revoke(1, 6)
	w.revoke(2, 1)
	if _, err := w.run(func(c *Config) { c.Profiles = []rule.Profile{rule.Private, rule.BR} }); err == nil || !strings.Contains(err.Error(), "reason 6 (certificateHold), which is against the profile br") {
		t.Errorf("error %v, want one of the profile", err)
	}
	w.mustRun()
	w.publishPrivate()
	w.now = w.now.Add(time.Hour)
	w.good(1)
	if _, err := w.run(); err == nil || !strings.Contains(err.Error(), "--force ocsp.previous-held") {
		t.Errorf("error %v, want one that says how to lift a hold", err)
	}
	w.good(2)
	report, err := w.run(func(c *Config) { c.Force = []string{ForceHeld} })
	if err == nil || report.Contradicted != 1 || report.Changed != 2 {
		t.Errorf("%+v, error %v: want one lifted and the other one not", report, err)
	}
	w.publishPrivate()
	if got := w.answer(1); !strings.HasPrefix(got, "good at 2026-03-04T06:06:07Z") {
		t.Errorf("the store says %s", got)
	}
}

// A list that lacks much of what is answered for ends the run; what has ended is not
// missed.
func TestShrinking(t *testing.T) {
	w := newWorld(t, 0)
	for serial := 1; serial <= 100; serial++ {
		w.good(serial)
	}
	for serial := 101; serial <= 200; serial++ {
		w.goodUntil(serial, start.Add(30*time.Hour))
	}
	w.mustRun()
	w.publish()
	w.now = start.Add(40 * time.Hour)
	for serial := 96; serial <= 200; serial++ {
		delete(w.list, serial)
	}
	report := w.mustRun()
	if report.Vanished != 5 || !strings.Contains(report.VanishedFirst, "good") {
		t.Errorf("%+v, want 5 vanished", report)
	}
	delete(w.list, 1)
	w.revoke(2, 1)
	report, err := w.run()
	if want := "of 100 certificates that are answered for, 6 are not in the list (such as serial "; err == nil || !strings.Contains(err.Error(), want) || report.Signed != 0 {
		t.Errorf("%+v, error %v: want nothing signed, and %q", report, err, want)
	}
	if report := w.mustRun(func(c *Config) { c.MaxShrink = 6 }); report.Signed != 2 {
		t.Errorf("%+v, want the revocation signed", report)
	}
}

func TestLists(t *testing.T) {
	w := newWorld(t, 1)
	w.mustRun()
	w.publish()
	for _, tt := range []struct {
		rows, want string
		change     func(*Config)
	}{
		{"", "none of CN=CA, among 0 rows: is it the right list?", nil},
		{"7,good,%d,,\n8,good,%[1]d,,\n7,revoked,%[1]d,1,1\n", "rows 2 and 4 are both serial 07, but say good, until 2026-06-02T05:06:07Z and revoked 1970-01-01T00:00:01Z for reason 1", nil},
		{"7,revoked,%d,1,2\n", "line 2: reason 2, which is not for a subscriber's certificate: if the list is of CAs' certificates, say --subordinates", nil},
		{"7,revoked,%d,1,\n", "line 2: no reason, which a CA's certificate must have under the profile br", func(c *Config) {
			c.Subordinates, c.Profiles = true, []rule.Profile{rule.BR}
		}},
		{"7,unknown,%d,,\n", `line 2: status "unknown"`, nil},
	} {
		text := "serial,status,not_after,revoked_at,reason\n"
		if tt.rows != "" {
			text += fmt.Sprintf(tt.rows, start.AddDate(0, 0, 90).Unix())
		}
		list := w.path("other.csv")
		w.write("other.csv", text)
		_, err := w.run(func(c *Config) {
			c.List.Source = list
			if tt.change != nil {
				tt.change(c)
			}
		})
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), list) {
			t.Errorf("%s: error %v, want %q and the name of the list", tt.rows, err, tt.want)
		}
	}
	w.write("other.csv", "serial,status,not_after,revoked_at,reason\n"+strings.Repeat("1,good,2026-06-02T05:06:07Z,,\n", 3))
	if report := w.mustRun(func(c *Config) { c.List.Source = w.path("other.csv") }); report.Good != 1 {
		t.Errorf("%+v of three rows that say the same, want one good", report)
	}
}

// A clock that contradicts what was signed is not believed.
func TestClock(t *testing.T) {
	w := newWorld(t, 1)
	w.mustRun()
	w.publish()
	for _, tt := range []struct {
		now  time.Duration
		want string
	}{
		{-300 * time.Second, ""},
		{-301 * time.Second, "it is 2026-03-04T05:01:06Z by the clock, but something was signed 2026-03-04T05:06:07Z: set the clock"},
		{168 * time.Hour, ""},
		{168*time.Hour + time.Second, "nothing was signed since 2026-03-04T05:06:07Z, for longer than a response is valid"},
	} {
		w.now = start.Add(tt.now)
		_, err := w.run(func(c *Config) { c.DryRun = true })
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s later: error %v, want %q", tt.now, err, tt.want)
		}
		if _, err := w.run(func(c *Config) { c.DryRun, c.Force = true, []string{ForceClock} }); err != nil {
			t.Errorf("%s later, by force: error %v", tt.now, err)
		}
	}
	for _, step := range []time.Duration{-301 * time.Second, 301 * time.Second} {
		if err := stepped(time.Hour+step, time.Hour); err == nil || !strings.Contains(err.Error(), "the clock was set by") {
			t.Errorf("a step of %s: error %v", step, err)
		}
	}
	if err := stepped(time.Hour+300*time.Second, time.Hour); err != nil {
		t.Errorf("a step of 300 s: error %v", err)
	}
}

// A chunk that is no chunk is named.
func TestDamagedChunk(t *testing.T) {
	w := newWorld(t, 1)
	w.mustRun()
	name := w.path("out/signed-0.der")
	for content, want := range map[string]string{"no DER": "octet 0 begins no response", "0\x03\x0a\x01\x06": "responseStatus is 6"} {
		w.write("out/signed-0.der", content)
		if _, err := w.run(); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want %q and the name of the chunk", err, want)
		}
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if left := must(os.ReadDir(w.path("out"))); len(left) != 1 {
		t.Errorf("%v is left", left)
	}
}
