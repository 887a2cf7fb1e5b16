package server

import (
	"crypto"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/crypto/ocsp"
	"golang.org/x/sys/unix"

	"lancre/internal/sigbus"
	"lancre/internal/storetest"
)

// A swap reads what is new and nothing else, but for look-ups of what is new in the
// base that both generations share. That is unreadable here until a reload is refused
// for a page of it, which then is counted and made readable; what system calls read
// is counted, too. The file of the base and that of a CRL that stays are gone.
func TestSwapCostsWhatIsNew(t *testing.T) {
	const mebibyte = 1 << 20
	base := content{segments: [][]entry{nil}, files: []storetest.File{crlFile("/1.crl", "stays"), crlFile("/2.crl", "before")}}
	for i := range 6 * mebibyte / len(good("05")[0].DER) {
		base.segments[0] = append(base.segments[0], good(fmt.Sprintf("%04x", i+1))...)
	}
	e := newEdge(t, base)
	m := e.current.Load().store.Manifest()

	after := base
	after.segments = append([][]entry{{{DER: respond("0005", crypto.SHA1, ocsp.Revoked, start.Add(time.Minute))}}}, base.segments...)
	after.files = []storetest.File{base.files[0], crlFile("/2.crl", "after")}
	publish(t, e.dir, after)
	for _, object := range []string{m.Segments[0].SHA256, m.Files[0].SHA256} {
		if err := os.Remove(filepath.Join(e.dir, "objects", object)); err != nil {
			t.Fatal(err)
		}
	}
	mapping := mappingOf(t, m.Segments[0].SHA256)
	if err := unix.Mprotect(mapping, unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	var read, touched int64
	for {
		before := octetsRead(t)
		result, err := e.Reload()
		read = octetsRead(t) - before
		if err == nil && result == Swapped {
			break
		}
		touched += allowFault(t, mapping, err)
	}
	if err := unix.Mprotect(mapping, unix.PROT_READ); err != nil {
		t.Fatal(err)
	}
	if m.Segments[0].Size < 2*mebibyte {
		t.Fatalf("the base has %d octets: too few to tell whether it was read", m.Segments[0].Size)
	}
	if read+touched > mebibyte {
		t.Errorf("%d octets were read and %d of the base touched, of %d", read, touched, m.Segments[0].Size)
	}
	e.serve(t)
	e.post(t, ask("0005", crypto.SHA1)).isServed(t, after.segments[0][0].DER)
	e.post(t, ask("0006", crypto.SHA1)).isServed(t, base.segments[0][5].DER)
}

func crlFile(path, body string) storetest.File {
	f := storetest.File{Body: body}
	f.Host, f.Path, f.ContentType, f.LastModified, f.Expires = "c.example", path, "application/pkix-crl", start, start.Add(life)
	return f
}

// mappingOf is the memory that the object is mapped to.
func mappingOf(t *testing.T, object string) []byte {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(maps)) {
		var begin, end uintptr
		if !strings.Contains(line, object) {
			continue
		}
		if _, err := fmt.Sscanf(line, "%x-%x ", &begin, &end); err != nil {
			t.Fatal(err)
		}
		return unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(nil), begin)), end-begin)
	}
	t.Fatalf("%s is not mapped", object)
	return nil
}

// allowFault makes the page of mapping readable that, as err says, was not, and
// returns its size.
func allowFault(t *testing.T, mapping []byte, err error) int64 {
	t.Helper()
	var fault sigbus.Fault
	if !errors.As(err, &fault) {
		t.Fatalf("reload: %v", err)
	}
	page := os.Getpagesize()
	offset := int(fault.Addr()-uintptr(unsafe.Pointer(&mapping[0]))) / page * page
	if offset < 0 || offset >= len(mapping) {
		t.Fatalf("reload: %v, at %#x", err, fault.Addr())
	}
	if err := unix.Mprotect(mapping[offset:offset+page], unix.PROT_READ); err != nil {
		t.Fatal(err)
	}
	return int64(page)
}

// octetsRead is how many octets this process has read by system calls.
func octetsRead(t *testing.T) (n int64) {
	t.Helper()
	stat, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(string(stat), "rchar: %d", &n); err != nil {
		t.Fatal(err)
	}
	return n
}
