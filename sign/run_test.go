package sign

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"lancre/build/rule"
	"lancre/index"
)

// What is new, has changed or is due is signed, and nothing else.
func TestRunSignsWhatIsMissing(t *testing.T) {
	w := newWorld(t, 5)
	w.revoke(3, 1)
	for _, step := range []struct {
		name              string
		do                func()
		changed, new, due uint64
	}{
		{"all is new", func() {}, 2, 8, 0},
		{"nothing has changed", func() { w.now = w.now.Add(time.Minute) }, 0, 0, 0},
		{"one more", func() { w.good(6) }, 0, 2, 0},
		{"one revoked", func() { w.now = w.now.Add(time.Hour); w.revoke(1, 4) }, 2, 0, 0},
		{"its reason corrected", func() { w.now = w.now.Add(time.Hour); w.revoke(1, 5) }, 2, 0, 0},
		{"not yet due", func() { w.now = start.Add(41 * time.Hour) }, 0, 0, 0},
		{"due", func() { w.now = start.Add(66 * time.Hour) }, 0, 0, 12},
		{"all over", func() { w.now = start.AddDate(0, 0, 20) }, 0, 12, 0},
	} {
		step.do()
		report := w.mustRun(func(c *Config) { c.Force = []string{ForceClock} })
		if report.Changed != step.changed || report.New != step.new || report.Due != step.due || report.Signed != report.Planned() {
			t.Errorf("%s: %+v, want %d changed, %d new, %d due, and all signed", step.name, report, step.changed, step.new, step.due)
		}
		w.publish()
	}
	if got, want := w.answer(1), "revoked 2026-03-04T07:07:07Z for reason 5 at 2026-03-24T05:06:07Z until 2026-03-31T05:06:07Z"; got != want {
		t.Errorf("the store says %s, want %s", got, want)
	}
}

// Revocations come first, in a chunk of their own, then what is new, then the oldest.
func TestRunSignsTheMostUrgentFirst(t *testing.T) {
	w := newWorld(t, 2)
	w.mustRun()
	w.publish()
	w.now = w.now.Add(time.Hour)
	w.good(3)
	w.mustRun()
	w.publish()
	w.now = w.now.Add(70 * time.Hour)
	w.good(4)
	w.revoke(2, 1)
	report := w.mustRun()
	var order []byte
	for _, r := range w.responses() {
		order = append(order, r.Singles[0].CertID.Serial...)
	}
	if want := []byte{2, 2, 4, 4, 1, 1, 3, 3}; !slices.Equal(order, want) || len(report.Files) != 3 {
		t.Errorf("signed %v in %q, want %v in three chunks", order, report.Files, want)
	}
}

// What was signed and is not yet in the store counts as signed, whether the run that
// signed it ended well or not.
func TestRunGoesOnFromChunks(t *testing.T) {
	w := newWorld(t, 100)
	var signatures atomic.Int32
	report, err := w.run(func(c *Config) {
		c.Parallel = 1
		c.Key = flakyKey{w.key, func() bool { return signatures.Add(1) > 75 }}
	})
	if err == nil || !strings.Contains(err.Error(), "136 of 200 responses were not signed: serial 26: the key does not sign: the token is gone") {
		t.Errorf("error %v, want one that says how many were not signed, and why", err)
	}
	if report.Signed != 64 || len(w.responses()) != 64 {
		t.Errorf("%d responses signed, %d there; want 64: of two batches of 16 certificates", report.Signed, len(w.responses()))
	}
	if report := w.mustRun(); report.Signed != 136 || report.Kept != 32 {
		t.Errorf("after the outage: %+v, want 136 responses, for all that lack one", report)
	}
	if report := w.mustRun(); report.Signed != 0 {
		t.Errorf("again: %+v, want none", report)
	}
	w.publish()
	if got := w.answer(100); !strings.HasPrefix(got, "good") {
		t.Errorf("the store says %s of the last", got)
	}
}

