package input

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/internal/recipe"
	"lancre/build/rule"
)

// A collector is the sink that writes down what it is told: places, and checks of
// what was rejected.
type collector struct {
	responses [][]byte
	log       []string
}

func (c *collector) Response(at rule.Place, der []byte) error {
	c.responses = append(c.responses, bytes.Clone(der))
	c.log = append(c.log, at.String())
	return nil
}

func (c *collector) Reject(at rule.Place, why *rule.Finding) error {
	c.log = append(c.log, fmt.Sprintf("%s: %s", at, why.Check))
	return nil
}

// collect scans one source.
func collect(t testing.TB, source string, stdin io.Reader) (*collector, error) {
	t.Helper()
	c := &collector{}
	s := &Scanner{sink: c, Stdin: stdin, MaxUnpacked: DefaultMaxUnpacked}
	defer s.close()
	return c, s.scan(context.Background(), source)
}

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

func zstded(data []byte) []byte { return recipe.Must(zstd.NewWriter(nil)).EncodeAll(data, nil) }

// tarred is an archive of members named m0, m1 …
func tarred(members ...[]byte) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i, m := range members {
		w.WriteHeader(&tar.Header{Name: fmt.Sprintf("m%d", i), Mode: 0o644, Size: int64(len(m)), Typeflag: tar.TypeReg})
		w.Write(m)
	}
	w.Close()
	return b.Bytes()
}

func base64Lines(list ...[]byte) []byte {
	var b bytes.Buffer
	for _, der := range list {
		fmt.Fprintln(&b, base64.StdEncoding.EncodeToString(der))
	}
	return b.Bytes()
}

// Two responses, r0 and r1, reach the sink from every form of source, octet for
// octet, each with its place.
func TestForms(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	list := recipe.Many(t, ca, 2)
	r0, r1 := list[0], list[1]
	pemText := recipe.Join([]byte("first\n"), recipe.PEM(pemType, r0), []byte("\nsecond\n"), recipe.PEM(pemType, r1))
	second := fmt.Sprintf("- offset %d", len(r0))
	tests := []struct {
		name string
		data []byte
		want []string
	}{
		{"DER", recipe.Join(r0, r1), []string{"- offset 0", second}},
		{"base64", base64Lines(r0, r1), []string{"- line 1", "- line 2"}},
		{"base64, CRLF, blank lines, no end of line", []byte("\r\n\n" + strings.ReplaceAll(strings.TrimSpace(string(base64Lines(r0, r1))), "\n", "\r\n\r\n")), []string{"- line 3", "- line 5"}},
		{"base64 on one line", bytes.ReplaceAll(base64Lines(r0, r1), []byte("\n"), []byte(" ")), []string{"- line 1", "- line 1"}},
		{"PEM", pemText, []string{"- line 2", fmt.Sprintf("- line %d", 5+bytes.Count(recipe.PEM(pemType, r0), []byte("\n"))-1)}},
		{"PEM with a byte order mark", recipe.Join(byteOrderMark, recipe.PEM(pemType, r0), recipe.PEM(pemType, r1)), []string{"- line 1", fmt.Sprintf("- line %d", 1+bytes.Count(recipe.PEM(pemType, r0), []byte("\n")))}},
		{"base64 with a byte order mark", recipe.Join(byteOrderMark, base64Lines(r0, r1)), []string{"- line 1", "- line 2"}},
		{"tar", tarred(r0, r1), []string{"-(m0) offset 0", "-(m1) offset 0"}},
		{"tar of DER and base64", tarred(r0, base64Lines(r1)), []string{"-(m0) offset 0", "-(m1) line 1"}},
		{"tar of tar", tarred(tarred(r0), r1), []string{"-(m0/m0) offset 0", "-(m1) offset 0"}},
		{"gzip", gzipped(recipe.Join(r0, r1)), []string{"- offset 0", second}},
		{"two gzip members", recipe.Join(gzipped(r0), gzipped(r1)), []string{"- offset 0", second}},
		{"zstd", zstded(recipe.Join(r0, r1)), []string{"- offset 0", second}},
		{"two zstd frames", recipe.Join(zstded(r0), zstded(r1)), []string{"- offset 0", second}},
		{"tar of gzips", tarred(gzipped(r0), gzipped(r1)), []string{"-(m0) offset 0", "-(m1) offset 0"}},
		{"tar of zstds", tarred(zstded(r0), zstded(r1)), []string{"-(m0) offset 0", "-(m1) offset 0"}},
		{"gzip of tar of zstd", gzipped(tarred(zstded(r0), gzipped(base64Lines(r1)))), []string{"-(m0) offset 0", "-(m1) line 1"}},
	}
	for _, tt := range tests {
		for _, in := range []io.Reader{bytes.NewReader(tt.data), iotest.OneByteReader(bytes.NewReader(tt.data))} {
			c, err := collect(t, stdin, in)
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			if got := strings.Join(c.log, ", "); got != strings.Join(tt.want, ", ") {
				t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
			}
			if len(c.responses) != 2 || !bytes.Equal(c.responses[0], r0) || !bytes.Equal(c.responses[1], r1) {
				t.Errorf("%s: other octets than went in", tt.name)
			}
		}
	}
}

