package input

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"io"

	"lancre/build/rule"
)

// base64 reads responses in standard base64 separated by white space, as cfssl
// and Boulder write them. One that is not base64 costs only itself.
func (s *Scanner) base64(at rule.Place, br *bufio.Reader) error {
	if s.word == nil {
		s.word = make([]byte, sourceBuffer)
	}
	words := wordSplitter{line: 1}
	scan := bufio.NewScanner(br)
	scan.Buffer(s.word, sourceBuffer)
	scan.Split(words.split)
	for scan.Scan() {
		at.Line = words.line
		if err := s.encoded(at, scan.Bytes()); err != nil {
			return err
		}
	}
	at.Line = words.line
	if scan.Err() == bufio.ErrTooLong {
		return s.sink.Reject(at, rule.Broken(rule.SourceForm, "word of more than %d characters: the rest of the source is not read", sourceBuffer))
	}
	if scan.Err() != nil {
		return s.broken(at, scan.Err())
	}
	return nil
}

// encoded passes on the response that text is in base64; ends of lines in it do
// not matter.
func (s *Scanner) encoded(at rule.Place, text []byte) error {
	der, err := base64.StdEncoding.AppendDecode(s.decoded[:0], text)
	if err != nil {
		return s.sink.Reject(at, rule.Broken(rule.SourceForm, "%d characters are not base64: %v", len(text), err))
	}
	s.decoded = der
	return s.response(at, der)
}

// A wordSplitter cuts a text into words and knows the line of the last one.
type wordSplitter struct{ line int }

// split is a bufio.SplitFunc.
func (w *wordSplitter) split(data []byte, atEOF bool) (advance int, word []byte, err error) {
	start := 0
	for start < len(data) && isSpace(data[start]) {
		start++
	}
	w.line += bytes.Count(data[:start], []byte{'\n'})
	for end := start; end < len(data); end++ {
		if isSpace(data[end]) {
			return end, data[start:end], nil
		}
	}
	if atEOF && start < len(data) {
		return len(data), data[start:], nil
	}
	return start, nil, nil
}

var (
	pemBegin = []byte("-----BEGIN ")
	pemEnd   = []byte("-----END ")
)

// pemType is what `openssl` and others call an OCSP response in PEM.
const pemType = "OCSP RESPONSE"

// pem reads the PEM blocks of a text. Text between blocks is explanatory
// (RFC 7468 section 2) and passed over.
func (s *Scanner) pem(at rule.Place, br *bufio.Reader) error {
	var block []byte // so far; empty outside of one
	for line := 1; ; line++ {
		text, err := br.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			at.Line = line
			return s.sink.Reject(at, rule.Broken(rule.SourceForm, "line of more than %d characters: the rest of the source is not read", sourceBuffer))
		}
		if err != nil && err != io.EOF {
			return s.broken(at, err)
		}
		if bytes.HasPrefix(text, pemBegin) {
			if err := s.unended(at, block); err != nil {
				return err
			}
			at.Line, block = line, block[:0]
		}
		if len(block) > 0 && len(block) < sourceBuffer || bytes.HasPrefix(text, pemBegin) {
			block = append(block, text...)
		}
		if len(block) > 0 && bytes.HasPrefix(text, pemEnd) {
			if err := s.block(at, block); err != nil {
				return err
			}
			block = block[:0]
		}
		if err == io.EOF {
			return s.unended(at, block)
		}
	}
}

// unended rejects a PEM block, if there is one, that another one or the end of
// the source cut off.
func (s *Scanner) unended(at rule.Place, block []byte) error {
	if len(block) == 0 {
		return nil
	}
	return s.sink.Reject(at, rule.Broken(rule.SourceTruncated, "PEM block has no end: the file was cut"))
}

// block passes on the response in one PEM block.
func (s *Scanner) block(at rule.Place, text []byte) error {
	b, rest := pem.Decode(text)
	switch {
	case b == nil || len(bytes.TrimSpace(rest)) > 0:
		return s.sink.Reject(at, rule.Broken(rule.SourceForm, "PEM block cannot be decoded"))
	case b.Type != pemType:
		return s.sink.Reject(at, rule.Broken(rule.SourceForm, "PEM block of %q, want %q", b.Type, pemType))
	}
	return s.response(at, b.Bytes)
}
