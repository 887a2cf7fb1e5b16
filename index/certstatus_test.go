package index

import (
	"math"
	"testing"
)

// A tombstone keeps what it hides.
func TestTombstoneKeepsWhatItHides(t *testing.T) {
	at := Moment{1_800_000_000, 1_800_000_060}
	for _, c := range []struct{ hidden, want CertStatus }{
		{CertStatus{at, Good, NoTime, -1}, CertStatus{at, Good, NoTime, -1}},
		{CertStatus{at, Unknown, NoTime, -1}, CertStatus{at, Unknown, NoTime, -1}},
		{CertStatus{at, Revoked, 1_700_000_000, -1}, CertStatus{at, Revoked, 1_700_000_000, -1}},
		{CertStatus{at, Revoked, 1, 0}, CertStatus{at, Revoked, 1, 0}},
		{CertStatus{at, Revoked, math.MaxUint32, 10}, CertStatus{at, Revoked, math.MaxUint32, 10}},
		{CertStatus{at, Revoked, 1, 254}, CertStatus{at, Revoked, 1, 254}},
		// What has no room is as none: a revocation is never refused for its time.
		{CertStatus{at, Revoked, math.MaxUint32 + 1, 255}, CertStatus{at, Revoked, NoTime, -1}},
		{CertStatus{at, Revoked, -1, 256}, CertStatus{at, Revoked, NoTime, -1}},
		{CertStatus{at, Revoked, 0, -2}, CertStatus{at, Revoked, NoTime, -1}},
		// What is not revoked has no revocation.
		{CertStatus{at, Good, 5, 4}, CertStatus{at, Good, NoTime, -1}},
	} {
		id := testID(SHA1, 1, 0x42)
		w := newWriter(t)
		hide(t, w, id, c.hidden)
		s, _ := finish(t, w)
		rec, found, err := s.Lookup(id.Key(), &id)
		if err != nil || !found {
			t.Fatalf("%+v: found %v, %v", c.hidden, found, err)
		}
		if got, ok := rec.CertStatus(&id); got != c.want || !ok {
			t.Errorf("a tombstone of %+v keeps %+v, want %+v", c.hidden, got, c.want)
		}
		if got := rec.StatusOf(&id); got != c.want.Status {
			t.Errorf("a tombstone of %+v: StatusOf is %s", c.hidden, got)
		}
		if _, ok := rec.Single(&id); ok {
			t.Errorf("a tombstone of %+v has a SingleResponse", c.hidden)
		}
	}
}

// A record says of each of its CertIDs what its response says.
func TestCertStatusOfResponses(t *testing.T) {
	for name, der := range forms(t) {
		r := parse(t, der)
		s, _ := write(t, der)
		for i := range r.Singles {
			id := r.Singles[i].CertID
			rec, _, err := s.Lookup(id.Key(), &id)
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := rec.CertStatus(&id); got != r.CertStatus(i) || !ok {
				t.Errorf("%s: %s: the record says %+v, the response %+v", name, &id, got, r.CertStatus(i))
			}
		}
	}
}

// Of tombstones and responses of one moment, the same stands whichever came first: a
// response, or else what hides the gravest.
func TestOfOneMomentTheOrderDoesNotMatter(t *testing.T) {
	id := testID(SHA1, 1, 0x42)
	response := parse(t, simple(id).build())
	at := response.Moment()
	hidden := []CertStatus{{at, Good, NoTime, -1}, {at, Unknown, NoTime, -1}, {at, Revoked, 5, 1}, {at, Revoked, 5, 2}}
	for n := 2; n <= len(hidden)+1; n++ { // of these and then the response, the last stands
		for first := range n {
			w := newWriter(t)
			for i := range n {
				if i = (first + i) % n; i < len(hidden) {
					hide(t, w, id, hidden[i])
				} else {
					add(t, w, response.DER)
				}
			}
			s, stats := finish(t, w)
			rec, _, err := s.Lookup(id.Key(), &id)
			if err != nil {
				t.Fatal(err)
			}
			want := response.CertStatus(0)
			if n <= len(hidden) {
				want = hidden[n-1]
			}
			if got, _ := rec.CertStatus(&id); got != want || rec.Tombstone() != (n <= len(hidden)) {
				t.Errorf("of %d from %d on, %+v stands, want %+v", n, first, got, want)
			}
			if stats.Superseded != uint64(n-1) || stats.Identical != 0 {
				t.Errorf("of %d from %d on: %+v", n, first, stats)
			}
		}
	}
}
