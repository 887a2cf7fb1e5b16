package input

import (
	"archive/tar"
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"lancre/build/internal/recipe"
	"lancre/build/rule"
)

// named is an archive of one member.
func named(name string, records map[string]string, content []byte) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg, PAXRecords: records}); err != nil {
		panic(err)
	}
	w.Write(content)
	w.Close()
	return b.Bytes()
}

// The name of a member has a bound, those of the archives around it included, and what
// follows it is read.
func TestLongMemberNames(t *testing.T) {
	r := recipe.Many(t, recipe.NewCA(t, "CA", recipe.P256()), 1)[0]
	half := strings.Repeat("n", maxMember/2)
	longest, tooLong := strings.Repeat("n", maxMember-1), strings.Repeat("n", maxMember)
	shown := strings.Repeat("n", shownMember) + "…"
	for name, tt := range map[string]struct {
		data []byte
		want []string
	}{
		"longest":         {named(longest, nil, r), []string{"-(" + longest + ") offset 0"}},
		"too long":        {named(tooLong, nil, r), []string{"-(" + shown + ") offset 0: source.form"}},
		"in another":      {named(half, nil, named(half[2:], nil, r)), []string{"-(" + half + "/" + half[2:] + ") offset 0"}},
		"summed too long": {named(half, nil, named(half, nil, r)), []string{"-(" + half + "/" + shown + ") offset 0: source.form"}},
		"followed":        {recipe.Join(named(tooLong, nil, r)[:len(named(tooLong, nil, r))-1024], tarred(r)), []string{"-(" + shown + ") offset 0: source.form", "-(m0) offset 0"}},
	} {
		c, err := collect(t, stdin, bytes.NewReader(tt.data))
		if err != nil || strings.Join(c.log, ", ") != strings.Join(tt.want, ", ") {
			t.Errorf("%s: %.300q, %v, want %.300q", name, c.log, err, tt.want)
		}
	}
}

// A short name does not keep alive the long records that it was read beside.
func TestNamesDoNotKeepTheirArchive(t *testing.T) {
	const count, size = 50, 900 << 10 // 45 MB
	comment := map[string]string{"comment": strings.Repeat("c", size)}
	var data []byte
	for i := range count {
		name := fmt.Sprintf("%d-%s", i, strings.Repeat("é", 60)) // which goes into a record of its own
		data = append(data, gzipped(strip(named(name, comment, nil)))...)
	}
	c := &places{}
	s := &Scanner{sink: c, Stdin: bytes.NewReader(data), MaxUnpacked: DefaultMaxUnpacked}
	defer s.close()
	if err := s.scan(t.Context(), stdin); err != nil {
		t.Fatal(err)
	}
	var now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&now)
	if len(c.list) != count || now.HeapAlloc > count*size/4 {
		t.Errorf("%d places keep %d octets", len(c.list), now.HeapAlloc)
	}
	runtime.KeepAlive(c)
}

// strip is an archive without its end, so that another can follow.
func strip(archive []byte) []byte { return archive[:len(archive)-1024] }

// What is unpacked of a source has a bound, whatever it is packed in and however often;
// the next source begins anew.
func TestMaxUnpacked(t *testing.T) {
	r := recipe.Many(t, recipe.NewCA(t, "CA", recipe.P256()), 1)[0]
	many := bytes.Repeat(r, 4000)
	for name, data := range map[string][]byte{
		"gzip":              gzipped(many),
		"gzip of gzip":      gzipped(gzipped(many)),
		"gzip of base64":    gzipped(append(base64Lines(r), bytes.Repeat([]byte(" \n"), len(many))...)),
		"gzip of PEM":       gzipped(append(recipe.PEM(pemType, r), bytes.Repeat([]byte("\n"), len(many))...)),
		"zstd":              zstded(many),
		"tar":               tarred(r, many, r, many),
		"tar of gzips":      tarred(gzipped(many), gzipped(many)),
		"gzip of large DER": gzipped(append([]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff}, many...)),
		"sparse tar":        sparse(),
	} {
		for _, limit := range []int64{int64(len(many)) / 2, 1 << 40} {
			c := &collector{}
			s := &Scanner{sink: c, Stdin: bytes.NewReader(data), MaxUnpacked: limit}
			if err := s.scan(t.Context(), stdin); err != nil {
				t.Fatal(err)
			}
			if err := s.scan(t.Context(), recipe.File(t, "again", gzipped(r))); err != nil {
				t.Fatal(err)
			}
			s.close()
			again := c.log[len(c.log)-1]
			stopped := strings.Count(strings.Join(c.log, "\n"), "source.unpacked")
			if bounded := limit < 1<<40; bounded != (stopped == 1) || strings.Contains(again, "source.") || s.unpacked > int64(len(r)) {
				t.Errorf("%s, at most %d: stopped %d times, then %s", name, limit, stopped, again)
			}
			if most := limit/int64(len(r)) + 1 + sourceBuffer/int64(len(r)); int64(len(c.responses)) > most+1 {
				t.Errorf("%s, at most %d: %d responses of %d octets", name, limit, len(c.responses), len(r))
			}
		}
	}
}

// sparse is an archive of a member of 2 GiB of which only the first six octets are there,
// by records that package tar reads but does not write.
func sparse() []byte {
	made := named("hole", map[string]string{"XXX.sparse.size": "2147483648", "XXX.sparse.numblocks": "1", "XXX.sparse.map": "0,6"}, []byte("\x30\x84\x7f\xff\xff\xff"))
	return bytes.ReplaceAll(made, []byte("XXX"), []byte("GNU"))
}

// places is a sink that keeps where things were, as a report does.
type places struct{ list []rule.Place }

func (p *places) Response(at rule.Place, _ []byte) error { p.list = append(p.list, at); return nil }

func (p *places) Reject(at rule.Place, _ *rule.Finding) error {
	p.list = append(p.list, at)
	return nil
}