func TestBareBasicResponseIsWrapped(t *testing.T) {
	for _, padding := range []int{1, 1 << 8, 1 << 16} { // each needs longer headers
		basic := recipe.Response{Issuer: recipe.NewCA(t, "CA", recipe.P256()), Padding: padding, Basic: true}.DER(t)
		for name, data := range map[string][]byte{"DER": basic, "base64": base64Lines(basic), "PEM": recipe.PEM(pemType, basic)} {
			c, err := collect(t, stdin, bytes.NewReader(data))
			if err != nil || len(c.responses) != 1 || !bytes.Equal(c.responses[0], recipe.Wrapped(basic)) {
				t.Errorf("%s of %d octets: %v, %v", name, len(basic), c.log, err)
			}
		}
	}
}

// What is not a response is rejected at its place; what follows it is read if
// there is a way to find it.
func TestRejectedSources(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	r0, r1 := recipe.Many(t, ca, 2)[0], recipe.Many(t, ca, 2)[1]
	large := recipe.Response{Issuer: ca, Padding: MaxResponse}.DER(t)
	at1 := fmt.Sprintf("- offset %d", len(r0))
	link := tarWith(&tar.Header{Name: "link", Linkname: "m0", Typeflag: tar.TypeSymlink})
	tests := []struct {
		name string
		data []byte
		want []string
	}{
		{"empty", nil, []string{"-: source.form"}},
		{"white space", []byte(" \n"), []string{"-: source.form"}},
		{"garbage", []byte("\x00\x01\x02"), []string{"-: source.form"}},
		{"words", []byte("hello, world\n"), []string{"-: source.form"}},
		{"DER cut", r0[:len(r0)-1], []string{"-: source.truncated"}},
		{"DER cut in the header", r0[:2], []string{"-: source.form"}},
		{"second DER cut", recipe.Join(r0, r1[:50]), []string{"- offset 0", at1 + ": source.truncated"}},
		{"garbage behind DER", recipe.Join(r0, []byte("\n"), r1), []string{"- offset 0", at1 + ": source.form"}},
		{"indefinite length", []byte{0x30, 0x80, 0x00, 0x00}, []string{"-: source.form"}},
		{"length not minimal", []byte{0x30, 0x81, 0x01, 0x00}, []string{"-: source.form"}},
		{"length of 4 GB", []byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff}, []string{"-: source.truncated"}},
		{"large DER", recipe.Join(large, r0), []string{"-: ocsp.size", fmt.Sprintf("- offset %d", len(large))}},
		{"large base64", base64Lines(large, r0), []string{"- line 1: ocsp.size", "- line 2"}},
		{"large PEM", recipe.Join(recipe.PEM(pemType, large), recipe.PEM(pemType, r0)), []string{"- line 1: ocsp.size", pemLine(large)}},
		{"base64 of something", []byte("AAAA\n" + string(base64Lines(r0))), []string{"- line 1", "- line 2"}}, // the checker rejects it
		{"base64 broken", []byte("MIII*\n" + string(base64Lines(r0))), []string{"-: source.form"}},
		{"base64 broken later", recipe.Join(base64Lines(r0, r0), []byte("M?\n"), base64Lines(r1)), []string{"- line 1", "- line 2", "- line 3: source.form", "- line 4"}},
		{"endless base64", bytes.Repeat([]byte("A"), sourceBuffer+1), []string{"- line 1: source.form"}},
		{"PEM of something", recipe.Join(recipe.PEM("CERTIFICATE", ca.Cert.Raw), recipe.PEM(pemType, r0)), []string{"- line 1: source.form", pemLine(ca.Cert.Raw)}},
		{"PEM cut", recipe.PEM(pemType, r0)[:100], []string{"- line 1: source.truncated"}},
		{"PEM without end", recipe.Join(recipe.PEM(pemType, r0)[:100], []byte("\n"), recipe.PEM(pemType, r1)), []string{"- line 1: source.truncated", "- line 4"}},
		{"PEM broken", []byte("-----BEGIN OCSP RESPONSE-----\n*\n-----END OCSP RESPONSE-----\n"), []string{"- line 1: source.form"}},
		{"endless PEM", append([]byte("-----BEGIN OCSP RESPONSE-----\n"), make([]byte, sourceBuffer+1)...), []string{"- line 2: source.form"}},
		{"gzip cut", gzipped(r0)[:100], []string{"-: source.truncated"}},
		{"gzip cut later", cutShort(gzipped(bytes.Repeat(r1, 3000))), nil},
		{"gzip of another method", []byte{0x1f, 0x8b, 0x07, 0, 0, 0, 0, 0, 0, 0}, []string{"-: source.form"}},
		{"gzip corrupt", corrupt(gzipped(r0)), []string{"-: source.form"}},
		{"zstd corrupt", corrupt(zstded(r0)), []string{"-: source.form"}},
		{"tar cut in a member", tarred(r0)[:512+len(r0)/2], []string{"-(m0): source.truncated", "-: source.truncated"}},
		{"broken member does not end the archive", tarred(corrupt(gzipped(r0)), gzipped(r1), corrupt(zstded(r0)), zstded(r1)),
			[]string{"-(m0): source.form", "-(m1) offset 0", "-(m2): source.form", "-(m3) offset 0"}},
		{"gzip of nothing", gzipped(nil), []string{"-: source.form"}},
		{"zstd cut", zstded(r0)[:100], []string{"-: source.truncated"}},
		{"tar cut", tarred(r0, r1)[:1200], nil},
		{"tar member that is a link", link, []string{"-(link): source.form"}},
		{"empty tar member", tarred(nil, r0), []string{"-(m0): source.form", "-(m1) offset 0"}},
		{"nested too deep", gzipped(gzipped(gzipped(gzipped(gzipped(r0))))), []string{"-: source.form"}},
		{"bomb", gzipped(make([]byte, 1<<20)), []string{"-: source.form"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := collect(t, stdin, bytes.NewReader(tt.data))
			if err != nil {
				t.Fatal(err)
			}
			got := strings.ReplaceAll(strings.Join(c.log, ", "), " offset 0:", ":")
			if tt.want == nil { // how much can be read before the cut is the decoder's affair
				if !strings.HasSuffix(got, "source.truncated") {
					t.Errorf("%s, want it to end truncated", got)
				}
			} else if got != strings.Join(tt.want, ", ") {
				t.Errorf("%s, want %s", got, strings.Join(tt.want, ", "))
			}
		})
	}
}

