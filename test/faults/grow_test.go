package faults

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lancre/index"
)

// A growth is a store to which responses are added while clients ask: each question
// has answers 1, 2 and so on, each signed a second after the one before.
type growth struct {
	*origin
	began  time.Time
	latest [][]byte       // the answer that was signed last, by question
	floor  []atomic.Int64 // the version that answers are not older than, by question
	roof   []atomic.Int64 // the version that was signed last

	asked, failed, wrong atomic.Uint64
	faults               sync.Map // what was wrong, by its text
}

const growthShards = 16

func newGrowth(t *testing.T, certs uint64) *growth {
	o := newOrigin(t, certs)
	g := &growth{origin: o, began: time.Now().Add(-2 * time.Hour).Truncate(time.Second)}
	n := len(o.questions)
	g.latest, g.floor, g.roof = make([][]byte, n), make([]atomic.Int64, n), make([]atomic.Int64, n)
	for q := range o.questions {
		g.signNext(t, q)
		g.floor[q].Store(1)
	}
	g.write(t, "responses.der", func(int) bool { return true })
	build := g.origin.build(t)
	build.Args = append(build.Args, "--shards", fmt.Sprint(growthShards))
	run(t, build)
	return g
}

// signNext signs the next answer to question q.
func (g *growth) signNext(t *testing.T, q int) {
	t.Helper()
	version := g.roof[q].Load() + 1
	g.ca.ThisUpdate = g.began.Add(time.Duration(version) * time.Second)
	g.ca.ProducedAt = g.ca.ThisUpdate
	hashes := len(g.ca.Hashes)
	der, err := g.ca.Sign(g.ca.Certificate(uint64(q/hashes)), g.ca.Hashes[q%hashes])
	check(t, err)
	g.mu.Lock()
	g.made[string(der)] = mark{q, uint64(version)}
	g.mu.Unlock()
	g.latest[q] = der
	g.roof[q].Store(version)
}

// write writes the latest answers to some questions to a file.
func (g *growth) write(t *testing.T, name string, some func(q int) bool) string {
	t.Helper()
	var all bytes.Buffer
	for q, der := range g.latest {
		if some(q) {
			all.Write(der)
		}
	}
	path := filepath.Join(g.dir, name)
	check(t, os.WriteFile(path, all.Bytes(), 0o644))
	return path
}

// lancre is a command on the store.
func (g *growth) lancre(t *testing.T, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), "lancre", append([]string{args[0], g.store}, args[1:]...)...)
	if args[0] == "add" {
		cmd.Args = append(cmd.Args, "--issuer", filepath.Join(g.dir, "issuer.pem"))
	}
	return cmd
}

// add signs and adds new answers to some certificates.
func (g *growth) add(t *testing.T, certs int) {
	t.Helper()
	chosen := make(map[int]bool)
	hashes := len(g.ca.Hashes)
	for range certs {
		first := rand.IntN(len(g.questions)/hashes) * hashes
		for q := first; q < first+hashes && !chosen[q]; q++ {
			g.signNext(t, q)
			chosen[q] = true
		}
	}
	file := g.write(t, "added.der", func(q int) bool { return chosen[q] })
	run(t, g.lancre(t, "add", "--responses", file))
}

// ask asks questions at random until stop.
func (g *growth) ask(addr string, stop <-chan struct{}) {
	client := &http.Client{}
	defer client.CloseIdleConnections()
	for {
		select {
		case <-stop:
			return
		default:
			g.askOne(client, addr, rand.IntN(len(g.questions)))
		}
	}
}

