package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lancre/index"
)

// faults runs Verify and returns what it reports. It checks that Verify's own
// error agrees with that.
func faults(t *testing.T, dir string) []string {
	t.Helper()
	var reports []string
	err := Verify(dir, nil, func(f *Fault) {
		if !strings.HasPrefix(f.File, dir) || !strings.HasSuffix(f.Error(), " ("+f.Check+")") {
			t.Errorf("fault %+v: want a file of %s and a check", *f, dir)
		}
		reports = append(reports, f.Error())
	})
	want := fmt.Sprintf("%s: faults found: %d", dir, len(reports))
	if len(reports) == 0 && err != nil || len(reports) > 0 && (err == nil || err.Error() != want) {
		t.Errorf("%d reports, but the error is %v", len(reports), err)
	}
	return reports
}

func TestVerifyAcceptsWhatWasPublished(t *testing.T) {
	dir := t.TempDir()
	publishSample(t, dir, "sample")
	overwrite(t, ObjectPath(dir, sumA), []byte("not named, so no fault"))
	if got := faults(t, dir); len(got) != 0 {
		t.Errorf("reports %q", got)
	}
}

func TestVerifyReportsDamage(t *testing.T) {
	for _, test := range damages {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			m := publishSample(t, dir, "sample")
			want := strings.TrimPrefix(inSample(dir, m).Replace(test.want), dir+": ") // which every fault names
			test.damage(t, dir, m)
			got := faults(t, dir)
			if !strings.Contains("\n"+strings.Join(got, "\n"), "\n"+want) {
				t.Errorf("reports are\n%s\nwant one\n%s...", strings.Join(got, "\n"), want)
			}
		})
	}
}

func TestVerifyGoesOnAfterAFault(t *testing.T) {
	dir := t.TempDir()
	m := publishSample(t, dir, "sample")
	segment := ObjectPath(dir, m.Segments[0].SHA256)
	flip(t, segment)
	flip(t, ObjectPath(dir, m.Files[0].SHA256))
	os.Remove(ObjectPath(dir, m.Files[1].SHA256))
	got := strings.Join(faults(t, dir), "\n")
	for _, want := range []string{
		"manifest line 11: " + segment + " has sha256 ",
		"list of files, line 2: ",
		"list of files, line 3: ",
		segment + ": offset ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("reports are\n%s\nwant %q in them", got, want)
		}
	}
}

// Without the list of files nobody knows what else there should be; segments and what
// they answer are checked all the same.
func TestVerifyGoesOnWithoutTheList(t *testing.T) {
	for name, damage := range map[string]func(path string){
		"missing": func(path string) { os.Remove(path) },
		"changed": func(path string) { flip(t, path) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			m := publish(t, dir, func(p *Publication, m *Manifest) {
				m.Segments = []SegmentLine{addSegment(t, p.Objects, RoleBase, index.Everything, responses(t, 1, 3, 0))}
				m.Files = []FileLine{sampleCRL(addFile(t, p, "c.example", "/1.crl", "a list"))}
			})
			damage(ObjectPath(dir, m.List.SHA256))
			if got := faults(t, dir); len(got) != 1 || !strings.HasPrefix(got[0], "manifest line 13: ") {
				t.Fatalf("reports are\n%s\nwant one, of line 13", strings.Join(got, "\n"))
			}
			m.Live[0].Good++
			m.Due[1].Count++
			overwrite(t, filepath.Join(dir, "manifest"), m.Encode())
			got := faults(t, dir)
			if len(got) != 3 || !strings.HasPrefix(got[1], "manifest line 9: ") || !strings.HasPrefix(got[2], "manifest line 11: ") {
				t.Errorf("with false counts, reports are\n%s\nwant those of lines 9 and 11, too", strings.Join(got, "\n"))
			}
			flip(t, ObjectPath(dir, m.Segments[0].SHA256))
			if got := strings.Join(faults(t, dir), "\n"); !strings.Contains(got, "manifest line 12: ") || !strings.Contains(got, ": offset ") {
				t.Errorf("with a damaged segment, reports are\n%s\nwant it named", got)
			}
		})
	}
}

