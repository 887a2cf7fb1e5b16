package build

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"
)

// maxInventoryLine is the longest line of an inventory, in octets: names of issuers
// are some hundred, and the rest is the caller's.
const maxInventoryLine = 64 << 10

// loadInventory reads the CSV file of certificates; nil if name is empty. Its first
// line names the columns, among them
//
//	serial     in hexadecimal digits
//	notAfter   as 2027-03-01T12:00:00Z
//	issuer     key_id or subject as a report gives them; may be empty if the build
//	           has one issuer
//	caIssuers  URLs of the issuer's certificate that the certificate names, separated
//	           by spaces; may be empty. The column may be missing
//
// at is the moment of the build.
func loadInventory(name string, at time.Time, all *issuers) (*inventory, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("inventory %w", err)
	}
	defer f.Close()
	lines, err := countLines(f)
	if err != nil {
		return nil, fmt.Errorf("inventory %w", err)
	}
	v := &inventory{file: name, at: at.Unix(), entries: make([]assigned, 0, lines)}
	if err := v.read(f, all); err != nil {
		return nil, fmt.Errorf("inventory %s: %w", name, err)
	}
	v.sort()
	return v, nil
}

// countLines tells how much room f needs, so that it need not be made twice.
func countLines(f *os.File) (lines int, err error) {
	buf := make([]byte, 1<<20)
	for {
		n, err := f.Read(buf)
		lines += bytes.Count(buf[:n], []byte{'\n'})
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, err
		}
	}
	_, err = f.Seek(0, io.SeekStart)
	return lines, err
}

// read reads the CSV in r.
func (v *inventory) read(r io.Reader, all *issuers) error {
	if len(all.list) >= math.MaxUint16 {
		return fmt.Errorf("%d issuers, want fewer than %d", len(all.list), math.MaxUint16)
	}
	short := &shortLines{r: r}
	in := csv.NewReader(short)
	in.ReuseRecord = true
	short.left = maxInventoryLine
	header, err := in.Read()
	if err != nil {
		return fmt.Errorf("no header: %w", err)
	}
	columns, err := findColumns(header)
	if err != nil {
		return err
	}
	known := inventoryIssuers(all)
	for {
		short.left = maxInventoryLine
		record, err := in.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err // names the line
		}
		line, _ := in.FieldPos(0)
		a, err := columns.parse(record, known)
		if err == nil && columns.caIssuers >= 0 {
			err = v.name(&a, record[columns.caIssuers], line)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
		v.entries = append(v.entries, a)
	}
}

// inventoryColumns are the positions of the fields of an assigned.
type inventoryColumns struct{ serial, notAfter, issuer, caIssuers int }

func findColumns(header []string) (c inventoryColumns, err error) {
	c = inventoryColumns{-1, -1, -1, -1}
	for i, name := range header {
		switch name {
		case "serial":
			c.serial = i
		case "notAfter":
			c.notAfter = i
		case "issuer":
			c.issuer = i
		case "caIssuers":
			c.caIssuers = i
		}
	}
	if min(c.serial, c.notAfter, c.issuer) < 0 {
		return c, fmt.Errorf("header %q: want the columns serial, notAfter and issuer", header)
	}
	return c, nil
}

// parse reads one record; known are the numbers of issuers by what they are called.
func (c inventoryColumns) parse(record []string, known map[string]uint16) (a assigned, err error) {
	if a.serial, err = parseSerial(record[c.serial]); err != nil {
		return a, fmt.Errorf("serial %q: %w", record[c.serial], err)
	}
	if a.notAfter, err = parseNotAfter(record[c.notAfter]); err != nil {
		return a, fmt.Errorf("notAfter %q: %w", record[c.notAfter], err)
	}
	var ok bool
	if a.issuer, ok = known[record[c.issuer]]; !ok {
		return a, fmt.Errorf("issuer %q: no --issuer has this key_id or, alone, this subject", record[c.issuer])
	}
	return a, nil
}

// inventoryIssuers is what an inventory may call the issuers. A subject that several
// have says nothing.
func inventoryIssuers(all *issuers) map[string]uint16 {
	known := make(map[string]uint16)
	for _, is := range all.list {
		if len(all.named(is.cert.RawSubject)) == 1 {
			known[is.cert.Subject.String()] = uint16(is.number)
		}
	}
	for _, is := range all.list {
		known[hex.EncodeToString(is.keyHash[:])] = uint16(is.number)
	}
	if len(all.list) == 1 {
		known[""] = 0
	}
	return known
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
