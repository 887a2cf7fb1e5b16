package table

import (
	"path/filepath"
	"slices"

	"go.etcd.io/bbolt"
)

// Bolt is a B+ tree in a mapped file, packed densely.
var Bolt = Kind{"bbolt", func(dir string, entries []Entry) (Table, error) {
	options := &bbolt.Options{NoSync: true, NoGrowSync: true, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType}
	db, err := bbolt.Open(filepath.Join(dir, "bolt"), 0o644, options)
	if err != nil {
		return nil, err
	}
	for some := range slices.Chunk(entries, batch) {
		if err := db.Update(func(tx *bbolt.Tx) error { return fillBolt(tx, some) }); err != nil {
			return nil, err
		}
	}
	tx, err := db.Begin(false)
	if err != nil {
		return nil, err
	}
	return &bolt{db, tx, tx.Bucket(boltBucket)}, nil
}}

var boltBucket = []byte("responses")

func fillBolt(tx *bbolt.Tx, entries []Entry) error {
	bucket, err := tx.CreateBucketIfNotExists(boltBucket)
	if err != nil {
		return err
	}
	bucket.FillPercent = 1 // they come sorted
	for _, e := range entries {
		if err := bucket.Put(e.Key, e.Value); err != nil {
			return err
		}
	}
	return nil
}

// bolt keeps one read transaction open: nothing is written any more.
type bolt struct {
	db     *bbolt.DB
	tx     *bbolt.Tx
	bucket *bbolt.Bucket
}

func (t *bolt) Find(key []byte) (byte, bool) {
	value := t.bucket.Get(key)
	return lastOctet(value), value != nil
}

func (t *bolt) AppendValue(dst, key []byte) ([]byte, bool) {
	value := t.bucket.Get(key)
	return append(dst, value...), value != nil
}

func (t *bolt) Close() error {
	if err := t.tx.Rollback(); err != nil {
		return err
	}
	return t.db.Close()
}
