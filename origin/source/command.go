package source

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"lancre/build/input"
)

// A Command is a program whose standard output is responses, in any form that package
// input reads; nothing, if nothing is new.
type Command struct {
	Common
	Run     []string `toml:"run"`     // the program and its arguments
	Timeout Duration `toml:"timeout"` // after which it is ended. Default: an hour

	dir string
}

// Prepare checks what the configuration says of it. The program runs in base.
func (c *Command) Prepare(base string) error {
	if len(c.Run) == 0 || c.Run[0] == "" {
		return errors.New(`nothing to run: want run = ["PROGRAM", "ARGUMENT", …]`)
	}
	if c.Timeout < 0 {
		return fmt.Errorf("timeout = %s: it cannot be negative", c.Timeout)
	}
	c.dir = base
	return c.Common.check()
}

// Settings implements Source.
func (c *Command) Settings() Settings { return c.Common.settings("command", time.Hour) }

// String says what is read.
func (c *Command) String() string { return "the output of " + strings.Join(c.Run, " ") }

// Rewind implements Source: each round reads everything.
func (c *Command) Rewind(Position) error { return nil }

// Close implements Source.
func (c *Command) Close() {}

// Read implements Source.
func (c *Command) Read(ctx context.Context, to Publisher) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout.Or(time.Hour))
	defer cancel()
	cmd := exec.CommandContext(ctx, c.Run[0], c.Run[1:]...)
	cmd.Dir = c.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // with what it has started
	cmd.WaitDelay = time.Second
	said := &tail{limit: 1 << 10}
	cmd.Stderr = said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", c.Run[0], err)
	}
	readErr := readAll(ctx, out, to)
	if readErr != nil {
		cancel() // it may wait for somebody to read on
	}
	if err := cmd.Wait(); err != nil && readErr == nil {
		return fmt.Errorf("%s: %w%s", c.Run[0], err, said)
	}
	return readErr
}

// readAll publishes what r has.
func readAll(ctx context.Context, r io.Reader, to Publisher) error {
	in := bufio.NewReader(r)
	if _, err := in.Peek(1); err == io.EOF {
		return nil
	}
	sink := &publishing{ctx: ctx, to: to, batch: new(input.Batch)}
	s := newScanner()
	s.Stdin = in
	if err := s.Scan(ctx, []string{"-"}, sink); err != nil {
		return err
	}
	return sink.flush()
}

// A tail is the last of what was written to it.
type tail struct {
	limit int
	text  []byte
}

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if n := len(t.text) - t.limit; n > 0 {
		t.text = bytes.Clone(t.text[n:])
	}
	return len(p), nil
}

// String is what was said, behind a colon; nothing if nothing was.
func (t *tail) String() string {
	if text := bytes.TrimSpace(t.text); len(text) > 0 {
		return ": " + string(text)
	}
	return ""
}
