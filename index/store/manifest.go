package store

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"path/filepath"
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
	Role       string    // what it is for, such as RoleBase
	Shard      Shard     // which keys can be in it
	Records    uint64    // responses and tombstones
	Size       int64     // octets
	SHA256     string    // 64 lower-case hex digits: the object's name
	NextUpdate time.Time // the earliest in it; zero if it has none
}

// A FileLine publishes one object at an exact host and path.
type FileLine struct {
	Host         string    // lower case, no port, no trailing dot; AnyHost for all
	Path         string    // the raw request target, from "/" to before any "?"
	ContentType  string    // without spaces, as text/html;charset=utf-8
	Size         int64     // octets, at most MaxFileSize
	SHA256       string    // 64 lower-case hex digits: the object's name
	LastModified time.Time // of a CRL, its thisUpdate
	Expires      time.Time // of a CRL, its nextUpdate; zero if it has none (certificates, pages)
}

// Roles of segment lines.
const (
	RoleBase  = "base"  // (a shard of) the full set
	RoleDelta = "delta" // some certificates
)

// AnyHost is the host of a file that is published at every host.
const AnyHost = "_"

// Content types of what is published for PKI clients (RFC 5280 sections 4.2.1.13
// and 4.2.2.1).
const (
	TypeCRL         = "application/pkix-crl"
	TypeCertificate = "application/pkix-cert"
	TypeCMS         = "application/pkcs7-mime" // certs-only
)

// Content types, without parameters, of what is published for people. Browsers treat
// each in its way, and so does an edge.
const (
	TypeHTML     = "text/html"
	TypeCSS      = "text/css"
	TypeSVG      = "image/svg+xml"
	TypePNG      = "image/png"
	TypeICO      = "image/vnd.microsoft.icon"
	TypeWOFF2    = "font/woff2"
	TypeJSON     = "application/json"
	TypeManifest = "application/manifest+json" // of a web app
)

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
