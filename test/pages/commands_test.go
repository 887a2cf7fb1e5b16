package pages_test

import (
	"crypto/tls"
	"errors"
	"io"
	stdlog "log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"lancre/internal/programs"
)

// TestCommands pastes the commands of a page into a shell, for a site with a good
// certificate and for one with a revoked one, and wants the answers that the page
// tells of. The names of the hosts lead to a lancred because it is the shell's
// http_proxy; nothing but the site is changed in what the page prints.
func TestCommands(t *testing.T) {
	programs.Need(t, "openssl", "curl")
	dir := newAuthority(t)
	static := filepath.Join(dir, "static")
	run(t, "lancre", "pages", "--out", static, "--domain", domain, "--ca", "Example CA")
	run(t, "lancre", "build", "--out", filepath.Join(dir, "store"), "--issuer", filepath.Join(dir, "ca.pem"),
		"--responses", filepath.Join(dir, "responses"), "--static", static)
	edge := programs.Start(t, filepath.Join(dir, "store")).Addr

	withIssuers := commands(t, filepath.Join(static, domain, "index.html"))
	if !strings.Contains(withIssuers, "CA Issuers") {
		t.Error("the host of issuer certificates was not found below --out")
	}
	other := t.TempDir() // of an operator who has no such host
	run(t, "lancre", "pages", "--out", other, "--domain", domain, "--ca", "Example CA", "--hosts", "o,c")
	withoutIssuers := commands(t, filepath.Join(other, domain, "index.html"))

	for _, tt := range []struct {
		cert string
		want []string
	}{
		{"good", []string{"cert.pem: good\n", "cert.pem: OK\n"}},
		{"revoked", []string{"cert.pem: revoked\n", "certificate revoked\n"}},
	} {
		site := newSite(t, dir, tt.cert)
		for _, script := range []string{withIssuers, withoutIssuers} {
			out := paste(t, edge, site, script)
			for _, want := range tt.want {
				if !strings.Contains(out, want) {
					t.Errorf("%s: no %q in what\n%s\nprints:\n%s", tt.cert, want, script, out)
				}
			}
		}
	}
}

// newAuthority runs testdata/ca.sh and returns the directory that it ran in.
func newAuthority(t *testing.T) string {
	t.Helper()
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "sh", filepath.Join(testdata, "ca.sh"))
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "CNF="+filepath.Join(testdata, "openssl.cnf"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ca.sh: %v\n%s", err, out)
	}
	return cmd.Dir
}

// newSite starts a web site with a certificate in dir, and returns its host and port.
func newSite(t *testing.T, dir, cert string) string {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, cert+".chain"), filepath.Join(dir, cert+".key"))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(nil)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	s.Config.ErrorLog = stdlog.New(io.Discard, "", 0) // openssl s_client closes without a request
	s.StartTLS()
	t.Cleanup(s.Close)
	return strings.Replace(s.Listener.Addr().String(), "127.0.0.1", "localhost", 1)
}

// commands is the text of all blocks of commands on a page, in their order.
func commands(t *testing.T, page string) string {
	t.Helper()
	f, err := os.Open(page)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	root, err := html.Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data == "code" && n.Parent.Parent.Data == "pre" {
			text.WriteString(n.Data)
		}
	}
	return text.String()
}

// paste has a shell run the commands, for another site than the one in them, and
// returns all that they print.
func paste(t *testing.T, edge, site, script string) string {
	t.Helper()
	const printed = "SITE=www.example.com:443\n"
	if !strings.HasPrefix(script, printed) {
		t.Fatalf("the commands do not begin with %q:\n%s", printed, script)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "SITE="+site+"\n"+strings.TrimPrefix(script, printed))
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "http_proxy=http://"+edge, "no_proxy=")
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) { // openssl verify fails on a revoked one
		t.Fatal(err)
	}
	return string(out)
}
