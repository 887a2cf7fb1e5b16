package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// maxListSize bounds a list of files, in octets. A line has about 200: this is room
// for 100,000 of them.
const maxListSize = 32 << 20

const (
	listMagic   = "lancre files "
	listVersion = "1"

	firstFileLine = 2 // the number of the first file's line
)

// SetFiles makes files, sorted, those of m, and returns the content of the object
// that is to hold them: nil if there are none.
func (m *Manifest) SetFiles(files []FileLine) (list []byte) {
	m.Files = slices.SortedFunc(slices.Values(files), compareFiles)
	m.List = FileList{}
	if len(files) == 0 {
		return nil
	}
	list = encodeFiles(m.Files)
	sum := sha256.Sum256(list)
	m.List = FileList{Object{int64(len(list)), hex.EncodeToString(sum[:])}, uint64(len(files))}
	return list
}

func encodeFiles(files []FileLine) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s%s\n", listMagic, listVersion)
	for _, f := range files {
		fmt.Fprintf(&b, "file %s %s %s %d %s %s %s\n",
			f.Host, f.Path, f.ContentType, f.Size, f.SHA256, formatTime(f.LastModified), formatTime(f.Expires))
	}
	return b.Bytes()
}

// ParseFiles reads a list of files in its text form, the content of the object that
// a manifest names for it. It refuses a text that is not spelled exactly so. The
// result does not alias text.
func ParseFiles(text []byte) ([]FileLine, error) {
	p := parser{rest: string(text), line: 0}
	p.next("lancre")
	if kind, v := p.word("files"), p.word("version"); kind != "files" || v != listVersion {
		p.fail("%q %q, want %q: this is no list of files, or of another version", kind, v, listMagic+listVersion)
	}
	var files []FileLine
	for p.at("file") {
		files = append(files, p.file())
	}
	p.endText()
	if !strings.HasSuffix(string(text), "\n") {
		p.fail("the last line has no end: the list was cut")
	}
	if p.err != nil {
		return nil, p.err
	}
	return files, checkFiles(files, firstFileLine)
}

// checkFiles reports the first line that the grammar does not allow; the line of the
// first file has the number first.
func checkFiles(files []FileLine, first int) error {
	for i := range files {
		err := files[i].check()
		if err == nil && i > 0 && compareFiles(files[i-1], files[i]) >= 0 {
			err = fmt.Errorf("%s%s does not come after %s%s: each place is named once, in order of host and path",
				files[i].Host, files[i].Path, files[i-1].Host, files[i-1].Path)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", first+i, err)
		}
	}
	return nil
}

// loadFiles reads the list of files of m, which ParseManifest left, by the octets of
// its object.
func (m *Manifest) loadFiles(list []byte) error {
	files, err := ParseFiles(list)
	if err != nil {
		return fmt.Errorf("list of files %s: %w", m.List.SHA256, err)
	}
	if uint64(len(files)) != m.List.Count {
		return fmt.Errorf("manifest line %d: %d files, but the list %s has %d", m.listLineNumber(), m.List.Count, m.List.SHA256, len(files))
	}
	m.Files = files
	return nil
}
