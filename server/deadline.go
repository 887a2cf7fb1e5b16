package server

import "time"

// timeouts are how long a client may take.
type timeouts struct {
	read  time.Duration // for the first octet on a connection; for the rest of a request after its first octets
	write time.Duration // for an answer that fits the socket's buffer
	idle  time.Duration // until the next request begins
}

// usualTimeouts are those of every server. Idle connections live longer than the 60 s
// after which common load balancers drop one: lancred is not to close a connection just
// when the balancer asks on it.
var usualTimeouts = timeouts{read: 10 * time.Second, write: 10 * time.Second, idle: 75 * time.Second}

// deadlineSlack is how much earlier than it was asked for a deadline may come.
// Timeouts are ten seconds and more.
const deadlineSlack = time.Second

// A deadline is the one for reading or the one for writing of a connection, as it is
// set. Setting one takes the runtime as long as it takes to read a request, and it
// hardly ever matters: the one that is set for one request will do for the next.
type deadline struct{ set time.Time }

// apply has set called with at, unless the deadline that is set will do.
func (d *deadline) apply(at time.Time, set func(time.Time) error) error {
	if later := at.Sub(d.set); later >= 0 && later <= deadlineSlack {
		return nil
	}
	d.set = at
	return set(at)
}

// epoch is what after counts from.
var epoch = time.Now()

// after is the time after d. It reads the monotonic clock alone, which takes half as
// long as time.Now, and the time of day may be set meanwhile.
func after(d time.Duration) time.Time { return epoch.Add(time.Since(epoch) + d) }

// SetReadDeadline bounds the next Reads until another request begins or has been
// answered. Like them it is for one goroutine.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.readBy = t
	return nil
}

// SetWriteDeadline bounds the next Writes; the zero time gives each the usual time
// again. Like them it is for one goroutine.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.writeBy = t
	return nil
}

// SetDeadline is both.
func (c *conn) SetDeadline(t time.Time) error {
	c.readBy, c.writeBy = t, t
	return nil
}
