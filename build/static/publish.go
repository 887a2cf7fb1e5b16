// Package static checks the files that a store publishes beside OCSP responses, CRLs,
// certificates and pages, and makes the list of them: each by itself, in what it holds
// and what it is called; all of them against each other; and against those of the
// generation that the build replaces.
package static

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"lancre/build/ca"
	"lancre/build/crl"
	"lancre/build/input"
	"lancre/build/inventory"
	"lancre/build/rule"
	"lancre/build/web"
	"lancre/index/store"
	"lancre/internal/durable"
)

// wellKnown is the one name beginning with a dot that a folder may have
// (RFC 8615 section 3).
const wellKnown = ".well-known"

// Config is what static files are published from, and checked against.
type Config struct {
	// Dirs are directories whose DIR/<host>/<path> is published at exactly that host
	// and path, DIR/_/<path> at that path of any host, and which may have further URLs
	// for their files in DIR/urls.csv.
	Dirs []string

	At         time.Time // the moment of the build, in whole seconds
	Issuers    *ca.Issuers
	IssuerFile string               // the place of what is wrong with the issuers together
	Inventory  *inventory.Inventory // nil if there is none
	Previous   Previous             // nil if there is none
	Before     []store.FileLine     // what that publishes
	Carried    []store.FileLine     // of Before, what stays where no file takes its place
	Unpublish  map[string]bool      // HOST/PATH of Before that are to go
	Except     map[string]bool      // names of files that are passed over
	OCSP       bool                 // the build has responses
	MaxCRLSize int64                // octets
}

// Objects is where the contents of files are kept.
type Objects interface {
	// AddObject keeps what r gives and returns its SHA-256 in hex and its size in octets.
	AddObject(r io.Reader) (sha256 string, size int64, err error)
}

// Previous is the generation that is replaced, or added to, as far as its files go. They
// are read only where something has to be compared with them.
type Previous interface {
	// Read returns the content of f.
	Read(f *store.FileLine) ([]byte, error)

	// KnownCRL returns the CRL f, without what cannot be told from its Serials, and who
	// signed it; nil if it is not known, and must be read.
	KnownCRL(f *store.FileLine) (*crl.CRL, *ca.Issuer, error)
}

// A Publication is what came of static files.
type Publication struct {
	Files  []store.FileLine
	Listed []*crl.Listing // what the CRLs list, by the number of their issuer; nil for one without
}

// Publish checks the files below all directories and makes objects of them: all or
// none. What is wrong with a file is entered into the ledger; if something is that
// rejects one, there is an error as well.
func Publish(ctx context.Context, c Config, objects Objects, ledger *rule.Ledger) (*Publication, error) {
	t := newTree(c, objects, ledger)
	for _, dir := range c.Dirs {
		read := t.count
		if err := t.hosts(ctx, dir); err != nil {
			return nil, fmt.Errorf("static files: %w", err)
		}
		if t.count == read && len(ledger.Rejections()) == 0 && len(c.Except) == 0 {
			return nil, fmt.Errorf("static files: none in %s: want %s", dir, filepath.Join(dir, "HOST", "FILE"))
		}
	}
	if len(ledger.Rejections()) == 0 { // else what was rejected would be missed again
		if err := t.checkTogether(); err != nil {
			return nil, err
		}
	}
	if list := ledger.Rejections(); len(list) > 0 {
		files := make(map[string]bool)
		for _, r := range list {
			files[r.Place.Source] = true
		}
		return nil, fmt.Errorf("static files: %d rejected, for %d faults; the first: %s", len(files), len(list), list[0])
	}
	return &Publication{t.lines, t.listed}, nil
}

// A tree is the files of one build.
type tree struct {
	config  Config
	objects Objects
	ledger  *rule.Ledger

	files  []*file
	lines  []store.FileLine
	listed []*crl.Listing   // by issuer
	taken  map[target]*file // what is published there
	named  map[string]*file // by URL, as urls.csv spells it
	count  int              // files read

	before        map[target]*store.FileLine // what the previous generation publishes
	objectsBefore map[string]bool            // the SHA-256 of that
}

func newTree(c Config, objects Objects, ledger *rule.Ledger) *tree {
	t := &tree{
		config: c, objects: objects, ledger: ledger, listed: make([]*crl.Listing, len(c.Issuers.List)),
		taken: make(map[target]*file), named: make(map[string]*file), before: make(map[target]*store.FileLine), objectsBefore: make(map[string]bool),
	}
	for i := range c.Before {
		f := &c.Before[i]
		t.before[target{f.Host, f.Path}] = f
		t.objectsBefore[f.SHA256] = true
	}
	return t
}

