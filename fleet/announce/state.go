package announce

import "time"

// A State is how much traffic an edge should get.
type State int

// The states of an edge, the worst first.
const (
	Dead  State = iota // none: it cannot answer
	Stale              // what no other edge takes: what it serves is old
	Ready              // its share
)

// states are all of them.
var states = [...]State{Dead, Stale, Ready}

// String is the state's name, as metrics and logs have it.
func (s State) String() string { return [...]string{"dead", "stale", "ready"}[s] }

// A Damping says how often something must be seen before it is believed.
type Damping struct {
	Rise int           // times in a row that an edge is seen to be better
	Fall int           // times in a row that it is seen to be worse
	Hold time.Duration // between two changes from ready to stale or back
}

// DefaultDamping takes a route back within two seconds of a death, and gives one after
// three. A fleet whose origin comes and goes changes its routes once a minute at most.
var DefaultDamping = Damping{Rise: 3, Fall: 2, Hold: time.Minute}

// A damper tells from what was seen what to believe. An edge is dead at first.
type damper struct {
	Damping
	state   State
	seen    State     // last
	times   int       // so often in a row
	changed time.Time // when state last changed from ready to stale or back
}

// see notes what was seen at a time, and returns what to believe.
func (d *damper) see(seen State, now time.Time) State {
	if seen != d.seen {
		d.seen, d.times = seen, 0
	}
	d.times++
	switch {
	case seen == d.state,
		seen > d.state && d.times < d.Rise,
		seen < d.state && d.times < d.Fall:
		return d.state
	case seen != Dead && d.state != Dead: // between ready and stale, where nobody is hurt by waiting
		if !d.changed.IsZero() && now.Sub(d.changed) < d.Hold {
			return d.state
		}
		d.changed = now
	}
	d.state = seen
	return seen
}
