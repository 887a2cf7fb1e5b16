package input

import (
	"archive/tar"
	"bufio"
	"fmt"
	"io"
	"path"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"lancre/build/rule"
)

// maxWindow is the most memory, in octets, that a zstd frame may ask for: what
// the zstd tool allows without --long.
const maxWindow = 128 << 20

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
		at.Member = path.Join(archive.Member, header.Name)
		switch header.Typeflag {
		case tar.TypeDir, tar.TypeXGlobalHeader:
			continue // neither has content
		case tar.TypeReg:
			err = s.stream(at, members, nesting+1)
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
	return s.stream(at, l.gzip, nesting+1)
}

func (s *Scanner) zstd(at rule.Place, l *level, nesting int) error {
	var err error
	if l.zstd == nil {
		l.zstd, err = zstd.NewReader(l.buf, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	} else {
		err = l.zstd.Reset(l.buf)
	}
	if err != nil {
		return s.broken(at, err)
	}
	return s.stream(at, l.zstd, nesting+1)
}
