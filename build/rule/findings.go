package rule

import (
	"encoding/hex"
	"fmt"
)

// Findings are the rules that one input breaks: each once, as it does so first. The
// zero value keeps them whatever their severity, for somebody else to heed.
type Findings struct {
	ledger   *Ledger // nil in the zero value
	place    Place
	serial   []byte
	list     []Finding
	rejected bool
}

// Begin forgets what was found, and goes on to the input at a place, which is to be
// entered into l. It keeps the memory: where nothing is found, none is taken.
func (f *Findings) Begin(l *Ledger, at Place) { *f = Findings{ledger: l, place: at, list: f.list[:0]} }

// About says which certificate the input is about, by its serial number in content
// octets. It aliases serial.
func (f *Findings) About(serial []byte) { f.serial = serial }

// Found notes that the input breaks a rule. It calls reason unless somebody has
// been warned of that rule already.
func (f *Findings) Found(c Check, reason func() string) {
	f.FoundAt(c, f.place.Offset, f.serial, reason)
}

// FoundAt notes that what lies at an offset in the input breaks a rule, and is about
// the certificate with that serial number.
func (f *Findings) FoundAt(c Check, offset int64, serial []byte, reason func() string) {
	severity := Rejects
	if f.ledger != nil {
		severity = f.ledger.severity[c]
	}
	if severity == Ignores {
		return
	}
	if x := f.of(c); x != nil {
		x.Count++
		return
	}
	x := Finding{Check: c, Place: f.place, Count: 1}
	x.Place.Offset = offset
	if severity == Rejects || f.ledger.warnings[c].Count == 0 {
		x.Serial, x.Reason = hex.EncodeToString(serial[:min(len(serial), maxSerial)]), spelled(reason())
	}
	f.list = append(f.list, x)
	f.rejected = f.rejected || severity == Rejects
}

// of is what was found of c, nil if nothing was.
func (f *Findings) of(c Check) *Finding {
	for i := range f.list {
		if f.list[i].Check == c {
			return &f.list[i]
		}
	}
	return nil
}

// Has reports whether the input was found to break c, by a check that is not off.
func (f *Findings) Has(c Check) bool { return f.of(c) != nil }

// Rejected reports whether something was found that rejects the input.
func (f *Findings) Rejected() bool { return f.rejected }

// Rejection is the first finding that rejects the input, which there is, with the others
// that do.
func (f *Findings) Rejection() Finding {
	var all []Finding
	for _, x := range f.list {
		if f.ledger.severity[x.Check] == Rejects {
			all = append(all, x)
		}
	}
	all[0].Also = all[1:]
	return all[0]
}

// All are the findings in their order.
func (f *Findings) All() []Finding { return f.list }

// text is the reason and, where the input breaks the rule several times, how often.
func (x *Finding) text() string {
	if x.Count > 1 {
		return fmt.Sprintf("%s (the first of %d)", x.Reason, x.Count)
	}
	return x.Reason
}
