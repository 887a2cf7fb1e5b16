package index

import (
	"fmt"
	"testing"
)

// recordAt is a record that says nothing but its times.
func recordAt(t testing.TB, thisUpdate, nextUpdate, producedAt int64) (rec Record) {
	t.Helper()
	d := simple(testID(SHA1, 1, 1))
	d.produced = string(AppendTime(nil, uint32(producedAt)))
	d.singles[0].this = string(AppendTime(nil, uint32(thisUpdate)))
	d.singles[0].next = string(AppendTime(nil, uint32(nextUpdate)))
	s, _ := write(t, d.build())
	if err := s.Records(func(r Record) bool { rec = r; return true }); err != nil {
		t.Fatal(err)
	}
	return rec
}

func TestCurrency(t *testing.T) {
	const from, until = 1_800_000_000, 1_800_600_000
	rec := recordAt(t, from, until, from)
	for _, c := range []struct {
		now  int64
		want Currency
	}{
		{from - MaxSkew - 1, NotYetValid},
		{from - MaxSkew, Current},
		{from, Current},
		{until - 1, Current},
		{until, Expired},
		{until + 1, Expired},
	} {
		if got := rec.Currency(c.now); got != c.want {
			t.Errorf("%d s after thisUpdate it is %d, want %d", c.now-from, got, c.want)
		}
	}
}

func TestRefreshDue(t *testing.T) {
	const from, day = 1_800_000_000, 24 * 3600
	for _, c := range []struct{ validity, want int64 }{
		{day, day / 2},
		{7 * day, 7 * day / 2},
		{8 * day, 4 * day},
		{8*day + 2, 4 * day}, // not a second later
		{365 * day, 4 * day},
	} {
		rec := recordAt(t, from, from+c.validity, from)
		if got := rec.RefreshDue() - from; got != c.want {
			t.Errorf("valid for %d s, due after %d s, want %d", c.validity, got, c.want)
		}
	}
}

func TestNewer(t *testing.T) {
	for _, c := range []struct {
		a, b Moment
		want string
	}{
		{Moment{2, 1}, Moment{1, 9}, "true false"}, // thisUpdate decides
		{Moment{1, 2}, Moment{1, 1}, "true false"}, // then producedAt
		{Moment{1, 1}, Moment{1, 1}, "false false"},
	} {
		if got := fmt.Sprint(c.a.Newer(c.b), c.b.Newer(c.a)); got != c.want {
			t.Errorf("%v and %v: %s, want %s", c.a, c.b, got, c.want)
		}
	}
}