// A key that fails for a while is waited for, with pauses that grow; one that does not come
// back is given up.
func TestRunTriesAgain(t *testing.T) {
	w := newWorld(t, 1)
	for _, tt := range []struct {
		outage time.Duration
		signed uint64
		took   time.Duration
	}{
		{2 * time.Second, 2, (100 + 200 + 400 + 800 + 1600) * time.Millisecond}, // tried after 0, 0.1, 0.3, 0.7, 1.5 and 3.1 s
		{time.Hour, 0, (100 + 200 + 400 + 800 + 1600 + 3200 + 6400 + 3*10_000) * time.Millisecond},
	} {
		synctest.Test(t, func(*testing.T) {
			began := time.Now()
			report, err := w.run(func(c *Config) {
				c.Patience, c.Parallel = 45*time.Second, 1
				c.Key = flakyKey{w.key, func() bool { return time.Since(began) < tt.outage }}
			})
			if report.Signed != tt.signed || (err == nil) != (tt.signed > 0) || time.Since(began) != tt.took {
				t.Errorf("outage of %s: %d signed after %s, error %v; want %d after %s", tt.outage, report.Signed, time.Since(began), err, tt.signed, tt.took)
			}
			for _, name := range report.Files {
				os.Remove(name)
			}
		})
	}
}

// With a slow key a chunk ends with time, so that what is signed is there soon; several
// signatures in the making shorten it.
func TestRunWithASlowKey(t *testing.T) {
	w := newWorld(t, 64)
	for _, tt := range []struct {
		parallel, chunks int
		took             time.Duration
	}{{1, 4, 128 * time.Second}, {4, 2, 32 * time.Second}} {
		synctest.Test(t, func(*testing.T) {
			began := time.Now()
			report, err := w.run(func(c *Config) {
				c.Parallel = tt.parallel
				c.Key = flakyKey{w.key, func() bool { time.Sleep(time.Second); return false }}
			})
			if err != nil || len(report.Files) != tt.chunks || time.Since(began) != tt.took {
				t.Errorf("%d at a time: %d chunks after %s, error %v; want %d after %s", tt.parallel, len(report.Files), time.Since(began), err, tt.chunks, tt.took)
			}
			for _, name := range report.Files {
				os.Remove(name)
			}
		})
	}
}

// A rate is kept, however many signatures are asked for at a time.
func TestRunKeepsARate(t *testing.T) {
	w := newWorld(t, 50)
	synctest.Test(t, func(*testing.T) {
		began := time.Now()
		if _, err := w.run(func(c *Config) { c.Rate = 10 }); err != nil || time.Since(began) != 99*time.Second/10 {
			t.Errorf("100 responses at 10 a second took %s, error %v; want 9.9 s", time.Since(began), err)
		}
	})
}

// Who is told of chunks can take them away, and end the run.
func TestRunTellsOfChunks(t *testing.T) {
	w := newWorld(t, 3)
	w.revoke(1, 1)
	var told []string
	report := w.mustRun(func(c *Config) {
		c.Chunk = func(name string) (bool, error) {
			told = append(told, name)
			return false, os.Remove(name)
		}
	})
	if !slices.Equal(told, report.Files) || len(told) != 1 || report.Signed != 2 || len(w.responses()) != 0 {
		t.Errorf("told of %q, %+v; want the revocation alone, taken away", told, report)
	}
	full := errors.New("disk full")
	if _, err := w.run(func(c *Config) { c.Chunk = func(string) (bool, error) { return true, full } }); !errors.Is(err, full) || !strings.Contains(err.Error(), "4 of 6 responses were not signed") {
		t.Errorf("error %v, want that of who was told, and what is left", err)
	}
}

// A run ends with its context, and what was signed is there.
func TestRunEndsWithItsContext(t *testing.T) {
	w := newWorld(t, 64)
	w.mustRun(func(c *Config) { c.DryRun = true }) // writes the list
	synctest.Test(t, func(*testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
		defer cancel()
		c := w.config()
		c.Parallel = 1
		c.Key = flakyKey{w.key, func() bool { time.Sleep(time.Second); return false }}
		report, err := Run(ctx, c)
		if !errors.Is(err, context.DeadlineExceeded) || report.Signed != 32 {
			t.Errorf("%d signed, error %v; want one batch of 32", report.Signed, err)
		}
	})
}

