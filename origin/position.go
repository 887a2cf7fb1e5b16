package origin

import (
	"cmp"
	"slices"
	"strconv"
	"sync"

	"lancre/index/store"
	"lancre/origin/source"
)

// sequenceMark is the mark of the loop itself: the generation that it published last.
// Other writers carry it over, but for a rollback, which brings an earlier one back, and a
// build that replaces everything: so it tells that the store does not have any more what
// was published since. Generations grow whatever happens, so no number comes twice.
const sequenceMark = "follow"

// A position is how far the sources were read, by what the manifest says and by what the
// next one will. It is safe for concurrent use.
type position struct {
	mu      sync.Mutex
	marks   map[string]string // by name
	names   map[string]bool   // marks that the configuration has
	proven  uint64            // the sequence number of the last publication that the store has for sure
	settled uint64            // numbers up to this one that are not it are of the past
	written uint64            // the last that a manifest was given, which may not have been committed
	rewinds uint64            // how often the store went back
	back    []store.Mark      // the marks that it has since
}

// newPosition is that of the store with manifest m.
func newPosition(m *store.Manifest, names map[string]bool) *position {
	p := &position{marks: make(map[string]string), names: names}
	p.adopt(m.Marks, m.Generation)
	return p
}

// adopt takes over what the manifest of a generation says.
func (p *position) adopt(marks []store.Mark, generation uint64) {
	clear(p.marks)
	for _, k := range marks {
		if p.names[k.Source] {
			p.marks[k.Source] = k.Value
		}
	}
	p.proven, p.settled, p.back = sequenceOf(marks), generation, marks
}

// amend writes the marks of the manifest that is to come, which has its number and so far
// the marks of the one before. It returns the sequence number of that publication; back is true if the store
// went back: then the sources are to be rewound, and the marks stay.
func (p *position) amend(next *store.Manifest) (sequence uint64, back bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if before := sequenceOf(next.Marks); before != p.proven && (before <= p.settled || before > p.written) {
		p.adopt(next.Marks, next.Generation-1)
		p.rewinds++
		back = true
	}
	p.written = next.Generation
	next.Marks = []store.Mark{{Source: sequenceMark, Value: strconv.FormatUint(p.written, 10)}}
	for name, value := range p.marks {
		next.Marks = append(next.Marks, store.Mark{Source: name, Value: value})
	}
	slices.SortFunc(next.Marks, func(a, b store.Mark) int { return cmp.Compare(a.Source, b.Source) })
	return p.written, back
}

// sequenceOf is the sequence number among marks; 0 if there is none, and for what is none
// of ours.
func sequenceOf(marks []store.Mark) uint64 {
	for _, m := range marks {
		if m.Source == sequenceMark {
			n, _ := strconv.ParseUint(m.Value, 10, 64)
			return n
		}
	}
	return 0
}

// committed says that the publication of that number is durable.
func (p *position) committed(sequence uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if sequence > p.settled {
		p.proven, p.settled = sequence, sequence
	}
}

// mark has the next publication say how far a source was read, unless the store went
// back since the source was rewound last.
func (p *position) mark(name, value string, rewinds uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if rewinds == p.rewinds {
		p.marks[name] = value
	}
}

// current is what a source is to be rewound to, and after how many rewinds.
func (p *position) current(name string) (at source.Position, rewinds uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at.Sequence = sequenceOf(p.back)
	for _, m := range p.back {
		if m.Source == name {
			at.Mark = m.Value
		}
	}
	return at, p.rewinds
}

// latest is a number that is not below that of any publication that the store has.
func (p *position) latest() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(p.written, p.settled)
}
