package faults

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"golang.org/x/sys/unix"

	"lancre/build/demo"
	"lancre/index/store"
	"lancre/internal/databasetest"
)

// A chaos is a CA that changes things in all sources of a lancre follow at once.
type chaos struct {
	*growth
	t         *testing.T
	log       string // file of what lancre follow logs
	postgres  *databasetest.Server
	mariadb   *databasetest.Server
	databases []*chaosTable

	signing   sync.Mutex
	delivered []int64 // by question, the version that was handed over last, under signing
	crl       []byte  // the last that was

	process *exec.Cmd // lancre follow
}

// A chaosTable is the table of a database, written in transactions of which some stay
// open while others commit.
type chaosTable struct {
	db     *sql.DB
	insert string
	next   int // number of the row; under the chaos's signing
}

const chaosConfig = `
store = "store"
issuers = ["issuer.pem"]
heartbeat = "2s"
[[spool]]
dir = "spool"
every = "1s"
[[database]]
name = "postgres"
url = "%s"
query = "SELECT response, id FROM ocsp WHERE id > :since ORDER BY id"
every = "200ms"
overlap = "20s"
sweep = "30s"
[[database]]
name = "mariadb"
url = "%s"
query = "SELECT response, id FROM ocsp WHERE id > :since ORDER BY id"
every = "200ms"
overlap = "20s"
sweep = "30s"
[[command]]
run = ["sh", "-c", "cat printed/*"]
every = "1s"
[[static]]
dir = "static"
every = "2s"
[history]
keep = 3
keep_for = "10s"
`

func newChaos(t *testing.T, certs uint64) *chaos {
	c := &chaos{growth: newGrowth(t, certs), t: t, postgres: databasetest.StartPostgres(t), mariadb: databasetest.StartMySQL(t)}
	c.delivered = make([]int64, len(c.questions))
	c.log = filepath.Join(c.dir, "follow.log")
	for _, dir := range []string{"spool", "printed"} {
		check(t, os.Mkdir(filepath.Join(c.dir, dir), 0o755))
	}
	postgres := "postgres://postgres@/postgres?host=" + url.QueryEscape(c.postgres.Dir)
	socket := c.mariadb.Dir + "/sock"
	c.open("pgx", postgres, "bytea", "INSERT INTO ocsp VALUES ($1, $2)")
	c.open("mysql", "root@unix("+socket+")/test", "blob", "INSERT INTO ocsp VALUES (?, ?)")
	c.put("lancre.toml", fmt.Appendf(nil, chaosConfig, postgres, "mysql://root@/test?socket="+url.QueryEscape(socket)))
	c.put("printed/first", c.latest[0])
	return c
}

// open makes a table in a database.
func (c *chaos) open(driver, address, binary, insert string) {
	db, err := sql.Open(driver, address)
	check(c.t, err)
	c.t.Cleanup(func() { db.Close() })
	_, err = db.Exec("CREATE TABLE ocsp (id bigint PRIMARY KEY, response " + binary + ")")
	check(c.t, err)
	c.databases = append(c.databases, &chaosTable{db: db, insert: insert})
}

// put writes a file by a rename.
func (c *chaos) put(name string, content []byte) {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	temp := filepath.Join(filepath.Dir(path), ".new-"+filepath.Base(path))
	check(c.t, os.WriteFile(temp, content, 0o644))
	check(c.t, os.Rename(temp, path))
}

// follow starts lancre follow.
func (c *chaos) follow() {
	c.t.Helper()
	log, err := os.OpenFile(c.log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	check(c.t, err)
	defer log.Close()
	c.process = exec.Command("lancre", "follow", "--config", filepath.Join(c.dir, "lancre.toml"))
	c.process.Dir, c.process.Stderr = c.dir, log
	c.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	check(c.t, c.process.Start())
}

func (c *chaos) kill() {
	c.t.Helper()
	check(c.t, c.process.Process.Kill())
	var exit *exec.ExitError
	if err := c.process.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		c.t.Errorf("lancre follow ended by itself: %v", err)
	}
}

// A delivery is new responses, signed and not handed over yet.
type delivery struct {
	questions []int
	versions  []int64
	der       [][]byte
}