// A file has all that was signed, and nothing is beside it.
func TestRunIntoAFile(t *testing.T) {
	w := newWorld(t, 40)
	w.revoke(1, 1)
	var signatures atomic.Int32
	toFile := func(c *Config) { c.Out = w.path("new.der") }
	if _, err := w.run(toFile, func(c *Config) {
		c.Parallel, c.Key = 1, flakyKey{w.key, func() bool { return signatures.Add(1) > 1 }}
	}); err == nil {
		t.Fatal("no error of a key that fails")
	}
	if left := must(os.ReadDir(w.dir)); slices.ContainsFunc(left, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), "new.der") }) {
		t.Errorf("nothing was signed, but there is %v", left)
	}
	report := w.mustRun(toFile)
	if !slices.Equal(report.Files, []string{w.path("new.der")}) {
		t.Errorf("files %q, want the one", report.Files)
	}
	if err := os.Rename(w.path("new.der"), w.path("out/new.der")); err != nil {
		t.Fatal(err)
	}
	if n := len(w.responses()); n != 80 {
		t.Errorf("%d responses in the file, want 80", n)
	}
	if left := must(filepath.Glob(w.path("new.der*"))); len(left) > 0 {
		t.Errorf("%q is left beside the file", left)
	}
}

// After a crash, what is in chunks gets into the file of the next run.
func TestRunIntoAFileAfterACrash(t *testing.T) {
	w := newWorld(t, 3)
	w.mustRun()
	chunk := must(filepath.Glob(w.path("out/*.der")))[0]
	if err := os.Mkdir(w.path("new.der.chunks"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(chunk, w.path("new.der.chunks/"+filepath.Base(chunk))); err != nil {
		t.Fatal(err)
	}
	w.good(4)
	report := w.mustRun(func(c *Config) { c.Out = w.path("new.der") })
	if report.Signed != 2 {
		t.Errorf("%+v, want 2 signed", report)
	}
	if err := os.Rename(w.path("new.der"), w.path("out/new.der")); err != nil {
		t.Fatal(err)
	}
	if n := len(w.responses()); n != 8 {
		t.Errorf("%d responses in the file, want 8", n)
	}
}

// What a run that was killed has not finished goes.
func TestRunSweeps(t *testing.T) {
	w := newWorld(t, 1)
	if err := os.Mkdir(w.path("out"), 0o755); err != nil {
		t.Fatal(err)
	}
	w.write("out/.tmp-1", "half a chu")
	w.mustRun()
	if left := must(filepath.Glob(w.path("out/.tmp-*"))); len(left) > 0 {
		t.Errorf("%q is left", left)
	}
}

func TestRunsExcludeEachOther(t *testing.T) {
	w := newWorld(t, 1)
	o := must(openOutput(w.dir, start))
	defer o.close()
	if _, err := w.run(func(c *Config) { c.Out = w.dir }); err == nil || !strings.Contains(err.Error(), "another process is at work here") {
		t.Errorf("error %v, want one that says so", err)
	}
}

func TestDryRunSignsNothing(t *testing.T) {
	w := newWorld(t, 3)
	report := w.mustRun(func(c *Config) { c.DryRun, c.Key = true, nil })
	if report.New != 6 || report.Signed != 0 || len(w.responses()) != 0 {
		t.Errorf("%+v, %d responses; want 6 planned, none signed", report, len(w.responses()))
	}
}

// At most so many are signed, the most urgent; the next run takes the others.
func TestRunEndsAfterMax(t *testing.T) {
	w := newWorld(t, 50)
	w.revoke(50, 1)
	if report := w.mustRun(func(c *Config) { c.Max = 20 }); report.Signed != 20 || w.responses()[0].Status != index.Revoked {
		t.Errorf("%+v, want 20 signed, the revocation first", report)
	}
	if report := w.mustRun(); report.Signed != 80 {
		t.Errorf("%+v, want the other 80", report)
	}
}

// A shard is signed whole, due or not, and nothing of others.
func TestRunSignsShardsWhole(t *testing.T) {
	w := newWorld(t, 200)
	w.mustRun()
	w.publish()
	w.now = w.now.Add(time.Hour)
	shards := []index.Shard{{Index: 1, Of: 4}, {Index: 3, Of: 4}}
	report := w.mustRun(func(c *Config) { c.Shards = shards })
	var want uint64
	for serial := range w.list {
		id := index.CertID{Serial: serialOctets(serial)}
		if h := id.SerialHash(); shards[0].Covers(h) || shards[1].Covers(h) {
			want++
		}
	}
	if report.Due != 2*want || report.Signed != 2*want || report.OtherShards != 200-want || want == 0 || want == 200 {
		t.Errorf("%+v, want %d certificates", report, want)
	}
	w.publish()
}

// A response ends with its certificate, but is valid for 8 hours.
func TestRunClampsNextUpdate(t *testing.T) {
	w := newWorld(t, 0)
	w.goodUntil(1, start.Add(50*time.Hour))
	w.goodUntil(2, start.Add(2*time.Hour))
	w.goodUntil(3, start)
	w.goodUntil(4, start.AddDate(30, 0, 0))
	report := w.mustRun()
	if report.Expired != 1 || report.Signed != 6 {
		t.Errorf("%+v, want one expired", report)
	}
	w.publish()
	for serial, want := range map[int]time.Duration{1: 50 * time.Hour, 2: 8 * time.Hour, 4: 168 * time.Hour} {
		if got := w.answer(serial); !strings.HasSuffix(got, "until "+utc(start.Add(want).Unix())) {
			t.Errorf("serial %d: %s, want it to end after %s", serial, got, want)
		}
	}
}

// thisUpdate is later than that of the last response, also within one second.
func TestRunKeepsTimesInOrder(t *testing.T) {
	w := newWorld(t, 1)
	w.mustRun()
	w.revoke(1, 1)
	w.mustRun()
	w.publish()
	if got, want := w.answer(1), "revoked 2026-03-04T05:06:07Z for reason 1 at 2026-03-04T05:06:08Z until 2026-03-11T05:06:08Z"; got != want {
		t.Errorf("the store says %s, want %s", got, want)
	}
}

func TestConfigCheck(t *testing.T) {
	w := newWorld(t, 1)
	for want, change := range map[string]func(*Config){
		"no certificate of the CA": func(c *Config) { c.Issuer = "" },
		"no store":                 func(c *Config) { c.Store = "" },
		"no output":                func(c *Config) { c.Out = "" },
		"no hash algorithm":        func(c *Config) { c.Hashes = nil },
		"no rules":                 func(c *Config) { c.Profiles = nil },
		`"x" cannot be forced: want ocsp.previous-held`: func(c *Config) { c.Force = []string{"x"} },
		"which knows no hold":                           func(c *Config) { c.Profiles, c.Force = []rule.Profile{rule.BR}, []string{ForceHeld} },
		"after 0.4 to 0.3 of":                           func(c *Config) { c.Refresh = [2]float64{0.4, 0.3} },
		"after 0.4 to 0.5 of":                           func(c *Config) { c.Refresh = [2]float64{0.4, 0.5} },
		"-1 signatures a second":                        func(c *Config) { c.Rate = -1 },
		"0 signatures at a time":                        func(c *Config) { c.Parallel = 0 },
		"shrink by 101 %":                               func(c *Config) { c.MaxShrink = 101 },
		"validity of 168h0m1s":                          func(c *Config) { c.Profiles, c.Validity = []rule.Profile{rule.MS}, 168*time.Hour+time.Second },
		"validity of 240h0m0s":                          func(c *Config) { c.Profiles, c.Validity = []rule.Profile{rule.BR}, 240*time.Hour },
		"validity of 7h59m59s":                          func(c *Config) { c.Profiles, c.Validity = []rule.Profile{rule.BR}, 8*time.Hour-time.Second },
		"validity of 8785h0m0s": func(c *Config) {
			c.Profiles, c.Subordinates, c.Validity = []rule.Profile{rule.BR}, true, 8785*time.Hour
		},
		"validity of 1m0.5s":      func(c *Config) { c.Validity = time.Minute + time.Second/2 },
		"no list of certificates": func(c *Config) { c.List.Source = "" },
		"no key":                  func(c *Config) { c.Key = nil },
		"expires 2028-03-04T05:06:07Z, before nextUpdate 202": func(c *Config) { c.Validity = 3 * 366 * 24 * time.Hour },
		"say --no-store": func(c *Config) { c.NoStore = false },
	} {
		if _, err := w.run(change); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	w.mustRun()
	w.publish()
	if _, err := w.run(func(c *Config) { c.NoStore = true }); err == nil || !strings.Contains(err.Error(), "leave out --no-store") {
		t.Errorf("error %v, want one that says so", err)
	}
}
