package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// A meter tells a person how far long work has come: on a terminal by one line
// that changes, elsewhere (a log) by a line every few seconds.
type meter struct {
	w        io.Writer
	verb     string // what is being done, such as "signed"
	unit     string // to what, such as "responses"
	terminal bool
	now      func() time.Time
	start    time.Time
	shown    time.Time // when the last line was written
	width    int       // of the line on the terminal
}

// How often a line is written: a change that an eye can follow, and what does not
// fill a log.
const (
	terminalInterval = 100 * time.Millisecond
	logInterval      = 5 * time.Second
)

// newMeter returns a meter that writes to w and begins now.
func newMeter(w io.Writer, verb, unit string) *meter {
	file, ok := w.(*os.File)
	m := &meter{w: w, verb: verb, unit: unit, terminal: ok && term.IsTerminal(int(file.Fd())), now: time.Now}
	m.start = m.now()
	m.shown = m.start
	return m
}

// show reports that done of total (0 if not known, in any unit) is done, with so
// many of its unit. It is cheap to call often: it writes only if it is time.
func (m *meter) show(done, total int64, count uint64) {
	now := m.now()
	if m.terminal && now.Sub(m.shown) >= terminalInterval {
		line := bar(done, total) + m.status(done, total, count, now.Sub(m.start))
		fmt.Fprintf(m.w, "\r%-*s", m.width, line) // padded over what was there
		m.width, m.shown = len(line), now
	} else if !m.terminal && now.Sub(m.shown) >= logInterval {
		fmt.Fprintln(m.w, m.status(done, total, count, now.Sub(m.start)))
		m.shown = now
	}
}

// clear takes the line off the terminal.
func (m *meter) clear() {
	if m.width > 0 {
		fmt.Fprintf(m.w, "\r%-*s\r", m.width, "")
		m.width = 0
	}
}

// bar is a picture of done/total; empty if total is not known.
func bar(done, total int64) string {
	if total <= 0 {
		return ""
	}
	const width = 30
	n := int(width * min(float64(done)/float64(total), 1))
	return "[" + strings.Repeat("#", n) + strings.Repeat(".", width-n) + "] "
}

// status says it in numbers.
func (m *meter) status(done, total int64, count uint64, elapsed time.Duration) string {
	s := fmt.Sprintf("%s %d %s, %.0f/s", m.verb, count, m.unit, float64(count)/elapsed.Seconds())
	if total <= 0 || done <= 0 {
		return s
	}
	part := min(float64(done)/float64(total), 1)
	left := time.Duration(float64(elapsed) * (1/part - 1)).Round(time.Second)
	return fmt.Sprintf("%3.0f %%, %s, %s left", 100*part, s, left)
}
