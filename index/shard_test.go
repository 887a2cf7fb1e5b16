package index

import "testing"

func TestShard(t *testing.T) {
	tests := []struct {
		shard  Shard
		hash   uint64
		covers bool
	}{
		{Everything, 0, true},
		{Everything, 1<<64 - 1, true},
		{Shard{0, 2}, 1<<63 - 1, true},
		{Shard{0, 2}, 1 << 63, false},
		{Shard{1, 2}, 1 << 63, true},
		{Shard{5, 8}, 0xbfff_ffff_ffff_ffff, true},
		{Shard{5, 8}, 0xc000_0000_0000_0000, false},
		{Shard{5, 8}, 0x9fff_ffff_ffff_ffff, false},
		{Shard{MaxShards - 1, MaxShards}, 1<<64 - 1, true},
		{Shard{MaxShards - 1, MaxShards}, 1<<64 - 1<<52 - 1, false},
	}
	for _, test := range tests {
		if got := test.shard.Covers(test.hash); got != test.covers {
			t.Errorf("%s covers %016x: got %v, want %v", test.shard, test.hash, got, test.covers)
		}
		from, to := test.shard.Span()
		if part := uint32(test.hash >> 52); (from <= part && part < to) != test.covers {
			t.Errorf("%s spans %d to %d: has %016x %v, want %v", test.shard, from, to, test.hash, !test.covers, test.covers)
		}
	}
}

func TestShardValid(t *testing.T) {
	for shard, want := range map[Shard]bool{
		{0, 1}: true, {1, 2}: true, {MaxShards - 1, MaxShards}: true,
		{}: false, {1, 1}: false, {2, 2}: false, {0, 3}: false, {0, 2 * MaxShards}: false,
	} {
		if got := shard.Valid(); got != want {
			t.Errorf("%s is a shard: got %v, want %v", shard, got, want)
		}
	}
}

// All CertIDs of one certificate lie in one shard, and the hash is part of the
// format.
func TestSerialHash(t *testing.T) {
	serial := []byte{0x01, 0x02, 0x03}
	for _, alg := range HashAlgs() {
		hash := make([]byte, alg.Size())
		id := CertID{Alg: alg, NameHash: hash, KeyHash: hash, Serial: serial}
		if got, want := id.SerialHash(), uint64(0x743e13ee0c4ee5a5); got != want {
			t.Errorf("%s: hash is %#x, want %#x", alg, got, want)
		}
	}
	long := CertID{Serial: make([]byte, MaxSerial+1)}
	cut := CertID{Serial: make([]byte, MaxSerial)}
	if long.SerialHash() != cut.SerialHash() {
		t.Error("a serial that no store holds is not cut")
	}
}
