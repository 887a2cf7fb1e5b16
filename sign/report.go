package sign

import (
	"fmt"
	"io"
	"time"

	"lancre/index"
)

// A Report says what a run found and did. Numbers are of certificates where they are not
// of responses.
type Report struct {
	At time.Time // when the list was read: thisUpdate

	Rows        uint64 // of the list
	Foreign     uint64 // of other issuers
	OtherShards uint64 // in shards that are not signed
	Expired     uint64
	Good        uint64 // to be answered so
	Revoked     uint64
	Kept        uint64 // whose response is neither outdated nor due

	Changed, New, Due uint64 // responses to sign: why
	Signed            uint64 // responses signed
	Files             []string

	Contradicted      uint64 // good in the list, but revoked before
	ContradictedFirst string
	Vanished          uint64 // answered for, and not in the list
	VanishedFirst     string
}

// Planned is how many responses are to be signed.
func (r *Report) Planned() uint64 { return r.Changed + r.New + r.Due }

func (r *Report) count(s index.Status) {
	if s == index.Revoked {
		r.Revoked++
	} else {
		r.Good++
	}
}

func (r *Report) plans(it *item, hashes []index.HashAlg) {
	*[...]*uint64{changed: &r.Changed, added: &r.New, due: &r.Due}[it.class()] += it.responses(hashes)
}

func (r *Report) signed(name string, all *tally) {
	r.Files = append(r.Files, name)
	r.Signed += all.responses
}

func (r *Report) contradicts(row *row) {
	if r.Contradicted == 0 {
		r.ContradictedFirst = fmt.Sprintf("row %d, serial %x", row.number(), row.serial())
	}
	r.Contradicted++
}

func (r *Report) vanishes(serial []byte, s index.Status) {
	if r.VanishedFirst == "" {
		r.VanishedFirst = fmt.Sprintf("such as serial %x, %s", serial, s)
	}
}

// WriteSummary writes r for people.
func (r *Report) WriteSummary(w io.Writer) error {
	_, err := fmt.Fprintf(w, "list of %s: %d rows, %d good, %d revoked, %d expired\n", r.At.UTC().Format(time.RFC3339), r.Rows, r.Good, r.Revoked, r.Expired)
	if err == nil && r.Foreign+r.OtherShards > 0 {
		_, err = fmt.Fprintf(w, "left out: %d of other issuers, %d of other shards\n", r.Foreign, r.OtherShards)
	}
	if err == nil && r.Vanished > 0 {
		_, err = fmt.Fprintf(w, "gone from the list: %d certificates that are answered for, %s\n", r.Vanished, r.VanishedFirst)
	}
	if err == nil {
		_, err = fmt.Fprintf(w, "to sign: %d changed, %d new, %d due; %d certificates have what they need\nsigned: %d responses\n", r.Changed, r.New, r.Due, r.Kept, r.Signed)
	}
	for _, name := range r.Files {
		if err == nil {
			_, err = fmt.Fprintf(w, "  %s\n", name)
		}
	}
	return err
}

func utc(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }
