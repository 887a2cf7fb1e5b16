// Package sigbus turns the fault of a memory mapping into an error. A page of a
// mapped file cannot be read where the file was cut off while it was mapped, or
// where the disk fails; the kernel then sends SIGBUS, which ends the process
// unless the goroutine has called debug.SetPanicOnFault.
package sigbus

import (
	"runtime"
	"runtime/debug"
)

// A Fault is what the runtime panics with under debug.SetPanicOnFault.
type Fault interface {
	runtime.Error
	Addr() uintptr
}

// An unreadable page is a Fault as an error: what the runtime says of it, "invalid
// memory address or nil pointer dereference", would mislead.
type unreadable struct{ fault Fault }

func (u unreadable) Error() string {
	return "a page of a mapped file cannot be read: the file was cut off while open, or the disk fails"
}

func (u unreadable) Unwrap() error { return u.fault }

// Guard calls f, on the caller's goroutine, and returns its error, or one that
// wraps the Fault of mapped memory that f could not read. Other panics pass.
func Guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		r := recover()
		if fault, ok := r.(Fault); ok {
			err = unreadable{fault}
		} else if r != nil {
			panic(r)
		}
	}()
	return f()
}
