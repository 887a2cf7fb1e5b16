// Package key opens the keys that responses and CRLs are signed by, and checks that they
// are those of the certificates that stand for them. It never writes a key, nor shows one.
package key

import (
	"crypto"
	"crypto/rand"
	"fmt"
	"io"
	"strings"

	"lancre/sign/child"
)

// Options say how a key is opened.
type Options struct {
	// Passphrase is asked for that of the named file, if it has one. Optional: then
	// such a file is refused.
	Passphrase func(file string) ([]byte, error)
	// Log is where a program that holds a key says what people should read. Optional.
	Log io.Writer
}

// A Key signs. It is a crypto.Signer, safe for concurrent use.
type Key struct {
	crypto.Signer
	// Name is what the key was opened by: a file, or exec: and a program without its
	// arguments.
	Name string
	// Algorithm is what it signs by.
	Algorithm Algorithm

	close func() error
}

// ExecPrefix begins the specification of a key that a program holds.
const ExecPrefix = "exec:"

// Open opens the key that spec names:
//
//	FILE                    a private key in PEM
//	exec:PROGRAM ARGUMENTS  a program that holds it (package child), its arguments
//	                        separated by spaces; no shell sees them
//
// The caller closes it.
func Open(spec string, o Options) (*Key, error) {
	command, isExec := strings.CutPrefix(spec, ExecPrefix)
	if !isExec {
		signer, err := readFile(spec, o.Passphrase)
		if err != nil {
			return nil, fmt.Errorf("key %w", err)
		}
		return newKey(spec, signer, func() error { return nil })
	}
	words := strings.Fields(command)
	if len(words) == 0 {
		return nil, fmt.Errorf("key %q names no program: want exec:PROGRAM", spec)
	}
	held, err := child.Start(child.Options{Command: words, Log: o.Log})
	if err != nil {
		return nil, err
	}
	return newKey(ExecPrefix+words[0], held, held.Close)
}

// newKey is the Key of a signer, which is closed where it is of no use.
func newKey(name string, signer crypto.Signer, close func() error) (*Key, error) {
	algorithm, err := AlgorithmOf(signer.Public())
	if err != nil {
		close()
		return nil, fmt.Errorf("key %s: %w", name, err)
	}
	return &Key{Signer: signer, Name: name, Algorithm: algorithm, close: close}, nil
}

// SignMessage signs a message that lies in memory.
func (k *Key) SignMessage(message []byte) ([]byte, error) {
	digest := message
	if k.Algorithm.Hash != 0 {
		h := k.Algorithm.Hash.New()
		h.Write(message)
		digest = h.Sum(nil)
	}
	return k.SignDigest(digest)
}

// SignDigest signs what Algorithm.Hash made of a message; the message itself where that
// is 0.
func (k *Key) SignDigest(digest []byte) ([]byte, error) {
	return k.Sign(rand.Reader, digest, k.Algorithm.Hash)
}

// Close ends the use of the key, and the program that holds it if there is one.
func (k *Key) Close() error { return k.close() }
