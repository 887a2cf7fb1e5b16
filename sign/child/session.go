package child

import (
	"bufio"
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"lancre/sign/signature"
)

// A session is one run of the program.
type session struct {
	public  crypto.PublicKey
	program program
	done    chan struct{} // closed when it has ended and err is set
	err     error         // why it ended

	signed atomic.Uint64
	worked atomic.Bool // it has signed

	mu       sync.Mutex
	last     uint32
	pending  map[uint32]chan frame // by id; nil once the session has ended
	answered uint64
	cause    error // of the end, as far as known

	requests sender // not under mu: answers are taken while a request waits to be read
}

// A sender writes requests that several have at about the same time by one system call:
// each waits for a moment, in which others may add theirs, and the first to go on writes
// all.
type sender struct {
	mu  sync.Mutex
	out *bufio.Writer
}

func (s *sender) send(f frame) error {
	s.mu.Lock()
	s.out.Write(f.append(s.out.AvailableBuffer())) // Flush has the error
	s.mu.Unlock()
	runtime.Gosched()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Flush()
}

// A program is what runs at the other end.
type program interface {
	io.ReadWriter
	hangUp()     // closes its input, at which it ends by itself
	kill()       // ends it at once, and what is read from it
	wait() error // waits for its end and says what that was like
}

// newSession reads what the program greets with and, in a goroutine that ends with the
// program, its answers. If that fails, the program has ended.
func newSession(p program) (*session, error) {
	s := &session{program: p, done: make(chan struct{}), pending: make(map[uint32]chan frame), requests: sender{out: bufio.NewWriterSize(p, bufferSize)}}
	r := bufio.NewReaderSize(p, bufferSize)
	var err error
	if s.public, err = readGreeting(r); err == nil {
		go s.read(r)
		return s, nil
	}
	if !errors.Is(err, io.EOF) {
		p.kill()
	}
	return nil, ended(fmt.Errorf("no greeting of a key: %w", err), p.wait())
}

// ended is cause, and how the program ended if that was not well.
func ended(cause, how error) error {
	if how == nil {
		return cause
	}
	return fmt.Errorf("%w; it ended with %w", cause, how)
}

func readGreeting(r io.Reader) (crypto.PublicKey, error) {
	var head [len(magic) + 4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(head[:], []byte(magic)) {
		return nil, fmt.Errorf("it begins with %q, want %q", head[:len(magic)], magic)
	}
	der, err := readOctets(r, binary.BigEndian.Uint32(head[len(magic):]), maxKey)
	if err != nil {
		return nil, err
	}
	public, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, err
	}
	return public, checkKey(public)
}

// read hands answers to those who wait for them, until the program ends.
func (s *session) read(r io.Reader) {
	err := s.dispatch(r)
	if err == io.EOF {
		err = errors.New("it closed its output")
	} else {
		s.program.kill()
	}
	s.end(err)
	s.err = ended(s.cause, s.program.wait())
	close(s.done)
}

func (s *session) dispatch(r io.Reader) error {
	for {
		f, err := readFrame(r, maxAnswer)
		if err != nil {
			return err
		}
		s.mu.Lock()
		waits, ok := s.pending[f.id]
		delete(s.pending, f.id)
		s.answered++
		s.mu.Unlock()
		if !ok {
			return fmt.Errorf("an answer to %d, which is no request under way", f.id)
		}
		waits <- f // has room
	}
}

// watch ends a program that is stuck from one tick to the next, which are timeout apart.
func (s *session) watch(ticks <-chan time.Time, timeout time.Duration) {
	var before progress
	for {
		select {
		case <-s.done:
			return
		case <-ticks:
		}
		s.mu.Lock()
		now := progress{s.answered, len(s.pending) > 0}
		s.mu.Unlock()
		if before.stuck(now) {
			s.abandon(fmt.Errorf("no answer within %s", timeout))
			return
		}
		before = now
	}
}

// A progress is how far a session has come at one moment.
type progress struct {
	answered uint64 // requests
	waits    bool   // there are others
}

// stuck reports whether nothing was answered until now, though there was what to answer.
func (before progress) stuck(now progress) bool {
	return before.waits && now.waits && before.answered == now.answered
}

// end has nobody wait any more, and remembers why, unless it ended before.
func (s *session) end(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending != nil {
		s.cause, s.pending = cause, nil
	}
}

// abandon ends the program because of something that it did or did not do.
func (s *session) abandon(cause error) {
	s.end(cause)
	s.program.kill()
}

// close has the program end by itself, or ends it if it does not in time.
func (s *session) close() {
	s.end(errClosed)
	s.program.hangUp()
	defer time.AfterFunc(grace, s.program.kill).Stop()
	<-s.done
}

// grace is what a program has to end by itself: long enough for one last signature of a
// slow HSM.
const grace = 10 * time.Second

var (
	errEnded  = errors.New("it has ended")
	errClosed = errors.New("the key is closed")
)

// send sends a request; its answer will come on the channel.
func (s *session) send(mode byte, octets []byte) (<-chan frame, error) {
	answer := make(chan frame, 1)
	s.mu.Lock()
	if s.pending == nil {
		s.mu.Unlock()
		return nil, errEnded
	}
	s.last++
	request := frame{s.last, mode, octets}
	s.pending[request.id] = answer
	s.mu.Unlock()

	return answer, s.requests.send(request)
}

// sign has one request answered. A Refusal is final; after any other error the session
// is of no use.
func (s *session) sign(hash crypto.Hash, octets []byte) ([]byte, error) {
	mode, err := modeOf(hash)
	if err != nil {
		return nil, Refusal{err.Error()}
	}
	answer, err := s.send(mode, octets)
	if err != nil {
		<-s.done // its own error says more
		return nil, s.err
	}
	select {
	case f := <-answer:
		return s.accept(f, hash, octets)
	case <-s.done:
		return nil, s.err
	}
}

// accept returns the signature that an answer holds.
func (s *session) accept(f frame, hash crypto.Hash, octets []byte) ([]byte, error) {
	switch f.kind {
	case statusSigned:
	case statusRefused:
		return nil, Refusal{fmt.Sprintf("%q", f.octets)}
	default:
		return nil, fmt.Errorf("an answer with status %d, want 0 or 1", f.kind)
	}
	if mustVerify(s.public, s.signed.Add(1)-1) {
		if err := signature.Verify(s.public, hash, octets, f.octets); err != nil {
			return nil, err
		}
	}
	return f.octets, nil
}
