package input

import (
	"archive/tar"
	"bufio"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"lancre/build/rule"
)

const (
	// maxWindow is the most memory, in octets, that a zstd frame may ask for: what
	// the zstd tool allows without --long.
	maxWindow = 128 << 20

	// maxInnerWindow is that for a frame within another wrapping, of which there can be
	// several at a time: what RFC 8878 section 3.1.1.1.2 wants every decoder to allow,
	// and no level up to 19 of the zstd tool exceeds.
	maxInnerWindow = 8 << 20
)

const (
	// maxMember is the longest name of a member, in octets, with those of the archives
	// that it lies in: the longest path that a Linux kernel takes (PATH_MAX). An archive
	// can have names of 1 MiB, and every place in a report has one.
	maxMember = 4096

	// shownMember is how much of a longer one is shown.
	shownMember = 100
)

// tar reads the members of an archive in their order.
func (s *Scanner) tar(at rule.Place, br *bufio.Reader, nesting int) error {
	archive := at
	members := tar.NewReader(br)
	for {
		header, err := members.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return s.broken(archive, fmt.Errorf("tar archive: %w", err))
		}
		if size := len(archive.Member) + len("/") + len(header.Name); size > maxMember {
			at.Member = path.Join(archive.Member, header.Name[:min(len(header.Name), shownMember)]) + "…"
			if err := s.sink.Reject(at, rule.Broken(rule.SourceForm, "name of a tar member has %d octets, with those of the archives around it; want at most %d", size, maxMember)); err != nil {
				return err
			}
			continue
		}
		at.Member = path.Join(archive.Member, header.Name) // a copy: what the name is cut from may have 1 MiB
		switch header.Typeflag {
		case tar.TypeDir, tar.TypeXGlobalHeader:
			continue // neither has content
		case tar.TypeReg:
			err = s.unpack(at, members, nesting)
		default:
			err = s.sink.Reject(at, rule.Broken(rule.SourceForm, "tar member of type %q is not a file", header.Typeflag))
		}
		if err != nil {
			return err
		}
	}
}

func (s *Scanner) gzip(at rule.Place, l *level, nesting int) error {
	var err error
	if l.gzip == nil {
		l.gzip, err = gzip.NewReader(l.buf)
	} else {
		err = l.gzip.Reset(l.buf)
	}
	if err != nil {
		return s.broken(at, err)
	}
	return s.unpack(at, l.gzip, nesting)
}

func (s *Scanner) zstd(at rule.Place, l *level, nesting int) error {
	var err error
	if l.zstd == nil {
		window := uint64(maxInnerWindow)
		if nesting == 0 {
			window = maxWindow
		}
		l.zstd, err = zstd.NewReader(l.buf, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(window))
	} else {
		err = l.zstd.Reset(l.buf)
	}
	if err != nil {
		return s.broken(at, err)
	}
	return s.unpack(at, l.zstd, nesting)
}

// unpack reads what a wrapping holds. nesting is that of the wrapping.
func (s *Scanner) unpack(at rule.Place, content io.Reader, nesting int) error {
	return s.stream(at, unpacked{content, s}, nesting+1)
}

// errSpent says that no more of a source may be unpacked, which was rejected already.
var errSpent = errors.New("no more may be unpacked")

// unpacked counts what comes out of a wrapping.
type unpacked struct {
	r io.Reader
	s *Scanner
}

func (u unpacked) Read(p []byte) (int, error) {
	if u.s.spent() {
		return 0, errSpent
	}
	n, err := u.r.Read(p)
	u.s.unpacked += int64(n)
	return n, err
}

// spent reports whether more was unpacked of the source in hand than may be.
func (s *Scanner) spent() bool { return s.unpacked > s.MaxUnpacked }
