package server

import (
	"crypto"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"lancre/index/store"
	"lancre/internal/storetest"
)

// expiresAt is a good response whose nextUpdate is so long after start.
func expiresAt(serial string, after time.Duration) entry {
	return entry{DER: respond(serial, crypto.SHA1, ocsp.Good, start.Add(after-life))}
}

// forty are good responses of which the first expires so long after start, the others
// days later.
func forty(first time.Duration) (segment []entry) {
	segment = append(segment, expiresAt("0100", first))
	for i := 1; i < 40; i++ {
		segment = append(segment, good(fmt.Sprintf("%04x", 0x100+i))...)
	}
	return segment
}

// expiryMetrics are the metrics of what expires, as /metrics has them.
func expiryMetrics(e *edge) string {
	_, text := e.admin("GET", "/metrics")
	return strings.Join(regexp.MustCompile(`(?m)^lancred_(expired_|responses_expiring|crl_next|next_update).*\n`).FindAllString(text, -1), "")
}

func wantExpiryMetrics(t *testing.T, e *edge, want ...string) {
	t.Helper()
	got := expiryMetrics(e)
	for _, line := range want {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("%d s after start /metrics lacks %s:\n%s", e.time.Load()-start.Unix(), line, got)
		}
	}
}

// Row I95: one response of forty expires. That certificate is answered tryLater, which
// is a figure and a line in the log; the edge is ready, and answers for the others.
func TestOneResponseExpires(t *testing.T) {
	const at = 90 * time.Minute
	all := forty(at)
	e := newEdge(t, content{segments: [][]entry{all}}).serve(t)
	request := ask("0100", crypto.SHA1)
	set := func(after time.Duration) {
		e.time.Store(start.Add(after).Unix())
		wantReload(t, e, Unchanged, "") // as a poll does
	}

	set(at - time.Second)
	wantExpiryMetrics(t, e, `lancred_expired_responses 0`, `lancred_responses_expiring{within="1h"} 1`,
		fmt.Sprintf("lancred_next_update_timestamp_seconds %v", float64(start.Add(at).Unix())))
	e.post(t, request).isServed(t, all[0].DER)
	if log := e.log.String(); strings.Contains(log, "expired") {
		t.Errorf("nothing has expired, and the log says: %s", log)
	}
	for _, after := range []time.Duration{at, at + time.Second, at + 29*time.Minute, at + 31*time.Minute, at + 24*time.Hour} {
		set(after)
		wantAdmin(t, e, "GET", "/readyz", 200, "")
		wantExpiryMetrics(t, e, `lancred_expired_responses 1`, `lancred_responses_expiring{within="1h"} 0`, `lancred_responses_expiring{within="24h"} 0`)
		e.post(t, request).is(t, 503, ocspTryLater)
		e.post(t, ask("0101", crypto.SHA1)).isServed(t, all[1].DER)
	}
	wantLogged(t, e, "responses have expired", 1, "first="+start.Add(at).Format(time.RFC3339), "count=1")

	// A generation that brings another one makes it good, and the next to expire is told of.
	publish(t, e.dir, content{segments: [][]entry{{expiresAt("0100", at+48*time.Hour)}, all}})
	wantNewest(t, e, 2)
	wantExpiryMetrics(t, e, `lancred_expired_responses 0`)
	set(at + 48*time.Hour)
	wantExpiryMetrics(t, e, `lancred_expired_responses 1`)
	wantLogged(t, e, "responses have expired", 2, "generation=2")
}

// wantLogged wants so many lines with that message, and those words in the last.
func wantLogged(t *testing.T, e *edge, message string, count int, words ...string) {
	t.Helper()
	lines := regexp.MustCompile(".*"+message+".*").FindAllString(e.log.String(), -1)
	if len(lines) != count {
		t.Fatalf("%d lines of the log say %q, want %d: %s", len(lines), message, count, e.log)
	}
	for _, word := range words {
		if last := lines[count-1]; !strings.Contains(last, word) {
			t.Errorf("the log says %q, want %s", last, word)
		}
	}
}

// Where all have expired every canary is answered so, and the edge is ready.
func TestReadyWhenAllHasExpired(t *testing.T) {
	withdrawn := expiresAt("07", life)
	withdrawn.Tombstone = true
	e := newEdge(t, content{segments: [][]entry{{withdrawn}, good("05", "07"), good("06")}})
	for _, after := range []time.Duration{life, -time.Hour} { // expired; not yet valid
		e.time.Store(start.Add(after).Unix())
		if o := e.probe(ask("05", crypto.SHA1)); o == served {
			t.Errorf("at %v a response is served", after)
		}
		wantAdmin(t, e, "GET", "/readyz", 200, "")
	}
}

