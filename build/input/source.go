// Package input reads OCSP responses from what they lie in: files, directories,
// archives, pipes and databases.
//
// Files are recognised by content, never by name, and read as a stream, so that they
// may be larger than memory:
//
//	DER       one response, or any number one after another        der.go
//	base64    responses separated by white space                   text.go
//	PEM       "OCSP RESPONSE" blocks, other text between them      text.go
//	tar       each member one of these                             archive.go
//	gzip, zstd   one of these, compressed                          archive.go
//
// and the rows of a database query, each DER or base64              database.go
//
// A response may be an OCSPResponse or the BasicOCSPResponse inside one, which
// is wrapped. Whatever is none is handed over as a rejection, never passed over.
package input

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"lancre/build/rule"
	"lancre/internal/database"
	"lancre/internal/durable"
)

// stdin names standard input among the sources.
const stdin = "-"

// DefaultMaxUnpacked has room for half a billion responses of 500 octets.
const DefaultMaxUnpacked = 256 << 30

const (
	// MaxResponse is the largest OCSPResponse, in octets, that OpenSSL's client
	// reads by default.
	MaxResponse = 100 << 10

	// sourceBuffer holds the largest response in any form, base64 included.
	sourceBuffer = 256 << 10

	// sniffSize is how much of a source decides what it is: the first header of
	// a tar archive.
	sniffSize = 512

	// maxNesting is how many wrappings (a tar, a compression) are looked into:
	// room for compressed members of a compressed archive.
	maxNesting = 4
)

// A Sink takes what the sources hold, in input order. An error stops the reading.
type Sink interface {
	// Response takes one response; der is valid only during the call.
	Response(at rule.Place, der []byte) error
	// Reject takes what is no response, and why; why has no place.
	Reject(at rule.Place, why *rule.Finding) error
}

// A Scanner reads sources into a sink. Not safe for concurrent use, Octets excepted.
type Scanner struct {
	Stdin io.Reader // what the source "-" is
	Query string    // selects the responses of databases

	// MaxUnpacked is how many octets may come out of the archives and the compression of
	// one source; what is packed twice counts twice.
	MaxUnpacked int64

	sink     Sink
	read     atomic.Int64
	unpacked int64 // octets, of the source in hand

	levels  [maxNesting + 1]level
	wrapped []byte // scratch: a bare response made whole
	word    []byte // scratch: base64 and
	decoded []byte // what it stands for
}

// A level is what reading one wrapping needs, kept for the next source.
type level struct {
	buf  *bufio.Reader
	gzip *gzip.Reader
	zstd *zstd.Decoder
}

// Octets is how many octets of the sources were read, as they lie there. It is safe to
// call at any time.
func (s *Scanner) Octets() int64 { return s.read.Load() }

// Scan reads the sources one after another into sink. What is wrong with the content
// of one is a rejection; what is wrong with reading it, ctx included, is an error.
func (s *Scanner) Scan(ctx context.Context, sources []string, sink Sink) error {
	s.sink = sink
	defer s.close()
	for _, source := range sources {
		if err := s.scan(ctx, source); err != nil {
			return err
		}
	}
	return nil
}

// Size is how many octets the sources have, 0 if that is not known.
func Size(sources []string) (total int64) {
	for _, source := range sources {
		info, err := os.Stat(source)
		if err != nil || !info.Mode().IsRegular() {
			return 0
		}
		total += info.Size()
	}
	return total
}

// Check says what is wrong with the names of the sources, or with what the scanner
// has been given to read them; nil if nothing is.
func (s *Scanner) Check(sources []string) error {
	if err := s.checkStdin(sources); err != nil {
		return err
	}
	return s.checkDatabases(sources)
}

func (s *Scanner) checkStdin(sources []string) error {
	var named int
	for _, source := range sources {
		if source == stdin {
			named++
		}
	}
	if named > 1 {
		return fmt.Errorf("standard input (-) is named as a source %d times; it can be read once", named)
	}
	if named == 1 && s.Stdin == nil {
		return errors.New("standard input (-) is named as a source, but there is none")
	}
	return nil
}

// close frees what decoders hold, and forgets it.
func (s *Scanner) close() {
	for i := range s.levels {
		if z := s.levels[i].zstd; z != nil {
			z.Close()
			s.levels[i].zstd = nil
		}
	}
}

// scan reads one source.
func (s *Scanner) scan(ctx context.Context, source string) error {
	if source == stdin {
		return s.input(ctx, source, s.Stdin)
	}
	if database.Names(source) {
		return s.database(ctx, source)
	}
	info, err := os.Stat(source)
	if err != nil {
		return fmt.Errorf("source of responses: %w", err)
	}
	if info.IsDir() {
		return s.dir(ctx, source)
	}
	return s.file(ctx, source)
}

