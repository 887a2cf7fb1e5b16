package child

import (
	"bufio"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// Serve answers the requests that come from in, on out, by the key of signer, which must
// be safe for concurrent use: up to parallel of them at a time. It returns nil when in
// ends between two requests and all answers are written.
//
// An error of signer is the answer to that request if it is a Refusal; any other ends
// Serve, which returns it: the program is to end, and to be started again.
func Serve(in io.Reader, out io.Writer, signer crypto.Signer, parallel int) error {
	if err := greet(out, signer.Public()); err != nil {
		return err
	}
	return newServer(in, out, signer).serve(parallel)
}

// greet writes what the program begins with.
func greet(out io.Writer, public crypto.PublicKey) error {
	key, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return err
	}
	_, err = out.Write(append(binary.BigEndian.AppendUint32([]byte(magic), uint32(len(key))), key...))
	return err
}

// A Refusal is why a key will not sign something however often it is asked.
type Refusal struct{ Reason string }

func (r Refusal) Error() string { return r.Reason }

// A server is one run of Serve. Each of its workers reads a request when it is free, so
// that none is handed from one goroutine to another.
type server struct {
	signer crypto.Signer
	once   sync.Once
	stop   chan struct{} // closed when err is set
	err    error

	reading sync.Mutex
	in      *bufio.Reader
	ended   bool  // nothing more can be read
	broken  error // why, unless in ended between two requests

	waits atomic.Bool // somebody waits for the parent to ask for more

	writing sync.Mutex
	out     *bufio.Writer
	hold    time.Duration
	written time.Time // when it was flushed
}

// hold is for how long answers are held, while there is more to sign, so that one system
// call writes many: each wakes the parent, and takes the processor from an HSM that is
// software for as long as a signature by P-256 does. It is less than the 6 ms in which
// SoftHSM makes the signatures that lancre sign asks for at a time.
const hold = 5 * time.Millisecond

func newServer(in io.Reader, out io.Writer, signer crypto.Signer) *server {
	return &server{
		signer: signer, stop: make(chan struct{}), hold: hold,
		in: bufio.NewReaderSize(in, bufferSize), out: bufio.NewWriterSize(out, bufferSize),
	}
}

// serve has so many workers sign, until there is nothing more or one of them fails.
func (s *server) serve(parallel int) error {
	var workers sync.WaitGroup
	for range parallel {
		workers.Go(s.work)
	}
	done := make(chan struct{})
	go func() {
		workers.Wait()
		close(done)
	}()
	select {
	case <-done:
		return errors.Join(s.broken, s.err)
	case <-s.stop: // others may wait for the parent, and cannot be stopped
		return s.err
	}
}

func (s *server) work() {
	for {
		request, ok := s.next()
		if !ok {
			return
		}
		answer, err := s.answer(request)
		if err == nil {
			err = s.write(answer)
		}
		if err != nil {
			s.fail(err)
			return
		}
	}
}

// next reads the next request and reports whether there was one. Before it waits for the
// parent, it writes what is held: the parent may be waiting for that.
func (s *server) next() (request frame, ok bool) {
	s.reading.Lock()
	defer s.reading.Unlock()
	if s.ended {
		return frame{}, false
	}
	if !buffered(s.in) {
		s.waits.Store(true)
		if err := s.flush(); err != nil {
			s.fail(err)
			return frame{}, false
		}
	}
	request, err := readFrame(s.in, maxRequest)
	if err != nil {
		s.ended = true
		if err != io.EOF {
			s.broken = fmt.Errorf("reading a request: %w", err)
		}
		return frame{}, false
	}
	s.waits.Store(false)
	return request, true
}

// write writes an answer, at once if somebody waits for the parent.
func (s *server) write(answer frame) error {
	s.writing.Lock()
	s.out.Write(answer.append(s.out.AvailableBuffer())) // Flush has the error
	held := time.Since(s.written) < s.hold
	s.writing.Unlock()
	if held && !s.waits.Load() {
		return nil
	}
	return s.flush()
}

func (s *server) flush() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.written = time.Now()
	if err := s.out.Flush(); err != nil {
		return fmt.Errorf("writing an answer: %w", err)
	}
	return nil
}

func (s *server) answer(request frame) (frame, error) {
	a := frame{id: request.id}
	signature, err := s.sign(request)
	var refusal Refusal
	if errors.As(err, &refusal) {
		a.kind, a.octets = statusRefused, []byte(refusal.Reason)
		return a, nil
	}
	a.octets = signature
	return a, err
}

func (s *server) sign(request frame) ([]byte, error) {
	if int(request.kind) >= len(hashes) {
		return nil, Refusal{fmt.Sprintf("mode %d: want 0 to %d", request.kind, len(hashes)-1)}
	}
	hash := hashes[request.kind]
	if hash != 0 && len(request.octets) != hash.Size() {
		return nil, Refusal{fmt.Sprintf("%d octets of a %s digest, want %d", len(request.octets), hash, hash.Size())}
	}
	if whole := signsWhole(s.signer.Public()); whole != (hash == 0) {
		return nil, Refusal{fmt.Sprintf("mode %d: Ed25519 keys sign messages (mode 0), all others digests", request.kind)}
	}
	return s.signer.Sign(rand.Reader, request.octets, hash)
}

// fail ends Serve.
func (s *server) fail(err error) {
	s.once.Do(func() {
		s.err = err
		close(s.stop)
	})
}
