package index

import (
	"fmt"
	"math/bits"

	"github.com/cespare/xxhash/v2"
)

// A Shard is a part of the certificates: those whose SerialHash has Index as its
// top log2(Of) bits. Of is a power of two and Index is below it; {0, 1} is every
// certificate.
//
// It goes by the serial number and not by the CertID, so that all CertIDs of one
// certificate lie in one shard, and everybody who knows the serial can tell which.
type Shard struct{ Index, Of uint32 }

// Everything is the shard of all certificates.
var Everything = Shard{0, 1}

// MaxShards is the largest Of: a store has at most as many lines.
const MaxShards = 4096

// SerialHash is the xxhash64, seed 0, of the serial number's content octets. A serial
// longer than MaxSerial, which no store holds, is cut.
func (id *CertID) SerialHash() uint64 {
	return xxhash.Sum64(id.Serial[:min(len(id.Serial), MaxSerial)])
}

// Covers reports whether a certificate with that SerialHash is in s, which must be
// valid.
func (s Shard) Covers(serialHash uint64) bool { return s == ShardOf(serialHash, s.Of) }

// Has reports whether the certificate that id names is in s, which must be valid.
func (s Shard) Has(id *CertID) bool { return s == Everything || s.Covers(id.SerialHash()) }

// ShardOf is the shard of so many, which must be a power of two up to MaxShards, that
// a certificate with that SerialHash is in.
func ShardOf(serialHash uint64, of uint32) Shard {
	return Shard{uint32(serialHash >> (64 - bits.TrailingZeros32(of))), of} // a shift by 64 leaves 0
}

// String is the form in manifests and on command lines, as 3/8.
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Of) }

// Valid reports whether s is a shard.
func (s Shard) Valid() bool {
	return bits.OnesCount32(s.Of) == 1 && s.Of <= MaxShards && s.Index < s.Of
}

// Span is the half-open range of s in parts of MaxShards.
func (s Shard) Span() (from, to uint32) {
	width := MaxShards / s.Of
	return s.Index * width, (s.Index + 1) * width
}

// Overlaps reports whether some certificate is in both: one of two shards then has
// all of the other.
func (s Shard) Overlaps(t Shard) bool { return s.Contains(t) || t.Contains(s) }

// Contains reports whether s has all of t.
func (s Shard) Contains(t Shard) bool {
	return t.Of >= s.Of && t.Index/(t.Of/s.Of) == s.Index
}

// Parent is the shard, twice as large, that s is half of. That of everything is
// everything.
func (s Shard) Parent() Shard {
	if s.Of == 1 {
		return s
	}
	return Shard{s.Index / 2, s.Of / 2}
}
