package build

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"lancre/index/store"
)

// anyHost is the folder, and the host in the manifest, of files that are
// published at every host.
const anyHost = "_"

// wellKnown is the one name beginning with a dot that a folder may have
// (RFC 8615 section 3).
const wellKnown = ".well-known"

// A tree publishes static files into a builder.
type tree struct {
	*builder
	ctx   context.Context
	files []*static
	taken map[target]*static // what is published there
	count int                // files

	// before is what the previous generation publishes, by target. If it could not
	// be opened, there is none.
	before map[target]store.File
}

// A static is a file to be published.
type static struct {
	name    string // of the file, in the file system
	targets []target
	sha256  string
	content
}

// addStatic publishes the files below all static directories, all or none.
func (b *builder) addStatic(ctx context.Context) error {
	t := &tree{builder: b, ctx: ctx, taken: make(map[target]*static), before: make(map[target]store.File)}
	if b.previous != nil {
		for _, f := range b.previous.Files() {
			t.before[target{f.Host, f.Path}] = f
		}
	}
	for _, dir := range b.config.Static {
		read := t.count
		if err := t.hosts(dir); err != nil {
			return fmt.Errorf("static files: %w", err)
		}
		if t.count == read && len(b.report.Rejections) == 0 {
			return fmt.Errorf("static files: none in %s: want %s", dir, filepath.Join(dir, "HOST", "FILE"))
		}
	}
	if len(b.report.Rejections) == 0 { // else what was rejected would be missed again
		t.checkTogether()
	}
	if n := len(b.report.Rejections); n > 0 {
		return fmt.Errorf("static files: %d rejected; the first: %s", n, b.report.Rejections[0])
	}
	return nil
}

// checkTogether checks the files against each other and against those of the
// previous generation.
func (t *tree) checkTogether() {
	t.checkCRLs()
	t.checkCertificates()
	t.checkNamed()
}

// hosts reads a static directory: a folder for each host.
func (t *tree) hosts(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		switch reason := badHost(e.Name()); {
		case !e.IsDir():
			t.refuse(name, checkStaticName, "not in the folder of a host: want %s", filepath.Join(dir, "HOST", e.Name()))
		case reason != "":
			t.refuse(name, checkStaticName, "folder is no host name: %s", reason)
		default:
			if err := t.folder(name, target{e.Name(), "/"}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *tree) refuse(name string, c check, format string, args ...any) {
	t.report.reject(whole(name), "", finding{c, fmt.Sprintf(format, args...)})
}

// badHost says why name is no host name as requests will be looked up by,
// lower-cased and without port, "" if it is one.
func badHost(name string) string {
	const maxName, maxLabel = 253, 63 // RFC 1035 section 2.3.4
	if name == anyHost {
		return ""
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
		case strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
			return fmt.Sprintf("label %q: want letters, digits and hyphens", label)
		case label[0] == '-' || label[len(label)-1] == '-':
			return fmt.Sprintf("label %q: a hyphen must not begin or end it", label)
		}
	}
	return ""
}

// folder publishes the files in one folder and those below it. at is where, with
// a path that ends in a slash.
func (t *tree) folder(name string, at target) error {
	if err := context.Cause(t.ctx); err != nil {
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
		case e.Name()[0] == '.' && e.Name() != wellKnown:
			t.refuse(file, checkStaticName, "hidden: rename or remove it")
		case e.IsDir():
			err = t.folder(file, target{to.host, to.path + "/"})
		case e.Type().IsRegular():
			err = t.file(file, to)
		default:
			t.refuse(file, checkStaticName, "%s", notRegular(e.Type()))
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
	data, broken, err := readStatic(name)
	if err != nil {
		return err
	}
	var content content
	if broken.check == passed {
		content, broken = recogniseStatic(data)
	}
	if broken.check == passed {
		broken = content.agrees(name)
	}
	if broken.check != passed {
		t.refuse(name, broken.check, "%s", broken.reason)
		return nil
	}
	var f faults
	if likeRequest(at.path) {
		f.add(checkStaticRequest, "path %s can be taken for an OCSP request: rename the file", at.path)
	}
	if content.crl != nil {
		t.checkCRL(content.crl, &f)
	}
	for _, cert := range content.certs {
		t.checkCertificate(cert, &f)
	}
	if t.foundAll(name, &f) {
		return nil
	}
	return t.publish(&static{name: name, content: content}, at, data)
}

// readStatic reads a file that is to be published.
func readStatic(name string) (data []byte, broken finding, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, finding{}, err
	}
	if reason := tooLargeStatic(info.Size()); reason != "" {
		return nil, finding{checkStaticSize, reason}, nil
	}
	data, err = os.ReadFile(name)
	return data, finding{}, err
}

// tooLargeStatic says why a file of that size cannot be published, "" if it can.
func tooLargeStatic(size int64) string {
	if size <= store.MaxFileSize {
		return ""
	}
	return fmt.Sprintf("too large: %d octets, want at most %d, for an edge holds files in memory", size, store.MaxFileSize)
}

// publish makes data an object and names it at its target, and at the folder's
// if it is an index file.
func (t *tree) publish(s *static, at target, data []byte) error {
	sha256, size, err := t.publication.AddObject(bytes.NewReader(data))
	if err != nil {
		return err
	}
	s.sha256 = sha256
	t.files = append(t.files, s)
	targets := []target{at}
	if folder, ok := indexFolder(at.path); ok {
		targets = append(targets, target{at.host, folder})
	}
	for _, at := range targets {
		if other := t.taken[at]; other != nil {
			t.refuse(s.name, checkStaticDuplicate, "would be published at %s, where %s is: remove one", at.url(), other.name)
			continue
		}
		t.taken[at] = s
		s.targets = append(s.targets, at)
		line := store.FileLine{Host: at.host, Path: at.path, ContentType: s.kind.contentType(), Size: size, SHA256: sha256}
		line.LastModified, line.Expires = t.times(at, s)
		t.manifest.Files = append(t.manifest.Files, line)
	}
	return nil
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
func (t *tree) times(at target, s *static) (modified, expires time.Time) {
	if c := s.crl; c != nil {
		// RFC 9110 section 8.8.2.1: never later than now
		return utcTime(min(c.thisUpdate, t.config.At.Unix())), utcTime(c.nextUpdate)
	}
	if old, ok := t.before[at]; ok && old.SHA256 == s.sha256 {
		return old.LastModified, time.Time{}
	}
	return t.config.At, time.Time{}
}
