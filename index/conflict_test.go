package index

import "testing"

// Responses of one moment that say different things are counted, and one of their
// CertIDs is named; those of which one is newer, or that say the same, are not.
func TestConflicts(t *testing.T) {
	id := testID(SHA256, 1, 0x42)
	good, revoked, again, newer := simple(id), simple(id), simple(id), simple(id)
	revoked.singles[0].status, revoked.singles[0].revoked = Revoked, "20260910111213Z"
	again.signature = []byte("another")
	newer.singles[0].status, newer.singles[0].revoked = Revoked, "20260910111213Z"
	newer.produced = "20991231235959Z"
	bundle := simple(testID(SHA256, 1, 0x43))
	bundle.singles = append(bundle.singles, simple(id).singles...)
	bundle.singles[0].status, bundle.singles[0].revoked = Revoked, "20260910111213Z"
	for name, tt := range map[string]struct {
		drafts []*draft
		want   uint64
	}{
		"good and revoked":                       {[]*draft{good, revoked}, 1},
		"revoked and good":                       {[]*draft{revoked, good}, 1},
		"good twice":                             {[]*draft{good, again}, 0},
		"good, revoked newer":                    {[]*draft{good, newer}, 0},
		"different serials":                      {[]*draft{good, simple(testID(SHA256, 1, 0x43))}, 0},
		"good, good, revoked":                    {[]*draft{good, good, revoked}, 1},
		"good alone and beside a revoked one":    {[]*draft{good, bundle}, 0},
		"revoked alone, good beside another one": {[]*draft{bundle, revoked}, 1},
	} {
		var ders [][]byte
		for _, d := range tt.drafts {
			ders = append(ders, d.build())
		}
		_, stats := write(t, ders...)
		if stats.Conflicts != tt.want {
			t.Errorf("%s: %d conflicts, want %d", name, stats.Conflicts, tt.want)
		}
		if tt.want > 0 && !stats.Conflict.Equal(&id) {
			t.Errorf("%s: conflict for %s, want %s", name, &stats.Conflict, &id)
		}
	}
}

// A response for several certificates is found under each, and what it says of each
// can be told.
func TestStatusOf(t *testing.T) {
	var ids []CertID
	bundle := &draft{produced: "20261101060708Z", signature: []byte("signed")}
	for i, status := range []Status{Good, Revoked, Unknown} {
		ids = append(ids, testID(SHA1, 1, byte(i+1)))
		single := simple(ids[i]).singles[0]
		single.status, single.revoked = status, "20260910111213Z"
		bundle.singles = append(bundle.singles, single)
	}
	s, _ := write(t, bundle.build())
	for i, want := range []Status{Good, Revoked, Unknown} {
		rec, found, err := s.Lookup(ids[i].Key(), &ids[i])
		if err != nil || !found {
			t.Fatalf("%s: found %v, %v", &ids[i], found, err)
		}
		if got := rec.StatusOf(&ids[i]); got != want || rec.Status() != Revoked {
			t.Errorf("%s: %s of a response that is %s, want %s of one that is %s", &ids[i], got, rec.Status(), want, Revoked)
		}
		if single, ok := rec.Single(&ids[i]); !ok || single.Status != want {
			t.Errorf("%s: SingleResponse %+v, %v", &ids[i], single, ok)
		}
		stranger := testID(SHA1, 1, 9)
		if _, ok := rec.Single(&stranger); ok {
			t.Errorf("a SingleResponse for %s", &stranger)
		}
	}
}
