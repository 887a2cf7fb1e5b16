package source

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"lancre/build/input"
	"lancre/build/rule"
)

// A Database is a query that gives responses and their marks, in the order of marks.
//
// Transactions commit in another order than that of the marks that they write, and
// replicas lag: a row can appear behind others that were read long ago. So a round reads
// again what had been read, not since the last mark, but since the one that was the last
// a while ago: Overlap is how late a row may come. Everything is read once in a while,
// Sweep. What was read before drops out, here what the last round had, and else by the
// publisher's look-up, so that reading again is harmless. The mark that is committed is
// the one from which the next round reads.
type Database struct {
	Common
	URL     string   `toml:"url"`      // sqlite:FILE, postgres://… or mysql://…
	URLFile string   `toml:"url_file"` // the file that has it in its first line: it may have a password
	Query   string   `toml:"query"`    // of two columns, the response and its mark, with :since
	Start   string   `toml:"start"`    // before the mark of any row. Default: 0
	Overlap Duration `toml:"overlap"`  // how late a row may come. Default: 15 minutes
	Sweep   Duration `toml:"sweep"`    // how often everything is read. Default: a day

	table  *input.Table
	reader reader
	sweep  *sweep
}

const (
	defaultOverlap = 15 * time.Minute
	defaultSweep   = 24 * time.Hour

	// queryLimit is how long a round may take: a server that is gone without a word is
	// noticed then.
	queryLimit = 10 * time.Minute
)

// Prepare checks what the configuration says of it, whose paths are relative to base.
func (d *Database) Prepare(base string) error {
	if (d.URL == "") == (d.URLFile == "") {
		return errors.New("want one of url and url_file: which database is read")
	}
	if d.Overlap < 0 || d.Sweep < 0 {
		return fmt.Errorf("overlap = %s, sweep = %s: neither can be negative", d.Overlap, d.Sweep)
	}
	if d.Query == "" {
		return errors.New("no query, as SELECT response, updated FROM ocsp WHERE updated > :since ORDER BY updated")
	}
	address := d.URL
	if d.URLFile != "" {
		text, err := os.ReadFile(within(base, d.URLFile))
		if err != nil {
			return fmt.Errorf("url_file: %w", err)
		}
		line, _, _ := strings.Cut(string(text), "\n")
		address = strings.TrimSpace(line)
	}
	address = addressIn(base, address)
	var err error
	if d.table, err = input.NewTable(address, d.Query); err != nil {
		return err
	}
	all, err := input.NewTable(address, d.Query) // a connection of its own
	if err != nil {
		return err
	}
	if d.Start == "" {
		d.Start = "0"
	}
	d.reader = reader{start: d.Start, overlap: time.Duration(d.Overlap.Or(defaultOverlap))}
	d.sweep = &sweep{of: d, table: all, every: d.Sweep.Or(defaultSweep)}
	return d.Common.check()
}

// Settings implements Source.
func (d *Database) Settings() Settings {
	s := d.Common.settings("database", time.Second)
	sum := sha256.Sum256([]byte(d.table.String() + "\x00" + d.Query + "\x00" + d.Start))
	s.Mark = fmt.Sprintf("%s.%x", d.Name, sum[:4]) // of another query it would mean something else
	return s
}

// String says what is read.
func (d *Database) String() string { return "rows of " + d.table.String() }

// Sweeper is the source that reads everything once in a while, beside the rounds of d.
func (d *Database) Sweeper() Source { return d.sweep }

// Rewind implements Source.
func (d *Database) Rewind(to Position) error {
	swept, since, err := parseMark(to.Mark)
	if err != nil {
		return err
	}
	d.reader.rewind(since)
	d.sweep.rewind(swept)
	return nil
}

// Close implements Source.
func (d *Database) Close() { d.table.Close() }

