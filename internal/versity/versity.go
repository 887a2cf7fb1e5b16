// Package versity runs versitygw, an S3-compatible storage, for tests that publish to
// it.
package versity

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"lancre/internal/programs"
)

// What is needed to publish to a Gateway.
const (
	Bucket    = "status"
	AccessKey = "testkey"
	SecretKey = "testsecret123"
)

// A Gateway is a versitygw with one bucket, behind a proxy that a test can have do what
// networks do.
type Gateway struct {
	URL    string // of the proxy
	Dir    string // the bucket, whose objects are files
	Socket string // of versitygw itself
	PID    int    // of versitygw

	fault atomic.Pointer[Fault]
}

// A Fault answers a request, or has it forwarded.
type Fault func(w http.ResponseWriter, r *http.Request, forward http.Handler)

// Start starts one until the test ends. Without versitygw the test is skipped.
func Start(t testing.TB) *Gateway {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(cache, "lancre", "bin", "versitygw")
	programs.Need(t, program)
	dir, err := os.MkdirTemp("", "versity-") // whose name is short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	g := &Gateway{Dir: filepath.Join(dir, "buckets", Bucket)}
	if err := os.MkdirAll(g.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "socket")
	cmd := exec.Command(program, "--port", socket, "--keep-alive", "--quiet", "posix", filepath.Dir(g.Dir))
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+AccessKey, "ROOT_SECRET_KEY="+SecretKey)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	awaitSocket(t, socket)
	g.Socket, g.PID = socket, cmd.Process.Pid
	proxy := httptest.NewServer(g.proxy(socket))
	t.Cleanup(proxy.Close)
	g.URL = proxy.URL
	return g
}

// awaitSocket waits until something listens at socket.
func awaitSocket(t testing.TB, socket string) {
	t.Helper()
	for deadline := time.Now().Add(programs.Patience); ; time.Sleep(5 * time.Millisecond) {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("versitygw does not listen: %v", err)
		}
	}
}

// proxy forwards to socket, with the Host of the request, which its signature covers.
func (g *Gateway) proxy(socket string) http.Handler {
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: "versitygw"})
			r.Out.Host = r.In.Host
		},
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", socket)
			},
			DisableCompression: true,
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := g.fault.Load(); f != nil {
			(*f)(w, r, forward)
			return
		}
		forward.ServeHTTP(w, r)
	})
}

// Break has requests be answered by f from now on; nil for as they should.
func (g *Gateway) Break(f Fault) {
	if f == nil {
		g.fault.Store(nil)
		return
	}
	g.fault.Store(&f)
}

// LetAnybodyRead gives the bucket the policy that a file has.
func (g *Gateway) LetAnybodyRead(t testing.TB, policy string) {
	t.Helper()
	programs.Need(t, "curl")
	cmd := exec.Command("sh", "-euc", `curl -sS --fail-with-body --aws-sigv4 aws:amz:us-east-1:s3 --user $CREDENTIALS \
		-H x-amz-content-sha256:$(sha256sum <$POLICY | cut -c1-64) -X PUT --data-binary @$POLICY "$URL?policy="`)
	cmd.Env = append(os.Environ(), "URL="+g.URL+"/"+Bucket, "POLICY="+policy, "CREDENTIALS="+AccessKey+":"+SecretKey)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// Hang answers nothing until the client gives up, which shows when all of the request was
// read.
func Hang(r *http.Request) {
	io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// Env are the variables by which tools find the storage.
func (g *Gateway) Env() []string {
	return []string{"AWS_ENDPOINT_URL_S3=" + g.URL, "AWS_ACCESS_KEY_ID=" + AccessKey, "AWS_SECRET_ACCESS_KEY=" + SecretKey, "AWS_REGION=us-east-1"}
}
