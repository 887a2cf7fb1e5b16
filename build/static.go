package build

import (
	"bytes"
	"context"
	"errors"
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
	ctx      context.Context
	previous map[target]store.FileLine // of the generation being replaced
	taken    map[target]string         // file that is published there
	found    int                       // files
}

// A target is where a file is published.
type target struct{ host, path string }

// addStatic publishes the files below all static directories, all or none.
func (b *builder) addStatic(ctx context.Context) error {
	t := &tree{builder: b, ctx: ctx, previous: make(map[target]store.FileLine), taken: make(map[target]string)}
	if m := b.publication.Previous(); m != nil {
		for _, f := range m.Files {
			t.previous[target{f.Host, f.Path}] = f
		}
	}
	for _, dir := range b.config.Static {
		before := t.found
		if err := t.hosts(dir); err != nil {
			return fmt.Errorf("static files: %w", err)
		}
		if t.found == before && len(b.report.Rejections) == 0 {
			return fmt.Errorf("static files: none in %s: want %s", dir, filepath.Join(dir, "HOST", "FILE"))
		}
	}
	if n := len(b.report.Rejections); n > 0 {
		return fmt.Errorf("%d static files rejected; the first: %s", n, b.report.Rejections[0])
	}
	return nil
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
	t.report.reject(Place{Source: name}, "", finding{c, fmt.Sprintf(format, args...)})
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

// file checks one file and publishes it.
func (t *tree) file(name string, at target) error {
	t.found++
	data, err := readStatic(name)
	if errors.Is(err, errTooLarge) {
		t.refuse(name, checkStaticType, "%v", err)
		return nil
	}
	if err != nil {
		return err
	}
	content, broken := recogniseStatic(data)
	if broken.check == passed {
		broken = content.agrees(name)
	}
	if broken.check == passed && content.crl != nil {
		broken = t.checkCRL(name, content.crl)
	}
	if broken.check != passed {
		t.refuse(name, broken.check, "%s", broken.reason)
		return nil
	}
	return t.publish(name, at, content, data)
}

var errTooLarge = errors.New("too large")

func readStatic(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Size() > store.MaxFileSize {
		return nil, fmt.Errorf("%w: %d octets, want at most %d, for an edge holds files in memory", errTooLarge, info.Size(), store.MaxFileSize)
	}
	return os.ReadFile(name)
}

// publish makes data an object and names it at its target, and at the folder's
// if it is an index file.
func (t *tree) publish(name string, at target, c content, data []byte) error {
	sha256, size, err := t.publication.AddObject(bytes.NewReader(data))
	if err != nil {
		return err
	}
	targets := []target{at}
	if folder, ok := indexFolder(at.path); ok {
		targets = append(targets, target{at.host, folder})
	}
	for _, at := range targets {
		if other, ok := t.taken[at]; ok {
			t.refuse(name, checkStaticName, "would be published at http://%s%s, where %s is: remove one", at.host, at.path, other)
			continue
		}
		t.taken[at] = name
		line := store.FileLine{Host: at.host, Path: at.path, ContentType: c.kind.contentType(), Size: size, SHA256: sha256}
		line.LastModified, line.Expires = t.times(at, sha256, c)
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
func (t *tree) times(at target, sha256 string, c content) (modified, expires time.Time) {
	if c.crl != nil {
		modified = c.crl.ThisUpdate.UTC()
		if modified.After(t.config.At) {
			modified = t.config.At // RFC 9110 section 8.8.2.1: never later than now
		}
		return modified, c.crl.NextUpdate.UTC()
	}
	if old, ok := t.previous[at]; ok && old.SHA256 == sha256 {
		return old.LastModified, time.Time{}
	}
	return t.config.At, time.Time{}
}
