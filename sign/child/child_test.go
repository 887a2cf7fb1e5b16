package child

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lancre/sign/signature"
)

// seeded is an Ed25519 key that is the same in each run, and so are its signatures.
var seeded = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))

var keys = sync.OnceValue(func() map[string]crypto.Signer {
	return map[string]crypto.Signer{
		"RSA": must(rsa.GenerateKey(rand.Reader, 2048)), "P-256": must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)),
		"P-384": must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)), "Ed25519": seeded,
	}
})

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A double is a program of the test, in a goroutine.
type double struct {
	io.Reader
	io.Writer
	stop  func(error)
	ended chan error
}

func (d *double) hangUp() { d.Writer.(io.Closer).Close() }
func (d *double) kill()   { d.stop(errors.New("signal: killed")) }
func (d *double) wait() error {
	d.hangUp()
	return <-d.ended
}

// play runs a program that does what act does, which its killing interrupts where it
// reads or writes.
func play(act func(in io.Reader, out io.Writer) error) *double {
	inRead, inWrite := io.Pipe()
	outRead, outWrite := io.Pipe()
	d := &double{Reader: outRead, Writer: inWrite, ended: make(chan error, 1)}
	d.stop = func(err error) {
		inRead.CloseWithError(err)
		outRead.CloseWithError(err)
	}
	go func() {
		err := act(inRead, outWrite)
		outWrite.Close()
		inRead.Close()
		d.ended <- err
	}()
	return d
}

type act = func(in io.Reader, out io.Writer) error

func serves(signer crypto.Signer) act {
	return func(in io.Reader, out io.Writer) error { return Serve(in, out, signer, 4) }
}

// answers is a program that greets with a key and answers each request by what reply makes
// of it: octets, and whether to go on.
func answers(public crypto.PublicKey, reply func(f frame) ([]byte, bool)) act {
	return func(in io.Reader, out io.Writer) error {
		if err := greet(out, public); err != nil {
			return err
		}
		for {
			f, err := readFrame(in, maxRequest)
			if err != nil {
				return nil
			}
			octets, more := reply(f)
			if out.Write(octets); !more {
				return errors.New("exit status 3")
			}
		}
	}
}

// newKey is a Key whose programs are those acts, one start after another; the waits
// between them take no time and are noted.
func newKey(t *testing.T, acts ...act) (*Key, *[]time.Duration) {
	t.Helper()
	return newWatchedKey(t, nil, acts...)
}

// newWatchedKey is newKey with ticks for the first program.
func newWatchedKey(t *testing.T, ticks chan time.Time, acts ...act) (*Key, *[]time.Duration) {
	t.Helper()
	waits := new([]time.Duration)
	n := 0
	k := &Key{
		options: Options{Command: []string{"program"}, Timeout: time.Hour}, closing: make(chan struct{}),
		start: func() (program, error) {
			if n == len(acts) {
				return nil, errors.New("no such file")
			}
			n++
			return play(acts[n-1]), nil
		},
		tick: func(time.Duration) <-chan time.Time {
			if n > 1 {
				return nil
			}
			return ticks
		},
		wait: func(d time.Duration, _ chan struct{}) error {
			*waits = append(*waits, d)
			return nil
		},
	}
	if err := k.open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	return k, waits
}

func sign(signer crypto.Signer, text string) error {
	octets, hash := []byte(text), crypto.Hash(0)
	if !signsWhole(signer.Public()) {
		digest := sha256.Sum256(octets)
		octets, hash = digest[:], crypto.SHA256
	}
	made, err := signer.Sign(nil, octets, hash)
	if err != nil {
		return err
	}
	return signature.Verify(signer.Public(), hash, octets, made)
}

// signMany has 16 callers sign n texts each.
func signMany(t *testing.T, signer crypto.Signer, n int) {
	t.Helper()
	var callers sync.WaitGroup
	for c := range 16 {
		callers.Go(func() {
			for i := range n {
				if err := sign(signer, fmt.Sprint(c, i)); err != nil {
					t.Errorf("caller %d, text %d: %v", c, i, err)
					return
				}
			}
		})
	}
	callers.Wait()
}

func TestBothEndsAgree(t *testing.T) {
	for name, signer := range keys() {
		t.Run(name, func(t *testing.T) {
			k, waits := newKey(t, serves(signer))
			if !samePublic(k.Public(), signer.Public()) {
				t.Errorf("public key %v, want %v", k.Public(), signer.Public())
			}
			signMany(t, k, 20)
			if len(*waits) > 0 {
				t.Errorf("started again after %v", *waits)
			}
		})
	}
}

