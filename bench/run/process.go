package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"lancre/bench/proc"
)

// The cores of the two sides.
const (
	serverCore = "0"
	loadCore   = "1"
	bothCores  = serverCore + "," + loadCore
)

// A process is a running server.
type process struct {
	cmd  *exec.Cmd
	port int
	log  string // file of its standard error
}

// startServer starts args on some cores and waits until it listens to port.
func (r *runner) startServer(ctx context.Context, cores string, port int, args ...string) (*process, error) {
	log, err := os.CreateTemp(r.dir, filepath.Base(args[0])+"-*.log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, "taskset", append([]string{"--cpu-list", cores}, args...)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd, port, log.Name()}
	if err := p.await(ctx); err != nil {
		p.stop()
		return nil, fmt.Errorf("%s: %w; it says: %s", args[0], err, output("tail", "-n3", p.log))
	}
	return p, nil
}

// patience is how long a server may take to read a million responses.
const patience = 3 * time.Minute

// await waits until p listens. It does not connect: openssl ocsp, once a client has come and
// said nothing, is never heard of again.
func (p *process) await(ctx context.Context) error {
	for limit := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		switch listens, err := proc.Listens(p.port); {
		case err != nil || listens:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case time.Now().After(limit) || p.gone():
			return fmt.Errorf("nothing listens to port %d", p.port)
		}
	}
}

func (p *process) pid() int     { return p.cmd.Process.Pid }
func (p *process) addr() string { return "127.0.0.1:" + strconv.Itoa(p.port) }

// gone reports whether p is a zombie: Wait is left to stop.
func (p *process) gone() bool {
	_, err := proc.Memory(p.pid())
	return err != nil
}

func (p *process) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	p.cmd.Wait() // that it was ended by the signal is what we want
}

// freePort is a port that nothing listens on.
func freePort() (int, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port, nil
}

// startLancred serves store on the core for servers. prefix are words of the command line
// before lancred.
func (r *runner) startLancred(ctx context.Context, store string, prefix ...string) (*process, error) {
	return r.startLancredOn(ctx, serverCore, store, prefix...)
}

func (r *runner) startLancredOn(ctx context.Context, cores, store string, prefix ...string) (*process, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	args := append(prefix, filepath.Join(r.bin, "..", "lancred"), "--store", store, "--listen", "127.0.0.1:"+strconv.Itoa(port), "--admin", "")
	return r.startServer(ctx, cores, port, args...)
}

// load runs the load generator against p.
func (r *runner) load(ctx context.Context, p *process, exchanges string, args ...string) (s sample, err error) {
	args = append([]string{"--cpu-list", loadCore, filepath.Join(r.bin, "load"), "--port", strconv.Itoa(p.port), "--exchanges", exchanges}, args...)
	before, err := proc.CPU(p.pid())
	if err != nil {
		return s, err
	}
	cmd := exec.CommandContext(ctx, "taskset", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return s, fmt.Errorf("load: %w", err)
	}
	after, err := proc.CPU(p.pid())
	if err != nil {
		return s, err
	}
	s.cpu = after - before
	return s, json.Unmarshal(out, &s.Result)
}
