package inventory

import (
	"bytes"
	"fmt"
	"os"
	"slices"

	"lancre/build/ca"
	"lancre/internal/csvfile"
)

// A Certificate is one that a list of serial numbers names.
type Certificate struct {
	Issuer *ca.Issuer
	Serial []byte // content octets of a DER INTEGER
	Line   int    // of the file
}

// LoadSerials reads a CSV file of certificates. Its first line names the columns:
//
//	serial   in hexadecimal digits
//	issuer   key_id or subject as a report gives them; may be missing if there is one
//	         issuer
func LoadSerials(name string, all *ca.Issuers) (list []Certificate, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	known, err := issuerNames(all)
	if err != nil {
		return nil, err
	}
	serial, issuer := -1, -1
	err = csvfile.Each(f, func(header []string) error {
		serial, issuer = slices.Index(header, "serial"), slices.Index(header, "issuer")
		if serial < 0 || issuer < 0 && len(all.List) != 1 {
			return fmt.Errorf("header %q: want the column serial, and issuer where there are several (%d)", header, len(all.List))
		}
		return nil
	}, func(record []string, line int) error {
		padded, err := parseSerial(record[serial])
		if err != nil {
			return fmt.Errorf("serial %q: %w", record[serial], err)
		}
		name := ""
		if issuer >= 0 {
			name = record[issuer]
		}
		number, ok := known[name]
		if !ok {
			return fmt.Errorf("issuer %q: no --issuer has this key_id or, alone, this subject", name)
		}
		list = append(list, Certificate{all.List[number], contentOctets(padded[:]), line})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return list, nil
}

// contentOctets is a serial number, padded with zeros at the front, as a DER INTEGER
// has it.
func contentOctets(padded []byte) []byte {
	serial := bytes.TrimLeft(padded, "\x00")
	if len(serial) == 0 || serial[0] >= 0x80 {
		serial = append([]byte{0}, serial...)
	}
	return bytes.Clone(serial)
}
