package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"lancre/bench/traffic"
	"lancre/build/demo"
)

// A fetched is what one server did when a CRL was asked for, in a closed loop.
type fetched struct {
	closed
	Asked  string `json:"asked"`  // what for: one of fetches
	Octets int    `json:"octets"` // of the CRL
}

// PerSecond is the octets of CRLs that came; of those that had not to come there is no figure.
func (f fetched) PerSecond() spread {
	if strings.HasPrefix(f.Asked, "If-") {
		return spread{}
	}
	return f.Rate.times(float64(f.Octets))
}

// fetches are the ways in which a CRL is asked for, with the certificates that it is about, of which
// one in fifty is revoked: CRLs of 70 KB and 10 MB, some.
var fetches = []struct {
	name, title  string
	certificates uint64
	header       func(of *http.Response) string // of the request; nil: none
}{
	{"small", ", whole", 72_000, nil},
	{"large", ", whole", 10_300_000, nil},
	{"If-None-Match", ", 304 by If-None-Match", 72_000, func(of *http.Response) string { return "If-None-Match: " + of.Header.Get("ETag") }},
	{"If-Modified-Since", ", 304 by If-Modified-Since", 72_000, func(of *http.Response) string { return "If-Modified-Since: " + of.Header.Get("Last-Modified") }},
}

const nginxStatic = `root %s; tcp_nopush on; open_file_cache max=100 inactive=1h; open_file_cache_valid 1h; types { application/pkix-crl crl; } location / { }`

// crlBaseline is what lancred is compared with.
const crlBaseline = "nginx"

// fewConnections are enough for a server of one core, and do not fill the memory with large CRLs.
const fewConnections = "8"

func (r *runner) measureCRL(ctx context.Context) error {
	c, err := r.makeCorpus(ctx, "crl", demo.Options{}, 1)
	if err != nil {
		return err
	}
	defer os.RemoveAll(c.Dir)
	r.results.CRLs = nil
	made := make(map[uint64]*published)
	for _, f := range fetches {
		p := made[f.certificates]
		if p == nil {
			if p, err = r.publishCRL(ctx, c, f.certificates); err != nil {
				return err
			}
			made[f.certificates] = p
		}
		if err := r.fetchRounds(ctx, c, p, f.name, f.header); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	t := newTable("asked for", "octets", "server", "CPU µs/request", "to nginx", "requests/s", "MB/s", "p99 µs", "wrong", "failed")
	for _, f := range r.results.CRLs {
		t.row(f.Asked, f.Octets, f.Server, f.CPU, f.Ratio, f.Rate, f.PerSecond().times(1e-6), f.P99, f.Wrong, f.Failed)
	}
	return t.Flush()
}

// A published is a CRL, in a file and in a store.
type published struct {
	der         []byte
	host, store string // directories: of the file, and of the store
}

// publishCRL has the CRL about so many certificates in a store for itself, for all have one address.
func (r *runner) publishCRL(ctx context.Context, c *corpus, certificates uint64) (*published, error) {
	dir := filepath.Join(c.Dir, fmt.Sprint(certificates))
	p := &published{host: filepath.Join(dir, "www", demo.CRLHost), store: filepath.Join(dir, "store")}
	var err error
	if p.der, err = c.CA.CRL(certificates); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(p.host, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(p.host, demo.CRLPath), p.der, 0o644); err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(ctx, filepath.Join(r.bin, "..", "lancre"), "build", "--out", p.store, "--issuer", c.Issuer, "--static", filepath.Dir(p.host)).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("lancre build: %w: %s", err, out)
	}
	return p, nil
}

// fetchRounds has lancred and nginx take turns.
func (r *runner) fetchRounds(ctx context.Context, c *corpus, p *published, name string, header func(*http.Response) string) error {
	list, stop, err := r.startAll(ctx, []server{
		{name: "lancred", command: r.lancred(p.store)},
		{name: crlBaseline, command: func(port int) ([]string, error) { return c.nginx(port, fmt.Sprintf(nginxStatic, p.host)) }},
	})
	defer stop()
	if err != nil {
		return err
	}
	scripts := make([]string, len(list))
	for i := range list {
		if scripts[i], err = c.crlScript(&list[i], p.der, header); err != nil {
			return fmt.Errorf("%s: %w", list[i].name, err)
		}
	}
	rounds := make(map[string][]sample)
	for round := range 1 + r.rounds {
		for i := range list {
			run, err := r.load(ctx, list[i].process, scripts[i], "--duration", r.duration.String(), "--connections", fewConnections)
			if err != nil {
				return fmt.Errorf("%s: %w", list[i].name, err)
			}
			if round > 0 { // the first one only warms caches
				rounds[list[i].name] = append(rounds[list[i].name], run)
			}
		}
	}
	for _, s := range list {
		f := fetched{sumClosed(s.name, get, rounds[s.name], rounds[crlBaseline]), name, len(p.der)}
		r.results.CRLs = append(r.results.CRLs, f)
	}
	return nil
}

// crlScript is the request for the CRL, with a header for which it has first to be asked.
func (c *corpus) crlScript(s *contender, der []byte, header func(*http.Response) string) (path string, err error) {
	request := "GET " + demo.CRLPath + " HTTP/1.1\r\nHost: " + demo.CRLHost + "\r\n"
	e := traffic.Exchange{Request: []byte(request + "\r\n"), Bodies: [][]byte{der}}
	if header != nil {
		of, err := s.head(request)
		if err != nil {
			return "", err
		}
		e = traffic.Exchange{Request: []byte(request + header(of) + "\r\n\r\n"), Bodies: [][]byte{nil}, NotModified: true}
	}
	return c.save("crl "+s.name, []traffic.Exchange{e})
}

// head sends a request and returns the head of the answer.
func (p *process) head(request string) (*http.Response, error) {
	conn, err := net.Dial("tcp", p.addr())
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(request + "\r\n")); err != nil {
		return nil, err
	}
	return http.ReadResponse(bufio.NewReader(conn), nil)
}
