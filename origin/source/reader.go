package source

import (
	"crypto/sha256"
	"time"
)

// A reader knows from which mark the next round of a database is to read, and what the
// last one had.
type reader struct {
	start   string
	overlap time.Duration

	since   string // from where the next round reads; empty for the start
	history []passed
	seen    map[digest]bool // what lies behind since and was published; nil before the first round
}

// passed says that a mark was the last at some time: overlap after that, nothing comes
// behind it any more.
type passed struct {
	at   time.Time
	mark string
}

type digest [sha256.Size]byte

// rewind forgets everything but from where to read.
func (r *reader) rewind(since string) {
	r.since, r.history, r.seen = since, nil, nil
}

// A readerRound is what one round of a reader has read.
type readerRound struct {
	since    string
	catching bool // up with a table: what it reads may be much more than what is read again
	seen     map[digest]bool

	rows []readerRow
	row  digest // the one in hand
	cut  bool   // rows were dropped
}

type readerRow struct {
	mark   string
	digest digest
}

func (r *reader) begin() *readerRound {
	round := &readerRound{since: r.since, catching: r.seen == nil, seen: r.seen}
	if round.since == "" {
		round.since = r.start
	}
	return round
}

// maxAgain is how many rows are read again at most after a round that caught up with a
// table: they have not been passed long enough, and may be all that there are.
const maxAgain = 10_000

// isNew reports whether the last round did not have a response, and keeps it for the next.
func (r *readerRound) isNew(d digest) bool {
	r.row = d
	return !r.seen[d]
}

// mark takes the mark of the row in hand.
func (r *readerRound) mark(mark string) error {
	r.rows = append(r.rows, readerRow{mark, r.row})
	if r.catching && len(r.rows) >= 2*maxAgain {
		r.rows = append(r.rows[:0], r.rows[maxAgain:]...)
		r.cut = true
	}
	return nil
}

// end says that all that a round has read was published, and reports whether what came
// late may have been missed since the table was too large to read it again.
func (r *reader) end(round *readerRound, began time.Time) (cut bool) {
	rows := round.rows
	if round.cut && len(rows) > maxAgain {
		rows = rows[len(rows)-maxAgain:]
	}
	r.seen = make(map[digest]bool, len(rows))
	for i := range rows {
		r.seen[rows[i].digest] = true
	}
	if round.cut {
		r.since = rows[0].mark // its own row is not read again
	}
	if n := len(rows); n > 0 && (len(r.history) == 0 || r.history[len(r.history)-1].mark != rows[n-1].mark) {
		r.history = append(r.history, passed{began, rows[n-1].mark})
	}
	for len(r.history) > 0 && began.Sub(r.history[0].at) >= r.overlap {
		r.since = r.history[0].mark
		r.history = r.history[1:]
	}
	return round.cut
}
