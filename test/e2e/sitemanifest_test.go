package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lancre/internal/programs"
)

// A clockBucket has a manifest that says when it was asked for.
type clockBucket struct {
	asked atomic.Int64
	gone  atomic.Bool
}

// ServeHTTP implements http.Handler.
func (b *clockBucket) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	b.asked.Add(1)
	if b.gone.Load() {
		http.Error(w, "", http.StatusBadGateway)
		return
	}
	now := time.Now().UnixNano()
	w.Header().Set("ETag", fmt.Sprintf(`"%d"`, now))
	w.Header().Set("Cache-Control", "no-cache")
	fmt.Fprint(w, now)
}

// moment is the half second of t.
func moment(t time.Time) int64 { return t.UnixMilli() / 500 }

// siteEdges poll a manifest, each once in so long, and note what they get.
type siteEdges struct {
	client http.Client
	mu     sync.Mutex
	polls  int
	old    int // of them, those that got what was a second old when they asked, or older
	oldest time.Duration
}

// poll asks once.
func (e *siteEdges) poll(etag string) (status int, body string, err error) {
	req, err := http.NewRequest(http.MethodGet, "http://cache/store/manifest", nil)
	if err != nil {
		return 0, "", err
	}
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	resp, err := e.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// run polls until the context ends.
func (e *siteEdges) run(ctx context.Context, every time.Duration) error {
	for ticks := time.NewTicker(every); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
		}
		began := time.Now()
		status, body, err := e.poll("")
		if err != nil || status != http.StatusOK {
			return fmt.Errorf("status %d, %w", status, err)
		}
		made, err := strconv.ParseInt(body, 10, 64)
		if err != nil {
			return err
		}
		age := began.Sub(time.Unix(0, made))
		e.mu.Lock()
		e.polls++
		if age > time.Second {
			e.old++
		}
		e.oldest = max(e.oldest, age)
		e.mu.Unlock()
	}
}

// However many edges ask for the manifest, the bucket is asked twice a second, what they
// get is as good as new, and what is kept of it goes. Where the bucket is gone, none gets
// what was once true.
func TestSiteCacheManifest(t *testing.T) {
	t.Parallel() // nginx looks after its cache every ten seconds
	b, dir := new(clockBucket), t.TempDir()
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	startSiteNginx(t, dir, server.URL, "unix:store.sock")
	await(t, dir, ask+`ask elsewhere`, nil, "404")
	e := &siteEdges{client: http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 50,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, "store.sock"))
		},
	}}}
	began := time.Now()
	ctx, stop := context.WithCancel(t.Context())
	var edges sync.WaitGroup
	for n := range 50 {
		edges.Go(func() {
			time.Sleep(time.Duration(n%25) * 40 * time.Millisecond) // two at a time
			if err := e.run(ctx, time.Second); err != nil {
				t.Error(err)
			}
		})
	}
	most := awaitFewer(t, filepath.Join(dir, "cache.lancre-manifest"))
	stop()
	edges.Wait()
	asked, moments := b.asked.Load(), moment(time.Now())-moment(began)+1
	t.Logf("%d polls, the bucket asked %d times in %d half seconds; the oldest was %v old; at most %d manifests lay in the cache", e.polls, asked, moments, e.oldest, most)
	if asked > moments {
		t.Errorf("the bucket is asked %d times in %d half seconds, want once in each", asked, moments)
	}
	if e.old*100 > e.polls { // a machine may take half a second for a poll now and then
		t.Errorf("of %d polls, %d got what was more than a second old", e.polls, e.old)
	}
	e.unchanged(t)
	b.gone.Store(true)
	e.awaitStatus(t, http.StatusBadGateway)
	for range 5 {
		if status, _, err := e.poll(""); err != nil || status != http.StatusBadGateway {
			t.Errorf("the bucket is gone, and the cache answers %d, %v", status, err)
		}
	}
}

// unchanged has an edge that has the manifest already ask for it: it gets no second one.
func (e *siteEdges) unchanged(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(programs.Patience); ; {
		_, body, err := e.poll("")
		check(t, err)
		status, _, err := e.poll(`"` + body + `"`) // of the same half second, but for once
		check(t, err)
		if status == http.StatusNotModified {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("asked for what is not %s, the cache answers %d", body, status)
		}
	}
}

// awaitStatus polls until that is the answer.
func (e *siteEdges) awaitStatus(t *testing.T, want int) {
	t.Helper()
	for end := time.Now().Add(programs.Patience); ; time.Sleep(retry) {
		status, _, err := e.poll("")
		if err == nil && status == want {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the cache answers %d, %v, want %d", status, err, want)
		}
	}
}

// awaitFewer waits until there are fewer files below dir than there were, and returns how
// many there were at most.
func awaitFewer(t *testing.T, dir string) (most int) {
	t.Helper()
	for end := time.Now().Add(programs.Patience); ; time.Sleep(retry) {
		files, err := filepath.Glob(filepath.Join(dir, "*", strings.Repeat("?", 32))) // others are being written
		check(t, err)
		if len(files) < most {
			return most
		}
		most = max(most, len(files))
		if time.Now().After(end) {
			t.Fatalf("%d manifests lie in the cache, and none goes", most)
		}
	}
}
