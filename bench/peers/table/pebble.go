package table

import (
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable/block"
)

// Pebble is a log-structured merge tree with Bloom filters and a block cache that
// holds all of it. What comes sorted needs no compaction; files are large, for
// only a thousand are kept open.
var Pebble = Kind{"pebble", func(dir string, entries []Entry) (Table, error) {
	options := &pebble.Options{CacheSize: pebbleCache(entries), MemTableSize: pebbleFile, DisableWAL: true, Logger: quiet{}}
	options.TargetFileSizes[0] = pebbleFile
	for i := range options.Levels {
		options.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		options.Levels[i].Compression = func() *block.CompressionProfile { return block.NoCompression } // signatures do not compress
	}
	db, err := pebble.Open(dir, options)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if err := db.Set(e.Key, e.Value, pebble.NoSync); err != nil {
			return nil, err
		}
	}
	if err := db.Flush(); err != nil {
		return nil, err
	}
	return &lsm{db}, nil
}}

const pebbleFile = 64 << 20

// pebbleCache is half more than what entries take, and room for the tables in
// memory, which pebble counts as part of it.
func pebbleCache(entries []Entry) int64 {
	var size int64
	for _, e := range entries {
		size += int64(len(e.Key) + len(e.Value))
	}
	return size + size/2 + 4*pebbleFile
}

type lsm struct{ db *pebble.DB }

func (t *lsm) Find(key []byte) (byte, bool) {
	value, closer, err := t.db.Get(key)
	if err != nil {
		return 0, false
	}
	defer closer.Close()
	return lastOctet(value), true
}

func (t *lsm) AppendValue(dst, key []byte) ([]byte, bool) {
	value, closer, err := t.db.Get(key)
	if err != nil { // pebble.ErrNotFound: an immutable table in memory has no others
		return dst, false
	}
	dst = append(dst, value...)
	closer.Close()
	return dst, true
}

func (t *lsm) Close() error { return t.db.Close() }

// quiet drops what Pebble says of its work, but not what it gives up for.
type quiet struct{ pebble.Logger }

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
