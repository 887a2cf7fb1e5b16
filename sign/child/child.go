package child

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

// Options say how a program that holds a key is run.
type Options struct {
	// Command is the program, looked up in PATH, and its arguments.
	Command []string
	// Log is where its standard error goes. Optional: nowhere.
	Log io.Writer
	// Timeout is for how long the program may answer nothing, though it was asked, before
	// it counts as stuck and is ended. Optional: a minute, which no HSM needs for a
	// signature.
	Timeout time.Duration
}

// A program is started so often in a row without one signature by it before the key is
// given up, after waits of 0.1, 0.2, 0.4 … 25.6 s: a minute in all, in which an HSM that
// was restarted is back.
const (
	attempts  = 9
	firstWait = 100 * time.Millisecond
)

// ExitHopeless is the exit status of a program that it makes no sense to start again: each
// start with a wrong PIN brings the token nearer to being locked. It is EX_CONFIG of
// sysexits.h: Go programs end with 2 when they crash, and 1 is that of any failure.
const ExitHopeless = 78

// A Key is one that a program holds. It is a crypto.Signer, safe for concurrent use: as
// many requests are under way as there are callers. The signatures of the program are
// verified, each by RSA, of the others a sample.
type Key struct {
	options Options
	public  crypto.PublicKey
	closing chan struct{} // closed by Close
	close   sync.Once

	start func() (program, error)                            // runs the program
	tick  func(time.Duration) <-chan time.Time               // time.Tick
	wait  func(d time.Duration, closing chan struct{}) error // between two starts

	mu      sync.Mutex // held while the program is started
	session *session   // the last
	fails   int        // sessions in a row that ended without a signature
	err     error      // why no more are started
}

// Start runs the program that holds a key, once: if that fails, it says why.
func Start(o Options) (*Key, error) {
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	k := &Key{
		options: o, closing: make(chan struct{}),
		start: func() (program, error) { return run(o) },
		tick:  time.Tick,
		wait:  wait,
	}
	return k, k.open()
}

// open runs the program for the first time.
func (k *Key) open() (err error) {
	if k.session, err = k.newSession(); err != nil {
		return err
	}
	k.public = k.session.public
	return nil
}

func (k *Key) newSession() (*session, error) {
	p, err := k.start()
	if err != nil {
		return nil, k.failed(err)
	}
	s, err := newSession(p)
	if err != nil {
		return nil, k.failed(err)
	}
	go s.watch(k.tick(k.options.Timeout), k.options.Timeout)
	return s, nil
}

// failed says of which key it is that something failed.
func (k *Key) failed(err error) error {
	return fmt.Errorf("key exec:%s: %w", k.options.Command[0], err)
}

// Public implements crypto.Signer.
func (k *Key) Public() crypto.PublicKey { return k.public }

// Sign implements crypto.Signer; it asks for no randomness. The digest is that of
// opts.HashFunc, or for an Ed25519 key, with 0, the message itself. A program that ended
// is started again, after a wait, and asked again; an error means that it does not sign
// this, or is given up for as long as the Key is open.
func (k *Key) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	var last *session // which failed to sign this
	for {
		s, err := k.running(last)
		if err != nil {
			return nil, err
		}
		signature, err := k.signBy(s, digest, opts)
		var refusal Refusal
		if err == nil || errors.As(err, &refusal) {
			return signature, err
		}
		last = s
	}
}

// signBy has a session sign, and ends it where it does not.
func (k *Key) signBy(s *session, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	signature, err := s.sign(opts.HashFunc(), digest)
	switch {
	case err == nil:
		k.worked(s)
	case errors.As(err, new(Refusal)):
		err = k.failed(err)
	default:
		s.abandon(err)
	}
	return signature, err
}

// worked notes that a session has signed: failures before it do not count any more.
func (k *Key) worked(s *session) {
	if !s.worked.Swap(true) {
		k.mu.Lock()
		k.fails = 0
		k.mu.Unlock()
	}
}

// running is the session to ask, which is not the one that failed: where that is the
// last, the program is started again.
func (k *Key) running(failed *session) (*session, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for k.err == nil && k.session == failed {
		<-failed.done
		k.restart(failed)
	}
	return k.session, k.err
}

// restart waits and starts the program in place of a session that ended, as often as
// that makes sense. Its outcome is in k.session and k.err.
func (k *Key) restart(ended *session) {
	cause := k.failed(ended.err)
	for {
		if hopeless(cause) || k.fails == attempts {
			k.err = fmt.Errorf("%w (given up after %d starts without a signature)", cause, k.fails+1)
			return
		}
		k.fails++
		if k.err = k.wait(firstWait<<(k.fails-1), k.closing); k.err != nil {
			return
		}
		s, err := k.newSession()
		if err == nil && !samePublic(s.public, k.public) {
			s.close()
			k.err = k.failed(errors.New("it was started again and has another key now"))
			return
		}
		if err == nil {
			k.session = s
			return
		}
		cause = err
	}
}

func hopeless(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.ExitCode() == ExitHopeless
}

func samePublic(a, b crypto.PublicKey) bool {
	x, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && x.Equal(b)
}

// wait waits between two starts, unless the key is closed.
func wait(d time.Duration, closing chan struct{}) error {
	select {
	case <-time.After(d):
		return nil
	case <-closing:
		return errClosed
	}
}

// Close ends the program. What is being signed is not.
func (k *Key) Close() error {
	k.close.Do(func() { close(k.closing) })
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.session != nil {
		k.session.close()
	}
	k.err = errClosed
	return nil
}

// A process is the program, run by the operating system.
type process struct {
	io.ReadCloser
	io.Writer
	in  io.Closer
	cmd *exec.Cmd
}

func run(o Options) (program, error) {
	cmd := exec.Command(o.Command[0], o.Command[1:]...)
	cmd.Stderr = o.Log
	cmd.WaitDelay = grace // for one that it left behind with the log open
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &process{out, in, in, cmd}, cmd.Start()
}

func (p *process) hangUp() { p.in.Close() }

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // an error means that it has ended
	p.ReadCloser.Close()     // one that it started itself may hold the other end open
}

func (p *process) wait() error {
	p.hangUp()
	defer time.AfterFunc(grace, p.kill).Stop()
	return p.cmd.Wait()
}