// dir reads the files below a directory in the order of their names. It passes over what
// is not yet a file, by its name, of package durable.
func (s *Scanner) dir(ctx context.Context, name string) error {
	entries, err := os.ReadDir(name)
	if err != nil {
		return fmt.Errorf("source of responses: %w", err)
	}
	for _, e := range entries {
		path := filepath.Join(name, e.Name())
		switch {
		case strings.HasPrefix(e.Name(), durable.TempPrefix): // in the making, or left by a crash
			continue
		case e.IsDir():
			err = s.dir(ctx, path)
		case e.Type().IsRegular():
			err = s.file(ctx, path)
		default:
			err = s.sink.Reject(rule.Place{Source: path}, rule.Broken(rule.SourceForm, "%s", NotRegular(e.Type())))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// NotRegular says what a directory entry is that is neither file nor directory.
func NotRegular(mode fs.FileMode) string {
	if mode&fs.ModeSymlink != 0 {
		return "a symbolic link, which is not followed: put what it points to here"
	}
	return fmt.Sprintf("neither a file nor a directory (mode %s)", mode)
}

func (s *Scanner) file(ctx context.Context, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("source of responses: %w", err)
	}
	defer f.Close()
	return s.input(ctx, name, f)
}

// input reads one file or pipe. What is wrong with its content is a rejection;
// what is wrong with reading it is an error.
func (s *Scanner) input(ctx context.Context, name string, r io.Reader) error {
	in := &input{ctx: ctx, r: r, read: &s.read}
	s.unpacked = 0
	err := s.stream(rule.Place{Source: name}, in, 0)
	switch {
	case in.err != nil:
		return fmt.Errorf("source of responses %s: %w", name, in.err)
	case err == errSpent:
		return nil
	}
	return err
}

// An input counts what is read, notices an end by ctx, and remembers an error
// that a decoder above might pass off as its own.
type input struct {
	ctx  context.Context
	r    io.Reader
	read *atomic.Int64
	err  error // of reading, io.EOF excepted
}

func (in *input) Read(p []byte) (int, error) {
	if in.err = context.Cause(in.ctx); in.err != nil {
		return 0, in.err
	}
	n, err := in.r.Read(p)
	in.read.Add(int64(n))
	if err != nil && err != io.EOF {
		in.err = err
	}
	return n, err
}

// stream recognises what r holds and reads it. nesting is how many wrappings r
// is inside of.
func (s *Scanner) stream(at rule.Place, r io.Reader, nesting int) error {
	if nesting > maxNesting {
		return s.sink.Reject(at, rule.Broken(rule.SourceForm, "archives or compression nested more than %d deep", maxNesting))
	}
	level := &s.levels[nesting]
	if level.buf == nil {
		level.buf = bufio.NewReaderSize(nil, sourceBuffer)
	}
	level.buf.Reset(r)
	head, err := level.buf.Peek(sniffSize)
	if bytes.HasPrefix(head, byteOrderMark) {
		level.buf.Discard(len(byteOrderMark)) // which cannot fail: they were peeked at
		head, err = level.buf.Peek(sniffSize)
	}
	if err != nil && err != io.EOF {
		return s.broken(at, err)
	}
	switch recognise(head) {
	case formDER:
		return s.der(at, level.buf)
	case formBase64:
		return s.base64(at, level.buf)
	case formPEM:
		return s.pem(at, level.buf)
	case formTar:
		return s.tar(at, level.buf, nesting)
	case formGzip:
		return s.gzip(at, level, nesting)
	case formZstd:
		return s.zstd(at, level, nesting)
	case formEmpty:
		return s.sink.Reject(at, rule.Broken(rule.SourceForm, "empty: no response in it"))
	}
	return s.sink.Reject(at, rule.Broken(rule.SourceForm, "begins with the octets %x: neither DER, base64, PEM, tar, gzip nor zstd", head[:min(len(head), 8)]))
}

// byteOrderMark is what some editors begin a text in UTF-8 with. No form does.
var byteOrderMark = []byte("\ufeff")

// broken rejects the rest of a stream that cannot be decoded further.
func (s *Scanner) broken(at rule.Place, err error) error {
	if s.spent() {
		why := rule.Broken(rule.SourceUnpacked, "more than %d octets are unpacked of this source (--max-unpacked): the rest is not read", s.MaxUnpacked)
		return cmp.Or(s.sink.Reject(at, why), errSpent)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return s.sink.Reject(at, rule.Broken(rule.SourceTruncated, "compressed or archived data ends too early: the file was cut"))
	}
	return s.sink.Reject(at, rule.Broken(rule.SourceForm, "%v", err))
}

// A form is how a source holds responses.
type form uint8

const (
	formOther form = iota
	formEmpty
	formDER
	formBase64
	formPEM
	formTar
	formGzip
	formZstd
)

// tarMagicOffset is where a POSIX or GNU tar header says so.
const tarMagicOffset = 257

// recognise tells the form of a source from its first sniffSize octets, fewer
// only if it is shorter.
func recognise(head []byte) form {
	switch {
	case len(head) == 0:
		return formEmpty
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}): // RFC 1952 section 2.3.1
		return formGzip
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}): // RFC 8878 section 3.1.1
		return formZstd
	case len(head) == sniffSize && bytes.HasPrefix(head[tarMagicOffset:], []byte("ustar")):
		return formTar
	case head[0] == 0x30: // SEQUENCE; base64 of one begins with M
		return formDER
	case bytes.Contains(head, []byte("-----BEGIN ")):
		return formPEM
	case isBase64(head):
		return formBase64
	}
	return formOther
}

// isBase64 reports whether b is base64 and white space, not white space alone.
func isBase64(b []byte) bool {
	digits := 0
	for _, c := range b {
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '+', c == '/', c == '=':
			digits++
		case !isSpace(c):
			return false
		}
	}
	return digits > 0
}

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }
