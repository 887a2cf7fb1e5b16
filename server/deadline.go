package server

import "time"

// deadlineSlack is how much earlier than it was asked for a deadline may come.
// Timeouts are ten seconds and more.
const deadlineSlack = time.Second

// A deadline is the one for reading or the one for writing of a connection.
// fasthttp sets four for each request, most of which nothing ever waits for, and
// setting one takes the runtime as long as it takes to read the request. So it is
// noted, and set before the next Read or Write unless the one that is set will do.
type deadline struct{ noted, set time.Time }

// apply has set called with the deadline if that is needed.
func (d *deadline) apply(set func(time.Time) error) error {
	if d.noted.Equal(d.set) {
		return nil
	}
	if later := d.noted.Sub(d.set); later >= 0 && later <= deadlineSlack {
		return nil
	}
	d.set = d.noted
	return set(d.noted)
}

// SetReadDeadline bounds the next Reads. Like them it is for one goroutine.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.reading.noted = t
	return nil
}

// SetWriteDeadline bounds the next Writes. Like them it is for one goroutine.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.writing.noted = t
	return nil
}

// SetDeadline is both.
func (c *conn) SetDeadline(t time.Time) error {
	c.reading.noted, c.writing.noted = t, t
	return nil
}
