// Package certificates reads the list of the certificates that a CA has issued, with
// their status, from where the CA keeps it:
//
//	openssl:FILE            the index of openssl ca                      opensslindex.go
//	FILE                    CSV with a header                            columns.go
//	sqlite:, postgres://, mysql://
//	                        the rows of a query with named columns       columns.go
//
// Nothing in a list is guessed. A status that is not known, a serial number that could be
// of either base, a time without a zone: each is an error that names the row, and ends
// the reading. What is signed says "good" of a certificate only because a row says so.
package certificates

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"lancre/index"
	"lancre/internal/database"
)

// A Certificate is what a list says of one. Its serial number is valid until the next
// one is read.
type Certificate struct {
	Serial    []byte       // content octets of a DER INTEGER: positive, of at most 20 octets
	Status    index.Status // good or revoked
	RevokedAt int64        // Unix seconds; index.NoTime unless it is revoked
	Reason    int          // CRLReason, never 0; −1 if there is none
	NotAfter  int64        // Unix seconds
	Shard     string       // of its CRL: what the column shard says; "" if there is none
	Row       int          // of the list: a line of a file, or a row of the answer to a query; the first is 1
}

// A Base is how serial numbers are written.
type Base string

// The bases. Without one, only a serial number that cannot be decimal is read.
const (
	AnyBase Base = ""
	Hex     Base = "hex"
	Decimal Base = "decimal"
)

// A List says where certificates are listed, and how.
type List struct {
	// Source is a file, or a database as package database names them.
	Source string

	// Query selects the certificates of a database, by columns as columns.go names them.
	// Schema does so for the database of a known CA: one of Schemas.
	Query, Schema string

	// Serial is the base of serial numbers. Optional where the source or schema tells.
	Serial Base

	// Issuer is whose certificates are wanted. Where a list says whose each is, those
	// of others are left out.
	Issuer *x509.Certificate
}

// A Reading is what was read.
type Reading struct {
	Rows    uint64 // certificates, those of others included
	Foreign uint64 // certificates of other issuers
}

// OpenSSLPrefix begins a source that is the index of openssl ca.
const OpenSSLPrefix = "openssl:"

// Check says what is missing in l or contradicts itself; nil if nothing does.
func (l *List) Check() error {
	switch isDatabase := database.Names(l.Source); {
	case l.Source == "":
		return errors.New("no list of certificates (--certificates)")
	case l.Serial != AnyBase && l.Serial != Hex && l.Serial != Decimal:
		return fmt.Errorf("serial numbers in the base %q: want %s or %s", l.Serial, Hex, Decimal)
	case !isDatabase && (l.Query != "" || l.Schema != ""):
		return fmt.Errorf("%s is no database, but there is a query (--query) or a schema (--schema): name one as sqlite:FILE, postgres://… or mysql://…", l.Source)
	case isDatabase && (l.Query == "") == (l.Schema == ""):
		return fmt.Errorf("a database needs either a query (--query) or a schema (--schema: %s)", strings.Join(Schemas(), ", "))
	case isDatabase:
		_, _, err := l.database()
		return err
	case strings.HasPrefix(l.Source, OpenSSLPrefix) && l.Serial == Decimal:
		return fmt.Errorf("%s: the index of openssl has serial numbers in hex, not decimal", l.Source)
	}
	return nil
}

// Name is what l is called for people: without the password that may be in the source.
func (l *List) Name() string {
	if database.Names(l.Source) {
		if d, err := database.Parse(l.Source); err == nil {
			return d.Name
		}
		return "a database"
	}
	return l.Source
}

// Read calls each for every certificate of l.Issuer, in the order of the list, and
// ends with its first error. Check must find l well. at is the present time, by which a
// list that contradicts itself is told.
//
// What comes next is read meanwhile, by another goroutine: after an error of each, Reading
// has a few more than each was called for.
func (l *List) Read(ctx context.Context, at time.Time, each func(*Certificate) error) (Reading, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	a := newAhead(ctx)
	r := &reader{ctx: ctx, list: l, at: at.Unix(), names: namesOf(l.Issuer), base: l.Serial, each: a.add}
	read := make(chan error, 1)
	go func() {
		err := r.read()
		read <- cmp.Or(err, a.end())
	}()
	err := a.each(func(c *Certificate) error { return l.failed(c.Row, each(c)) })
	if err != nil {
		stop()
	}
	if err = cmp.Or(err, <-read); err != nil {
		err = fmt.Errorf("certificates %w", err)
	}
	return r.Reading, err
}

// failed is err with the row that it is about.
func (l *List) failed(row int, err error) error {
	switch {
	case err == nil:
		return nil
	case database.Names(l.Source):
		return fmt.Errorf("%s: row %d: %w", l.Name(), row, err)
	}
	return fmt.Errorf("%s: line %d: %w", strings.TrimPrefix(l.Source, OpenSSLPrefix), row, err)
}

// A reader reads one list once.
type reader struct {
	Reading
	ctx    context.Context
	list   *List
	at     int64           // Unix seconds
	names  map[string]bool // of the issuer, as columns may spell them
	base   Base
	each   func(*Certificate) error
	cert   Certificate // handed over
	octet  [maxSerial + 1]byte
	digits []byte // scratch
}

func (r *reader) read() error {
	if database.Names(r.list.Source) {
		return r.database()
	}
	name, isIndex := strings.CutPrefix(r.list.Source, OpenSSLPrefix)
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	in := &interrupted{r.ctx, f}
	if isIndex {
		err = r.opensslIndex(in)
	} else {
		err = r.csv(in)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return err
}

// pass hands over r.cert, unless it is somebody else's.
func (r *reader) pass(row int, ours bool) error {
	r.Rows++
	if !ours {
		r.Foreign++
		return nil
	}
	r.cert.Row = row
	return r.each(&r.cert)
}

// An interrupted reader ends with its context.
type interrupted struct {
	ctx context.Context
	r   io.Reader
}

func (i *interrupted) Read(p []byte) (int, error) {
	if err := context.Cause(i.ctx); err != nil {
		return 0, err
	}
	return i.r.Read(p)
}
