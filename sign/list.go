package sign

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"lancre/index"
	"lancre/internal/spill"
	"lancre/sign/certificates"
)

// A row is a certificate of the list. As a record it is
//
//	 0  1  serial number: its length
//	 1 21  and octets, padded with zeros
//	22  1  status
//	23  1  reason; FF if there is none
//	24  4  when it was revoked, Unix seconds; 0 unless it was
//	28  8  notAfter, Unix seconds
//	36  8  row of the list
//
// so that records of one serial number come one after another. Numbers are big-endian.
type row struct{ spill.Record }

var be = binary.BigEndian

func (r *row) serial() []byte  { return r.Record[1 : 1+r.Record[0]] }
func (r *row) notAfter() int64 { return int64(be.Uint64(r.Record[28:])) }
func (r *row) number() uint64  { return be.Uint64(r.Record[36:]) }

// says is what the row says of its certificate.
func (r *row) says() status {
	return decodeStatus(r.Record[22:])
}

// same reports whether both rows say the same.
func (r *row) same(other *row) bool { return [36]byte(r.Record[:]) == [36]byte(other.Record[:]) }

// A status is what was, or is to be, said of a certificate.
type status struct {
	status    index.Status
	reason    int
	revokedAt int64
}

const absentReason = 0xff

func decodeStatus(b []byte) status {
	s := status{index.Status(b[0]), int(b[1]), int64(be.Uint32(b[2:]))}
	if s.reason == absentReason {
		s.reason = -1
	}
	if s.status != index.Revoked {
		s.revokedAt = index.NoTime
	}
	return s
}

func (s status) encode(b []byte) {
	b[0], b[1] = byte(s.status), byte(s.reason)
	if s.status == index.Revoked {
		be.PutUint32(b[2:], uint32(s.revokedAt))
	}
}

// readList reads the list into a sorter.
func (r *run) readList(ctx context.Context) (*spill.Sorter, error) {
	rows := spill.New(r.out.dir)
	reading, err := r.List.Read(ctx, r.report.At, func(c *certificates.Certificate) error {
		if err := r.allowed(c); err != nil {
			return err
		}
		var rec row
		rec.Record[0] = byte(len(c.Serial))
		copy(rec.Record[1:], c.Serial)
		status{c.Status, c.Reason, c.RevokedAt}.encode(rec.Record[22:])
		be.PutUint64(rec.Record[28:], uint64(c.NotAfter))
		be.PutUint64(rec.Record[36:], uint64(c.Row))
		return rows.Add(&rec.Record)
	})
	r.report.Rows, r.report.Foreign = reading.Rows, reading.Foreign
	if err == nil && rows.Len() == 0 {
		err = fmt.Errorf("certificates %s: none of %s, among %d rows: is it the right list?", r.List.Name(), r.responder.Issuer.Subject, reading.Rows)
	}
	if err != nil {
		rows.Close()
		return nil, err
	}
	return rows, nil
}

// The reasons that only some certificates can have (RFC 5280 section 5.3.1).
const (
	reasonCA   = 2
	reasonHold = 6
	reasonAA   = 10
)

// allowed checks what a list may say under the rules.
func (r *run) allowed(c *certificates.Certificate) error {
	switch {
	case c.Status != index.Revoked:
		return nil
	case c.RevokedAt > math.MaxUint32:
		return fmt.Errorf("it was revoked %s, which is too late for a store", utc(c.RevokedAt))
	case c.Reason == reasonHold && r.public():
		return fmt.Errorf("reason %d (certificateHold), which is against the profile %s: revoke it for good or not at all", c.Reason, r.publicName())
	case !r.Subordinates && slices.Contains([]int{reasonCA, reasonAA}, c.Reason):
		return fmt.Errorf("reason %d, which is not for a subscriber's certificate: if the list is of CAs' certificates, say --subordinates", c.Reason)
	case r.Subordinates && c.Reason < 0 && r.public():
		return fmt.Errorf("no reason, which a CA's certificate must have under the profile %s", r.publicName())
	}
	return nil
}

// eachRow calls each for every certificate of the list once, by serial number. Two rows
// for one must say the same.
func (r *run) eachRow(rows *spill.Sorter, each func(*row) error) error {
	var last row
	return rows.Each(func(rec *spill.Record) error {
		now := row{*rec}
		if last.Record[0] != 0 && string(last.serial()) == string(now.serial()) {
			if now.same(&last) {
				return nil
			}
			return fmt.Errorf("certificates %s: rows %d and %d are both serial %x, but say %s and %s: which of them is right?",
				r.List.Name(), min(last.number(), now.number()), max(last.number(), now.number()), now.serial(), last.text(), now.text())
		}
		last = now
		return each(&now)
	})
}

// text is what the row says, for people.
func (r *row) text() string {
	return fmt.Sprintf("%s, until %s", r.says(), utc(r.notAfter()))
}

func (s status) String() string {
	if s.status != index.Revoked {
		return s.status.String()
	}
	return fmt.Sprintf("revoked %s for reason %d", utc(s.revokedAt), max(s.reason, 0))
}
