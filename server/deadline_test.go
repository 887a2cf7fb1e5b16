package server

import (
	"math"
	"net"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// A deadline is set where it is wanted earlier or much later.
func TestDeadlineIsSetWhenNeeded(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name    string
		set, at time.Time
		want    bool
	}{
		{"the first", time.Time{}, now, true},
		{"the same", now, now, false},
		{"a little later", now, now.Add(deadlineSlack), false},
		{"later", now, now.Add(deadlineSlack + 1), true},
		{"earlier", now, now.Add(-1), true},
	} {
		d := deadline{c.set}
		var got []time.Time
		for range 2 { // the second time it is set already
			if err := d.apply(c.at, func(at time.Time) error { got = append(got, at); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		if applied := len(got) > 0; applied != c.want || len(got) > 1 || applied && !got[0].Equal(c.at) {
			t.Errorf("%s: set to %v, want %v: %t", c.name, got, c.at, c.want)
		}
	}
}

// A clocked is a stream that says for how many minutes it may be waited for.
type clocked struct {
	net.TCPConn
	read, write float64
}

func (s *clocked) Read(p []byte) (int, error)         { return len(p), nil }
func (s *clocked) Write(p []byte) (int, error)        { return len(p), nil }
func (s *clocked) SetReadDeadline(t time.Time) error  { s.read = minutesUntil(t); return nil }
func (s *clocked) SetWriteDeadline(t time.Time) error { s.write = minutesUntil(t); return nil }

func minutesUntil(t time.Time) float64 { return math.Round(time.Until(t).Minutes()) }

// A client has its time for each part of a conversation, however it divides it, and
// what it did before changes nothing.
func TestConversationHasItsTimes(t *testing.T) {
	s := new(clocked)
	c := &conn{stream: s, timeouts: timeouts{read: 1 * time.Minute, write: 2 * time.Minute, idle: 3 * time.Minute}, patience: time.Minute}
	active := func() { noteState(c, fasthttp.StateActive) }
	idle := func() { noteState(c, fasthttp.StateIdle) }
	read := func() { c.Read(make([]byte, 1)) }
	write := func() { c.Write(nil) }
	for i, step := range []struct {
		name        string
		do          []func()
		read, write float64
	}{
		{"the first octet", []func(){read}, 1, 0},
		{"the rest of the header", []func(){active, read}, 1, 0},
		{"the body, as said", []func(){func() { c.SetReadDeadline(time.Now().Add(5 * time.Minute)) }, read}, 5, 0},
		{"octet by octet", []func(){func() { c.readBy = c.readBy.Add(-time.Minute) }, read}, 4, 0},
		{"the answer", []func(){write}, 4, 2},
		{"idle", []func(){idle, read}, 3, 2},
		{"the next request", []func(){active, read}, 1, 2},
		{"half a request that came with the one before", []func(){idle, active, read}, 1, 2},
		{"a download", []func(){func() { c.SetWriteDeadline(time.Now().Add(9 * time.Minute)) }, write}, 1, 9},
		{"an answer after it", []func(){func() { c.SetWriteDeadline(time.Time{}) }, write}, 1, 2},
	} {
		for _, do := range step.do {
			do()
		}
		if s.read != step.read || s.write != step.write {
			t.Errorf("step %d, %s: %v minutes to read, %v to write, want %v, %v", i, step.name, s.read, s.write, step.read, step.write)
		}
	}
}
