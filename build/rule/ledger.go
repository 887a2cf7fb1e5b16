package rule

import "fmt"

// A Ledger collects what is found in a build, or in a part of one that a goroutine
// has to itself: the inputs that are rejected and, by check, those that are warned of.
// Not safe for concurrent use: workers have one each, and are merged.
type Ledger struct {
	severity   Severities
	rejections []Rejection
	octets     int       // of the members and reasons in rejections
	warnings   []Finding // by check, the first of each; Count is of inputs
}

// maxOctets is how many octets of members and reasons a ledger keeps: those of a million
// rejections as they are, or of 10,000 of the longest. It bounds the memory of a build and
// the size of its report, however many rejections are allowed.
const maxOctets = 64 << 20

// unsaid is the reason of a rejection that comes after so many.
const unsaid = "the reason is not kept, for those before it have 64 MiB"

// NewLedger returns an empty ledger of a build in which checks have these severities.
func NewLedger(s Severities) *Ledger {
	return &Ledger{severity: s, rejections: []Rejection{}, warnings: make([]Finding, len(table))}
}

// Part returns an empty ledger of the same build.
func (l *Ledger) Part() *Ledger { return NewLedger(l.severity) }

// Reset forgets everything but the severities.
func (l *Ledger) Reset() {
	l.rejections, l.octets = l.rejections[:0], 0
	clear(l.warnings)
}

// Rejects reports whether what breaks c is not published.
func (l *Ledger) Rejects(c Check) bool { return l.severity[c] == Rejects }

// Found enters that something at a place breaks a rule, and reports whether that
// rejects it. The serial number is in hex, empty if it is about no certificate.
func (l *Ledger) Found(c Check, at Place, serial string, reason func() string) (rejected bool) {
	switch l.severity[c] {
	case Rejects:
		l.Reject(&Finding{Check: c, Place: at, Serial: serial, Reason: spelled(reason())})
		return true
	case Warns:
		l.Warn(c, at, serial, reason)
	}
	return false
}

// Reject enters what rejects an input, whatever the severity of the check.
func (l *Ledger) Reject(f *Finding) {
	r := Rejection{Place: f.Place, Serial: f.Serial, Fault: f.fault()}
	l.octets += len(r.Place.Member) + len(r.Serial) + len(r.Reason)
	for i := range f.Also {
		r.Also = append(r.Also, f.Also[i].fault())
		l.octets += len(f.Also[i].Reason)
	}
	if l.octets > maxOctets {
		r.Place.Member, r.Serial, r.Reason, r.Also = "", "", unsaid, nil
	}
	l.rejections = append(l.rejections, r)
}

// Warn enters a warning, whatever the severity of the check.
func (l *Ledger) Warn(c Check, at Place, serial string, reason func() string) {
	if w := &l.warnings[c]; w.Count == 0 {
		*w = Finding{Check: c, Place: at, Serial: serial, Reason: spelled(reason()), Count: 1}
	} else {
		w.Count++
	}
}

// Enter enters all that was found in one input, and reports whether that rejects it.
func (l *Ledger) Enter(f *Findings) (rejected bool) {
	for i := range f.list {
		x := &f.list[i]
		if l.Found(x.Check, x.Place, x.Serial, x.text) {
			rejected = true
		}
	}
	return rejected
}

// Merge enters the warnings in other, which are of later inputs.
func (l *Ledger) Merge(other *Ledger) {
	for c := range other.warnings {
		w, o := &l.warnings[c], &other.warnings[c]
		if w.Count == 0 {
			*w = *o
		} else {
			w.Count += o.Count
		}
	}
}

// Rejections are the rejected inputs, in the order in which they were entered; never nil.
func (l *Ledger) Rejections() []Rejection { return l.rejections }

// Warnings are the checks that inputs were warned of, in the order of the table;
// never nil.
func (l *Ledger) Warnings() []Warning {
	list := []Warning{}
	for c := range l.warnings {
		if w := &l.warnings[c]; w.Count > 0 {
			list = append(list, Warning{
				Check: w.Check.String(), Clause: table[c].clause, Count: w.Count,
				Place: w.Place, Serial: w.Serial, Reason: w.Reason,
			})
		}
	}
	return list
}

// A Rejection is one input that was not published.
type Rejection struct {
	Place  Place  `json:"place"`
	Serial string `json:"serial,omitempty"` // hex, of the first SingleResponse; empty if it could not be read
	Fault
	Also []Fault `json:"also,omitempty"` // what else rejects it
}

// A Fault is why an input is not published.
type Fault struct {
	Check  string `json:"check"`  // stable id of the check that failed, such as "ocsp.signature"
	Clause string `json:"clause"` // where that check comes from, such as "RFC 6960 section 3.2"
	Reason string `json:"reason"`
	Option string `json:"option,omitempty"` // that publishes it all the same, such as "--warn crl.idp-url"; empty if none does
}

func (f *Finding) fault() Fault {
	return Fault{f.Check.String(), table[f.Check].clause, f.Reason, f.Check.Option()}
}

// Where is the place of the input and, if it is about a certificate, its serial number.
func (r Rejection) Where() string {
	if r.Serial == "" {
		return r.Place.String()
	}
	return r.Place.String() + " serial " + r.Serial
}

func (r Rejection) String() string {
	text := r.Where() + ": " + r.Fault.String()
	for _, f := range r.Also {
		text += "; also " + f.String()
	}
	return text
}

func (f Fault) String() string {
	text := fmt.Sprintf("%s [%s]", f.Reason, f.Check)
	if f.Option != "" {
		text += fmt.Sprintf(" (to publish it all the same: %s)", f.Option)
	}
	return text
}

// A Warning stands for all inputs that a check complained of without rejecting them.
type Warning struct {
	Check  string `json:"check"`
	Clause string `json:"clause"`
	Count  uint64 `json:"count"`
	Place  Place  `json:"place"` // of the first
	Serial string `json:"serial,omitempty"`
	Reason string `json:"reason"` // for the first
}