// askOne asks question q, and judges the answer.
func (g *growth) askOne(client *http.Client, addr string, q int) {
	from := g.floor[q].Load()
	g.asked.Add(1)
	response, err := client.Post("http://"+addr+"/", "application/ocsp-request", bytes.NewReader(g.questions[q].body))
	if err != nil {
		g.failed.Add(1)
		g.faults.Store(err.Error(), true)
		return
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil || response.StatusCode != http.StatusOK {
		g.failed.Add(1)
		g.faults.Store(fmt.Sprintf("%s, %v", response.Status, err), true)
		return
	}
	g.judgeVersion(q, body, from)
}

// judgeVersion judges an answer to question q, of which version from had been seen
// before it was asked.
func (g *growth) judgeVersion(q int, body []byte, from int64) {
	g.mu.Lock()
	m, ok := g.made[string(body)]
	g.mu.Unlock()
	version := int64(m.generation)
	if !ok || m.question != q || version < from || version > g.roof[q].Load() {
		g.wrong.Add(1)
		g.faults.Store(fmt.Sprintf("known %v, of question %d at question %d, version %d after %d", ok, m.question, q, version, from), true)
		return
	}
	for seen := g.floor[q].Load(); version > seen && !g.floor[q].CompareAndSwap(seen, version); seen = g.floor[q].Load() {
	}
}

// replaceShard has a shard's base replaced by its latest answers, which others may be
// added to meanwhile.
func (g *growth) replaceShard(t *testing.T, shard uint32) *exec.Cmd {
	hashes := len(g.ca.Hashes)
	file := g.write(t, "shard.der", func(q int) bool {
		id, _ := g.ca.CertID(g.ca.Certificate(uint64(q/hashes)), g.ca.Hashes[q%hashes])
		return index.Shard{Index: shard, Of: growthShards}.Covers(id.SerialHash())
	})
	// What is added within this very second is newer than the file.
	taken := time.Now().UTC().Add(-time.Second).Format(time.RFC3339)
	return g.lancre(t, "add", "--responses", file, "--shards", fmt.Sprintf("%d/%d", shard, growthShards), "--as-of", taken)
}

// TestGrowUnderLoad adds responses to a store in shards, beside merges and replaced
// shards, while clients ask: no answer is older than one before, wrong, or missing.
func TestGrowUnderLoad(t *testing.T) {
	g := newGrowth(t, uint64(size(1_000, 100_000)))
	adds := size(12, 300)
	d := serve(t, g.store)
	stop := make(chan struct{})
	var askers sync.WaitGroup
	for range 2 {
		askers.Go(func() { g.ask(d.addr, stop) })
	}
	pace := time.NewTicker(200 * time.Millisecond)
	defer pace.Stop()
	merged, replaced, moved := 0, 0, 0
	beside := make(chan error, 1) // of the one command that runs beside the additions
	running := false
	finish := func() {
		if err := <-beside; err != nil {
			if !strings.Contains(err.Error(), "changed meanwhile") {
				t.Error(err)
			}
			moved++
		}
		running = false
	}
	for n := range adds {
		if running && len(beside) > 0 {
			finish()
		}
		if !running {
			cmd := g.lancre(t, "merge")
			if n%4 == 3 {
				cmd = g.replaceShard(t, uint32(n/4)%growthShards)
				replaced++
			} else {
				merged++
			}
			running = true
			go func() {
				out, err := cmd.CombinedOutput()
				if err != nil {
					err = fmt.Errorf("%s: %w\n%s", cmd, err, out)
				}
				beside <- err
			}()
		}
		g.add(t, 5)
		<-pace.C
	}
	if running {
		finish()
	}
	close(stop)
	askers.Wait()
	d.awaitGeneration(t, published(t, g.store))
	for q := range g.questions { // from now on nothing but the latest
		g.floor[q].Store(g.roof[q].Load())
		g.askOne(http.DefaultClient, d.addr, q)
	}
	http.DefaultClient.CloseIdleConnections()
	g.faults.Range(func(text, _ any) bool { t.Log(text); return true })
	record(t, row{fault: "additions, merges and replaced shards", times: adds, asked: g.asked.Load(), failed: g.failed.Load(), wrong: g.wrong.Load(),
		lost: lostGenerations(t, g.store, published(t, g.store), published(t, g.store)),
		note: fmt.Sprintf("%d responses in %d shards; merges: %d, replaced shards: %d, overtaken: %d", len(g.questions), growthShards, merged, replaced, moved)})
}