// Row I96: in a store of CRLs alone one expires.
func TestCRLExpires(t *testing.T) {
	first := crlFile("/1.crl", "first")
	first.Expires = start.Add(2 * time.Hour)
	second := crlFile("/2.crl", "second")
	second.Expires = start.Add(3 * time.Hour)
	e := newEdge(t, content{files: []storetest.File{first, second, crlFile("/3.crl", "later")}}).serve(t)
	metric := fmt.Sprintf("lancred_crl_next_update_timestamp_seconds %v\n", float64(first.Expires.Unix()))
	for i, after := range []time.Duration{2*time.Hour - time.Second, 2 * time.Hour, 3 * time.Hour, 4 * time.Hour} {
		e.time.Store(start.Add(after).Unix())
		wantReload(t, e, Unchanged, "")
		if a := e.getAt(t, "c.example", "/1.crl"); a.StatusCode != 200 || string(a.body) != "first" {
			t.Errorf("at %v the CRL is answered %d with %q", after, a.StatusCode, a.body)
		}
		wantAdmin(t, e, "GET", "/readyz", 200, "")
		if got := expiryMetrics(e); got != metric {
			t.Errorf("at %v /metrics has %s, want %s alone", after, got, metric)
		}
		wantLogged(t, e, "CRLs have expired", min(i, 2))
	}
	wantLogged(t, e, "CRLs have expired", 2, "url=c.example/2.crl", "count=1", "first="+second.Expires.Format(time.RFC3339))

	// A restart tells of all of them in one line.
	again := newEdgeOver(t, e.dir, func(c *Config) { c.Now = e.cfg.Now })
	wantLogged(t, again, "CRLs have expired", 1, "url=c.example/1.crl", "count=2")
}

// What expires within the poll that is to come is told of by a timer, not by the poll.
func TestExpiryIsTimed(t *testing.T) {
	crl := crlFile("/1.crl", "crl")
	crl.Expires = start.Add(time.Hour + time.Second)
	e := newEdge(t, content{segments: [][]entry{good("05")}, files: []storetest.File{crl}})
	e.expiries.mu.Lock()
	timed := e.expiries.timer != nil
	e.expiries.mu.Unlock()
	if !timed {
		t.Fatal("no timer waits for a CRL that expires in a second")
	}
	e.time.Add(1)
	await(t, e, func() bool { return strings.Contains(e.log.String(), "CRLs have expired") })
}

// A manifest of version 1 counts nothing, so nothing is claimed.
func TestVersion1HasNoCounts(t *testing.T) {
	dir := t.TempDir()
	m := publish(t, dir, content{segments: [][]entry{forty(2 * time.Hour)}})
	line := m.Segments[0]
	text := fmt.Appendf(nil, "lancre store 1\norigin test\ngeneration 1\ncreated %s\nsegment base 0/1 %d %d %s %s\n",
		start.Format(time.RFC3339), line.Records, line.Size, line.SHA256, line.NextUpdate.Format(time.RFC3339))
	text = fmt.Appendf(text, "end %x\n", sha256.Sum256(text))
	writeFile(t, filepath.Join(dir, "manifest"), text)
	e := newEdgeOver(t, dir)
	want := fmt.Sprintf("lancred_next_update_timestamp_seconds %v\n", float64(start.Add(2*time.Hour).Unix()))
	if got := expiryMetrics(e); got != want {
		t.Errorf("/metrics has %q, want %q alone", got, want)
	}
}

// Without a generation nothing is claimed either.
func TestNoGenerationHasNoForecast(t *testing.T) {
	if got := expiryMetrics(newEdgeOver(t, t.TempDir())); got != "" {
		t.Errorf("/metrics has %s", got)
	}
}