func TestVerifyReadsEveryOctetOfASegment(t *testing.T) {
	dir := t.TempDir()
	m := publishSample(t, dir, "sample")
	path := ObjectPath(dir, m.Segments[0].SHA256)
	content := read(t, path)
	for i := 0; i < len(content); i += 97 {
		content[i] ^= 0x10
		overwrite(t, path, content)
		content[i] ^= 0x10
		if got := faults(t, dir); len(got) == 0 {
			t.Errorf("no fault with octet %d changed", i)
		}
	}
}

func TestVerifyReportsEachObjectOnce(t *testing.T) {
	dir := t.TempDir()
	m := publish(t, dir, func(p *Publication, m *Manifest) {
		m.Files = []FileLine{addFile(t, p, "_", "/a", "content"), addFile(t, p, "_", "/b", "content")}
	})
	flip(t, ObjectPath(dir, m.Files[0].SHA256))
	if got := faults(t, dir); len(got) != 1 || !strings.HasPrefix(got[0], "list of files, line 2: ") {
		t.Errorf("reports are %q, want one, of line 2", got)
	}
}

// A testLine is a segment line of a test, with what its segment holds.
type testLine struct {
	role    string
	shard   index.Shard
	records []record
}

func TestVerifyStack(t *testing.T) {
	whole := index.Everything
	part := func(i, of uint32) index.Shard { return index.Shard{Index: i, Of: of} }
	all := responses(t, 1, 10, 0)
	const (
		hidden = "manifest line %d: base lines above it cover all of shard %s, so that no look-up reaches it"
		lacks  = "manifest: base lines do not cover every certificate: the first that they lack are those of shard %s"
	)
	tests := []struct {
		name  string
		lines []testLine
		want  []string // start of each report
	}{
		{"no segments", nil, nil},
		{"only deltas", []testLine{{RoleDelta, part(0, 2), all}, {RoleDelta, whole, nil}}, nil},
		{"shards cover all", []testLine{{RoleBase, part(1, 2), all}, {RoleBase, part(0, 2), all}}, nil},
		{"shards of several sizes", []testLine{{RoleBase, part(2, 4), nil}, {RoleBase, part(3, 4), nil}, {RoleBase, part(0, 2), all}}, nil},
		{"a delta with older records, as an operator may want", []testLine{{RoleDelta, whole, responses(t, 1, 3, -1)}, {RoleBase, whole, all}}, nil},
		{"half of a base can be reached", []testLine{{RoleBase, part(0, 2), nil}, {RoleBase, whole, all}}, nil},
		{"a delta between the bases of its halves", []testLine{{RoleBase, part(0, 2), nil}, {RoleDelta, whole, all}, {RoleBase, part(1, 2), nil}}, nil},
		{"first shard missing", []testLine{{RoleBase, part(1, 2), all}}, []string{fmt.Sprintf(lacks, "0/4096")}},
		{"middle shards missing", []testLine{{RoleBase, part(0, 4), nil}, {RoleBase, part(3, 4), nil}}, []string{fmt.Sprintf(lacks, "1024/4096")}},
		{"last shard missing", []testLine{{RoleDelta, whole, all}, {RoleBase, part(0, 2), nil}, {RoleBase, part(2, 4), nil}},
			[]string{fmt.Sprintf(lacks, "3072/4096")}},
		{"base twice", []testLine{{RoleBase, whole, all}, {RoleBase, whole, nil}}, []string{fmt.Sprintf(hidden, 12, "0/1")}},
		{"base within base", []testLine{{RoleBase, whole, nil}, {RoleBase, part(1, 2), all}}, []string{fmt.Sprintf(hidden, 10, "1/2")}},
		{"base below its halves", []testLine{{RoleBase, part(1, 2), nil}, {RoleBase, part(0, 2), nil}, {RoleBase, whole, all}},
			[]string{fmt.Sprintf(hidden, 11, "0/1")}},
		{"delta below its base", []testLine{{RoleBase, whole, nil}, {RoleDelta, part(3, 4), all}}, []string{fmt.Sprintf(hidden, 10, "3/4")}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			publish(t, dir, func(p *Publication, m *Manifest) { m.Segments = addLines(t, p, test.lines) })
			got := faults(t, dir)
			if len(got) != len(test.want) {
				t.Fatalf("reports are\n%s\nwant %d", strings.Join(got, "\n"), len(test.want))
			}
			for i, want := range test.want {
				if got[i] != want+" (store.stack)" {
					t.Errorf("report is\n%s\nwant\n%s", got[i], want)
				}
			}
		})
	}
}