// The octets on the wire are those of the package comment.
func TestWire(t *testing.T) {
	const greeting = "6c616e6372652d6b65792f31" + "0000002c" + "302a300506032b6570032100"
	public := hex.EncodeToString(seeded.Public().(ed25519.PublicKey))
	request := "01020304" + "00" + "00000002" + "6869"
	var out bytes.Buffer
	if err := Serve(bytes.NewReader(must(hex.DecodeString(request))), &out, seeded, 1); err != nil {
		t.Fatal(err)
	}
	want := greeting + public + "01020304" + "00" + "00000040" + hex.EncodeToString(ed25519.Sign(seeded, []byte("hi")))
	if got := hex.EncodeToString(out.Bytes()); got != want {
		t.Errorf("the program wrote\n%s, want\n%s", got, want)
	}

	k, _ := newKey(t, answers(seeded.Public(), func(f frame) ([]byte, bool) {
		if got := hex.EncodeToString(f.append(nil)); got != "00000001"+"00"+"00000002"+"6869" {
			t.Errorf("the parent wrote %s", got)
		}
		return frame{f.id, statusSigned, ed25519.Sign(seeded, f.octets)}.append(nil), true
	}))
	if err := sign(k, "hi"); err != nil {
		t.Error(err)
	}
}

// What a program refuses is not asked again, and nothing else suffers from it.
func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		signer crypto.Signer
		octets int
		hash   crypto.Hash
		want   string
	}{
		{keys()["P-256"], 20, crypto.SHA256, "20 octets of a SHA-256 digest, want 32"},
		{keys()["P-256"], 5, 0, "mode 0: Ed25519 keys sign messages (mode 0), all others digests"},
		{seeded, 32, crypto.SHA256, "mode 1: Ed25519 keys sign messages (mode 0), all others digests"},
		{keys()["RSA"], 20, crypto.SHA1, "a digest by SHA-1: want SHA-256, SHA-384 or SHA-512"},
	} {
		k, waits := newKey(t, serves(tt.signer))
		_, err := k.Sign(nil, make([]byte, tt.octets), tt.hash)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "exec:program") {
			t.Errorf("error %v, want %q and the program in it", err, tt.want)
		}
		if err := sign(k, "then"); err != nil || len(*waits) > 0 {
			t.Errorf("after a refusal: %v, waits %v", err, *waits)
		}
	}
}

func TestServeRefusesUnknownModes(t *testing.T) {
	var out bytes.Buffer
	if err := Serve(bytes.NewReader(frame{9, 4, nil}.append(nil)), &out, seeded, 1); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(out.String(), "mode 4: want 0 to 3") {
		t.Errorf("answered %q", out.String())
	}
}

// However a program goes wrong, it is started again and asked again, and no wrong
// signature gets out.
func TestPrograms(t *testing.T) {
	signer := keys()["RSA"]
	spoiled := func(f frame) []byte {
		wrong := must(signer.Sign(rand.Reader, f.octets, crypto.SHA256))
		wrong[9] ^= 1
		return wrong
	}
	for name, reply := range map[string]func(f frame) ([]byte, bool){
		"ends":                 func(frame) ([]byte, bool) { return nil, false },
		"ends within a head":   func(frame) ([]byte, bool) { return []byte{0, 0}, false },
		"ends within octets":   func(f frame) ([]byte, bool) { return []byte{0, 0, 0, byte(f.id), 0, 0, 0, 1, 0, 5}, false },
		"signs wrongly":        func(f frame) ([]byte, bool) { return frame{f.id, statusSigned, spoiled(f)}.append(nil), true },
		"has another status":   func(f frame) ([]byte, bool) { return frame{f.id, 7, nil}.append(nil), true },
		"answers another":      func(f frame) ([]byte, bool) { return frame{f.id + 1, statusSigned, nil}.append(nil), true },
		"announces gigabytes":  func(f frame) ([]byte, bool) { return []byte{0, 0, 0, byte(f.id), 0, 255, 255, 255, 255}, true },
		"writes something odd": func(frame) ([]byte, bool) { return []byte("Enter PIN for token: "), true },
	} {
		t.Run(name, func(t *testing.T) {
			wrong := answers(signer.Public(), reply)
			k, waits := newKey(t, wrong, wrong, serves(signer))
			signMany(t, k, 3)
			if want := []time.Duration{firstWait, 2 * firstWait}; !slices.Equal(*waits, want) {
				t.Errorf("started again after %v, want %v", *waits, want)
			}
		})
	}
}

