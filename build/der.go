package build

import (
	"bufio"
	"fmt"
	"io"
)

// maxHeader is the size of the longest DER header that is understood: a tag, and
// a length of up to 4 octets after its count.
const maxHeader = 6

// der reads DER responses that lie one after another. Where one does not begin
// with a SEQUENCE the next cannot be found, so the rest is one rejection.
func (s *scanner) der(at Place, br *bufio.Reader) error {
	for {
		head, err := br.Peek(maxHeader)
		if len(head) == 0 {
			if err != io.EOF {
				return s.broken(at, err)
			}
			return nil
		}
		size, ok := sequenceSize(head)
		if !ok {
			return s.sink.reject(at, checkSourceForm, fmt.Sprintf(
				"octets %x do not begin a DER SEQUENCE: the rest of the source is not read", head))
		}
		if err := s.element(at, br, size); err != nil {
			if err == errCut {
				return nil
			}
			return err
		}
		at.Offset += size
	}
}

// errCut says that a source ended early, which was rejected already.
var errCut = fmt.Errorf("source was cut")

// element reads the SEQUENCE of size octets that begins at br.
func (s *scanner) element(at Place, br *bufio.Reader, size int64) error {
	if size > maxResponse {
		return s.oversize(at, br, size)
	}
	der, err := br.Peek(int(size))
	if err != nil {
		return s.cut(at, int64(len(der)), size, err)
	}
	if err := s.response(at, der); err != nil {
		return err
	}
	_, err = br.Discard(int(size))
	return err
}

// oversize skips a SEQUENCE larger than any response may be.
func (s *scanner) oversize(at Place, br *bufio.Reader, size int64) error {
	n, err := io.CopyN(io.Discard, br, size)
	if err != nil {
		return s.cut(at, n, size, err)
	}
	return s.sink.reject(at, checkSize, tooLarge(size))
}

func tooLarge(size int64) string {
	return fmt.Sprintf("response of %d octets; clients read %d at most", size, maxResponse)
}

// cut rejects a SEQUENCE of size octets of which only the first n are there.
func (s *scanner) cut(at Place, n, size int64, err error) error {
	if err != io.EOF {
		if err := s.broken(at, err); err != nil {
			return err
		}
		return errCut
	}
	reason := fmt.Sprintf("source ends after %d octets of a DER SEQUENCE of %d: it was cut, or something else precedes the first response", n, size)
	if err := s.sink.reject(at, checkSourceCut, reason); err != nil {
		return err
	}
	return errCut
}

// response passes one response on, a bare BasicOCSPResponse as an OCSPResponse.
func (s *scanner) response(at Place, der []byte) error {
	if isBasic(der) {
		s.wrapped = appendWrapped(s.wrapped[:0], der)
		der = s.wrapped
	}
	if len(der) > maxResponse {
		return s.sink.reject(at, checkSize, tooLarge(int64(len(der))))
	}
	return s.sink.response(at, der)
}

// sequenceSize returns the size in octets, header included, of the DER SEQUENCE
// that begins with head; false if none does or its length is not minimal
// (X.690 section 10.1).
func sequenceSize(head []byte) (size int64, ok bool) {
	if len(head) < 2 || head[0] != 0x30 {
		return 0, false
	}
	if head[1] < 0x80 {
		return 2 + int64(head[1]), true
	}
	n := int(head[1] & 0x7f)
	if n == 0 || 2+n > min(len(head), maxHeader) || head[2] == 0 {
		return 0, false
	}
	for _, c := range head[2 : 2+n] {
		size = size<<8 | int64(c)
	}
	return 2 + int64(n) + size, size >= 0x80
}

// headerSize is the size of the header of a DER element with n octets of content.
func headerSize(n int) int {
	size := 2
	if n >= 0x80 {
		for ; n > 0; n >>= 8 {
			size++
		}
	}
	return size
}

// appendHeader appends the DER header of an element with n octets of content.
func appendHeader(dst []byte, tag byte, n int) []byte {
	octets := headerSize(n) - 2
	if octets == 0 {
		return append(dst, tag, byte(n))
	}
	dst = append(dst, tag, 0x80|byte(octets))
	for shift := 8 * (octets - 1); shift >= 0; shift -= 8 {
		dst = append(dst, byte(n>>shift))
	}
	return dst
}

// isBasic reports whether der begins like a BasicOCSPResponse, a SEQUENCE of a
// SEQUENCE; an OCSPResponse is a SEQUENCE of an ENUMERATED (RFC 6960 section 4.2.1).
func isBasic(der []byte) bool {
	size, ok := sequenceSize(der[:min(len(der), maxHeader)])
	if !ok || size != int64(len(der)) {
		return false
	}
	header := 2
	if der[1] >= 0x80 {
		header += int(der[1] & 0x7f)
	}
	return len(der) > header && der[header] == 0x30
}

// successful is responseStatus, ENUMERATED 0; basicType is responseType,
// id-pkix-ocsp-basic (RFC 6960 section 4.2.1).
const (
	successful = "\x0a\x01\x00"
	basicType  = "\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x01"
)

// appendWrapped appends the successful OCSPResponse that holds the DER
// BasicOCSPResponse basic.
func appendWrapped(dst, basic []byte) []byte {
	response := len(basic)
	bytes := len(basicType) + headerSize(response) + response
	explicit := headerSize(bytes) + bytes
	whole := len(successful) + headerSize(explicit) + explicit
	dst = append(appendHeader(dst, 0x30, whole), successful...)
	dst = appendHeader(dst, 0xa0, explicit)
	dst = append(appendHeader(dst, 0x30, bytes), basicType...)
	return append(appendHeader(dst, 0x04, response), basic...)
}
