package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// faults runs Verify and returns what it reports. It checks that Verify's own
// error agrees with that.
func faults(t *testing.T, dir string) []string {
	t.Helper()
	var reports []string
	err := Verify(dir, func(f *Fault) {
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
	overwrite(t, objectPath(dir, sumA), []byte("not named, so no fault"))
	if got := faults(t, dir); len(got) != 0 {
		t.Errorf("reports %q", got)
	}
}

func TestVerifyReportsDamage(t *testing.T) {
	for _, test := range damages {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			m := publishSample(t, dir, "sample")
			want := strings.NewReplacer("DIR", dir, "SEGMENT", m.Segments[0].SHA256, "SIZE", fmt.Sprint(m.Segments[0].Size),
				"FILE_A", m.Files[0].SHA256, "FILE_B", m.Files[1].SHA256).Replace(test.want)
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
	segment := objectPath(dir, m.Segments[0].SHA256)
	flip(t, segment)
	flip(t, objectPath(dir, m.Files[0].SHA256))
	os.Remove(objectPath(dir, m.Files[1].SHA256))
	got := strings.Join(faults(t, dir), "\n")
	for _, want := range []string{
		"manifest line 5: " + segment + " has sha256 ",
		"manifest line 6: ",
		"manifest line 7: ",
		segment + ": offset ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("reports are\n%s\nwant %q in them", got, want)
		}
	}
}

func TestVerifyReadsEveryOctetOfASegment(t *testing.T) {
	dir := t.TempDir()
	m := publishSample(t, dir, "sample")
	path := objectPath(dir, m.Segments[0].SHA256)
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
	flip(t, objectPath(dir, m.Files[0].SHA256))
	if got := faults(t, dir); len(got) != 1 || !strings.HasPrefix(got[0], "manifest line 5: ") {
		t.Errorf("reports are %q, want one, of line 5", got)
	}
}

// A layer describes a segment line of TestVerifyRules.
type layer struct {
	role    string
	shard   Shard
	records []record
}

func TestVerifyRules(t *testing.T) {
	whole := Shard{0, 1}
	all := responses(t, 1, 30, 0)
	var half [2][]record
	for _, r := range all {
		i := r.id.Key() >> 63
		half[i] = append(half[i], r)
	}
	var renewed []record // what is in half[1], a day newer
	for i := range all {
		if r := response(t, int64(i+1), 1); r.id.Key()>>63 == 1 {
			renewed = append(renewed, r)
		}
	}
	shifted := []record{response(t, 1, 1), response(t, 2, 1), response(t, 3, -1), response(t, 4, -1)}
	tests := []struct {
		name   string
		layers []layer
		want   []string // of each report
	}{
		{"no segments", nil, nil},
		{"shards cover all", []layer{{"base", Shard{1, 2}, half[1]}, {"base", Shard{0, 2}, half[0]}}, nil},
		{"shards of several sizes", []layer{{"base", Shard{2, 4}, nil}, {"base", Shard{3, 4}, nil}, {"base", Shard{0, 2}, half[0]}}, nil},
		{"only deltas", []layer{{"delta", Shard{0, 2}, half[0]}, {"delta", whole, nil}}, nil},
		{"a delta with newer records", []layer{{"delta", whole, shifted[:2]}, {"base", whole, all}}, nil},
		{"tombstone over a response of the day", []layer{{"delta", whole, []record{tombstone(t, 1, 1)}}, {"base", whole, all}}, nil},
		{"first shard missing", []layer{{"base", Shard{1, 2}, half[1]}},
			[]string{"manifest: no base segment covers the keys from 0000000000000000 to 7fffffffffffffff: publish the missing shards"}},
		{"middle shards missing", []layer{{"base", Shard{0, 4}, nil}, {"base", Shard{3, 4}, nil}},
			[]string{"manifest: no base segment covers the keys from 4000000000000000 to bfffffffffffffff"}},
		{"last shard missing", []layer{{"base", Shard{0, 2}, half[0]}, {"base", Shard{2, 4}, nil}},
			[]string{"manifest: no base segment covers the keys from c000000000000000 to ffffffffffffffff"}},
		{"base twice", []layer{{"base", whole, shifted[:2]}, {"base", whole, all}},
			[]string{"manifest: the base segment of shard 0/1 overlaps another base segment"}},
		{"base within base", []layer{{"base", whole, all}, {"base", Shard{0, 2}, nil}},
			[]string{"manifest: the base segment of shard 0/2 overlaps another base segment"}},
		{"keys outside the shard", []layer{{"base", Shard{0, 2}, all}, {"base", Shard{1, 2}, renewed}},
			[]string{fmt.Sprintf("keys outside shard 0/2, which no look-up finds: %d, the first at offset ", len(half[1]))}},
		{"a delta with older records, as an operator may want", []layer{{"delta", whole, shifted}, {"base", whole, all}}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			publish(t, dir, func(p *Publication, m *Manifest) {
				for _, l := range test.layers {
					m.Segments = append(m.Segments, addSegment(t, p, l.role, l.shard, l.records))
				}
			})
			got := faults(t, dir)
			if len(got) != len(test.want) {
				t.Fatalf("reports are\n%s\nwant %d", strings.Join(got, "\n"), len(test.want))
			}
			for i, want := range test.want {
				if !strings.Contains(got[i], want) {
					t.Errorf("report is\n%s\nwant in it\n%s", got[i], want)
				}
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
