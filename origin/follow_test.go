package origin

import (
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lancre/build/demo"
	"lancre/index"
	"lancre/index/store"
	"lancre/internal/metricstest"
)

const spool = "[[spool]]\ndir = \"spool\"\n"

// A revocation is answered as soon as its file is there, in a store that is new.
func TestFollowBeginsAndAdds(t *testing.T) {
	w := newWorld(t, spool)
	w.follow()
	w.write("spool/good.der", slices.Concat(w.sign(0, index.Good), w.sign(1, index.Good)))
	first := w.awaitGeneration()
	w.answers("good", "good", "none")
	w.write("spool/revoked.der", w.sign(1, index.Revoked))
	second := w.awaitGeneration()
	w.answers("good", "revoked")
	w.stop()
	w.hasFiles("spool", "done/"+first+"-good.der", "done/"+second+"-revoked.der")
	if got := w.mark("follow"); got != second {
		t.Errorf("the mark is %q, want %s", got, second)
	}
	if err := store.Verify(w.path("store"), nil, func(f *store.Fault) { t.Error(f) }); err != nil {
		t.Error(err)
	}
}

// What contradicts another response of the same file is refused alone, and what is
// older than what is answered, too.
func TestFollowRefusesAsLittleAsItMust(t *testing.T) {
	w := newWorld(t, spool)
	w.follow()
	old := w.sign(3, index.Good)
	w.write("spool/new", w.sign(3, index.Revoked))
	w.await("published")
	var all []byte
	for i := range uint64(3) {
		all = append(all, w.signAs(i, index.Good, 10)...)
	}
	all = append(all, w.signAs(1, index.Revoked, 10)...)
	all = append(all, old...)
	w.write("spool/all", all)
	w.await("refused", "check", "ocsp.previous-revoked")
	w.until("the file was moved", func() bool { return slices.Contains(w.files("spool"), "rejected/all.pem") })
	w.stop()
	if got := w.answer(1); got != "good" && got != "revoked" {
		t.Errorf("certificate 1 is %s, want one of the two", got)
	}
	if w.answer(0) != "good" || w.answer(2) != "good" || w.answer(3) != "revoked" {
		t.Errorf("answers %s, %s, %s; want good, good, revoked", w.answer(0), w.answer(2), w.answer(3))
	}
	text, err := os.ReadFile(w.path("spool/rejected/all.pem"))
	check(t, err)
	if n := strings.Count(string(text), "BEGIN"); n != 2 {
		t.Errorf("%d responses refused, want 2:\n%s", n, text)
	}
}

// What was published before a crash, and not moved, is published once.
func TestFollowAfterACrashBetweenCommitAndMove(t *testing.T) {
	w := newWorld(t, spool)
	w.follow()
	der := w.sign(0, index.Good)
	w.write("spool/a", der)
	first := w.awaitGeneration()
	w.stop()
	check(t, os.Rename(w.path("spool/done/"+first+"-a"), w.path("spool/a")))
	w.follow()
	w.until("the file was moved", func() bool { return slices.Equal(w.files("spool"), []string{"done/" + first + "-a"}) })
	w.stop()
	if got := strconv.FormatUint(w.manifest().Generation, 10); got != first {
		t.Errorf("generation %s, want %s", got, first)
	}
}

// A broken CRL does not hold up another, and is published when it is mended.
func TestFollowStatic(t *testing.T) {
	w := newWorld(t, "[[static]]\ndir = \"www\"\n")
	crl, err := w.ca.CRL(100)
	check(t, err)
	w.write("www/i.test/ca.der", w.ca.Issuer.Raw)
	w.write("www/c.test/1.crl", []byte("no CRL"))
	w.follow()
	w.await("refused", "source", "static")
	w.await("published", "source", "static")
	w.published("i.test/ca.der")
	w.write("www/"+demo.CRLHost+demo.CRLPath, crl)
	w.await("published", "source", "static")
	w.published(demo.CRLHost+demo.CRLPath, "i.test/ca.der")
}

func (w *world) published(want ...string) {
	w.Helper()
	var got []string
	for _, f := range w.manifest().Files {
		got = append(got, f.Host+f.Path)
	}
	if !slices.Equal(got, want) {
		w.Errorf("files %q, want %q", got, want)
	}
}

