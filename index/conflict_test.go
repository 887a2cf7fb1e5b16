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
	for name, tt := range map[string]struct {
		drafts []*draft
		want   uint64
	}{
		"good and revoked":    {[]*draft{good, revoked}, 1},
		"revoked and good":    {[]*draft{revoked, good}, 1},
		"good twice":          {[]*draft{good, again}, 0},
		"good, revoked newer": {[]*draft{good, newer}, 0},
		"different serials":   {[]*draft{good, simple(testID(SHA256, 1, 0x43))}, 0},
		"good, good, revoked": {[]*draft{good, good, revoked}, 1},
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
