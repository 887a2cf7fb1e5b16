package build

import "fmt"

// A fault is a rule that a static file breaks, however often.
type fault struct {
	finding        // how it is broken first
	offset  int64  // where, in the file; -1 if it is the whole file
	serial  string // hex, of the entry; empty if it is not of an entry
	count   uint64
}

// faults are the rules that one file breaks.
type faults struct{ list []fault }

// add notes that the file as a whole breaks a rule.
func (f *faults) add(id check, format string, args ...any) {
	f.addAt(id, -1, nil, format, args...)
}

// addEntry notes that an entry of a CRL breaks a rule.
func (f *faults) addEntry(id check, e *crlEntry, format string, args ...any) {
	f.addAt(id, e.offset, e.serial, format, args...)
}

func (f *faults) addAt(id check, offset int64, serial []byte, format string, args ...any) {
	for i := range f.list {
		if f.list[i].check == id {
			f.list[i].count++
			return
		}
	}
	f.list = append(f.list, fault{finding{id, fmt.Sprintf(format, args...)}, offset, fmt.Sprintf("%x", serial), 1})
}

// foundAll enters what is wrong with the named file, each rule once, and reports
// whether that rejects it.
func (b *builder) foundAll(name string, f *faults) (rejected bool) {
	for _, x := range f.list {
		reason := x.reason
		if x.count > 1 {
			reason += fmt.Sprintf(" (the first of %d)", x.count)
		}
		if b.found(x.check, Place{Source: name, Offset: x.offset}, x.serial, reason) {
			rejected = true
		}
	}
	return rejected
}
