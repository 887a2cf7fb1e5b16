package store

import (
	"reflect"
	"testing"

	"lancre/index"
)

// filled is what c writes into a manifest without files.
func filled(c *Counts) *Manifest {
	m := new(Manifest)
	c.Fill(m)
	return m
}

// TestCountsMatchAWalk keeps counts, over random stacks that grow by a line at a
// time, answer by answer, as the origin does, and compares them with a walk.
func TestCountsMatchAWalk(t *testing.T) {
	for seed := range uint64(4) {
		s := newModel(seed)
		dir := t.TempDir()
		s.publish(t, dir)
		before, kept := open(t, dir), NewCounts()
		for range 6 {
			s.add(t)
			said := s.publish(t, dir)
			after := open(t, dir)
			for _, id := range s.ids {
				recount(t, kept, before, after, &id)
			}
			walked, err := after.Count()
			if err != nil {
				t.Fatal(err)
			}
			if got, want := filled(kept), filled(walked); !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d: counts are\n%v %v\na walk gives\n%v %v", seed, got.Live, got.Due, want.Live, want.Due)
			}
			if n := kept.Answers(); n != uint64(len(s.answer)) {
				t.Fatalf("seed %d: %d answers, want %d", seed, n, len(s.answer))
			}
			if got := filled(said.Counts()); !reflect.DeepEqual(got.Live, said.Live) || !reflect.DeepEqual(got.Due, said.Due) {
				t.Fatalf("seed %d: of the manifest's counts, %v %v come back", seed, got.Live, got.Due)
			}
			before = after
		}
	}
}

// recount enters into c what the answer for id was, and what it is.
func recount(t *testing.T, c *Counts, before, after *Generation, id *index.CertID) {
	t.Helper()
	if rec, found, err := before.Lookup(id.Key(), id); err != nil {
		t.Fatal(err)
	} else if found {
		c.Remove(rec, id)
	}
	if rec, found, err := after.Lookup(id.Key(), id); err != nil {
		t.Fatal(err)
	} else if found {
		c.Add(rec, id)
	}
}

// Fill counts the CRLs among the files, by the hour of their nextUpdate, and nothing
// else that expires.
func TestFillCountsCRLs(t *testing.T) {
	m := &Manifest{Due: sampleManifest().Due, Files: sampleFiles()}
	page := m.Files[1]
	page.ContentType = "text/html"
	endless := m.Files[1]
	endless.Expires = m.Files[0].Expires
	m.Files = append(m.Files, page, endless)
	NewCounts().Fill(m)
	if want := sampleManifest().Due[:1]; !reflect.DeepEqual(m.Due, want) || m.Live != nil {
		t.Errorf("due are %v, live %v; want %v and none", m.Due, m.Live, want)
	}
}

// For the counts of all shards nothing is read: the manifest says them. One of version 1
// says none, and what answers is walked.
func TestCountsOfAll(t *testing.T) {
	dir := t.TempDir()
	records := responses(t, 1, 3, 0)
	m := begin(t, dir, records...)
	spoil(t, dir, &m.Segments[0], records[1])
	g := open(t, dir)
	if _, err := g.Count(); err == nil {
		t.Fatal("the damaged record can be walked past")
	}
	if c, err := g.countIn([]index.Shard{{Index: 0, Of: 2}, {Index: 1, Of: 2}}); err != nil || c.Answers() != 3 {
		t.Errorf("%v, want the 3 that the manifest says", err)
	}
	if _, err := g.countIn([]index.Shard{{Index: 0, Of: 2}}); err == nil {
		t.Error("the manifest does not say what one shard has, and nothing was read")
	}
	old := t.TempDir()
	publishVersion1(t, old)
	if c, err := open(t, old).countIn([]index.Shard{index.Everything}); err != nil || c.Answers() != 4 {
		t.Errorf("of version 1: %v, want 4 answers", err)
	}
}