// Of ECDSA signatures the first is verified, and each 64th after it.
func TestSample(t *testing.T) {
	signer := keys()["P-256"]
	n := 0
	wrongAt := func(at int) act {
		return answers(signer.Public(), func(f frame) ([]byte, bool) {
			signature := must(signer.Sign(rand.Reader, f.octets, crypto.SHA256))
			if n++; n == at {
				signature[len(signature)-1] ^= 1
			}
			return frame{f.id, statusSigned, signature}.append(nil), true
		})
	}
	for at, noticed := range map[int]bool{1: true, 2: false, 64: false, 65: true} {
		n = 0
		k, waits := newKey(t, wrongAt(at), serves(signer))
		wrong := 0
		for range 70 {
			if sign(k, "x") != nil {
				wrong++
			}
		}
		if noticed != (wrong == 0) || noticed != (len(*waits) == 1) {
			t.Errorf("signature %d is wrong: %d got out, started again %d times", at, wrong, len(*waits))
		}
	}
}

func TestGivesUp(t *testing.T) {
	signer := keys()["P-256"]
	dies := answers(signer.Public(), func(frame) ([]byte, bool) { return nil, false })
	k, waits := newKey(t, dies, dies) // after these, it cannot be started
	err := sign(k, "x")
	const want = "key exec:program: no such file (given up after 10 starts without a signature)"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if len(*waits) != attempts || (*waits)[attempts-1] != firstWait<<(attempts-1) {
		t.Errorf("waits %v, want %d that double", *waits, attempts)
	}
	if again := sign(k, "y"); again == nil || again.Error() != want || len(*waits) != attempts {
		t.Errorf("then: %v, after %d waits", again, len(*waits))
	}
}

// A session that signed makes up for those that failed before it.
func TestWorkingProgramsAreStartedForever(t *testing.T) {
	signer := keys()["P-256"]
	var acts []act
	for range 3 * attempts {
		once := false
		acts = append(acts, answers(signer.Public(), func(f frame) ([]byte, bool) {
			if once {
				return nil, false
			}
			once = true
			return frame{f.id, statusSigned, must(signer.Sign(rand.Reader, f.octets, crypto.SHA256))}.append(nil), true
		}))
	}
	k, waits := newKey(t, acts...)
	for range len(acts) {
		if err := sign(k, "x"); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range *waits {
		if d != firstWait {
			t.Errorf("waits %v, want the shortest each time", *waits)
			break
		}
	}
}

func TestAnotherKey(t *testing.T) {
	dies := answers(keys()["P-256"].Public(), func(frame) ([]byte, bool) { return nil, false })
	k, _ := newKey(t, dies, serves(keys()["P-384"]))
	if err := sign(k, "x"); err == nil || !strings.Contains(err.Error(), "started again and has another key now") {
		t.Errorf("error %v", err)
	}
}

// A program that answers nothing for a while, though it was asked, is ended.
func TestStuckProgram(t *testing.T) {
	signer := keys()["P-256"]
	asked, ticks, done := make(chan struct{}), make(chan time.Time), make(chan struct{})
	stuck := answers(signer.Public(), func(frame) ([]byte, bool) {
		asked <- struct{}{}
		return nil, true
	})
	k, waits := newWatchedKey(t, ticks, stuck, serves(signer))
	for range 3 { // nothing was asked: it may take its time
		ticks <- time.Time{}
	}
	go func() {
		defer close(done)
		if err := sign(k, "x"); err != nil {
			t.Error(err)
		}
	}()
	<-asked
	ticks <- time.Time{}
	ticks <- time.Time{}
	<-done
	if len(*waits) != 1 {
		t.Errorf("%d new starts, want 1", len(*waits))
	}
}

// One that is slow, but answers, is not stuck, nor is one that is not asked.
func TestStuck(t *testing.T) {
	for _, tt := range []struct {
		before, now progress
		want        bool
	}{
		{progress{0, true}, progress{0, true}, true},
		{progress{7, true}, progress{7, true}, true},
		{progress{7, true}, progress{8, true}, false},
		{progress{7, false}, progress{7, true}, false},
		{progress{7, true}, progress{8, false}, false},
		{progress{7, false}, progress{7, false}, false},
	} {
		if got := tt.before.stuck(tt.now); got != tt.want {
			t.Errorf("%+v, then %+v: %v", tt.before, tt.now, got)
		}
	}
}

func TestClose(t *testing.T) {
	ended := make(chan struct{})
	k, _ := newKey(t, func(in io.Reader, out io.Writer) error {
		defer close(ended)
		return Serve(in, out, seeded, 2)
	})
	if err := sign(k, "x"); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	}
	<-ended
	if err := sign(k, "y"); !errors.Is(err, errClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestGreetings(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "EOF",
		"Usage: program [OPTIONS]\n":       `it begins with "Usage: progr", want "lancre-key/1"`,
		magic + "\xff\xff\xff\xff":         "4294967295 octets announced, want at most 65536",
		magic + "\x00\x00\x00\x05\x30\x03": "unexpected EOF",
		magic + "\x00\x00\x00\x02\x30\x00": "asn1",
	} {
		_, err := newSession(play(func(_ io.Reader, out io.Writer) error {
			io.WriteString(out, text)
			return errors.New("exit status 3")
		}))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "exit status 3") {
			t.Errorf("%q: %v, want %q and the exit status in it", text, err, want)
		}
	}
}

