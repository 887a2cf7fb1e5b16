package source

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var longAgo = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// A tableRow has a mark of when it was written, and shows when it is committed.
type tableRow struct {
	mark    int
	visible time.Time
}

// TestReaderMissesNothing reads a table whose rows are committed up to an overlap late,
// in any order: each is published in the first round that sees it, and in one alone.
// With restarts from the mark that was committed, nothing is missed either.
func TestReaderMissesNothing(t *testing.T) {
	const overlap = 100 * time.Second
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 14))
		restarts := seed%2 == 1
		r := reader{start: mark(0), overlap: overlap}
		var table []tableRow
		published := make(map[int]int)
		now := longAgo
		for range 300 {
			for range rnd.IntN(4) {
				late := time.Duration(rnd.Int64N(int64(overlap)))
				if rnd.IntN(2) == 0 {
					late = 0
				}
				table = append(table, tableRow{len(table) + 1, now.Add(late)})
			}
			now = now.Add(time.Duration(rnd.IntN(20)) * time.Second)
			for _, n := range playRound(&r, table, now) {
				published[n]++
			}
			for _, row := range table {
				if !row.visible.After(now) && published[row.mark] == 0 {
					t.Fatalf("seed %d: row %d showed at %s and was not published at %s", seed, row.mark, row.visible, now)
				}
			}
			if restarts && rnd.IntN(10) == 0 {
				r.rewind(r.since)
			}
		}
		for n, times := range published {
			if times > 1 && !restarts {
				t.Errorf("seed %d: row %d was published %d times", seed, n, times)
			}
		}
	}
}

func mark(n int) string { return fmt.Sprintf("%06d", n) }

// playRound reads one round of a table as it is at the time now, and returns which rows
// were new in it.
func playRound(r *reader, table []tableRow, now time.Time) (fresh []int) {
	round := r.begin()
	for _, row := range table {
		if row.visible.After(now) || mark(row.mark) <= round.since {
			continue
		}
		if round.isNew(sha256.Sum256([]byte(mark(row.mark)))) {
			fresh = append(fresh, row.mark)
		}
		_ = round.mark(mark(row.mark)) // it never fails
	}
	r.end(round, now)
	return fresh
}

// A round that catches up with a large table is not read again whole, and says so.
func TestReaderCatchesUp(t *testing.T) {
	r := reader{start: mark(0), overlap: time.Hour}
	var table []tableRow
	for n := range 5 * maxAgain {
		table = append(table, tableRow{n + 1, longAgo})
	}
	round := r.begin()
	for _, row := range table {
		round.isNew(sha256.Sum256([]byte(mark(row.mark))))
		_ = round.mark(mark(row.mark))
	}
	if !r.end(round, longAgo) {
		t.Error("nothing was cut")
	}
	again := r.begin()
	if want := mark(4*maxAgain + 1); again.since != want {
		t.Errorf("the next round reads from %s, want %s", again.since, want)
	}
	if fresh := playRound(&r, append(table, tableRow{len(table) + 1, longAgo}), longAgo.Add(time.Second)); len(fresh) != 1 {
		t.Errorf("%d rows are new, want the one that is", len(fresh))
	}
}

func TestMarks(t *testing.T) {
	for _, tt := range []struct {
		swept time.Time
		since string
		want  string
	}{
		{time.Time{}, "", "0,"},
		{time.Unix(1795860724, 0), "", "1795860724,"},
		{time.Unix(5, 0), "2026-11-28 10:00:00.5+00", "5,2026-11-28+10%3A00%3A00.5%2B00"},
		{time.Time{}, "ä,\n", "0,%C3%A4%2C%0A"},
	} {
		text := formatMark(tt.swept, tt.since)
		if text != tt.want {
			t.Errorf("mark %q, want %q", text, tt.want)
		}
		swept, since, err := parseMark(text)
		if err != nil || !swept.Equal(tt.swept) || since != tt.since {
			t.Errorf("%q is read as %v, %q, %v", text, swept, since, err)
		}
	}
	for _, text := range []string{"5", "x,", "5,%zz", ",5"} {
		if _, _, err := parseMark(text); err == nil {
			t.Errorf("no error for the mark %q", text)
		}
	}
}
