// Package csvfile reads CSV files that others write: with a header that names the
// columns, in whatever order, one record after another.
package csvfile

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
)

// maxLine is the longest line, in octets: names of issuers are some hundred, and the
// rest is the caller's.
const maxLine = 64 << 10

// byteOrderMark is what spreadsheets begin a file in UTF-8 with.
const byteOrderMark = "\ufeff"

// Each hands over the header of the CSV in r, then its records with their lines, both
// valid only during the call. An error is that of the line it names.
func Each(r io.Reader, header func([]string) error, row func(record []string, line int) error) error {
	buffered := bufio.NewReaderSize(r, 64<<10)
	if head, _ := buffered.Peek(len(byteOrderMark)); string(head) == byteOrderMark {
		buffered.Discard(len(byteOrderMark)) // which cannot fail: they were peeked at
	}
	short := &shortLines{r: buffered, left: maxLine}
	in := csv.NewReader(short)
	in.ReuseRecord = true
	first, err := in.Read()
	if err != nil {
		return fmt.Errorf("no header: %w", err)
	}
	if err := header(first); err != nil {
		return err
	}
	for {
		short.left = maxLine
		record, err := in.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err // names the line
		}
		line, _ := in.FieldPos(0)
		if err := row(record, line); err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}

// shortLines fails a reader of lines before it fills memory with one.
type shortLines struct {
	r    io.Reader
	left int // octets that may still be read for the line in hand
}

var errLongLine = errors.New("a line, or a quotation, is too long: want at most 64 KiB")

func (s *shortLines) Read(p []byte) (int, error) {
	if s.left <= 0 {
		return 0, errLongLine
	}
	n, err := s.r.Read(p[:min(len(p), s.left)])
	s.left -= n
	return n, err
}
