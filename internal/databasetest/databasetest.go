// Package databasetest runs database servers of a test's own, which end with it.
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

// StartPostgres runs a PostgreSQL of the test's own, which listens on a socket in its
// Dir and nowhere else.
func StartPostgres(t testing.TB) *Server {
	t.Helper()
	initdb := program(t, "initdb", "/usr/lib/postgresql/*/bin/initdb")
	s := newServer(t, "postgres")
	s.run(t, initdb, "-D", s.Dir+"/data", "-U", "postgres", "-A", "trust", "--no-sync")
	s.ready = "ready to accept connections"
	s.args = []string{filepath.Join(filepath.Dir(initdb), "postgres"), "-D", s.Dir + "/data", "-k", s.Dir, "-c", "listen_addresses=", "-c", "fsync=off"}
	s.Start(t)
	return s
}

// StartMySQL runs a MariaDB of the test's own with an empty database "test", which
// listens on the socket "sock" in its Dir and nowhere else.
func StartMySQL(t testing.TB) *Server {
	t.Helper()
	mariadbd := program(t, "mariadbd", "/usr/sbin/mariadbd")
	s := newServer(t, "nobody")
	if err := os.MkdirAll(s.Dir+"/data/test", 0o755); err != nil { // a database is a directory
		t.Fatal(err)
	}
	s.own(t, s.Dir+"/data", s.Dir+"/data/test")
	s.ready = "ready for connections"
	s.args = []string{mariadbd, "--no-defaults", "--datadir=" + s.Dir + "/data", "--socket=" + s.Dir + "/sock",
		"--skip-networking", "--skip-grant-tables", "--pid-file=" + s.Dir + "/pid", "--skip-log-bin",
		"--innodb-buffer-pool-size=16M", "--innodb-log-file-size=4M", "--innodb-flush-log-at-trx-commit=0"}
	s.Start(t)
	return s
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

// A Server is a database server.
type Server struct {
	Dir string // of its data and its socket

	attr  *syscall.SysProcAttr
	args  []string // the program and its arguments
	ready string   // what it logs when it is

	process *os.Process
	exited  chan struct{} // closed when it has; nil while it does not run
}

// newServer makes a directory for a server, and the user that it runs as where the
// test is root: no database server runs as root.
func newServer(t testing.TB, name string) *Server {
	t.Helper()
	// Not t.TempDir: another user cannot enter it, and a socket's path is short.
	s := &Server{Dir: must(os.MkdirTemp("", "lancre-")), attr: &syscall.SysProcAttr{}}
	t.Cleanup(func() { os.RemoveAll(s.Dir) })
	if os.Getuid() == 0 {
		u := must(user.Lookup(name))
		uid, gid := must(strconv.Atoi(u.Uid)), must(strconv.Atoi(u.Gid))
		s.attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	s.own(t, s.Dir)
	return s
}

// own gives files to the server's user.
func (s *Server) own(t testing.TB, files ...string) {
	t.Helper()
	for _, file := range files {
		if c := s.attr.Credential; c != nil {
			if err := os.Chown(file, int(c.Uid), int(c.Gid)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.SysProcAttr = s.Dir, s.attr
	cmd.Env = []string{"LC_ALL=C", "HOME=" + s.Dir, "PATH=" + os.Getenv("PATH")}
	return cmd
}

func (s *Server) run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := s.command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// Start runs the server until the end of the test, or until Stop, and waits until it is
// ready.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	cmd := s.command(s.args[0], s.args[1:]...)
	stderr := must(cmd.StderrPipe())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.process, s.exited = cmd.Process, make(chan struct{})
	t.Cleanup(s.Stop)
	var log strings.Builder
	lines := bufio.NewScanner(stderr)
	for lines.Scan() && !strings.Contains(lines.Text(), s.ready) {
		log.WriteString(lines.Text() + "\n")
	}
	ready := strings.Contains(lines.Text(), s.ready)
	exited := s.exited
	go func() {
		defer close(exited)
		io.Copy(io.Discard, stderr)
		cmd.Wait()
	}()
	if !ready {
		t.Fatalf("%s ended:\n%s", s.args[0], log.String())
	}
}

// Stop ends the server: PostgreSQL at once, with its children.
func (s *Server) Stop() {
	if s.exited == nil {
		return
	}
	s.process.Signal(syscall.SIGQUIT)
	<-s.exited
	s.exited = nil
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
