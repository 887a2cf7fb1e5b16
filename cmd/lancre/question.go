package main

import (
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"

	"lancre/build/certs"
	"lancre/index"
	"lancre/index/store"
	"lancre/internal/durable"
)

// A question is what inspect is asked about one certificate.
type question struct {
	issuerFile, certFile, serialHex string
	out                             string // file to write the DER response to; "" for words
	json                            bool   // in place of words
	at                              time.Time

	serial []byte          // content octets of the INTEGER; unless certFile is set
	algs   []index.HashAlg // of the CertID, in the order to try
}

// complete derives the last fields from the flags, and reports what they lack.
func (q *question) complete(hash string) (err error) {
	if q.at.IsZero() {
		q.at = time.Now()
	}
	one := q.serialHex != "" || q.certFile != ""
	if q.issuerFile == "" && (one || hash != "" || q.out != "") {
		return errors.New("--serial, --cert, --hash and --out are about one certificate: name its issuer with --issuer FILE")
	}
	if q.issuerFile != "" && !one {
		return errors.New("--issuer alone names no certificate: add --serial HEX or --cert FILE")
	}
	if q.serialHex != "" {
		if q.serial, err = parseSerial(q.serialHex); err != nil {
			return err
		}
	}
	q.algs = index.HashAlgs()
	if hash != "" {
		q.algs, err = parseAll([]string{hash}, index.ParseHashAlg)
	}
	return err
}

// parseSerial reads a positive number in hexadecimal, with or without 0x or colons
// between the octets, as the content octets of an INTEGER.
func parseSerial(s string) ([]byte, error) {
	digits := strings.ReplaceAll(strings.TrimPrefix(strings.ToLower(s), "0x"), ":", "")
	if len(digits)%2 == 1 {
		digits = "0" + digits
	}
	octets, err := hex.DecodeString(digits)
	if err != nil || len(octets) == 0 {
		return nil, fmt.Errorf("serial %q: want a positive number in hexadecimal", s)
	}
	return certs.Serial(new(big.Int).SetBytes(octets)), nil
}

// certIDs lists what the certificate may be called: under each algorithm, by each
// issuer in the file that fits.
func (q *question) certIDs() ([]index.CertID, error) {
	issuers, err := certs.ReadFile(q.issuerFile)
	if err != nil {
		return nil, err
	}
	serial, name := q.serial, []byte(nil)
	if q.certFile != "" {
		if issuers, name, serial, err = q.readCert(issuers); err != nil {
			return nil, err
		}
	}
	var ids []index.CertID
	for _, alg := range q.algs {
		for _, issuer := range issuers {
			if q.certFile == "" {
				name = issuer.RawSubject
			}
			id, err := certs.NamedID(name, issuer, alg, serial)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", q.issuerFile, err)
			}
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// readCert reads the first certificate of q.certFile and returns its serial, the name
// of its issuer as it spells it, and those of the issuers that have this name.
func (q *question) readCert(issuers []*x509.Certificate) (by []*x509.Certificate, name, serial []byte, err error) {
	subject, err := certs.ReadFile(q.certFile)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, issuer := range issuers {
		if certs.SameName(subject[0].RawIssuer, issuer.RawSubject) {
			by = append(by, issuer)
		}
	}
	if by == nil {
		return nil, nil, nil, fmt.Errorf("%s: its issuer is %q, but %s holds the certificate of %q",
			q.certFile, subject[0].Issuer, q.issuerFile, issuers[0].Subject)
	}
	return by, subject[0].RawIssuer, certs.Serial(subject[0].SerialNumber), nil
}

// answer finds the response for one of ids in g, opened from dir, and writes it to q.out
// or, in words, to out.
func (q *question) answer(g *store.Generation, dir string, ids []index.CertID, out io.Writer) error {
	for i := range ids {
		id := &ids[i]
		r, found, err := g.Lookup(id.Key(), id)
		switch {
		case err != nil:
			return err
		case found && r.Tombstone():
			return tombstoneError(g, dir, id)
		case found:
			return q.write(g, r, id, out)
		}
	}
	return fmt.Errorf("%s: no response for %v, looked for under %v: an edge answers unauthorized", dir, &ids[0], q.algs)
}

// tombstoneError says of id, which g has a tombstone for, where it comes from.
func tombstoneError(g *store.Generation, dir string, id *index.CertID) error {
	lines, err := tracesOf(g, id)
	if err != nil {
		return err
	}
	err = fmt.Errorf("%s: %v: a tombstone: the certificate is known and has no current response; an edge answers tryLater", dir, id)
	for _, l := range lines {
		err = fmt.Errorf("%w\n  line %s", err, l)
	}
	return err
}

func (q *question) write(g *store.Generation, r index.Record, id *index.CertID, out io.Writer) error {
	der := r.AppendResponse(nil)
	switch q.out {
	case "":
		a, err := q.explain(g, r, id, der)
		switch {
		case err != nil:
			return err
		case q.json:
			return writeJSON(out, a)
		}
		return a.write(out)
	case "-":
		_, err := out.Write(der)
		return err
	}
	return durable.WriteBytes(q.out, der)
}