// A CRL of a server is fetched when it has changed.
func TestFollowCRLURL(t *testing.T) {
	w := newWorld(t, "")
	crl, err := w.ca.CRL(100)
	check(t, err)
	var answer atomic.Value
	answer.Store(crl)
	var asked, unchanged atomic.Int64
	ca := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body := answer.Load().([]byte)
		tag := fmt.Sprintf(`"%d"`, len(body))
		rw.Header().Set("ETag", tag)
		if asked.Add(1); r.Header.Get("If-None-Match") == tag {
			unchanged.Add(1)
			rw.WriteHeader(http.StatusNotModified)
			return
		}
		rw.Write(body)
	}))
	defer ca.Close()
	w.write("lancre.toml", fmt.Appendf(nil, "store = \"store\"\nissuers = [\"ca.pem\"]\n[[crl_url]]\nurl = %q\npublish = %q\nevery = \"1ms\"\n", ca.URL, demo.CRLHost+demo.CRLPath))
	w.follow()
	w.await("published", "source", "crl-url")
	w.published(demo.CRLHost + demo.CRLPath)
	w.until("it was asked again", func() bool { return unchanged.Load() >= 3 })
	answer.Store([]byte("under repair"))
	w.await("refused", "source", "crl-url")
	w.await("source failed", "source", "crl-url")
	w.ca.ProducedAt = w.ca.ProducedAt.Add(time.Second) // its number
	crl, err = w.ca.CRL(200)
	check(t, err)
	answer.Store(crl)
	w.await("published", "source", "crl-url")
	w.await("source works again", "source", "crl-url")
}

// The marks of a database are in the manifest, and what fails holds nobody up.
func TestFollowDatabase(t *testing.T) {
	w := newWorld(t, "heartbeat = \"10ms\"\n"+spool+`[[database]]
name = "ca"
url = "sqlite:ca.db"
query = "SELECT response, id FROM ocsp WHERE id > :since ORDER BY id"
every = "10ms"
overlap = "1ns"
[[command]]
run = ["false"]
`)
	db, err := sql.Open("sqlite", w.path("ca.db"))
	check(t, err)
	defer db.Close()
	w.follow()
	w.await("source failed", "source", "command")
	w.await("source failed", "source", "ca") // there is no database
	_, err = db.Exec("CREATE TABLE ocsp (id INTEGER PRIMARY KEY, response BLOB); INSERT INTO ocsp VALUES (7, ?)", w.sign(0, index.Good))
	check(t, err)
	w.await("published", "source", "ca")
	w.await("source works again", "source", "ca")
	w.write("spool/revoked", w.sign(1, index.Revoked))
	w.await("published", "source", "spool")
	w.answers("good", "revoked")
	_, err = db.Exec("INSERT INTO ocsp VALUES (8, ?)", w.sign(2, index.Good))
	check(t, err)
	w.await("published", "source", "ca")
	c, err := Load(w.path("lancre.toml"))
	check(t, err)
	mark := c.Database[0].Settings().Mark
	w.until("the overlap passed", func() bool { return strings.HasSuffix(w.mark(mark), ",8") })
	w.stop()
	check(t, os.Rename(w.path("ca.db"), w.path("away.db")))
	w.follow()
	w.write("spool/again", w.sign(1, index.Revoked))
	w.await("published", "source", "spool")
	if got := w.mark(mark); !strings.HasSuffix(got, ",8") {
		t.Errorf("after a restart without the database its mark is %q, want that of before", got)
	}
}

// When the store goes back, what came since is read again: nothing vanishes.
func TestFollowAfterARollback(t *testing.T) {
	for _, running := range []bool{true, false} {
		t.Run(fmt.Sprintf("running %v", running), func(t *testing.T) {
			w := newWorld(t, "heartbeat = \"100ms\"\n"+spool)
			w.follow()
			w.write("spool/a", w.sign(0, index.Good))
			w.await("published", "source", "spool")
			then := w.manifest()
			w.write("spool/b", w.sign(0, index.Revoked))
			w.await("published", "source", "spool")
			w.answers("revoked")
			if !running {
				w.stop()
			}
			for {
				now := w.manifest().Generation
				if _, err := store.Rollback(w.path("store"), then.Generation, now, store.Signing{}, time.Now()); err == nil {
					break // else a heartbeat came between
				}
			}
			if !running {
				w.answers("good")
				w.follow()
			} else {
				w.await("the store went back to an earlier generation: what came since is read again")
			}
			w.await("published", "source", "spool")
			w.answers("revoked")
		})
	}
}

// Heartbeats go on when a source is dead, and say since when.
func TestHeartbeatsDoNotHideADeadSource(t *testing.T) {
	w := newWorld(t, "heartbeat = \"10ms\"\n"+spool+"every = \"10ms\"\n[[static]]\ndir = \"absent\"\nevery = \"10ms\"\n[[command]]\nrun = [\"true\"]\n")
	check(t, os.MkdirAll(w.path("store"), 0o755))
	f := w.follow()
	w.await("source failed", "source", "static")
	first := w.manifest()
	w.until("three heartbeats", func() bool { return w.manifest().Generation >= first.Generation+3 })
	w.stop()
	m := w.manifest()
	if !m.Created.After(first.Created) && m.Generation == first.Generation {
		t.Error("there was no heartbeat")
	}
	if begun := f.began.Truncate(time.Second); m.Checked.After(begun.Add(time.Second)) {
		t.Errorf("checked is %s, want no later than the start, %s", m.Checked, begun)
	}
}