// A file is one to be published.
type file struct {
	name    string // in the file system
	targets []target
	urls    []string // further ones, as urls.csv spells them
	sha256  string
	size    int64
	by      *ca.Issuer // of a CRL, who signed it; nil if that issuer is not configured
	carried bool       // of the previous generation, and checked then
	content
	document *web.Document // of an index.html or index.TAG.html that is no larger than web.MaxPage; else nil
}

// checkTogether checks the files against each other and against those of the
// previous generation.
func (t *tree) checkTogether() error {
	pages := t.addPages()
	if err := t.carry(); err != nil {
		return err
	}
	t.checkPages(pages)
	if err := t.checkCRLs(); err != nil {
		return err
	}
	t.checkCertificates()
	t.checkNamed()
	return nil
}

// hosts reads a static directory: a folder for each host.
func (t *tree) hosts(ctx context.Context, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		switch reason := badHost(e.Name()); {
		case t.config.Except[name]:
		case e.Name() == urlsFile && e.Type().IsRegular():
		case !e.IsDir():
			t.ledger.Found(rule.StaticName, rule.Whole(name), "", rule.Because("not in the folder of a host: want %s", filepath.Join(dir, "HOST", e.Name())))
		case reason != "":
			t.ledger.Found(rule.StaticName, rule.Whole(name), "", rule.Because("folder is no host name: %s", reason))
		default:
			if err := t.folder(ctx, name, target{e.Name(), "/"}); err != nil {
				return err
			}
		}
	}
	return t.addURLs(dir)
}

// badHost says why name is no host name as requests will be looked up by,
// lower-cased and without port, "" if it is one.
func badHost(name string) string {
	const maxName, maxLabel = 253, 63 // RFC 1035 section 2.3.4
	if name == store.AnyHost {
		return ""
	}
	if strings.HasPrefix(name, "[") {
		return badAddress(name)
	}
	if lower := strings.ToLower(name); lower != name {
		return fmt.Sprintf("want it in lower case, %q", lower)
	}
	if len(name) > maxName {
		return fmt.Sprintf("%d octets, want at most %d", len(name), maxName)
	}
	for label := range strings.SplitSeq(name, ".") {
		switch {
		case label == "" || len(label) > maxLabel:
			return fmt.Sprintf("label %q: want 1 to %d octets", label, maxLabel)
		case strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "":
			return fmt.Sprintf("label %q: want letters, digits, hyphens and underscores", label)
		case label[0] == '-' || label[len(label)-1] == '-':
			return fmt.Sprintf("label %q: a hyphen must not begin or end it", label)
		}
	}
	return ""
}

// badAddress says why name is no IPv6 address in brackets, as RFC 5952 spells it.
func badAddress(name string) string {
	addr, err := netip.ParseAddr(strings.TrimSuffix(name[1:], "]"))
	if err != nil || !addr.Is6() || addr.Zone() != "" {
		return "want an IPv6 address in brackets"
	}
	if want := "[" + addr.String() + "]"; want != name {
		return fmt.Sprintf("want it as RFC 5952 spells it, %q", want)
	}
	return ""
}

// folder publishes the files in one folder and those below it. at is where, with
// a path that ends in a slash.
func (t *tree) folder(ctx context.Context, name string, at target) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	entries, err := os.ReadDir(name)
	if err != nil {
		return err
	}
	for _, e := range entries {
		file := filepath.Join(name, e.Name())
		to := target{at.host, at.path + escapeSegment(e.Name())}
		switch {
		case strings.HasPrefix(e.Name(), durable.TempPrefix): // in the making, or left by a crash
		case t.config.Except[file]:
		case e.Name()[0] == '.' && e.Name() != wellKnown:
			t.ledger.Found(rule.StaticName, rule.Whole(file), "", rule.Because("hidden: rename or remove it"))
		case e.IsDir():
			err = t.folder(ctx, file, target{to.host, to.path + "/"})
		case e.Type().IsRegular():
			err = t.file(file, to)
		default:
			t.ledger.Found(rule.StaticName, rule.Whole(file), "", rule.Because("%s", input.NotRegular(e.Type())))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// escapeSegment writes a file name as a segment of a request target: what RFC
// 3986 section 3.3 lets stand for itself does, everything else is %XX.
func escapeSegment(name string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~!$&'()*+,;=:@", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteString(string([]byte{'%', hex[c>>4], hex[c&15]}))
		}
	}
	return b.String()
}

