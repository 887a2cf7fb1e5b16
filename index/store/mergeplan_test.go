package store

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"lancre/index"
)

// linesOf are segment lines as a word each says, newest first: d and b are a delta and
// a base of everything, d1/4 and b1/4 of a shard; =N has N octets, @N was made N hours
// after the start. The word is the line's SHA256, by which words gives it back.
func linesOf(t *testing.T, text string) []SegmentLine {
	t.Helper()
	number := func(s string) int64 {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		return n
	}
	var lines []SegmentLine
	for _, word := range strings.Fields(text) {
		rest, hours, created := strings.Cut(word, "@")
		rest, size, sized := strings.Cut(rest, "=")
		line := SegmentLine{Role: map[byte]string{'b': RoleBase, 'd': RoleDelta}[word[0]], Shard: index.Everything, SHA256: word}
		if i, of, ok := strings.Cut(rest[1:], "/"); ok {
			line.Shard = index.Shard{Index: uint32(number(i)), Of: uint32(number(of))}
		}
		if sized {
			line.Size = number(size)
		}
		if created {
			line.Created = start.Add(time.Duration(number(hours)) * time.Hour)
		}
		lines = append(lines, line)
	}
	return lines
}

// words is the opposite of linesOf.
func words(lines []SegmentLine) string {
	var list []string
	for i := range lines {
		list = append(list, lines[i].SHA256)
	}
	return strings.Join(list, " ")
}

func TestTier(t *testing.T) {
	for size, want := range map[int64]int{
		0: 0, 8<<10 - 1: 0,
		8 << 10: 1, 64<<10 - 1: 1,
		64 << 10: 2, 512<<10 - 1: 2,
		512 << 10: 3, 4<<20 - 1: 3,
		4 << 20: 4, 1 << 62: 17,
	} {
		if got := tier(size); got != want {
			t.Errorf("%d octets are of tier %d, want %d", size, got, want)
		}
	}
}

func TestFullTier(t *testing.T) {
	const (
		small  = "=100 "
		second = "=10000 " // of the next tier
		third  = "=100000 "
	)
	d := func(n int, size string) string { return strings.Repeat("d"+size, n) }
	from := func(first, last int) (run []int) {
		for i := first; i <= last; i++ {
			run = append(run, i)
		}
		return run
	}
	for _, test := range []struct {
		name, lines string
		want        []int
	}{
		{"no lines", "", nil},
		{"one too few", d(7, small) + "b=1", nil},
		{"eight", d(8, small) + "b=1", from(0, 7)},
		{"the oldest eight of nine", d(9, small), from(1, 8)},
		{"of the next size", d(8, second), from(0, 7)},
		{"smaller ones between them are joined, too", d(4, second) + d(2, small) + d(4, second), from(0, 9)},
		{"smaller ones above and below them are not", d(2, small) + d(8, second) + d(2, small), from(2, 9)},
		{"larger ones part them", d(4, small) + d(1, second) + d(4, small), nil},
		{"the run begins anew below a larger one", d(4, small) + d(1, third) + d(8, small), from(5, 12)},
		{"the smaller size first", d(8, second) + d(8, small), from(8, 15)},
		{"bases do not part them", d(4, small) + "b0/2=1 " + d(4, small) + "b1/2=1", []int{0, 1, 2, 3, 5, 6, 7, 8}},
		{"of several shards", "d0/2=1 d1/2=1 d0/4=1 d3/4=1 d=1 d=1 d=1 d=1", from(0, 7)},
		{"bases are not joined", strings.Repeat("b=100 ", 8), nil},
	} {
		if got := fullTier(linesOf(t, test.lines)); !slices.Equal(got, test.want) {
			t.Errorf("%s: lines %v are joined, want %v", test.name, got, test.want)
		}
	}
}

// Where additions are of a size, at most seven deltas of each tier are left, however many
// came before each merge, and however much of a segment is not its records.
func TestTiersStayFew(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, shared := range []int64{0, 100, 1500, 3000, 6000, 20000} {
		const records = 200
		var lines []SegmentLine // newest first
		for n := range 1000 {
			for range random.IntN(40) {
				lines = slices.Insert(lines, 0, SegmentLine{Role: RoleDelta, Shard: index.Everything, Size: shared + records})
			}
			for run := fullTier(lines); run != nil; run = fullTier(lines) {
				first, last := run[0], run[len(run)-1]
				size := shared
				for _, l := range lines[first : last+1] {
					size += l.Size - shared
				}
				lines = slices.Replace(lines, first, last+1, SegmentLine{Role: RoleDelta, Shard: index.Everything, Size: size})
			}
			left := make(map[int]int)
			for i := range lines {
				left[tier(lines[i].Size)]++
			}
			for of, count := range left {
				if count >= fanout {
					t.Fatalf("%d octets shared, merge %d: %d deltas of tier %d are left, want %d at most", shared, n, count, of, fanout-1)
				}
			}
		}
	}
}

func TestOldestBase(t *testing.T) {
	for _, test := range []struct {
		name, lines string
		want        string // as linesOf; "" for none
	}{
		{"no lines", "", ""},
		{"nothing above it", "b@1", ""},
		{"a delta below", "b0/2@1 d@2 b1/2@3", "b1/2"},
		{"made first, not lowest", "d@9 b0/2@1 b1/2@2", "b0/2"},
		{"made first of those that have something above them", "d1/2@9 b0/2@1 b1/2@2", "b1/2"},
		{"two of the same moment: the upper", "d@9 b1/2@1 b0/2@1", "b1/2"},
		{"a delta of a part of it", "d5/8@9 b0/2@1 b1/2@2", "b1/2"},
		{"a delta that is more than it", "d1/2@9 b0/4@1 b1/4@2 b2/4@5 b3/4@4", "b3/4"},
		{"without bases, everything", "d1/2@9 d0/2@8", "b"},
	} {
		shard, ok := oldestBase(linesOf(t, test.lines))
		if ok != (test.want != "") || ok && shard != linesOf(t, test.want)[0].Shard {
			t.Errorf("%s: %s, %v, want %q", test.name, shard, ok, test.want)
		}
	}
}

func TestNextStep(t *testing.T) {
	eight := strings.Repeat("d=1 ", 8)
	for _, test := range []struct {
		name, lines string
		intoBase    bool
		want        string // joined, absorbed or nothing
	}{
		{"little above a base", "d=25 b=100", false, "nothing"},
		{"more than a quarter", "d=26 b=100", false, "absorbed"},
		{"of all bases", "d=26 b0/2=50 b1/2=100", false, "nothing"},
		{"deltas are joined before bases absorb them", eight + "b=1", false, "joined"},
		{"without bases there is none to absorb", "d=1 d=1", false, "nothing"},
		{"whatever little, if it is to be", "d=1 b=100", true, "absorbed"},
		{"into bases at once", eight + "b=100", true, "absorbed"},
		{"a base of everything, if it is to be", "d=1 d=1", true, "absorbed"},
		{"nothing is left", "b=100", true, "nothing"},
	} {
		step, ok := nextStep(linesOf(t, test.lines), &MergePolicy{IntoBase: test.intoBase})
		got := "nothing"
		switch {
		case ok && step.shard != nil:
			got = "absorbed"
		case ok:
			got = "joined"
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}
