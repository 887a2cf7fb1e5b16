package announce

import (
	"strings"
	"testing"
	"time"
)

// Each letter is what was seen in a second, d for dead, s for stale, r for ready, and
// below it what is to be believed.
func TestDamping(t *testing.T) {
	for _, test := range []struct{ name, seen, want string }{
		{"three for better", "rrrr", "ddrr"},
		{"three of one kind", "rrsssr", "ddddss"},
		{"two for worse", "rrrrddd", "ddrrrdd"},
		{"one miss", "rrrdrrdr", "ddrrrrrr"},
		{"stale is two for worse", "rrrsss", "ddrrss"},
		{"dead from stale", "sssddr", "ddssdd"},
		{"up and down again", "rrrddrrr", "ddrrdddr"},
		{"a change is held for ten", "rrrss" + "rrrrrrrrrrr", "ddrrs" + "sssssssssrr"},
		{"but not a death", "rrrssrrrdd", "ddrrsssssd"},
		{"nor what follows it", "rrrssddrrr", "ddrrssdddr"},
	} {
		d := damper{Damping: Damping{Rise: 3, Fall: 2, Hold: 10 * time.Second}}
		now := time.Unix(1_800_000_000, 0)
		var got strings.Builder
		for _, c := range test.seen {
			seen := map[rune]State{'d': Dead, 's': Stale, 'r': Ready}[c]
			got.WriteByte(d.see(seen, now).String()[0])
			now = now.Add(time.Second)
		}
		if got.String() != test.want {
			t.Errorf("%s:\nseen %s\ngot  %s\nwant %s", test.name, test.seen, &got, test.want)
		}
	}
}
