// Package databasetest runs database servers of a test's own.
package databasetest

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Postgres runs a PostgreSQL of the test's own, which listens on a socket in
// the directory returned and nowhere else.
func Postgres(t testing.TB) (socketDir string) {
	initdb := program(t, "initdb", "/usr/lib/postgresql/*/bin/initdb")
	s := newServer(t, "postgres")
	s.run(t, initdb, "-D", s.dir+"/data", "-U", "postgres", "-A", "trust", "--no-sync")
	s.start(t, "ready to accept connections", filepath.Join(filepath.Dir(initdb), "postgres"),
		"-D", s.dir+"/data", "-k", s.dir, "-c", "listen_addresses=", "-c", "fsync=off")
	return s.dir
}

// MySQL runs a MariaDB of the test's own with an empty database "test", which
// listens on the socket returned and nowhere else.
func MySQL(t testing.TB) (socket string) {
	mariadbd := program(t, "mariadbd", "/usr/sbin/mariadbd")
	s := newServer(t, "nobody")
	if err := os.MkdirAll(s.dir+"/data/test", 0o755); err != nil { // a database is a directory
		t.Fatal(err)
	}
	s.own(t, s.dir+"/data", s.dir+"/data/test")
	socket = filepath.Join(s.dir, "sock")
	s.start(t, "ready for connections", mariadbd, "--no-defaults", "--datadir="+s.dir+"/data", "--socket="+socket,
		"--skip-networking", "--skip-grant-tables", "--pid-file="+s.dir+"/pid", "--skip-log-bin",
		"--innodb-buffer-pool-size=16M", "--innodb-log-file-size=4M", "--innodb-flush-log-at-trx-commit=0")
	return socket
}

// program finds a database's program, which is often not in PATH. Without it the
// test is skipped; under CI it fails.
func program(t testing.TB, name, pattern string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	if found, _ := filepath.Glob(pattern); len(found) > 0 {
		return found[len(found)-1]
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed: run scripts/setup", name)
	}
	t.Skipf("%s is not installed: run scripts/setup", name)
	return ""
}

// A server is a database server in the making.
type server struct {
	dir  string
	attr *syscall.SysProcAttr
}

// newServer makes a directory for a server, and the user that it runs as where the
// test is root: no database server runs as root.
func newServer(t testing.TB, name string) *server {
	t.Helper()
	// Not t.TempDir: another user cannot enter it, and a socket's path is short.
	s := &server{dir: must(os.MkdirTemp("", "lancre-")), attr: &syscall.SysProcAttr{}}
	t.Cleanup(func() { os.RemoveAll(s.dir) })
	if os.Getuid() == 0 {
		u := must(user.Lookup(name))
		uid, gid := must(strconv.Atoi(u.Uid)), must(strconv.Atoi(u.Gid))
		s.attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	s.own(t, s.dir)
	return s
}

// own gives files to the server's user.
func (s *server) own(t testing.TB, files ...string) {
	t.Helper()
	for _, file := range files {
		if c := s.attr.Credential; c != nil {
			if err := os.Chown(file, int(c.Uid), int(c.Gid)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (s *server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.SysProcAttr = s.dir, s.attr
	cmd.Env = []string{"LC_ALL=C", "HOME=" + s.dir, "PATH=" + os.Getenv("PATH")}
	return cmd
}

func (s *server) run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := s.command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// start runs the server until the end of the test, and waits until it logs ready.
func (s *server) start(t testing.TB, ready, name string, args ...string) {
	t.Helper()
	cmd := s.command(name, args...)
	stderr := must(cmd.StderrPipe())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGQUIT) // for PostgreSQL: at once, with its children
		<-exited
		cmd.Wait()
	})
	var log strings.Builder
	lines := bufio.NewScanner(stderr)
	for lines.Scan() && !strings.Contains(lines.Text(), ready) {
		log.WriteString(lines.Text() + "\n")
	}
	go func() {
		defer close(exited)
		io.Copy(io.Discard, stderr)
	}()
	if !strings.Contains(lines.Text(), ready) {
		t.Fatalf("%s ended:\n%s", name, log.String())
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
