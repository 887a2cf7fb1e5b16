package index

// Slots are a view of a segment's table from key to record, valid as long as the segment
// is open and reachable. A look-up that passes many segments holds theirs side by side:
// what it touches of most is one slot.
type Slots struct {
	octets  []byte
	home    uint64 // the number of home slots
	longest uint64 // probe
}

// Slots are those of s.
func (s *Segment) Slots() Slots { return s.table }

// Lead reports whether a record may be entered under key: where none is it is wrong once
// in millions.
func (s *Slots) Lead(key uint64) bool {
	offset, _ := s.next(key, 0)
	return offset != 0
}

// next examines slots for key, of which examined ones were already, up to the next that
// agrees with its fingerprint. It returns the offset of that one's record, 0 if there is
// none, and how many slots are examined then.
func (s *Slots) next(key, examined uint64) (offset, now uint64) {
	first := home(key, s.home)
	for n := examined; n < s.longest; n++ {
		slot := s.at(first + n)
		if slot == 0 {
			return 0, n
		}
		if slot>>slotOffsetBits == key&fingerprintMask {
			return slot & slotOffsetMask, n + 1
		}
	}
	return 0, max(examined, s.longest)
}

// countTo is how many slots are examined for key up to that which leads to the record at
// offset; 0 if none does.
func (s *Slots) countTo(key, offset uint64) uint32 {
	for found, n := s.next(key, 0); found != 0; found, n = s.next(key, n) {
		if found == offset {
			return uint32(n)
		}
	}
	return 0
}

// fetch has the home slots of keys come from memory: in a loop in which nothing waits for
// them, so that many come at a time. What it returns is of no use.
func (s *Slots) fetch(keys []uint64) (sum uint64) {
	for _, key := range keys {
		sum += s.at(home(key, s.home))
	}
	return sum
}

// at is slot i, or a free one where there is none.
func (s *Slots) at(i uint64) uint64 {
	if i >= uint64(len(s.octets))/slotSize {
		return 0
	}
	return le.Uint64(s.octets[i*slotSize:])
}