// signSome signs new responses for some certificates.
func (c *chaos) signSome(rnd *rand.Rand) (d delivery) {
	c.signing.Lock()
	defer c.signing.Unlock()
	for range 1 + rnd.IntN(5) {
		q := rnd.IntN(len(c.questions))
		c.signNext(c.t, q)
		d.questions, d.versions, d.der = append(d.questions, q), append(d.versions, c.roof[q].Load()), append(d.der, c.latest[q])
	}
	return d
}

// handedOver says that a delivery is where a source finds it.
func (c *chaos) handedOver(d delivery) {
	c.signing.Lock()
	defer c.signing.Unlock()
	for i, q := range d.questions {
		c.delivered[q] = max(c.delivered[q], d.versions[i])
	}
}

// writeFiles hands over by files in the spool, and by what the command prints.
func (c *chaos) writeFiles(stop <-chan struct{}) {
	rnd := rand.New(rand.NewPCG(1, uint64(len(c.questions))))
	for n := 0; pause(stop, rnd, 150*time.Millisecond); n++ {
		d := c.signSome(rnd)
		name := fmt.Sprintf("spool/%d", n)
		if n%5 == 0 {
			name = fmt.Sprintf("printed/%d", d.questions[0])
			d = delivery{d.questions[:1], d.versions[:1], d.der[:1]}
		}
		c.put(name, bytes.Join(d.der, nil))
		c.handedOver(d)
	}
}

// writeRows hands over by rows, in transactions that stay open for up to two seconds
// while later ones commit.
func (c *chaos) writeRows(table *chaosTable, stop <-chan struct{}) {
	rnd := rand.New(rand.NewPCG(2, uint64(len(table.insert))))
	var open sync.WaitGroup
	defer open.Wait()
	for pause(stop, rnd, 150*time.Millisecond) {
		d := c.signSome(rnd)
		c.signing.Lock()
		first := table.next
		table.next += len(d.der)
		c.signing.Unlock()
		wait := time.Duration(0)
		if rnd.IntN(3) == 0 {
			wait = time.Duration(rnd.Int64N(int64(2 * time.Second)))
		}
		open.Go(func() {
			if table.commit(d, first, wait) == nil { // else the server was restarted: it never came
				c.handedOver(d)
			}
		})
	}
}

func (table *chaosTable) commit(d delivery, first int, wait time.Duration) error {
	tx, err := table.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for i, der := range d.der {
		if _, err := tx.Exec(table.insert, first+i+1, der); err != nil {
			return err
		}
	}
	time.Sleep(wait) // the time that it stays open is what is tested
	return tx.Commit()
}

// writeCRLs publishes a CRL after another.
func (c *chaos) writeCRLs(stop <-chan struct{}) {
	rnd := rand.New(rand.NewPCG(3, 0))
	check(c.t, os.MkdirAll(filepath.Join(c.dir, "static", demo.CRLHost), 0o755))
	for n := int64(0); pause(stop, rnd, time.Second); n++ {
		c.signing.Lock()
		c.ca.ThisUpdate = c.began.Add(time.Duration(n) * time.Second)
		c.ca.ProducedAt = c.ca.ThisUpdate // its number
		crl, err := c.ca.CRL(0)
		c.crl = crl
		c.signing.Unlock()
		check(c.t, err)
		c.put(filepath.Join("static", demo.CRLHost, demo.CRLPath), crl)
	}
}

// pause waits for up to twice the mean, and reports whether to go on.
func pause(stop <-chan struct{}, rnd *rand.Rand, mean time.Duration) bool {
	select {
	case <-stop:
		return false
	case <-time.After(time.Duration(rnd.Int64N(2 * int64(mean)))):
		return true
	}
}

// fill fills the disk of the store until the function that it returns is called.
func (c *chaos) fill() (empty func()) {
	name := filepath.Join(c.store, "ballast")
	f, err := os.Create(name)
	check(c.t, err)
	defer f.Close()
	for chunk := make([]byte, 1<<16); ; {
		if _, err := f.Write(chunk); err != nil {
			break
		}
	}
	return func() { check(c.t, os.Remove(name)) }
}

