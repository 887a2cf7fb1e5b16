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
	s := &server{answers: sender{out: bufio.NewWriter(out)}, signer: signer, stop: make(chan struct{})}
	requests := make(chan frame)
	var workers sync.WaitGroup
	for range parallel {
		workers.Go(func() {
			for f := range requests {
				s.answer(f)
			}
		})
	}
	failed := make(chan error, 1) // of reading, which waits for the parent and cannot be stopped
	go func() {
		failed <- s.read(bufio.NewReader(in), requests)
	}()
	select {
	case err := <-failed:
		workers.Wait()
		return errors.Join(err, s.err)
	case <-s.stop:
		return s.err
	}
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

// A server is one run of Serve.
type server struct {
	signer  crypto.Signer
	answers sender
	once    sync.Once
	stop    chan struct{} // closed when err is set
	err     error
}

// read hands on requests until there are no more, or it makes no sense to go on.
func (s *server) read(in io.Reader, requests chan<- frame) error {
	defer close(requests)
	for {
		f, err := readFrame(in, maxRequest)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading a request: %w", err)
		}
		select {
		case requests <- f:
		case <-s.stop:
			return nil
		}
	}
}

func (s *server) answer(request frame) {
	a := frame{id: request.id}
	var refusal Refusal
	signature, err := s.sign(request)
	switch {
	case errors.As(err, &refusal):
		a.kind, a.octets = statusRefused, []byte(refusal.Reason)
	case err != nil:
		s.fail(err)
		return
	default:
		a.octets = signature
	}
	if err := s.answers.send(a); err != nil {
		s.fail(fmt.Errorf("writing an answer: %w", err))
	}
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