// Read implements Source.
func (d *Database) Read(ctx context.Context, to Publisher) error {
	ctx, cancel := context.WithTimeout(ctx, queryLimit)
	defer cancel()
	began := time.Now()
	round := d.reader.begin()
	sink := &publishing{ctx: ctx, to: to, batch: new(input.Batch)}
	err := d.table.Read(ctx, round.since, &fresh{sink, round}, round.mark)
	if err == nil {
		err = sink.flush()
	}
	if err != nil {
		return err
	}
	if cut := d.reader.end(round, began); round.since == d.Start && !cut {
		d.sweep.done(began) // it was everything
	} else if cut {
		d.sweep.dueBy(began.Add(time.Duration(d.Overlap.Or(defaultOverlap))))
	}
	to.Mark(formatMark(d.sweep.last(), d.reader.since))
	return nil
}

// A mark in a manifest says when everything was read last, in Unix seconds, 0 for never,
// and the mark of the database from which to read, as in a URL; nothing for the start.
func formatMark(swept time.Time, since string) string {
	unix := int64(0)
	if !swept.IsZero() {
		unix = swept.Unix()
	}
	return strconv.FormatInt(unix, 10) + "," + url.QueryEscape(since)
}

func parseMark(text string) (swept time.Time, since string, err error) {
	if text == "" {
		return swept, "", nil
	}
	number, escaped, ok := strings.Cut(text, ",")
	unix, err := strconv.ParseInt(number, 10, 64)
	if ok && err == nil {
		since, err = url.QueryUnescape(escaped)
	}
	if !ok || err != nil {
		return swept, "", fmt.Errorf("mark %q in the manifest: want UNIXTIME,MARK", text)
	}
	if unix > 0 {
		swept = time.Unix(unix, 0)
	}
	return swept, since, nil
}

// fresh is a sink that leaves out what the last round had.
type fresh struct {
	*publishing
	round *readerRound
}

// Response implements input.Sink.
func (f *fresh) Response(at rule.Place, der []byte) error {
	if !f.round.isNew(sha256.Sum256(der)) {
		return nil
	}
	return f.publishing.Response(at, der)
}

// Reject implements input.Sink. A row that is no response is told apart by what is wrong
// with it.
func (f *fresh) Reject(at rule.Place, why *rule.Finding) error {
	if !f.round.isNew(sha256.Sum256([]byte(why.Reason))) {
		return nil
	}
	return f.publishing.Reject(at, why)
}

// A sweep reads the whole table.
type sweep struct {
	of    *Database
	table *input.Table
	every time.Duration

	mu    sync.Mutex // the rounds of the database change these
	swept time.Time  // when everything was read last; zero for never
	due   time.Time
}

// dueCheck is how often it is looked at whether a sweep is due.
const dueCheck = time.Minute

// Settings implements Source.
func (s *sweep) Settings() Settings {
	return Settings{Name: s.of.Name + "-sweep", Kind: "database", Every: dueCheck, Silence: 2 * s.every}
}

// String says what is read.
func (s *sweep) String() string {
	return fmt.Sprintf("all rows of %s, every %s", s.table, s.every)
}

// Rewind implements Source: the database has done so.
func (s *sweep) Rewind(Position) error { return nil }

// Close implements Source.
func (s *sweep) Close() { s.table.Close() }

// Read implements Source.
func (s *sweep) Read(ctx context.Context, to Publisher) error {
	began := time.Now()
	if s.mu.Lock(); began.Before(s.due) {
		s.mu.Unlock()
		return nil
	}
	s.mu.Unlock()
	sink := &publishing{ctx: ctx, to: to, batch: new(input.Batch)}
	err := s.table.Read(ctx, s.of.Start, sink, func(string) error { return nil })
	if err == nil {
		err = sink.flush()
	}
	if err == nil {
		s.done(began)
	}
	return err
}

func (s *sweep) rewind(swept time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.swept, s.due = swept, swept.Add(s.every)
	// The first round ever reads everything; and a clock that was ahead puts nothing off.
	if now := time.Now(); swept.IsZero() || swept.After(now) {
		s.due = now.Add(s.every)
	}
}

func (s *sweep) done(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.swept, s.due = at, at.Add(s.every)
}

func (s *sweep) dueBy(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.Before(s.due) {
		s.due = at
	}
}

func (s *sweep) last() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.swept
}
