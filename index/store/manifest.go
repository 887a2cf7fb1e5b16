package store

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"
)

// A Manifest names everything that one generation of a store consists of. The
// package comment specifies its text form and the values that each field can have.
// Times have a resolution of one second.
type Manifest struct {
	Origin     string        // who publishes, for people and logs
	Generation uint64        // from 1; grows by one with every publication
	Created    time.Time     // when it was built
	Segments   []SegmentLine // newest first: the order of look-up
	Files      []FileLine    // sorted by host, then path
}

// A SegmentLine names one segment object.
type SegmentLine struct {
	Role       string    // what it is for: "base" is (a shard of) the full set
	Shard      Shard     // which keys can be in it
	Records    uint64    // responses and tombstones
	Size       int64     // octets
	SHA256     string    // 64 lower-case hex digits: the object's name
	NextUpdate time.Time // the earliest in it; zero if it has none
}

// A FileLine publishes one object at an exact host and path.
type FileLine struct {
	Host         string    // lower case, no port, no trailing dot; "_" is any host
	Path         string    // the raw request target, from "/" to before any "?"
	ContentType  string    // without spaces, as text/html;charset=utf-8
	Size         int64     // octets, at most MaxFileSize
	SHA256       string    // 64 lower-case hex digits: the object's name
	LastModified time.Time // of a CRL, its thisUpdate
	Expires      time.Time // of a CRL, its nextUpdate; zero if it has none (certificates, pages)
}

// MaxFileSize is the largest file, in octets, that a manifest can publish: an edge
// holds files in memory. It is some 15 times the worst case of one CRL shard of a
// large public CA (70 MB).
const MaxFileSize = 1 << 30

// maxManifestSize bounds what ReadManifest reads, in octets. A line has about 200:
// this is room for 100,000 files and 65,536 segments.
const maxManifestSize = 32 << 20

const (
	manifestName = "manifest"
	magic        = "lancre store "
	version      = "1"
)

// headerLines is how many lines come before the first segment line.
const headerLines = 4

func (m *Manifest) segmentLineNumber(i int) int { return headerLines + 1 + i }

func (m *Manifest) fileLineNumber(i int) int { return headerLines + 1 + len(m.Segments) + i }

// Encode returns the text form. ParseManifest is its inverse for every m that
// obeys the grammar; Encode does not check that it does.
func (m *Manifest) Encode() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s%s\norigin %s\ngeneration %d\ncreated %s\n",
		magic, version, m.Origin, m.Generation, m.Created.UTC().Format(timeLayout))
	for _, s := range m.Segments {
		fmt.Fprintf(&b, "segment %s %s %d %d %s %s\n",
			s.Role, s.Shard, s.Records, s.Size, s.SHA256, formatTime(s.NextUpdate))
	}
	for _, f := range m.Files {
		fmt.Fprintf(&b, "file %s %s %s %d %s %s %s\n",
			f.Host, f.Path, f.ContentType, f.Size, f.SHA256, formatTime(f.LastModified), formatTime(f.Expires))
	}
	fmt.Fprintf(&b, "end %x\n", sha256.Sum256(b.Bytes()))
	return b.Bytes()
}

const timeLayout = "2006-01-02T15:04:05Z"

// formatTime is the text form of a time that can be absent.
func formatTime(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(timeLayout)
}

