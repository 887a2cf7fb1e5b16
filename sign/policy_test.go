package sign

import (
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"lancre/index"
)

func certEnd(unix string) (int64, error) { return strconv.ParseInt(unix, 10, 64) }

// After an outage, a key that can make a fifth more signatures than are needed on average
// lets none get older than 75 hours; and what another key makes up for in one go is soon
// spread again: no hour has more than a quarter above the mean. (With a moment that only the
// serial number decides, hours of several times the mean come again every cycle.)
func TestPolicyAfterAnOutage(t *testing.T) {
	const certificates, cycle = 20_000, 52.5 // hours: the middle of 42 and 63
	const mean = certificates / cycle
	c := DefaultConfig()
	r := &run{Config: &c}
	byHour := make([][]int, 800) // certificates by when they were signed last
	for i := range certificates {
		byHour[i%52] = append(byHour[i%52], i)
	}
	oldest, peak := 0, 0
	for hour := 52; hour < len(byHour); hour++ {
		r.report = &Report{At: start.Add(time.Duration(hour) * time.Hour)}
		capacity := certificates * 12 / 525
		if hour >= 450 {
			capacity = certificates
		}
		if hour >= 150 && hour < 162 || hour >= 450 && hour < 462 {
			capacity = 0 // an outage
		}
		for h := range hour {
			byHour[h] = slices.DeleteFunc(byHour[h], func(i int) bool {
				if len(byHour[hour]) == capacity || !r.dueAt(i, h) {
					return false
				}
				byHour[hour] = append(byHour[hour], i)
				return true
			})
			if len(byHour[h]) > 0 {
				oldest = max(oldest, hour-h)
			}
		}
		if hour > 650 {
			peak = max(peak, len(byHour[hour]))
		}
	}
	if oldest > 75 {
		t.Errorf("the oldest was of %d h, want at most 75", oldest)
	}
	if float64(peak) > 1.25*mean {
		t.Errorf("an hour had %d, the mean is %.0f", peak, mean)
	}
}

// dueAt reports whether certificate i is due, which was signed for in that hour and does
// not end.
func (r *run) dueAt(i, hour int) bool {
	signed := start.Add(time.Duration(hour) * time.Hour).Unix()
	last := &said{known: true, thisUpdate: signed, nextUpdate: signed + 168*3600}
	return r.due([]byte{1, byte(i), byte(i >> 8)}, last, math.MaxInt64)
}

func TestSpread(t *testing.T) {
	var tenths [10]int
	for i := range 10_000 {
		s := spread([]byte{1, byte(i), byte(i >> 8)}, start.Unix())
		tenths[int(s*10)]++
	}
	for i, n := range tenths {
		if n < 850 || n > 1150 {
			t.Errorf("%d of 10000 in tenth %d", n, i)
		}
	}
	if spread([]byte{1}, 1) == spread([]byte{1}, 2) || spread([]byte{1}, 1) == spread([]byte{2}, 1) {
		t.Error("it does not depend on both serial number and time")
	}
}

func TestDue(t *testing.T) {
	c := DefaultConfig()
	c.Refresh = [2]float64{0.25, 0.25}
	r := &run{Config: &c}
	const hour = int64(3600)
	for _, tt := range []struct {
		name                  string
		validity, age, endsAt int64 // in hours; since thisUpdate
		want                  bool
	}{
		{"young", 168, 41, 1000, false},
		{"a quarter", 168, 42, 1000, true},
		{"of another's longer validity", 400, 42, 1000, true},
		{"of a shorter validity", 80, 20, 1000, true},
		{"until the certificate ends", 80, 20, 80, true},
		{"until the certificate soon ends", 16, 10, 16, false},
		{"not until the certificate ends", 16, 10, 17, true},
	} {
		r.report = &Report{At: start.Add(time.Duration(tt.age) * time.Hour)}
		last := &said{known: true, thisUpdate: start.Unix(), nextUpdate: start.Unix() + tt.validity*hour}
		if got := r.due([]byte{1}, last, start.Unix()+tt.endsAt*hour); got != tt.want {
			t.Errorf("%s: due %v, want %v", tt.name, got, tt.want)
		}
	}
}

// The presence of certificates is never denied, and absence is mostly seen.
func TestPresence(t *testing.T) {
	const n = 50_000
	p := newPresence(n)
	hash := func(i int) uint64 {
		id := index.CertID{Serial: serialOctets(i + 1)}
		return id.SerialHash()
	}
	for i := range n {
		p.enter(hash(i), i%2 == 0)
	}
	missed := 0
	for i := range n {
		if p.lacks(hash(i)) {
			t.Fatalf("certificate %d is denied", i)
		}
		if !p.lacks(hash(n + i)) {
			missed++
		}
	}
	if p.found != n/2 || missed > n/16 {
		t.Errorf("%d found, want %d; %d of %d absent ones look present", p.found, n/2, missed, n)
	}
}