// sampleCRL is a file line of a CRL, whose object the caller adds.
func sampleCRL(line FileLine) FileLine {
	line.ContentType, line.Expires = TypeCRL, start.Add(90*time.Minute)
	return line
}

func TestVerifyCounts(t *testing.T) {
	tests := []struct {
		name   string
		change func(m *Manifest)
		want   string // before " (store.counts)", with LIVE and so on for the line as it should be
	}{
		{"one good too many", func(m *Manifest) { m.Live[0].Good++ },
			`manifest line 9: "live sha1 HASHES 3 0 0 1", but what answers gives "LIVE"`},
		{"the tombstone forgotten", func(m *Manifest) { m.Live[0].Tombstone-- },
			`manifest line 9: "live sha1 HASHES 2 0 0 0", but what answers gives "LIVE"`},
		{"no issuer", func(m *Manifest) { m.Live = nil }, `manifest line 9: nothing, but what answers gives "LIVE"`},
		{"an issuer that is none", func(m *Manifest) { m.Live = append(m.Live, sampleManifest().Live[1]) },
			`manifest line 10: "` + sampleLines[11] + `", but what answers gives nothing`},
		{"an hour with more responses", func(m *Manifest) { m.Due[1].Count++ },
			`manifest line 11: "due responses 2026-11-30T14:00:00Z 3", but what answers gives "due responses 2026-11-30T14:00:00Z 2"`},
		{"another hour", func(m *Manifest) { m.Due[1].Hour = start },
			`manifest line 11: "due responses 2026-11-23T14:00:00Z 2", but what answers gives "due responses 2026-11-30T14:00:00Z 2"`},
		{"no CRL", func(m *Manifest) { m.Due = m.Due[1:] },
			`manifest line 10: "due responses 2026-11-30T14:00:00Z 2", but what answers gives "due crls 2026-11-23T15:00:00Z 1"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			m := publish(t, dir, func(p *Publication, m *Manifest) {
				m.Segments = addLines(t, p, []testLine{
					{RoleDelta, index.Everything, []record{tombstone(t, 1, 1)}}, {RoleBase, index.Everything, responses(t, 1, 3, 0)}})
				m.Files = []FileLine{sampleCRL(addFile(t, p, "c.example", "/1.crl", "a list"))}
			})
			if got := faults(t, dir); len(got) != 0 {
				t.Fatalf("before the change, reports are %q", got)
			}
			live := m.Live[0].String()
			want := strings.NewReplacer("LIVE", live, "HASHES", strings.Join(strings.Fields(live)[2:4], " ")).Replace(test.want) + " (store.counts)"
			test.change(m)
			overwrite(t, filepath.Join(dir, "manifest"), m.Encode())
			if got := faults(t, dir); len(got) == 0 || got[0] != want {
				t.Errorf("reports are\n%s\nwant\n%s", strings.Join(got, "\n"), want)
			}
		})
	}
}

func TestVerifyWithoutAStore(t *testing.T) {
	got := faults(t, filepath.Join(t.TempDir(), "nowhere"))
	if len(got) != 1 || !strings.HasPrefix(got[0], "no manifest: ") {
		t.Errorf("reports are %q", got)
	}
}