// ReadManifest reads and parses the manifest of the store dir. If there is none,
// the error is an fs.ErrNotExist.
func ReadManifest(dir string) (*Manifest, error) {
	path := filepath.Join(dir, manifestName)
	f, _, err := openRegular(path)
	if err != nil {
		return nil, fmt.Errorf("no manifest: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxManifestSize+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxManifestSize {
		return nil, fmt.Errorf("%s: more than %d octets: this is no manifest", path, maxManifestSize)
	}
	m, err := ParseManifest(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// check reports the first field of m that the grammar does not allow, by the line
// that Encode puts it on.
func (m *Manifest) check() error {
	if err := m.checkHeader(); err != nil {
		return err
	}
	for i := range m.Segments {
		if err := m.Segments[i].check(); err != nil {
			return fmt.Errorf("line %d: %w", m.segmentLineNumber(i), err)
		}
	}
	for i := range m.Files {
		err := m.Files[i].check()
		if err == nil && i > 0 && compareFiles(m.Files[i-1], m.Files[i]) >= 0 {
			err = fmt.Errorf("%s%s does not come after %s%s: each place is named once, in order of host and path",
				m.Files[i].Host, m.Files[i].Path, m.Files[i-1].Host, m.Files[i-1].Path)
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", m.fileLineNumber(i), err)
		}
	}
	return nil
}

func (m *Manifest) checkHeader() error {
	switch {
	case !visible(m.Origin):
		return fmt.Errorf("line 2: origin %q: want visible ASCII without spaces", m.Origin)
	case m.Generation == 0:
		return fmt.Errorf("line 3: generation 0: the first is 1")
	case !validTime(m.Created):
		return fmt.Errorf("line 4: created %s: %s", m.Created.UTC().Format(timeLayout), wantTime)
	}
	return nil
}

func (s *SegmentLine) check() error {
	switch {
	case !consistsOf(s.Role, lowerDigits+"-"):
		return fmt.Errorf("role %q: want lower-case letters, digits and hyphens", s.Role)
	case !s.Shard.valid():
		return fmt.Errorf("shard %s: want I/OF with OF a power of two and I below it", s.Shard)
	case s.Size < 0:
		return fmt.Errorf("size %d is negative", s.Size)
	case !isSHA256(s.SHA256):
		return fmt.Errorf("sha256 %q: want 64 lower-case hex digits", s.SHA256)
	case !s.NextUpdate.IsZero() && !validTime(s.NextUpdate):
		return fmt.Errorf("nextUpdate %s: %s", formatTime(s.NextUpdate), wantTime)
	}
	return nil
}

func (f *FileLine) check() error {
	switch {
	case !validHost(f.Host):
		return fmt.Errorf("host %q: want a lower-case name without port or trailing dot, or _ for any host", f.Host)
	case !visible(f.Path) || f.Path[0] != '/' || strings.ContainsAny(f.Path, "?#"):
		return fmt.Errorf("path %q: want visible ASCII that begins with / and has no ? or #", f.Path)
	case !visible(f.ContentType) || !strings.Contains(strings.Trim(f.ContentType, "/"), "/"):
		return fmt.Errorf("content type %q: want TYPE/SUBTYPE, any parameters after ; without a space", f.ContentType)
	case f.Size < 0 || f.Size > MaxFileSize:
		return fmt.Errorf("size %d of %s%s: want 0 to %d, for an edge holds files in memory", f.Size, f.Host, f.Path, MaxFileSize)
	case !isSHA256(f.SHA256):
		return fmt.Errorf("sha256 %q: want 64 lower-case hex digits", f.SHA256)
	case !validTime(f.LastModified):
		return fmt.Errorf("last-modified %s: %s", formatTime(f.LastModified), wantTime)
	case !f.Expires.IsZero() && !validTime(f.Expires):
		return fmt.Errorf("expires %s: %s", formatTime(f.Expires), wantTime)
	}
	return nil
}

func compareFiles(a, b FileLine) int {
	return cmp.Or(strings.Compare(a.Host, b.Host), strings.Compare(a.Path, b.Path))
}

const lowerDigits = "abcdefghijklmnopqrstuvwxyz0123456789"

// consistsOf reports whether s is not empty and has no character outside set.
func consistsOf(s, set string) bool { return s != "" && strings.Trim(s, set) == "" }

// visible reports whether s is not empty and all of it is ASCII that prints: what
// can stand in a field, in a header and in a log line.
func visible(s string) bool {
	for i := range len(s) {
		if s[i] < 0x21 || s[i] > 0x7e {
			return false
		}
	}
	return s != ""
}

func isSHA256(s string) bool { return len(s) == 2*sha256.Size && consistsOf(s, "0123456789abcdef") }

func validHost(s string) bool {
	return s == "_" || consistsOf(s, lowerDigits+".-") && !strings.HasSuffix(s, ".")
}

const wantTime = "want a year from 1970 to 9999"

func validTime(t time.Time) bool { return t.Unix() >= 0 && t.UTC().Year() <= 9999 }