// A failingSigner fails from the second signature on.
type failingSigner struct {
	crypto.Signer
	signed int
}

func (s *failingSigner) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	if s.signed++; s.signed > 1 {
		return nil, errors.New("CKR_SESSION_HANDLE_INVALID")
	}
	return s.Signer.Sign(r, digest, o)
}

// Where a key fails, the program ends, and does not wait for its parent to do so.
func TestServeEndsWithTheKey(t *testing.T) {
	in, parent := io.Pipe()
	go func() {
		for id := range uint32(2) {
			parent.Write(frame{id, modeMessage, []byte("x")}.append(nil))
		}
	}()
	err := Serve(in, io.Discard, &failingSigner{Signer: seeded}, 1)
	if err == nil || err.Error() != "CKR_SESSION_HANDLE_INVALID" {
		t.Errorf("error %v", err)
	}
}

// A program that holds answers never does so while its parent waits for them, however what
// it reads is cut: even if it would hold them for an hour.
func TestNoAnswerIsHeldFromAParentThatWaits(t *testing.T) {
	for _, parallel := range []int{1, 3} {
		requests, parent := io.Pipe()
		program, answers := io.Pipe()
		s := newServer(requests, answers, seeded)
		s.hold = time.Hour
		ended := make(chan error, 1)
		go func() { ended <- s.serve(parallel) }()

		random := mathrand.New(mathrand.NewPCG(1, 2))
		var unsent []byte
		asked, sent, answered := 0, 0, 0 // requests; octets of them, all of one length; answers
		for range 500 {
			for range random.IntN(6) {
				asked++
				unsent = frame{uint32(asked), modeMessage, []byte("message")}.append(unsent)
			}
			cut := random.IntN(len(unsent) + 1)
			parent.Write(unsent[:cut])
			sent, unsent = sent+cut, unsent[cut:]
			for ; answered < sent/(frameHead+len("message")); answered++ {
				if _, err := readFrame(program, maxAnswer); err != nil {
					t.Fatal(err)
				}
			}
		}
		if answered < 500 {
			t.Errorf("%d answers to %d requests", answered, asked)
		}
		parent.CloseWithError(errors.New("gone"))
		if err := <-ended; err == nil || err.Error() != "reading a request: gone" {
			t.Errorf("the program ends with %v", err)
		}
	}
}

// A countedWriter counts what is written by one call.
type countedWriter struct{ writes, octets int }

func (w *countedWriter) Write(p []byte) (int, error) {
	w.writes++
	w.octets += len(p)
	return len(p), nil
}

// Answers to requests that come together are written together.
func TestAnswersAreHeld(t *testing.T) {
	const n = 50
	var requests []byte
	for id := range uint32(n) {
		requests = frame{id, modeMessage, []byte("message")}.append(requests)
	}
	for _, tt := range []struct {
		hold   time.Duration
		writes int // when no more requests are there; or each by itself
	}{{time.Hour, 1}, {0, n}} {
		var out countedWriter
		s := newServer(bytes.NewReader(requests), &out, seeded)
		s.hold = tt.hold
		if err := s.serve(1); err != nil {
			t.Fatal(err)
		}
		if out.writes != tt.writes || out.octets != n*(frameHead+ed25519.SignatureSize) {
			t.Errorf("held for %s: %d writes of %d octets, want %d", tt.hold, out.writes, out.octets, tt.writes)
		}
	}
}
