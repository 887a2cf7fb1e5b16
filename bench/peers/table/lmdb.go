package table

// #cgo LDFLAGS: -llmdb
// #include <stdlib.h>
// #include <lmdb.h>
//
// static int get(MDB_txn *txn, MDB_dbi dbi, void *key, size_t size, MDB_val *value) {
//   MDB_val k = { size, key };
//   return mdb_get(txn, dbi, &k, value);
// }
// static int put(MDB_txn *txn, MDB_dbi dbi, void *key, size_t keysize, void *value, size_t size) {
//   MDB_val k = { keysize, key }, v = { size, value };
//   return mdb_put(txn, dbi, &k, &v, MDB_APPEND);
// }
import "C"

import (
	"errors"
	"runtime"
	"slices"
	"unsafe"
)

// LMDB is a B+ tree in a mapped file, filled in order; its library is C.
var LMDB = Kind{"lmdb", func(dir string, entries []Entry) (Table, error) {
	runtime.LockOSThread() // a transaction that writes belongs to a thread
	defer runtime.UnlockOSThread()
	t := new(lmdb)
	name := C.CString(dir)
	defer C.free(unsafe.Pointer(name))
	const mapSize = 64 << 30 // address space, not memory
	if err := first(
		func() C.int { return C.mdb_env_create(&t.env) },
		func() C.int { return C.mdb_env_set_mapsize(t.env, mapSize) },
		func() C.int { return C.mdb_env_open(t.env, name, C.MDB_NOSYNC|C.MDB_NOTLS, 0o644) },
		func() C.int { return C.mdb_txn_begin(t.env, nil, 0, &t.txn) },
		func() C.int { return C.mdb_dbi_open(t.txn, nil, 0, &t.dbi) },
		func() C.int { return C.mdb_txn_commit(t.txn) },
		func() C.int { return t.fill(entries) },
		func() C.int { return C.mdb_txn_begin(t.env, nil, C.MDB_RDONLY, &t.txn) },
	); err != nil {
		return nil, err
	}
	return t, nil
}}

type lmdb struct {
	env *C.MDB_env
	txn *C.MDB_txn
	dbi C.MDB_dbi
}

// fill commits batch by batch: a transaction keeps in memory what it writes.
func (t *lmdb) fill(entries []Entry) C.int {
	for some := range slices.Chunk(entries, batch) {
		if rc := t.append(some); rc != 0 {
			return rc
		}
	}
	return 0
}

func (t *lmdb) append(entries []Entry) C.int {
	if rc := C.mdb_txn_begin(t.env, nil, 0, &t.txn); rc != 0 {
		return rc
	}
	for _, e := range entries {
		rc := C.put(t.txn, t.dbi, unsafe.Pointer(&e.Key[0]), C.size_t(len(e.Key)), unsafe.Pointer(&e.Value[0]), C.size_t(len(e.Value)))
		if rc != 0 {
			return rc
		}
	}
	return C.mdb_txn_commit(t.txn)
}

func (t *lmdb) Find(key []byte) (byte, bool) {
	value, found := t.get(key)
	return lastOctet(value), found
}

func (t *lmdb) AppendValue(dst, key []byte) ([]byte, bool) {
	value, found := t.get(key)
	return append(dst, value...), found
}

func (t *lmdb) get(key []byte) ([]byte, bool) {
	var value C.MDB_val
	if C.get(t.txn, t.dbi, unsafe.Pointer(&key[0]), C.size_t(len(key)), &value) != 0 {
		return nil, false
	}
	return unsafe.Slice((*byte)(value.mv_data), value.mv_size), true
}

func (t *lmdb) Close() error {
	C.mdb_txn_abort(t.txn)
	C.mdb_env_close(t.env)
	return nil
}

// first takes one step after another until one fails.
func first(steps ...func() C.int) error {
	for _, step := range steps {
		if rc := step(); rc != 0 {
			return errors.New("lmdb: " + C.GoString(C.mdb_strerror(rc)))
		}
	}
	return nil
}
