package store

import (
	"fmt"
	"math/bits"
)

// A Shard is the part of the key space that a segment covers: the keys whose top
// log2(Of) bits are Index. Of is a power of two and Index is below it; {0, 1} is
// every key.
type Shard struct{ Index, Of uint32 }

// Covers reports whether key is in s, which must be valid.
func (s Shard) Covers(key uint64) bool {
	return key>>(64-bits.TrailingZeros32(s.Of)) == uint64(s.Index) // a shift by 64 leaves 0
}

// String is the form in the manifest, as 3/8.
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Of) }

func (s Shard) valid() bool { return bits.OnesCount32(s.Of) == 1 && s.Index < s.Of }

// keySpace is the size of all shards together, in the unit of span. The smallest
// shard, one of 2^31, is 2 of it.
const keySpace = uint64(1) << 32

// span is the half-open range of the key space that s covers.
func (s Shard) span() (from, to uint64) {
	width := keySpace / uint64(s.Of)
	return uint64(s.Index) * width, uint64(s.Index+1) * width
}
