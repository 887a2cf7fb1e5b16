package bench

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lancre/internal/programs"
)

// clients is how many connections a load run keeps busy.
const clients = 32

// BenchmarkLoad drives the real lancred over loopback from this process: one
// operation is one request answered with a response of the corpus. Closed loop:
// each client sends its next request when the answer is there. Client and server
// share the machine, so requests a second say less than the server's CPU time per
// request, which comes from /proc.
func BenchmarkLoad(b *testing.B) {
	d := startDaemon(b)
	ids := unsigned().sample(1 << 14)
	gets, posts := make([][]byte, len(ids)), make([][]byte, len(ids))
	for i := range ids {
		der := ids[i].Request(nil)
		gets[i] = fmt.Appendf(nil, "GET /%s HTTP/1.1\r\nHost: o.demo.test\r\n\r\n", url.PathEscape(base64.StdEncoding.EncodeToString(der)))
		posts[i] = fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: o.demo.test\r\nContent-Type: application/ocsp-request\r\nContent-Length: %d\r\n\r\n%s", len(der), der)
	}
	b.Run("get", func(b *testing.B) { d.load(b, gets, false) })
	b.Run("post", func(b *testing.B) { d.load(b, posts, false) })
	b.Run("connection-per-request", func(b *testing.B) {
		for i := range gets {
			gets[i] = []byte(strings.Replace(string(gets[i]), "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1))
		}
		d.load(b, gets, true)
	})
}

// A daemon is a running lancred, built from this tree, over the corpus.
type daemon struct{ *programs.Daemon }

func startDaemon(b *testing.B) daemon {
	b.Helper()
	bin := b.TempDir()
	if err := programs.Build(bin); err != nil {
		b.Fatal(err)
	}
	b.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	return daemon{programs.Start(b, unsigned().store)}
}

// cpu is the processor time the daemon has used.
func (d daemon) cpu(b *testing.B) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	// The fields after the name, which is in parentheses: utime and stime are the
	// 12th and 13th, in units of 1/100 s (proc(5)).
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// load answers b.N requests.
func (d daemon) load(b *testing.B, requests [][]byte, reconnect bool) {
	var next atomic.Int64
	latencies := make([][]time.Duration, clients)
	before := d.cpu(b)
	b.ResetTimer()
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			c := client{addr: d.Addr, reconnect: reconnect}
			defer c.close()
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				begin := time.Now()
				if err := c.do(requests[n%int64(len(requests))]); err != nil {
					b.Error(err)
					return
				}
				latencies[i] = append(latencies[i], time.Since(begin))
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	all := slices.Concat(latencies...)
	slices.Sort(all)
	if len(all) == 0 {
		return
	}
	perSecond(b, uint64(len(all)), "requests", b.Elapsed())
	b.ReportMetric(float64((d.cpu(b)-before).Microseconds())/float64(len(all)), "server-cpu-µs/op")
	b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-µs")
}

// A client sends requests that are ready to send and reads answers with a
// Content-Length: as little work as a client can do.
type client struct {
	addr      string
	reconnect bool
	conn      net.Conn
	in        *bufio.Reader
}

func (c *client) do(request []byte) error {
	if c.conn == nil {
		conn, err := net.Dial("tcp", c.addr)
		if err != nil {
			return err
		}
		c.conn, c.in = conn, bufio.NewReader(conn)
	}
	if _, err := c.conn.Write(request); err != nil {
		return err
	}
	if err := c.readAnswer(); err != nil {
		return err
	}
	if c.reconnect {
		c.close()
	}
	return nil
}

func (c *client) readAnswer() error {
	status, err := c.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(string(status), "HTTP/1.1 200 ") {
		return fmt.Errorf("answer %q", status)
	}
	length := -1
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) == 2 {
			break
		}
		if v, ok := strings.CutPrefix(string(line), "Content-Length: "); ok {
			if length, err = strconv.Atoi(strings.TrimSpace(v)); err != nil {
				return err
			}
		}
	}
	// A response of the corpus has some 300 octets, an unsigned error 5.
	if length < 100 {
		return fmt.Errorf("body of %d octets: no response of the corpus", length)
	}
	_, err = c.in.Discard(length)
	return err
}

func (c *client) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}