// file checks one file by itself and publishes it.
func (t *tree) file(name string, at target) error {
	t.count++
	data, broken, err := read(name)
	if err != nil {
		return err
	}
	var content content
	if broken == nil {
		content, broken = recogniseFile(name, data)
	}
	if broken == nil {
		broken = content.agrees(name)
	}
	if broken != nil {
		t.ledger.Found(broken.Check, rule.Whole(name), "", rule.Because("%s", broken.Reason))
		return nil
	}
	var f rule.Findings
	f.Begin(t.ledger, rule.Whole(name))
	if likeRequest(at.path) {
		f.Found(rule.StaticOCSPPath, rule.Because("path %s can be taken for an OCSP request: rename the file", at.path))
	}
	made := &file{name: name, size: int64(len(data)), content: content}
	if folder, _ := variantOf(at.path); folder != "" && content.kind == kindHTML {
		made.document, _ = web.ReadDocument(data)
	}
	if content.crl != nil {
		made.by = t.checkCRL(content.crl, &f)
	}
	for _, cert := range content.certs {
		checkCertificate(cert, t.config.At, &f)
	}
	if t.ledger.Enter(&f) {
		return nil
	}
	return t.publish(made, at, data)
}

// read reads a file that is to be published.
func read(name string) (data []byte, broken *rule.Finding, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, nil, err
	}
	if reason := tooLarge(info.Size()); reason != "" {
		return nil, rule.Broken(rule.StaticSize, "%s", reason), nil
	}
	data, err = os.ReadFile(name)
	return data, nil, err
}

// tooLarge says why a file of that size cannot be published, "" if it can.
func tooLarge(size int64) string {
	if size <= store.MaxFileSize {
		return ""
	}
	return fmt.Sprintf("too large: %d octets, want at most %d, for an edge holds files in memory", size, store.MaxFileSize)
}

// publish makes data an object and names it at its target, and at the folder's
// if it is an index file.
func (t *tree) publish(s *file, at target, data []byte) error {
	var err error
	if s.sha256, _, err = t.objects.AddObject(bytes.NewReader(data)); err != nil {
		return err
	}
	t.files = append(t.files, s)
	t.publishAt(s, at)
	if folder, ok := indexFolder(at.path); ok {
		t.publishAt(s, target{at.host, folder})
	}
	return nil
}

// publishAt names an object at a target, and reports whether that was free.
func (t *tree) publishAt(s *file, at target) bool {
	if other := t.taken[at]; other != nil {
		t.refuse(s, rule.StaticDuplicate, "would be published at %s, where %s is: remove one", at.url(), other.name)
		return false
	}
	t.taken[at] = s
	s.targets = append(s.targets, at)
	line := store.FileLine{Host: at.host, Path: at.path, ContentType: s.kind.contentType(), Size: s.size, SHA256: s.sha256}
	line.LastModified, line.Expires = t.times(at, s)
	t.lines = append(t.lines, line)
	return true
}

// refuse enters that a file as a whole breaks a rule.
func (t *tree) refuse(s *file, c rule.Check, format string, args ...any) {
	t.ledger.Found(c, rule.Whole(s.name), "", rule.Because(format, args...))
}

// indexFolder returns the path of the folder that the file at path is the index of.
func indexFolder(path string) (folder string, ok bool) {
	for _, name := range []string{"index.der", "index.p7c", "index.html"} {
		if folder, ok := strings.CutSuffix(path, "/"+name); ok {
			return folder + "/", true
		}
	}
	return "", false
}

// times are those of a CRL, or when a file was first published as it is.
func (t *tree) times(at target, s *file) (modified, expires time.Time) {
	if c := s.crl; c != nil {
		// RFC 9110 section 8.8.2.1: never later than now
		return time.Unix(min(c.ThisUpdate, t.config.At.Unix()), 0).UTC(), time.Unix(c.NextUpdate, 0).UTC()
	}
	if old := t.before[at]; old != nil && old.SHA256 == s.sha256 {
		return old.LastModified, time.Time{}
	}
	return t.config.At, time.Time{}
}
