package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/crypto/ocsp"

	"lancre/internal/ocsptest"
	"lancre/internal/programs"
)

// measured is main, and says at the end how much memory the process had at most.
func measured() {
	status := run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	os.Stderr.Write(peakLine.Find(text))
	os.Exit(status)
}

var peakLine = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// peakOf runs lancre and returns how many octets of memory it had at most.
func peakOf(t *testing.T, args ...string) int {
	t.Helper()
	cmd := exec.Command("lancre-measured", args...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=2") // there are batches by the processor
	out, err := cmd.CombinedOutput()
	m := peakLine.FindSubmatch(out)
	if m == nil {
		t.Fatalf("%v\n%.2000s", err, out)
	}
	kilo, err := strconv.Atoi(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return kilo << 10
}

// quiet is how much more memory than for an honest build of one response a build may
// take, whatever a container is made to hold: buffers for batches, the names in them,
// and what a report keeps.
const quiet = 160 << 20

// wide is that where an outermost frame of zstd asks for the largest window.
const wide = quiet + 128<<20

// No container makes a build take memory without bound: not by names, not by nesting, not
// by what it unpacks to, not by what is rejected.
func TestPeakMemory(t *testing.T) {
	if programs.RaceDetected() {
		t.Skip("the race detector takes memory of its own")
	}
	t.Chdir(t.TempDir())
	ca := ocsptest.NewCA("CA", nil)
	now := time.Now().UTC().Truncate(time.Minute)
	good := ca.Sign(ocsp.Response{Status: ocsp.Good, SerialNumber: big.NewInt(7), ThisUpdate: now, NextUpdate: now.AddDate(0, 0, 3)})
	write(t, "ca.pem", encodePEM(ca.Raw))
	write(t, "honest", good)
	build := []string{"build", "--out", "store", "--issuer", "ca.pem", "--max-rejects", "2000", "--report", "report", "--responses"}
	honest := peakOf(t, append(build, "honest")...)
	for _, tt := range []struct {
		name string
		fill content
		most int // octets beyond what an honest build takes
	}{
		{"tar of long names", gzipOf(named(1001, 1<<20-100, good)), quiet},
		{"tar of long names and junk", gzipOf(named(1001, 1<<20-100, []byte("?"))), quiet},
		{"tar of names that are just allowed", gzipOf(named(20_000, 4000, good)), quiet},
		{"tar of names that are just allowed and junk", gzipOf(named(3000, 4000, []byte("?"))), quiet},
		{"tar in tar in tar", nestedTars(3, 1<<20-100, good), quiet},
		{"gzip of blanks", gzipOf(blanks(1<<30, base64Of(good), '\n')), quiet},
		{"gzip of zeros", gzipOf(blanks(2<<30, nil, 0)), quiet},
		{"gzip of a long word", gzipOf(blanks(256<<20, nil, 'A')), quiet},
		{"gzip of a large SEQUENCE", gzipOf(blanks(256<<20, []byte("\x30\x84\x10\x00\x00\x00"), 0)), quiet},
		{"gzip of a PEM block without end", gzipOf(blanks(64<<20, []byte("-----BEGIN OCSP RESPONSE-----\n"), '\n')), quiet},
		{"gzip in gzip in gzip", gzipOf(gzipOf(gzipOf(blanks(512<<20, base64Of(good), '\n')))), quiet},
		{"the same again and again", gzipOf(again(50_000, good)), quiet},
		{"base64 of junk", gzipOf(again(200_000, []byte("AAAA\n"))), quiet},
		{"zstd of the largest window", frames(base64Of(good), 27), wide},
		{"zstd of a larger window", frames(base64Of(good), 31), quiet},
		{"zstd in zstd, of the largest windows", frames(base64Of(good), 27, 23, 23, 23), wide},
		{"zstd in zstd, of larger ones", frames(base64Of(good), 27, 27, 27, 27), wide},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var source bytes.Buffer
			tt.fill(&source)
			write(t, "source", source.Bytes())
			peak := peakOf(t, append(build, "source")...)
			report, err := os.Stat("report")
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d KiB take %d MiB more than an honest build, the report has %d KiB", source.Len()>>10, (peak-honest)>>20, report.Size()>>10)
			if peak-honest > tt.most {
				t.Errorf("%d octets of memory, of an honest build %d: want at most %d more", peak, honest, tt.most)
			}
			if report.Size() > 100<<20 {
				t.Errorf("the report has %d octets", report.Size())
			}
		})
	}
}

// A content is what a source holds.
type content func(io.Writer)

func gzipOf(c content) content {
	return func(w io.Writer) {
		z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
		if err != nil {
			panic(err)
		}
		c(z)
		z.Close()
	}
}

// named is a tar of count members with names of that many octets.
func named(count, size int, member []byte) content {
	return func(w io.Writer) {
		z := tar.NewWriter(w)
		for i := range count {
			addMember(z, fmt.Sprintf("%0*d", size, i), member)
		}
		z.Close()
	}
}

// nestedTars is a tar in a tar and so on, each with a name of that many octets.
func nestedTars(depth, size int, member []byte) content {
	return func(w io.Writer) {
		for range depth {
			var b bytes.Buffer
			z := tar.NewWriter(&b)
			addMember(z, strings.Repeat("n", size), member)
			z.Close()
			member = b.Bytes()
		}
		w.Write(member)
	}
}

func addMember(z *tar.Writer, name string, member []byte) {
	if err := z.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(member)), Typeflag: tar.TypeReg}); err != nil {
		panic(err)
	}
	z.Write(member)
}

// blanks is head and then the same octet again and again.
func blanks(count int, head []byte, octet byte) content {
	return func(w io.Writer) {
		w.Write(head)
		for range count >> 20 {
			w.Write(bytes.Repeat([]byte{octet}, 1<<20))
		}
	}
}

func again(count int, what []byte) content {
	return func(w io.Writer) {
		for range count {
			w.Write(what)
		}
	}
}

func base64Of(der []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(der) + "\n") }

// frames is text in frames of zstd, one in the other, that ask for windows of 1 << log
// octets, the outermost first, and fill them: by blank lines, and by frames to be
// skipped (RFC 8878 sections 3.1.1 and 3.1.2).
func frames(text []byte, logs ...int) content {
	return func(w io.Writer) {
		filler := byte('\n')
		for i := len(logs) - 1; i >= 0; i-- {
			if filler == 0 {
				skipped := make([]byte, 0, 8)
				skipped = binary.LittleEndian.AppendUint32(skipped, 0x184D2A50)
				text = append(text, binary.LittleEndian.AppendUint32(skipped, 2048*blockSize)...)
			}
			text = frame(text, logs[i], filler)
			filler = 0
		}
		w.Write(text)
	}
}

// blockSize is the largest that a block may have.
const blockSize = 128 << 10

// frame is a frame of text and then 2,048 blocks of one octet.
func frame(text []byte, log int, filler byte) []byte {
	const raw, rle = 0, 1
	out := []byte{0x28, 0xb5, 0x2f, 0xfd, 0, byte(log-10) << 3}
	block := func(last, kind, size int, content ...byte) {
		header := last | kind<<1 | size<<3
		out = append(append(out, byte(header), byte(header>>8), byte(header>>16)), content...)
	}
	block(0, raw, len(text), text...)
	for range 2047 {
		block(0, rle, blockSize, filler)
	}
	block(1, rle, blockSize, filler)
	return out
}