// The first response to expire is never told too late, and not an hour too early: to the
// second where the earliest nextUpdate of a segment is that of one that answers.
func TestForecastOfTheFirst(t *testing.T) {
	withdrawn := expiresAt("02", 0)
	withdrawn.Tombstone = true
	const m = time.Minute
	for _, c := range []struct {
		name     string
		segments [][]entry     // newest first
		want     time.Duration // after start; 0 for never
	}{
		{"files alone", nil, 0},
		{"one segment", [][]entry{{expiresAt("01", 99*m), expiresAt("02", 77*m)}}, 77 * m},
		{"all replaced", [][]entry{{expiresAt("01", 999*m), expiresAt("02", 960*m)}, {expiresAt("01", 99*m), expiresAt("02", 77*m)}}, 960 * m},
		{"the first replaced: by the hour", [][]entry{{expiresAt("02", 999*m)}, {expiresAt("01", 199*m), expiresAt("02", 77*m)}}, 180 * m},
		{"the later one replaced", [][]entry{{expiresAt("01", 999*m)}, {expiresAt("01", 99*m), expiresAt("02", 77*m)}}, 77 * m},
		{"withdrawn: by the hour", [][]entry{{withdrawn}, {expiresAt("01", 199*m), expiresAt("02", 77*m)}}, 180 * m},
		{"all withdrawn", [][]entry{{withdrawn}, {expiresAt("02", 77*m)}}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := files()
			all.segments = c.segments
			want := int64(0)
			if c.want > 0 {
				want = start.Add(c.want).Unix()
			}
			if got := newEdge(t, all).current.Load().forecast.responses; got != want {
				t.Errorf("the first expires %d s after start, want %v", got-start.Unix(), c.want)
			}
		})
	}
}

// Against what has really expired: nothing is counted too late, and nothing before the
// hour in which it expires.
func TestForecastAgainstModel(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		hours := make(map[int64]uint64)
		var nextUpdates []int64
		f := forecast{counted: true}
		for range 1 + random.IntN(20) {
			at := start.Unix() + random.Int64N(30*3600)
			nextUpdates = append(nextUpdates, at)
			hours[at/3600]++
			f.responses = sooner(f.responses, at)
		}
		for hour, count := range hours {
			f.due = append(f.due, store.DueCount{Hour: time.Unix(hour*3600, 0), Count: count})
		}
		by := func(at int64) (n uint64) {
			for _, next := range nextUpdates {
				if next <= at {
					n++
				}
			}
			return n
		}
		now := start.Unix() + random.Int64N(32*3600) - 3600
		expired := f.expired(now)
		if expired < by(now) || expired > by(now+3599) || (expired == 0) != (by(now) == 0) {
			t.Fatalf("at %d of %d %d are counted as expired", now, nextUpdates, expired)
		}
		for _, h := range horizons {
			end := now + int64(h.within.Seconds())
			if all := expired + f.expiring(now, h.within); all < by(end) || all > by(end+3599) {
				t.Fatalf("at %d of %d %d are counted as expired or expiring within %s", now, nextUpdates, all, h.label)
			}
		}
	}
}

// What was published is old when it was, or when a source of it was last read.
func TestStale(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}}, func(c *Config) { c.FreshWithin = 2 * time.Hour })
	e.time.Store(start.Add(2 * time.Hour).Unix())
	path := filepath.Join(e.dir, "manifest")
	for i, c := range []struct {
		created, checked time.Duration // after start
		reason           string
	}{
		{2 * time.Hour, 0, ""},
		{2 * time.Hour, -time.Second, "a source was last read 2h0m1s ago, more than 2h0m0s"},
		{0, time.Hour, ""},
		{-time.Second, time.Hour, "the generation is 2h0m1s old, more than 2h0m0s"},
		{3 * time.Hour, 3 * time.Hour, ""}, // the clock was put back
	} {
		m, err := store.ParseManifest(readFile(t, path))
		if err != nil {
			t.Fatal(err)
		}
		m.Generation, m.Created, m.Checked = uint64(i+2), start.Add(c.created), start.Add(c.checked)
		writeFile(t, path, m.Encode())
		wantReload(t, e, Swapped, "")
		if got := e.stale(); got != c.reason {
			t.Errorf("published at %v, of sources read at %v: %q, want %q", c.created, c.checked, got, c.reason)
		}
	}
}

// Past its expires a generation is stale, however young.
func TestStaleWhenExpired(t *testing.T) {
	e := newEdge(t, content{segments: [][]entry{good("05")}})
	path := filepath.Join(e.dir, "manifest")
	m, err := store.ParseManifest(readFile(t, path))
	if err != nil {
		t.Fatal(err)
	}
	m.Generation, m.Expires = 2, start.Add(2*time.Hour)
	writeFile(t, path, m.Encode())
	wantReload(t, e, Swapped, "")
	e.time.Store(m.Expires.Unix())
	wantAdmin(t, e, "GET", "/freshz", 200, "")
	e.time.Store(m.Expires.Unix() + 1)
	wantAdmin(t, e, "GET", "/freshz", 503, "stale since "+m.Expires.UTC().Format(time.RFC3339))
	wantAdmin(t, e, "GET", "/readyz", 200, "")
}
