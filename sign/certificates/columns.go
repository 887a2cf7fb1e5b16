package certificates

import (
	"bytes"
	"crypto/sha1"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"lancre/build/certs"
	"lancre/internal/csvfile"
)

// The columns of a CSV file, by its header, and of a query, by the names that it gives
// them (SELECT … AS not_after):
//
//	serial       the serial number, in the base that was named
//	status       good or revoked
//	not_after    when it expires: 2027-03-01T12:00:00Z, or Unix seconds
//	issuer       whose it is: key_id or subject as a report gives them, the subject key
//	             identifier in hex, or the number that Boulder gives an issuer. The
//	             column may be missing: then all are the issuer's
//	revoked_at   when it was revoked; looked at only if it was
//	reason       CRLReason, a number; nothing for none. Likewise
//	shard        of its CRL; may be missing
//	certificate  the certificate, DER or PEM, in place of serial and not_after
//
// An unknown column is an error, for it may be one of these, misspelt.
var columnNames = []string{"serial", "status", "not_after", "issuer", "revoked_at", "reason", "shard", "certificate"}

// columns are the positions of the columns of a list; −1 for one that is missing.
type columns struct {
	serial, status, notAfter, issuer, revokedAt, reason, shard, certificate int
}

func findColumns(header []string) (c columns, err error) {
	at := func(name string) int { return slices.Index(header, name) }
	c = columns{at("serial"), at("status"), at("not_after"), at("issuer"), at("revoked_at"), at("reason"), at("shard"), at("certificate")}
	for i, name := range header {
		if !slices.Contains(columnNames, name) {
			return c, fmt.Errorf("column %q is unknown: want %s", name, strings.Join(columnNames, ", "))
		}
		if slices.Contains(header[:i], name) {
			return c, fmt.Errorf("column %q is there twice", name)
		}
	}
	switch {
	case min(c.status, c.revokedAt, c.reason) < 0:
		return c, fmt.Errorf("columns %q: want also status, revoked_at and reason", header)
	case c.certificate < 0 && min(c.serial, c.notAfter) < 0:
		return c, fmt.Errorf("columns %q: want also serial and not_after, or certificate in place of both", header)
	}
	return c, nil
}

// csv reads a CSV file.
func (r *reader) csv(in io.Reader) error {
	var c columns
	return csvfile.Each(in, func(header []string) (err error) {
		c, err = findColumns(header)
		return err
	}, func(record []string, line int) error {
		ours, err := r.record(&c, record)
		if err != nil {
			return err
		}
		return r.pass(line, ours)
	})
}

// record makes r.cert what one record says, and reports whether it is the issuer's.
func (r *reader) record(c *columns, record []string) (ours bool, err error) {
	if c.issuer >= 0 {
		name := record[c.issuer]
		if name == "" {
			return false, errors.New("issuer is empty: say whose certificate it is, or leave the column out")
		}
		if !r.names[name] {
			return false, nil
		}
	}
	if ours, err = r.identity(c, record); err != nil || !ours {
		return ours, err
	}
	if c.shard >= 0 {
		r.cert.Shard = record[c.shard]
	}
	return true, r.status(c, record)
}

// identity makes r.cert have the serial number and expiry of the record, which may be
// those of the certificate in it.
func (r *reader) identity(c *columns, record []string) (ours bool, err error) {
	if c.certificate >= 0 {
		cert, err := parseCertificate(record[c.certificate])
		if err != nil {
			return false, err
		}
		if !bytes.Equal(cert.RawIssuer, r.list.Issuer.RawSubject) {
			return false, nil
		}
		r.cert.NotAfter = cert.NotAfter.Unix()
		if err := r.magnitude(cert.SerialNumber.Bytes(), cert.SerialNumber.String()); err != nil {
			return false, err
		}
	}
	if c.notAfter >= 0 {
		notAfter, err := parseTime("not_after", record[c.notAfter])
		if err != nil {
			return false, err
		}
		if c.certificate >= 0 && notAfter != r.cert.NotAfter {
			return false, fmt.Errorf("not_after is %s, that of the certificate %s", utc(notAfter), utc(r.cert.NotAfter))
		}
		r.cert.NotAfter = notAfter
	}
	if c.serial >= 0 {
		own := string(r.cert.Serial)
		if err := r.serial(record[c.serial]); err != nil {
			return false, err
		}
		if c.certificate >= 0 && own != string(r.cert.Serial) {
			return false, fmt.Errorf("serial is %x, that of the certificate %x", r.cert.Serial, own)
		}
	}
	return true, nil
}

// parseCertificate reads a certificate, DER or PEM.
func parseCertificate(text string) (*x509.Certificate, error) {
	der := []byte(text)
	if block, _ := pem.Decode(der); block != nil {
		der = block.Bytes
	}
	cert, err := certs.Parse(der)
	if err != nil {
		return nil, fmt.Errorf("certificate of %d octets: want one in DER or PEM: %w", len(text), err)
	}
	return cert, nil
}

func (r *reader) status(c *columns, record []string) error {
	switch status := record[c.status]; status {
	case "good":
		r.good()
		return nil
	case "revoked":
	default:
		return fmt.Errorf("status %q: want good or revoked; have the query, or who writes the list, say which of these it is", status)
	}
	if record[c.revokedAt] == "" {
		return errors.New("status revoked, but revoked_at is empty")
	}
	at, err := parseTime("revoked_at", record[c.revokedAt])
	if err != nil {
		return err
	}
	reason := noReason
	if text := record[c.reason]; text != "" {
		if reason, err = strconv.Atoi(text); err != nil {
			return fmt.Errorf("reason %q: want a number (RFC 5280 section 5.3.1) or nothing", text)
		}
	}
	return r.revoked(at, reason)
}

// namesOf is what a column may call an issuer.
func namesOf(issuer *x509.Certificate) map[string]bool {
	names := map[string]bool{issuer.Subject.String(): true}
	if len(issuer.SubjectKeyId) > 0 {
		names[hex.EncodeToString(issuer.SubjectKeyId)] = true
	}
	if bits, err := certs.KeyBits(issuer); err == nil {
		id := sha1.Sum(bits)
		names[hex.EncodeToString(id[:])] = true
	}
	names[strconv.FormatUint(boulderID(issuer.RawSubject), 10)] = true
	return names
}

// boulderID is the number by which Boulder's database names an issuer: the first seven
// octets of the SHA-1 of its name.
func boulderID(name []byte) uint64 {
	sum := sha1.Sum(name)
	return binary.BigEndian.Uint64(sum[:]) >> 8
}
