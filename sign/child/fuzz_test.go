package child

import (
	"bytes"
	"crypto/ed25519"
	"io"
	"slices"
	"testing"

	"lancre/sign/signature"
)

// Whatever a parent writes: no panic, one answer for each request, and a signature only
// for what the key signs.
func FuzzServe(f *testing.F) {
	f.Add([]byte{})
	f.Add(frame{1, modeMessage, []byte("hi")}.append(nil))
	f.Add(frame{2, modeSHA256, make([]byte, 32)}.append(frame{3, 9, nil}.append(nil)))
	f.Add([]byte{0, 0, 0, 1, 0, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, in []byte) {
		var out bytes.Buffer
		err := Serve(bytes.NewReader(in), &out, seeded, 1)
		requests := bytes.NewReader(in)
		if _, err := readGreeting(&out); err != nil {
			t.Fatal(err)
		}
		for out.Len() > 0 {
			q, qErr := readFrame(requests, maxRequest)
			a, aErr := readFrame(&out, maxAnswer)
			if qErr != nil || aErr != nil || q.id != a.id {
				t.Fatalf("request %v, %v is answered by %v, %v", q, qErr, a, aErr)
			}
			if signed := a.kind == statusSigned; signed != (q.kind == modeMessage) || signed && !ed25519.Verify(seeded.Public().(ed25519.PublicKey), q.octets, a.octets) {
				t.Errorf("request %v is answered by %v", q, a)
			}
		}
		if _, left := readFrame(requests, maxRequest); (left == io.EOF) != (err == nil) {
			t.Errorf("Serve: %v, what is left: %v", err, left)
		}
	})
}

// Whatever a program writes: no panic, no wait for ever, and no signature but a good one.
func FuzzSession(f *testing.F) {
	var greeting bytes.Buffer
	greet(&greeting, seeded.Public())
	good := frame{1, statusSigned, ed25519.Sign(seeded, []byte("hi"))}.append(nil)
	f.Add(slices.Concat(greeting.Bytes(), good))
	f.Add(slices.Concat(greeting.Bytes(), frame{1, statusRefused, []byte("no")}.append(nil)))
	f.Add(slices.Concat(greeting.Bytes(), good[:20]))
	f.Add([]byte("Enter PIN: "))
	f.Fuzz(func(t *testing.T, written []byte) {
		rest := bytes.NewReader(written)
		_, none := readGreeting(rest)
		greeting := len(written) - rest.Len()
		s, err := newSession(play(func(in io.Reader, out io.Writer) error {
			out.Write(written[:greeting])
			if none == nil {
				readFrame(in, maxRequest) // answers follow requests
			}
			out.Write(written[greeting:])
			return nil
		}))
		if (err == nil) != (none == nil) {
			t.Fatalf("session: %v, greeting: %v", err, none)
		}
		if err != nil {
			return
		}
		made, err := s.sign(0, []byte("hi"))
		if err == nil && signature.Verify(s.public, 0, []byte("hi"), made) != nil {
			t.Errorf("signature %x", made)
		}
		s.close()
	})
}