// What a generation says of a time to come, by a clock that was ahead, hides no dead source.
func TestCheckedByAClockThatWasAhead(t *testing.T) {
	w := newWorld(t, "heartbeat = \"10ms\"\n[[static]]\ndir = \"absent\"\nevery = \"10ms\"\n")
	p, err := store.Begin(w.path("store"))
	check(t, err)
	first := store.Manifest{Origin: "test", Created: time.Now(), Checked: time.Now().Add(time.Hour)}
	check(t, p.Commit(&first))
	f := w.follow()
	w.until("heartbeats say since when it is dead", func() bool {
		m := w.manifest()
		return m.Generation > first.Generation && !m.Checked.After(f.began) && m.Created.After(m.Checked)
	})
}

// By a clock that is behind nothing is published, which is said, and nothing is lost.
func TestFollowWithAClockThatIsBehind(t *testing.T) {
	w := newWorld(t, "heartbeat = \"10ms\"\n"+spool)
	p, err := store.Begin(w.path("store"))
	check(t, err)
	m := store.Manifest{Origin: "test", Created: time.Now().Add(time.Hour)}
	check(t, p.Commit(&m))
	w.write("spool/a", w.sign(0, index.Good))
	f := w.follow()
	if l := w.await("source failed", "source", "spool"); !strings.Contains(fmt.Sprint(l["err"]), "by the clock of this host") {
		t.Errorf("the error is %v, want that the clock is behind", l["err"])
	}
	w.await("upkeep failed", "task", "heartbeat")
	if code, body := ask(t, f, "/readyz"); code != 503 || !strings.Contains(body, "set the clock") {
		t.Errorf("/readyz: %d %s", code, body)
	}
	w.stop()
	w.hasFiles("spool", "a")
}

// What fails is tried again as docs/FOLLOW.md says.
func TestBackoff(t *testing.T) {
	for failures, want := range map[int]time.Duration{1: 1, 2: 2, 3: 4, 4: 8, 5: 16, 6: 30, 7: 30, 1 << 40: 30} {
		if got := backoff(failures); got != want*time.Second {
			t.Errorf("after %d failures in a row it waits %s, want %s", failures, got, want*time.Second)
		}
	}
}

func TestFollowTwice(t *testing.T) {
	w := newWorld(t, spool)
	w.follow()
	c, err := Load(w.path("lancre.toml"))
	check(t, err)
	err = New(c, slog.New(slog.DiscardHandler)).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "another lancre follow runs on this store") {
		t.Errorf("error %v, want that another one runs", err)
	}
}

func TestAdmin(t *testing.T) {
	w := newWorld(t, spool+"[[command]]\nrun = [\"false\"]\n")
	c, err := Load(w.path("lancre.toml"))
	check(t, err)
	if code, body := ask(t, New(c, slog.New(slog.DiscardHandler)), "/readyz"); code != 503 || !strings.Contains(body, "it has not begun") {
		t.Errorf("/readyz before the start: %d %s", code, body)
	}
	f := w.follow()
	w.write("spool/a", w.sign(0, index.Good))
	w.await("source failed", "source", "command")
	for _, tt := range []struct {
		path, want string
	}{
		{"/livez", `{"ok":true}`},
		{"/readyz", `{"ok":true}`},
		{"/status.json", `"name":"command","kind":"command"`},
		{"/metrics", `lancre_source_failing{source="command"} 1`},
	} {
		if code, body := ask(t, f, tt.path); code != 200 || !strings.Contains(body, tt.want) {
			t.Errorf("%s: %d %s, want %s", tt.path, code, body, tt.want)
		}
	}
	f.mu.Lock()
	f.turned = time.Now().Add(-time.Hour)
	f.mu.Unlock()
	if f.Alive() {
		t.Error("it is alive although no heartbeat was tried for an hour")
	}
}

func ask(t *testing.T, f *Follower, path string) (code int, body string) {
	t.Helper()
	r := httptest.NewRecorder()
	f.Admin().ServeHTTP(r, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
	return r.Code, r.Body.String()
}

func TestMetricsAreDocumented(t *testing.T) {
	w := newWorld(t, spool+bucket)
	f := w.follow()
	w.write("spool/a", w.sign(0, index.Good))
	w.await("published")
	metricstest.Compare(t, "../docs/FOLLOW.md", "## Watching it", f.metrics.registry)
}
