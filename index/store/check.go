package store

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"
)

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
	if literal, ok := strings.CutPrefix(s, "["); ok {
		literal, ok = strings.CutSuffix(literal, "]")
		return ok && consistsOf(literal, "0123456789abcdef:.")
	}
	return consistsOf(s, lowerDigits+".-_") && !strings.HasSuffix(s, ".")
}

const wantTime = "want a year from 1970 to 9999"

func validTime(t time.Time) bool { return t.Unix() >= 0 && t.UTC().Year() <= 9999 }
