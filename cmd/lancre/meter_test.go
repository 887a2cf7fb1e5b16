package main

import (
	"strings"
	"testing"
	"time"
)

// clock is a clock that a test moves on.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func newTestMeter(terminal bool) (*meter, *clock, *strings.Builder) {
	var out strings.Builder
	m := newMeter(&out, "packed", "responses")
	if m.terminal {
		panic("a strings.Builder is no terminal")
	}
	c := &clock{m.start}
	m.terminal, m.now = terminal, c.now
	return m, c, &out
}

func TestMeterWritesALineEveryFewSecondsToALog(t *testing.T) {
	m, c, out := newTestMeter(false)
	for range 12 {
		c.Time = c.Add(time.Second)
		done := int64(c.Sub(m.start) / time.Second)
		m.show(done, 100, uint64(1000*done))
	}
	m.clear()
	want := "  5 %, packed 5000 responses, 1000/s, 1m35s left\n" +
		" 10 %, packed 10000 responses, 1000/s, 1m30s left\n"
	if out.String() != want {
		t.Errorf("wrote\n%q, want\n%q", out, want)
	}
}

func TestMeterRewritesOneLineOnATerminal(t *testing.T) {
	m, c, out := newTestMeter(true)
	m.show(0, 4, 0) // too soon after the start
	c.Time = c.Add(2 * time.Second)
	m.show(1, 4, 2000)
	c.Time = c.Add(terminalInterval - 1)
	m.show(2, 4, 3000) // too soon after the last
	c.Time = c.Add(2*time.Second - terminalInterval + 1)
	m.show(3, 4, 4)
	m.clear()
	first := "[#######.......................]  25 %, packed 2000 responses, 1000/s, 6s left"
	second := "[######################........]  75 %, packed 4 responses, 1/s, 1s left"
	want := "\r" + first +
		"\r" + second + strings.Repeat(" ", len(first)-len(second)) +
		"\r" + strings.Repeat(" ", len(second)) + "\r"
	if out.String() != want {
		t.Errorf("wrote\n%q, want\n%q", out, want)
	}
}

func TestMeterWithoutATotal(t *testing.T) {
	m, c, out := newTestMeter(true)
	c.Time = c.Add(time.Second)
	m.show(700, 0, 7)
	if want := "\rpacked 7 responses, 7/s"; out.String() != want {
		t.Errorf("wrote %q, want %q", out, want)
	}
}

// A file that grows while it is read has more octets than it was said to have.
func TestMeterBeyondTheTotal(t *testing.T) {
	m, c, out := newTestMeter(true)
	c.Time = c.Add(time.Second)
	m.show(700, 350, 7)
	if want := "\r[##############################] 100 %, packed 7 responses, 7/s, 0s left"; out.String() != want {
		t.Errorf("wrote %q, want %q", out, want)
	}
}

func TestMeterThatShowedNothingClearsNothing(t *testing.T) {
	m, _, out := newTestMeter(true)
	m.clear()
	if out.Len() > 0 {
		t.Errorf("wrote %q", out)
	}
}
