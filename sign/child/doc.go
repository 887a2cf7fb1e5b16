// Package child lets another program hold a key: one that speaks to an HSM, a KMS or a
// cloud, so that its PIN, its library and its crashes stay in a process of their own.
// [Start] is the end of the one who wants signatures, [Serve] that of the program.
//
// The program is started with pipes as its standard input and output; its standard
// error is a log for people. All numbers are big-endian. It greets, once:
//
//	magic    12    "lancre-key/1"
//	length   4
//	key      length, the SubjectPublicKeyInfo in DER (RFC 5280 section 4.1)
//
// and then answers requests
//
//	id       4     of the parent's choice, not that of another under way
//	mode     1     0: octets are the message; 1, 2, 3: its SHA-256, SHA-384, SHA-512 digest
//	length   4     at most 2^28
//	octets   length
//
// by answers, in any order:
//
//	id       4     of the request
//	status   1     0: octets are the signature; 1: they say in UTF-8 why there is none
//	length   4     at most 2^16
//	octets   length
//
// Keys and what they sign by: RSA, PKCS #1 version 1.5 over a digest; ECDSA, an
// Ecdsa-Sig-Value in DER (RFC 3279 section 2.2.3) over a digest; Ed25519, over the message
// (RFC 8032). A status of 1 is final for that request. What may pass, such as a session
// with an HSM that has ended, is no answer: the program ends, with a word on its standard
// error, and the parent starts it again and asks again for all that was not answered. The
// program ends by itself, with status 0, when its standard input does. An exit status of 78
// (EX_CONFIG) says that it makes no sense to start it again, as for a PIN that is wrong. An
// interrupt from the terminal is for the parent: while it serves, the program ignores
// SIGINT.
package child

import (
	"bufio"
	"crypto"
	"encoding/binary"
	"fmt"
	"io"
)

const magic = "lancre-key/1"

// Modes of a request: what its octets are.
const (
	modeMessage = 0
	modeSHA256  = 1
	modeSHA384  = 2
	modeSHA512  = 3
)

// Statuses of an answer.
const (
	statusSigned  = 0
	statusRefused = 1
)

// Limits, in octets. Whole messages are signed by Ed25519 keys: a CRL of six million
// entries fits. The longest signature is that of an RSA key; the other answers are a line
// for people.
const (
	maxRequest = 1 << 28
	maxAnswer  = 1 << 16
	maxKey     = 1 << 16
)

// hashes are those of the modes.
var hashes = [...]crypto.Hash{modeMessage: 0, modeSHA256: crypto.SHA256, modeSHA384: crypto.SHA384, modeSHA512: crypto.SHA512}

// modeOf is the mode for what is hashed by h, 0 for a whole message.
func modeOf(h crypto.Hash) (mode byte, err error) {
	for mode, other := range hashes {
		if h == other {
			return byte(mode), nil
		}
	}
	return 0, fmt.Errorf("a digest by %s: want SHA-256, SHA-384 or SHA-512", h)
}

// A frame is a request or an answer: kind is the mode of one or the status of the other.
type frame struct {
	id     uint32
	kind   byte
	octets []byte
}

const frameHead = 4 + 1 + 4

// bufferSize is room for some hundred requests or answers, which one system call reads or
// writes.
const bufferSize = 16 << 10

// append appends f in octets.
func (f frame) append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, f.id)
	dst = append(dst, f.kind)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(f.octets)))
	return append(dst, f.octets...)
}

// readFrame reads a frame. The error is io.EOF where nothing of one is there.
func readFrame(r io.Reader, limit uint32) (f frame, err error) {
	var head [frameHead]byte
	if _, err = io.ReadFull(r, head[:]); err != nil {
		return f, err
	}
	f.id, f.kind = binary.BigEndian.Uint32(head[:]), head[4]
	f.octets, err = readOctets(r, binary.BigEndian.Uint32(head[5:]), limit)
	return f, err
}

// buffered reports whether a whole frame lies in r, so that reading it waits for nobody.
func buffered(r *bufio.Reader) bool {
	if r.Buffered() < frameHead {
		return false
	}
	head, _ := r.Peek(frameHead) // which is there
	return uint32(r.Buffered()-frameHead) >= binary.BigEndian.Uint32(head[5:])
}

// readOctets reads n octets, and takes no more memory than come, or a page.
func readOctets(r io.Reader, n, limit uint32) (octets []byte, err error) {
	const page = 4 << 10
	switch {
	case n > limit:
		return nil, fmt.Errorf("%d octets announced, want at most %d", n, limit)
	case n <= page:
		octets = make([]byte, n)
		_, err = io.ReadFull(r, octets)
	default:
		octets, err = io.ReadAll(io.LimitReader(r, int64(n)))
	}
	if err == io.EOF || err == nil && uint32(len(octets)) < n {
		err = io.ErrUnexpectedEOF
	}
	return octets, err
}
