package crls

import (
	"fmt"
	"io"
	"math/big"
	"time"

	"lancre/build/rule"
	"lancre/sign/certificates"
)

// A Report says what a run found and did.
type Report struct {
	At time.Time // when the list was read: thisUpdate

	Rows    uint64 // of the list
	Foreign uint64 // of other issuers
	Good    uint64
	Revoked uint64
	Expired uint64 // revoked, but listed for the last time before

	Planned   int // CRLs to sign
	Unchanged int // CRLs that say the same and are young enough
	Made      []Made

	Contradicted      int // good in the list, but on a CRL before
	ContradictedFirst string
	Vanished          int // on a CRL before, and not in the list
	VanishedFirst     string
}

// Made is a CRL that was signed.
type Made struct {
	URL, File  string
	Number     *big.Int
	Entries    int
	Added      int // that the CRL before had not
	Removed    int // that it had
	NextUpdate time.Time
}

func (r *Report) contradicts(c *certificates.Certificate) {
	if r.Contradicted == 0 {
		r.ContradictedFirst = fmt.Sprintf("row %d, serial %x", c.Row, c.Serial)
	}
	r.Contradicted++
}

func (r *Report) vanishes(serial []byte) {
	if r.Vanished == 0 {
		r.VanishedFirst = fmt.Sprintf("%x", serial)
	}
	r.Vanished++
}

// WriteSummary writes r for people.
func (r *Report) WriteSummary(w io.Writer) error {
	_, err := fmt.Fprintf(w, "list of %s: %d rows, %d good, %d revoked, of which %d expired and left the CRLs\n", r.At.Format(time.RFC3339), r.Rows, r.Good, r.Revoked, r.Expired)
	if err == nil && r.Foreign > 0 {
		_, err = fmt.Fprintf(w, "left out: %d of other issuers\n", r.Foreign)
	}
	if err == nil && r.Vanished > 0 {
		_, err = fmt.Fprintf(w, "gone from the list: %d certificates on the CRLs before, such as serial %s\n", r.Vanished, r.VanishedFirst)
	}
	if err == nil {
		_, err = fmt.Fprintf(w, "to sign: %d CRLs; %d say the same and are young enough\nsigned: %d CRLs\n", r.Planned, r.Unchanged, len(r.Made))
	}
	for _, m := range r.Made {
		if err == nil {
			_, err = fmt.Fprintf(w, "  %s: number %s, %d entries (%d more, %d fewer than before), next update %s\n", m.File, m.Number, m.Entries, m.Added, m.Removed, m.NextUpdate.UTC().Format(time.RFC3339))
		}
	}
	return err
}

func utc(unix int64) string { return rule.UTC(unix) }
