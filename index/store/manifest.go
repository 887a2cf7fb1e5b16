package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"lancre/index"
)

// A Manifest names everything that one generation of a store consists of. The
// package comment specifies its text form and the values that each field can have.
// Times have a resolution of one second; an absent one is zero.
type Manifest struct {
	Origin     string    // who publishes, for people and logs
	Generation uint64    // from 1; grows with every publication, and is a Unix time where Date set it
	Created    time.Time // when it was published
	Checked    time.Time // the oldest last success of reading any source
	Expires    time.Time // from when on it is stale
	Parent     string    // SHA-256 of the manifest that it replaced, 64 hex digits; "" for none
	Held       uint64    // responses put aside
	Marks      []Mark    // sorted by source

	Live []LiveCount // sorted by algorithm, name hash, key hash
	Due  []DueCount  // sorted by kind, then hour

	Segments []SegmentLine // newest first: the order of look-up
	Coming   []Object      // what a later generation will name, in any order

	// Files are sorted by host, then path. They are the content of the object List,
	// which SetFiles makes of them; a manifest that was parsed has List alone.
	Files []FileLine
	List  FileList

	version1 string   // SHA-256 of the text, if that was of version 1, which has Files and no List
	signers  []string // keys whose signatures it had when it was read, good or not, as NAME+HASH
}

// A Mark says how far a source was read.
type Mark struct {
	Source string // its name
	Value  string // what the source makes of it
}

// A LiveCount counts the CertIDs of one issuer, under one hash algorithm, that have
// an answer.
type LiveCount struct {
	Alg                               index.HashAlg
	NameHash, KeyHash                 string // octets
	Good, Revoked, Unknown, Tombstone uint64
}

// String is the line of the text form, without its end.
func (l LiveCount) String() string {
	return fmt.Sprintf("live %s %x %x %d %d %d %d", l.Alg, l.NameHash, l.KeyHash, l.Good, l.Revoked, l.Unknown, l.Tombstone)
}

// Kinds of DueCount.
const (
	DueCRLs      = "crls"
	DueResponses = "responses"
)

// A DueCount counts what has its nextUpdate within one hour.
type DueCount struct {
	Kind  string    // DueCRLs, or DueResponses: CertIDs that are answered by them
	Hour  time.Time // when it begins
	Count uint64    // not 0
}

// String is the line of the text form, without its end.
func (d DueCount) String() string {
	return fmt.Sprintf("due %s %s %d", d.Kind, d.Hour.UTC().Format(timeLayout), d.Count)
}

// An Object is one of the store's, by size in octets and name.
type Object struct {
	Size   int64
	SHA256 string // 64 lower-case hex digits
}

// A FileList is the object that holds the file lines; the zero value if there are
// none.
type FileList struct {
	Object
	Count uint64 // lines
}

// A SegmentLine names one segment object.
type SegmentLine struct {
	Role       string      // RoleBase or RoleDelta
	Shard      index.Shard // which certificates it is for
	Records    uint64      // responses and tombstones
	Size       int64       // octets
	SHA256     string      // 64 lower-case hex digits: the object's name
	Created    time.Time   // when the line came into the stack
	NextUpdate time.Time   // the earliest in it; zero if it has none
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
	RoleBase  = "base"  // complete for its shard: a look-up ends there
	RoleDelta = "delta" // some certificates: a look-up that does not find one goes on
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

// MaxLines is how many segment lines a manifest can have: 2,048 shards and half as
// many deltas above them are room for a store of 500 M certificates.
const MaxLines = 4096

// MaxFileSize is the largest file, in octets, that a manifest can publish: an edge
// holds files in memory. It is some 15 times the worst case of one CRL shard of a
// large public CA (70 MB).
const MaxFileSize = 1 << 30

const (
	manifestName = "manifest"
	magic        = "lancre store "
	version      = "2"
)

// Date has m, whose number is that of what it replaces, be created at the time at, and have
// the Unix time as its number, or the next one if that is higher. So an origin that was made again from nothing, or from
// a copy of last week, goes on with numbers that edges have not seen yet: as long as it
// did not publish more than once a second all the time.
func (m *Manifest) Date(at time.Time) {
	m.Created, m.Generation = at, max(m.Generation+1, uint64(max(1, at.Unix())))
}

// CheckClock returns an error where now is before m was published, as by a clock that is
// behind: what is published by it would seem older than what it replaces.
func (m *Manifest) CheckClock(now time.Time) error {
	if now.Before(m.Created) {
		return fmt.Errorf("it is %s by the clock of this host or --at, but generation %d was created %s: set the clock",
			now.UTC().Format(timeLayout), m.Generation, m.Created.UTC().Format(timeLayout))
	}
	return nil
}

// headerLines is how many lines come before those that a manifest can have any
// number of.
func (m *Manifest) headerLines() int {
	if m.version1 != "" {
		return 4
	}
	return 8
}

// segmentLineNumber is the number of the line of segment i.
func (m *Manifest) segmentLineNumber(i int) int {
	return m.headerLines() + len(m.Marks) + len(m.Live) + len(m.Due) + 1 + i
}

// listLineNumber is the number of the line that names the list of files.
func (m *Manifest) listLineNumber() int {
	return m.segmentLineNumber(len(m.Segments) + len(m.Coming))
}

// Encode returns the text form. ParseManifest is its inverse for every m without
// Files that obeys the grammar; Encode does not check that it does.
func (m *Manifest) Encode() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s%s\norigin %s\ngeneration %d\ncreated %s\nchecked %s\nexpires %s\nparent %s\nheld %d\n",
		magic, version, m.Origin, m.Generation, m.Created.UTC().Format(timeLayout),
		formatTime(m.Checked), formatTime(m.Expires), orDash(m.Parent), m.Held)
	for _, k := range m.Marks {
		fmt.Fprintf(&b, "mark %s %s\n", k.Source, k.Value)
	}
	for _, l := range m.Live {
		fmt.Fprintf(&b, "%s\n", l)
	}
	for _, d := range m.Due {
		fmt.Fprintf(&b, "%s\n", d)
	}
	for _, s := range m.Segments {
		fmt.Fprintf(&b, "segment %s %s %d %d %s %s %s\n",
			s.Role, s.Shard, s.Records, s.Size, s.SHA256, formatTime(s.Created), formatTime(s.NextUpdate))
	}
	for _, o := range m.Coming {
		fmt.Fprintf(&b, "coming %d %s\n", o.Size, o.SHA256)
	}
	if m.List.Count > 0 {
		fmt.Fprintf(&b, "files %d %d %s\n", m.List.Count, m.List.Size, m.List.SHA256)
	}
	fmt.Fprintf(&b, "end %x\n", sha256.Sum256(b.Bytes()))
	return b.Bytes()
}

// Signers are the keys whose signatures m had when it was read, as NAME+HASH. Only
// Trust.Open looks whether one of them is good.
func (m *Manifest) Signers() []string { return m.signers }

// Digest is the SHA-256 of the text form, without signatures, in hex: what the next
// manifest names as its Parent.
func (m *Manifest) Digest() string {
	if m.version1 != "" {
		return m.version1
	}
	sum := sha256.Sum256(m.Encode())
	return hex.EncodeToString(sum[:])
}

const timeLayout = "2006-01-02T15:04:05Z"

// formatTime is the text form of a time that can be absent.
func formatTime(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(timeLayout)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
