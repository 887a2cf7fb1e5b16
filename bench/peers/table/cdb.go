package table

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// CDB is D. J. Bernstein's constant database (cr.yp.to/cdb/cdb.txt), read through
// a mapping.
var CDB = Kind{"cdb", func(dir string, entries []Entry) (Table, error) {
	path := filepath.Join(dir, "cdb")
	if err := os.WriteFile(path, encodeCDB(entries), 0o644); err != nil {
		return nil, err
	}
	return openCDB(path)
}}

const cdbHead = 256 * 8 // position and number of slots of 256 tables

var le = binary.LittleEndian

func cdbHash(key []byte) uint32 {
	h := uint32(5381)
	for _, c := range key {
		h = h*33 ^ uint32(c)
	}
	return h
}

// encodeCDB spells the whole file: it is to be fast to read, not to make.
func encodeCDB(entries []Entry) []byte {
	file := make([]byte, cdbHead)
	var slots [256][][2]uint32 // hash and position, by the low octet of the hash
	for _, e := range entries {
		h := cdbHash(e.Key)
		slots[h&255] = append(slots[h&255], [2]uint32{h, uint32(len(file))})
		file = le.AppendUint32(file, uint32(len(e.Key)))
		file = le.AppendUint32(file, uint32(len(e.Value)))
		file = append(append(file, e.Key...), e.Value...)
	}
	for i, list := range slots {
		n := uint32(2 * len(list))
		le.PutUint32(file[8*i:], uint32(len(file)))
		le.PutUint32(file[8*i+4:], n)
		table := make([]byte, 8*n)
		for _, s := range list {
			at := (s[0] >> 8) % n
			for le.Uint32(table[8*at+4:]) != 0 {
				at = (at + 1) % n
			}
			le.PutUint32(table[8*at:], s[0])
			le.PutUint32(table[8*at+4:], s[1])
		}
		file = append(file, table...)
	}
	return file
}

type cdb []byte

func openCDB(path string) (cdb, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED|unix.MAP_POPULATE)
}

func (c cdb) Find(key []byte) (byte, bool) {
	value, found := c.get(key)
	return lastOctet(value), found
}

func (c cdb) AppendValue(dst, key []byte) ([]byte, bool) {
	value, found := c.get(key)
	return append(dst, value...), found
}

func (c cdb) get(key []byte) ([]byte, bool) {
	h := cdbHash(key)
	at, n := le.Uint32(c[8*(h&255):]), le.Uint32(c[8*(h&255)+4:])
	if n == 0 {
		return nil, false
	}
	for i := (h >> 8) % n; ; i = (i + 1) % n {
		slot := c[uint64(at)+8*uint64(i):]
		position := uint64(le.Uint32(slot[4:]))
		if position == 0 {
			return nil, false
		}
		if le.Uint32(slot) != h {
			continue
		}
		keySize, size := uint64(le.Uint32(c[position:])), uint64(le.Uint32(c[position+4:]))
		if record := c[position+8:]; bytes.Equal(record[:keySize], key) {
			return record[keySize : keySize+size], true
		}
	}
}

func (c cdb) Close() error { return unix.Munmap(c) }