// disturb does something to the surroundings of lancre follow, and puts it right again.
func (c *chaos) disturb(n int, small bool) {
	switch {
	case n%4 == 1 && small:
		empty := c.fill()
		time.Sleep(500 * time.Millisecond) // for things to fail
		empty()
	case n%4 == 2:
		c.postgres.Stop()
		c.postgres.Start(c.t)
	case n%4 == 3:
		c.mariadb.Stop()
		c.mariadb.Start(c.t)
	}
}

// onSmallDisk moves the store to a file system of its own, if that is permitted.
func (c *chaos) onSmallDisk() bool {
	disk := c.t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=64M"); err != nil {
		return false
	}
	c.t.Cleanup(func() { check(c.t, unix.Unmount(disk, unix.MNT_DETACH)) })
	run(c.t, exec.Command("cp", "-a", c.store, disk))
	check(c.t, os.RemoveAll(c.store))
	c.store = filepath.Join(disk, "store")
	check(c.t, os.Symlink(c.store, filepath.Join(c.dir, "store")))
	return true
}

// TestFollowInChaos changes all sources of lancre follow at once, kills it at random
// moments, fills its disk and restarts its databases, while clients ask: no answer ever
// goes back, and at the end each is what was handed over last.
func TestFollowInChaos(t *testing.T) {
	c := newChaos(t, uint64(size(100, 1000)))
	small := c.onSmallDisk()
	d := serve(t, c.store)
	stop := make(chan struct{})
	var writers, askers sync.WaitGroup
	askers.Go(func() { c.growth.ask(d.addr, stop) })
	done := make(chan struct{})
	writers.Go(func() { c.writeFiles(done) })
	for _, table := range c.databases {
		writers.Go(func() { c.writeRows(table, done) })
	}
	writers.Go(func() { c.writeCRLs(done) })
	times := size(6, 100)
	moment := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	c.follow()
	for n := range times {
		time.Sleep(200*time.Millisecond + time.Duration(moment.Int64N(int64(1500*time.Millisecond)))) // the moment is what is tested
		c.disturb(n, small)
		c.kill()
		c.follow()
	}
	close(done)
	writers.Wait()
	c.settle(d)
	close(stop)
	askers.Wait()
	check(t, c.process.Process.Signal(syscall.SIGTERM))
	if err := c.process.Wait(); err != nil {
		t.Errorf("lancre follow on SIGTERM: %v", err)
	}
	c.faults.Range(func(text, _ any) bool { t.Log(text); return true })
	now := published(t, c.store)
	r := row{fault: "kill -9 of lancre follow, restarted databases, full disk, all sources at once", times: times, asked: c.asked.Load(),
		failed: c.failed.Load(), wrong: c.wrong.Load(), lost: lostGenerations(t, c.store, now, now)}
	past, err := filepath.Glob(filepath.Join(c.store, "history", "*")) // of a day, so all of them
	check(t, err)
	r.note = fmt.Sprintf("%d generations, %d rows, disk full: %v", len(past)+1, c.databases[0].next+c.databases[1].next, small)
	record(t, r)
	if t.Failed() {
		text, _ := os.ReadFile(c.log)
		t.Logf("the log ends\n%s", text[max(0, len(text)-5000):])
	}
}

// settle waits until everything that was handed over is answered.
func (c *chaos) settle(d *daemon) {
	c.t.Helper()
	for q := range c.questions {
		await(c.t, "what was handed over last is answered", func() bool {
			c.askOne(http.DefaultClient, d.addr, q)
			return c.floor[q].Load() >= c.delivered[q]
		})
	}
	http.DefaultClient.CloseIdleConnections()
	await(c.t, "the last CRL is published", func() bool {
		m, err := store.ReadManifest(c.store)
		check(c.t, err)
		for _, f := range m.Files {
			if f.Host+f.Path == demo.CRLHost+demo.CRLPath {
				data, err := os.ReadFile(store.ObjectPath(c.store, f.SHA256))
				return err == nil && bytes.Equal(data, c.crl)
			}
		}
		return false
	})
}
