package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"lancre/index"
)

// A server is a contender for the answers of one corpus.
type server struct {
	name    string
	command func(port int) ([]string, error)
	any     bool     // its answers are not those that the CA signed
	methods []method // that it takes; nil: all
	few     bool     // knows the first fewFiles exchanges only
}

// fewFiles is how many responses nginx serves from files: its cache of open files
// holds that many, and twice as many descriptors are a common limit. openssl ocsp signs for as many.
const fewFiles = 10_000

// servers are lancred, with the store, and its peers, for the answers of c.
func (r *runner) servers(c *corpus, store string) []server {
	peer := func(name string) string { return filepath.Join(r.bin, name) }
	return []server{
		{name: "lancred", command: r.lancred(store)},
		{name: "fasthttp fixed", any: true, command: func(port int) ([]string, error) {
			return []string{peer("fixed"), strconv.Itoa(port)}, nil
		}},
		{name: "nginx return", any: true, command: func(port int) ([]string, error) {
			return c.nginx(port, fmt.Sprintf(nginxReturn, strings.Repeat("0", 320))) // as long as a response
		}},
		{name: "nginx files", methods: []method{get, getClose}, few: true, command: func(port int) ([]string, error) {
			dir, err := c.writeFiles()
			if err != nil {
				return nil, err
			}
			return c.nginx(port, fmt.Sprintf(nginxFiles, dir))
		}},
		{name: "net/http and map", command: func(port int) ([]string, error) {
			return []string{peer("naive"), strconv.Itoa(port), c.Responses}, nil
		}},
		{name: "cfssl", command: func(port int) ([]string, error) {
			list, err := c.base64List()
			return []string{peer("cfssl"), "ocspserve", "-address", "127.0.0.1", "-port", strconv.Itoa(port), "-responses", list, "-loglevel", "5"}, err
		}},
		{name: "openssl ocsp", any: true, methods: []method{getClose}, few: true, command: c.opensslOCSP},
	}
}

// lancred is the command that serves store.
func (r *runner) lancred(store string) func(port int) ([]string, error) {
	return func(port int) ([]string, error) {
		return []string{filepath.Join(r.bin, "..", "lancred"), "--store", store, "--listen", "127.0.0.1:" + strconv.Itoa(port), "--admin", ""}, nil
	}
}

// base64List writes the responses as cfssl wants them, a line each.
func (c *corpus) base64List() (string, error) {
	path := filepath.Join(c.Dir, "responses.txt")
	bodies, err := c.bodies(c.sample(int(c.N)))
	if err != nil {
		return "", err
	}
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	for _, b := range bodies {
		w.WriteString(base64.StdEncoding.EncodeToString(b))
		w.WriteByte('\n')
	}
	return path, w.Flush()
}

// What nginx does with a request.
const (
	nginxReturn = `location / { return 200 "` + "%s" + `"; }`
	nginxFiles  = `root %s; open_file_cache max=20000 inactive=1h; open_file_cache_valid 1h; location / { }`
)

const nginxConfig = `daemon off;
master_process off;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log crit;
worker_rlimit_nofile 20000;
events { worker_connections 4096; }
http {
	access_log off;
	keepalive_requests 1000000000;
	server_tokens off;
	default_type application/ocsp-response;
	add_header Expires "Fri, 27 Nov 2026 14:00:00 GMT";
	add_header Cache-Control "max-age=43200, public, no-transform, must-revalidate";
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	server {
		listen 127.0.0.1:%[2]d;
		merge_slashes off;
		%[3]s
	}
}
`

// nginx makes what nginx needs to do it and returns its command line.
func (c *corpus) nginx(port int, what string) ([]string, error) {
	dir, err := os.MkdirTemp(c.Dir, "nginx-")
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "nginx.conf")
	return []string{"/usr/sbin/nginx", "-p", dir, "-c", config}, os.WriteFile(config, fmt.Appendf(nil, nginxConfig, dir, port, what), 0o644)
}

// filesDir is where writeFiles writes, in the directory of a corpus.
const filesDir = "files"

// writeFiles writes responses to files named by their request in base64, of which
// a slash makes a directory, and returns where. nginx must not need root's rights to read them.
func (c *corpus) writeFiles() (dir string, err error) {
	dir = filepath.Join(c.Dir, filesDir)
	sampled := c.sample(fewFiles)
	bodies, err := c.bodies(sampled)
	if err != nil {
		return "", err
	}
	for i, number := range sampled {
		id, _ := c.CA.CertID(c.CA.Certificate(number), index.SHA1)
		path := filepath.Join(dir, base64.StdEncoding.EncodeToString(id.Request(nil)))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(path, bodies[i], 0o644); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// A contender is a server that runs.
type contender struct {
	server
	*process
}

// startAll starts every server; stop ends them, also after an error.
func (r *runner) startAll(ctx context.Context, servers []server) (list []contender, stop func(), err error) {
	stop = func() {
		for _, c := range list {
			c.process.stop()
		}
	}
	for _, s := range servers {
		port, err := freePort()
		if err != nil {
			return nil, stop, err
		}
		args, err := s.command(port)
		if err != nil {
			return nil, stop, fmt.Errorf("%s: %w", s.name, err)
		}
		p, err := r.startServer(ctx, serverCore, port, args...)
		if err != nil {
			return nil, stop, err
		}
		list = append(list, contender{s, p})
	}
	return list, stop, nil
}

// takes reports whether the server knows what to do with m.
func (s *server) takes(m method) bool {
	return s.methods == nil || slices.Contains(s.methods, m)
}
