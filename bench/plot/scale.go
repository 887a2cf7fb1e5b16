package plot

import (
	"math"
	"strconv"
)

// Spell writes v of a unit as people do: 8.6 µs, 114 k/s, 1.2 GB. Parts of one are for seconds only.
func Spell(v float64, unit string) string {
	power := 0
	if v != 0 {
		power = int(math.Floor(math.Log10(rounded(math.Abs(v))) / 3))
	}
	lowest := 0
	if unit == "s" {
		lowest = -3
	}
	power = max(lowest, min(power, 4))
	text := strconv.FormatFloat(rounded(v/math.Pow(1000, float64(power))), 'f', -1, 64)
	suffix := []string{"n", "µ", "m", "", "k", "M", "G", "T"}[power+3] + unit
	switch {
	case suffix == "" || v == 0 && unit != "":
		return text // 0 is 0 of everything
	case unit == "×" || unit == "%":
		return text + suffix
	}
	return text + "\u00a0" + suffix
}

// rounded is v to three digits, for 999.9 to be a thousand.
func rounded(v float64) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64)
	return r
}

// A scale leads from values to pixels.
type scale struct {
	log        bool
	from, to   float64 // values
	start, end float64 // their places
}

// place is where v belongs; what a scale does not reach lies at its end.
func (s *scale) place(v float64) float64 {
	of := func(v float64) float64 { return v }
	if s.log {
		of = func(v float64) float64 { return math.Log10(max(v, s.from)) }
	}
	part := (of(v) - of(s.from)) / (of(s.to) - of(s.from))
	return s.start + min(1, max(0, part))*(s.end-s.start)
}

// newScale covers values: a linear one from 0, a logarithmic one from the least that is positive.
func newScale(log bool, values []float64, at, end float64) scale {
	s := scale{log: log, start: at, end: end}
	least := math.Inf(1)
	for _, v := range values {
		s.to = max(s.to, v)
		if v > 0 {
			least = min(least, v)
		}
	}
	if s.to == 0 {
		s.to, least = 1, 1
	}
	if !log {
		return s
	}
	s.from, s.to = niceBelow(least), niceAbove(s.to)
	if s.from == s.to {
		s.to *= 10
	}
	return s
}

// niceBelow is the next of 1, 2, 5, 10, 20… that is not above v.
func niceBelow(v float64) float64 {
	decade := math.Pow(10, math.Floor(math.Log10(v)))
	for _, f := range []float64{5, 2} {
		if v >= f*decade {
			return f * decade
		}
	}
	return decade
}

// niceAbove is the next that is not below.
func niceAbove(v float64) float64 {
	decade := math.Pow(10, math.Floor(math.Log10(v)))
	for _, f := range []float64{1, 2, 5} {
		if v <= f*decade*(1+1e-9) {
			return f * decade
		}
	}
	return 10 * decade
}

// ticks are the values to be marked: the densest set of round ones of which no two are closer than
// apart says they must be, in pixels.
func (s *scale) ticks(apart func(a, b float64) float64) []float64 {
	for level := 0; ; level++ {
		list := s.candidates(level)
		fits := true
		for i := 1; i < len(list); i++ {
			fits = fits && math.Abs(s.place(list[i])-s.place(list[i-1])) >= apart(list[i-1], list[i])
		}
		if fits {
			return list
		}
	}
}

// candidates are round values, the fewer the higher the level.
func (s *scale) candidates(level int) (list []float64) {
	if !s.log {
		step := niceAbove(s.to / 8)
		for range level {
			step = niceAbove(step * 1.5)
		}
		for i := 0; float64(i)*step <= s.to*(1+1e-9); i++ {
			list = append(list, float64(i)*step)
		}
		return list
	}
	factors := []float64{1, 2, 5}
	if level > 0 {
		factors = factors[:1]
	}
	first, last := int(math.Floor(math.Log10(s.from)+1e-9)), int(math.Ceil(math.Log10(s.to)-1e-9))
	for decade := first; decade <= last; decade += max(1, level) {
		for _, f := range factors {
			if v := f * math.Pow(10, float64(decade)); v >= s.from*(1-1e-9) && v <= s.to*(1+1e-9) {
				list = append(list, v)
			}
		}
	}
	return list
}