// corrupt spoils the first compressed octets.
func corrupt(data []byte) []byte {
	for i := 5; i < 40; i++ {
		data[i] = 0xff
	}
	return data
}

func cutShort(data []byte) []byte { return data[:len(data)-100] }

// pemLine is where a block is that follows that of der.
func pemLine(der []byte) string {
	return fmt.Sprintf("- line %d", 1+bytes.Count(recipe.PEM("CERTIFICATE", der), []byte("\n")))
}

func tarWith(h *tar.Header) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	w.WriteHeader(h)
	w.Close()
	return b.Bytes()
}

// Directories are read in the order of names, whatever the names say but that a file is
// in the making; what is neither file nor directory is rejected, and a file that cannot be read ends it.
func TestDirectory(t *testing.T) {
	dir := t.TempDir()
	list := recipe.Many(t, recipe.NewCA(t, "CA", recipe.P256()), 3)
	for name, data := range map[string][]byte{"b.txt": list[1], "a/x.crl": list[0], "c": base64Lines(list[2]), ".hidden": []byte("?"), ".tmp-1": list[0][:9]} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("c", filepath.Join(dir, "d")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "e"), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := collect(t, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := ".hidden offset 0: source.form, a/x.crl offset 0, b.txt offset 0, c line 1, d offset 0: source.form, e offset 0: source.form"
	if got := strings.ReplaceAll(strings.Join(c.log, ", "), dir+"/", ""); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestUnreadableSourceIsAnError(t *testing.T) {
	if _, err := collect(t, filepath.Join(t.TempDir(), "absent"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent file: %v", err)
	}
	broken := errors.New("disk on fire")
	for name, front := range map[string][]byte{"at once": nil, "in DER": {0x30, 0x20}, "in gzip": gzipped(make([]byte, 9999))[:20], "in base64": []byte("MIIB\n")} {
		if _, err := collect(t, stdin, io.MultiReader(bytes.NewReader(front), iotest.ErrReader(broken))); !errors.Is(err, broken) {
			t.Errorf("%s: %v, want %v", name, err, broken)
		}
	}
}

func TestScanEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s := &Scanner{sink: &collector{}, Stdin: neverEnding{}}
	if err := s.scan(ctx, stdin); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

type neverEnding struct{}

func (neverEnding) Read(p []byte) (int, error) { return len(p), nil }

// A header is read as that of as many octets as it was written for, for all lengths
// around those where it grows.
func TestDERHeaders(t *testing.T) {
	for _, n := range []int{0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 0xffffff, 0x1000000} {
		der := recipe.Element(asn1.SEQUENCE, make([]byte, n))
		if size, ok := sequenceSize(der[:min(len(der), maxHeader)]); !ok || size != int64(len(der)) {
			t.Errorf("%d: header %x is read as size %d, %v", n, der[:min(len(der), maxHeader)], size, ok)
		}
	}
}

// Whatever the octets: no panic, no endless loop, and either a response or a
// rejection, none of them larger than allowed.
func FuzzSource(f *testing.F) {
	ca := recipe.NewCA(f, "CA", recipe.P256())
	r := recipe.Many(f, ca, 2)
	basic := recipe.Response{Issuer: ca, Basic: true}.DER(f)
	for _, seed := range [][]byte{
		nil, recipe.Join(r...), basic, base64Lines(r...), recipe.PEM(pemType, r[0]), tarred(r...), gzipped(r[0]), zstded(r[1]),
		gzipped(tarred(zstded(r[0]), base64Lines(r[1]))), r[0][:40], []byte("\x30\x84\xff\xff\xff\xff"),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := collect(t, stdin, bytes.NewReader(data))
		if err != nil {
			t.Fatalf("octets in memory cannot be unreadable: %v", err)
		}
		if len(c.log) == 0 && recognise(data[:min(len(data), sniffSize)]) != formPEM && !bytes.Contains(data, []byte("ustar")) && !isCompressed(data) {
			t.Error("neither a response nor a rejection")
		}
		for _, der := range c.responses {
			if len(der) > MaxResponse {
				t.Errorf("response of %d octets", len(der))
			}
		}
	})
}

func isCompressed(data []byte) bool {
	form := recognise(data[:min(len(data), sniffSize)])
	return form == formGzip || form == formZstd
}
