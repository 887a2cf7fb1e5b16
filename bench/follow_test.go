package bench

import (
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"lancre/bench/proc"
)

// followConfig has four sources, of which one brings something.
const followConfig = `
store = %q
issuers = [%q]
[[spool]]
dir = "spool"
[[static]]
dir = "www"
[[database]]
url = "sqlite:ca.db"
query = "SELECT response, id FROM ocsp WHERE id > :since ORDER BY id"
[[command]]
run = ["true"]
every = "1m"
`

// A follower is a lancre follow over a store, and what it is given.
type follower struct {
	*adder
	pid int
}

func follow(b *testing.B, bin string, a *adder) *follower {
	b.Helper()
	for _, dir := range []string{"spool", "www"} {
		if err := os.Mkdir(filepath.Join(a.dir, dir), 0o755); err != nil {
			b.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", filepath.Join(a.dir, "ca.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE ocsp (id INTEGER PRIMARY KEY, response BLOB)"); err != nil {
		b.Fatal(err)
	}
	config := a.file("lancre.toml", fmt.Appendf(nil, followConfig, a.store, a.issuer()))
	cmd := exec.Command(filepath.Join(bin, "lancre"), "follow", "--config", config)
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return &follower{a, cmd.Process.Pid}
}

// untilAnswered puts the next response into the spool, and asks for it until it comes.
func (f *follower) untilAnswered(host string) time.Duration {
	f.sign()
	from := f.file("response.der", f.der)
	begin := time.Now()
	if err := os.Rename(from, filepath.Join(f.dir, "spool", fmt.Sprint(f.next))); err != nil {
		f.b.Fatal(err)
	}
	return f.answered(begin, host)
}

// BenchmarkFollow is the time from when a file is in the spool until lancred answers with
// its response, over a store of the whole corpus with 24 deltas above it; alone, and beside
// merges of everything into the base. idle is the processor time of lancre follow while
// nothing comes, in percent of a processor; memory is what it has of its own.
func BenchmarkFollow(b *testing.B) {
	dir := sharded(b)
	bin := built(b)
	f := follow(b, bin, newAdder(b, dir, 24))
	edge := serveProcess(b, filepath.Join(bin, "lancred"), dir)
	f.untilAnswered(edge.host) // it has begun
	b.Run("alone", func(b *testing.B) { f.measure(b, edge.host) })
	b.Run("beside merges", func(b *testing.B) {
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for {
				select {
				case <-stop:
					return
				default:
					exec.Command(filepath.Join(bin, "lancre"), "merge", dir, "--into-base").Run() // it may be overtaken
				}
			}
		}()
		f.measure(b, edge.host)
		close(stop)
		<-stopped
	})
	b.Run("idle", func(b *testing.B) {
		began, before := time.Now(), f.spent()
		for b.Loop() {
			time.Sleep(time.Second) // of nothing
		}
		b.ReportMetric(100*float64(f.spent()-before)/float64(time.Since(began)), "idle-%")
		memory, err := proc.Memory(f.pid)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(memory.Anon)/1e6, "memory-MB")
	})
}

// spent is the processor time that it has used.
func (f *follower) spent() time.Duration {
	used, err := proc.CPU(f.pid)
	if err != nil {
		f.b.Fatal(err)
	}
	return used
}

// measure measures files in the spool, each more than a second after the one before: what
// comes sooner waits.
func (f *follower) measure(b *testing.B, host string) {
	var took []time.Duration
	for b.Loop() {
		time.Sleep(1100 * time.Millisecond)
		took = append(took, f.untilAnswered(host))
	}
	reportTimes(b, took)
}
