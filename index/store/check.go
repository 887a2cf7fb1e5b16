package store

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"lancre/index"
)

// check reports the first field of m that the grammar does not allow, by the line
// that Encode puts it on.
func (m *Manifest) check() error {
	if err := m.checkHeader(); err != nil {
		return err
	}
	line := m.headerLines()
	for _, err := range m.lineErrors() {
		if line++; err != nil {
			return fmt.Errorf("line %d: %w", line, err)
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
	case !m.Checked.IsZero() && !validTime(m.Checked):
		return fmt.Errorf("line 5: checked %s: %s", formatTime(m.Checked), wantTime)
	case !m.Expires.IsZero() && !validTime(m.Expires):
		return fmt.Errorf("line 6: expires %s: %s", formatTime(m.Expires), wantTime)
	case m.Parent != "" && !isSHA256(m.Parent):
		return fmt.Errorf("line 7: parent %q: want 64 lower-case hex digits, or - for none", m.Parent)
	case len(m.Segments) > MaxLines:
		return fmt.Errorf("%d segment lines, a manifest can have %d: merge the store", len(m.Segments), MaxLines)
	}
	return nil
}

// lineErrors is, for each line behind the header but that of the list, what is wrong
// with it.
func (m *Manifest) lineErrors() (errs []error) {
	for i := range m.Marks {
		err := m.Marks[i].check()
		if err == nil && i > 0 && m.Marks[i-1].Source >= m.Marks[i].Source {
			err = fmt.Errorf("mark of %s does not come after %s: each source has one, in order", m.Marks[i].Source, m.Marks[i-1].Source)
		}
		errs = append(errs, err)
	}
	for i := range m.Live {
		err := m.Live[i].check()
		if err == nil && i > 0 && compareLive(m.Live[i-1], m.Live[i]) >= 0 {
			err = errors.New("does not come after the line before it: each issuer and algorithm has one, in order of algorithm, name hash and key hash")
		}
		errs = append(errs, err)
	}
	for i := range m.Due {
		err := m.Due[i].check()
		if err == nil && i > 0 && compareDue(m.Due[i-1], m.Due[i]) >= 0 {
			err = fmt.Errorf("%s %s does not come after the line before it: each hour has one, in order", m.Due[i].Kind, formatTime(m.Due[i].Hour))
		}
		errs = append(errs, err)
	}
	for i := range m.Segments {
		errs = append(errs, m.Segments[i].check())
	}
	for i := range m.Coming {
		errs = append(errs, m.Coming[i].check())
	}
	if m.List.Count > 0 {
		err := m.List.check()
		if err == nil && m.List.Size > maxListSize {
			err = fmt.Errorf("list of files of %d octets, want at most %d", m.List.Size, maxListSize)
		}
		errs = append(errs, err)
	}
	return errs
}

func (k *Mark) check() error {
	if !visible(k.Source) || !visible(k.Value) {
		return fmt.Errorf("mark %q %q: want visible ASCII without spaces", k.Source, k.Value)
	}
	return nil
}

func (l *LiveCount) check() error {
	size := l.Alg.Size()
	if size == 0 || len(l.NameHash) != size || len(l.KeyHash) != size {
		return fmt.Errorf("live %s: hashes of %d and %d octets, want %d", l.Alg, len(l.NameHash), len(l.KeyHash), size)
	}
	if l.Good|l.Revoked|l.Unknown|l.Tombstone == 0 {
		return fmt.Errorf("live %s: counts nothing: leave the line out", l.Alg)
	}
	return nil
}

func compareLive(a, b LiveCount) int {
	return cmp.Or(cmp.Compare(a.Alg, b.Alg), strings.Compare(a.NameHash, b.NameHash), strings.Compare(a.KeyHash, b.KeyHash))
}

func (d *DueCount) check() error {
	switch {
	case d.Kind != DueCRLs && d.Kind != DueResponses:
		return fmt.Errorf("due %q: want %s or %s", d.Kind, DueCRLs, DueResponses)
	case !validTime(d.Hour) || d.Hour.Unix()%3600 != 0:
		return fmt.Errorf("due %s %s: want a whole hour, %s", d.Kind, formatTime(d.Hour), wantTime)
	case d.Count == 0:
		return fmt.Errorf("due %s %s: counts nothing: leave the line out", d.Kind, formatTime(d.Hour))
	}
	return nil
}

func compareDue(a, b DueCount) int {
	return cmp.Or(strings.Compare(a.Kind, b.Kind), a.Hour.Compare(b.Hour))
}

func (s *SegmentLine) check() error {
	switch {
	case s.Role != RoleBase && s.Role != RoleDelta:
		return fmt.Errorf("role %q: want %s or %s", s.Role, RoleBase, RoleDelta)
	case !s.Shard.Valid():
		return fmt.Errorf("shard %s: want I/OF with OF a power of two up to %d and I below it", s.Shard, index.MaxShards)
	case s.Size < 0:
		return fmt.Errorf("size %d is negative", s.Size)
	case !isSHA256(s.SHA256):
		return fmt.Errorf("sha256 %q: want 64 lower-case hex digits", s.SHA256)
	case !s.Created.IsZero() && !validTime(s.Created):
		return fmt.Errorf("created %s: %s", formatTime(s.Created), wantTime)
	case !s.NextUpdate.IsZero() && !validTime(s.NextUpdate):
		return fmt.Errorf("nextUpdate %s: %s", formatTime(s.NextUpdate), wantTime)
	}
	return nil
}

func (o *Object) check() error {
	switch {
	case o.Size < 0:
		return fmt.Errorf("size %d is negative", o.Size)
	case !isSHA256(o.SHA256):
		return fmt.Errorf("sha256 %q: want 64 lower-case hex digits", o.SHA256)
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
