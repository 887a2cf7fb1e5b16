package inventory

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"syscall"
	"time"

	"lancre/build/ca"
	"lancre/internal/csvfile"
)

// Load reads the CSV file of certificates; nil if name is empty. Its first
// line names the columns, among them
//
//	serial     in hexadecimal digits
//	notAfter   as 2027-03-01T12:00:00Z
//	issuer     key_id or subject as a report gives them; may be empty if the build
//	           has one issuer
//	caIssuers  URLs of the issuer's certificate that the certificate names, separated
//	           by spaces; may be empty. The column may be missing
//	cRLDistributionPoints
//	           URLs of the CRL that the certificate names; the same
//	cA         true for the certificate of a CA, false for another, empty where that is
//	           not known. The column may be missing
//
// at is the moment of the build.
func Load(name string, at time.Time, all *ca.Issuers) (*Inventory, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a FIFO is not waited for
	if err != nil {
		return nil, fmt.Errorf("inventory %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return nil, fmt.Errorf("inventory %w", err)
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("inventory %s: it is read twice, so want a file: it is %s", name, info.Mode())
	}
	lines, size, err := countLines(f)
	if err != nil {
		return nil, fmt.Errorf("inventory %w", err)
	}
	v := &Inventory{File: name, at: at.Unix(), entries: make([]assigned, 0, min(lines, size/shortLine))}
	if err := v.read(f, all); err != nil {
		return nil, fmt.Errorf("inventory %s: %w", name, err)
	}
	v.sort()
	return v, nil
}

// shortLine is how many octets a line with a certificate has at least: a serial number of
// two digits, a time, two commas and the end.
const shortLine = len("01,2027-03-01T12:00:00Z,\n")

// countLines tells how much room f needs, so that it need not be made twice: no more than
// there can be certificates, whatever it holds.
func countLines(f *os.File) (lines, size int, err error) {
	buf := make([]byte, 1<<20)
	for {
		n, err := f.Read(buf)
		lines += bytes.Count(buf[:n], []byte{'\n'})
		size += n
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, 0, err
		}
	}
	_, err = f.Seek(0, io.SeekStart)
	return lines, size, err
}

// read reads the CSV in r.
func (v *Inventory) read(r io.Reader, all *ca.Issuers) error {
	known, err := issuerNames(all)
	if err != nil {
		return err
	}
	var fields columns
	return csvfile.Each(r, func(header []string) (err error) {
		fields, err = findColumns(header)
		return err
	}, func(record []string, line int) error {
		a, err := fields.parse(record, known)
		if err == nil && fields.caIssuers >= 0 {
			err = v.name(&a, CAIssuers, record[fields.caIssuers], line)
		}
		if err == nil && fields.points >= 0 {
			err = v.name(&a, DistributionPoint, record[fields.points], line)
		}
		v.entries = append(v.entries, a)
		return err
	})
}

// columns are the positions of the fields of an assigned.
type columns struct{ serial, notAfter, issuer, caIssuers, points, cA int }

func findColumns(header []string) (c columns, err error) {
	c = columns{-1, -1, -1, -1, -1, -1}
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
		case "cRLDistributionPoints":
			c.points = i
		case "cA":
			c.cA = i
		}
	}
	if min(c.serial, c.notAfter, c.issuer) < 0 {
		return c, fmt.Errorf("header %q: want the columns serial, notAfter and issuer", header)
	}
	return c, nil
}

// parse reads one record; known are the numbers of issuers by what they are called.
func (c columns) parse(record []string, known map[string]uint16) (a assigned, err error) {
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
	if c.cA >= 0 {
		if a.kind, ok = kinds[record[c.cA]]; !ok {
			return a, fmt.Errorf("cA %q: want true, false or nothing", record[c.cA])
		}
	}
	return a, nil
}

// issuerNames is what an inventory may call the issuers. A subject that several
// have says nothing.
func issuerNames(all *ca.Issuers) (map[string]uint16, error) {
	if len(all.List) >= math.MaxUint16 {
		return nil, fmt.Errorf("%d issuers, want fewer than %d", len(all.List), math.MaxUint16)
	}
	known := make(map[string]uint16)
	for _, is := range all.List {
		if len(all.Named(is.Cert.RawSubject)) == 1 {
			known[is.Cert.Subject.String()] = uint16(is.Number)
		}
	}
	for _, is := range all.List {
		known[is.KeyID()] = uint16(is.Number)
	}
	if len(all.List) == 1 {
		known[""] = 0
	}
	return known, nil
}
