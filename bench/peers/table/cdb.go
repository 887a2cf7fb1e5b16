package table

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"lancre/internal/mapping"
)

// CDB is D. J. Bernstein's constant database (cr.yp.to/cdb/cdb.txt), read through
// a mapping. Since lancre compares a record's checksum before it answers, this one does too:
// values end with the CRC-32C of key and value.
var CDB = Kind{"cdb", func(dir string, entries []Entry) (Table, error) {
	path := filepath.Join(dir, "cdb")
	if err := writeCDB(path, entries); err != nil {
		return nil, err
	}
	return openCDB(path)
}}

const (
	cdbHead = 256 * 8 // position and number of slots of 256 tables
	sumSize = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errTooLarge = errors.New("cdb: more than 4 GiB, for which it has no positions")

var le = binary.LittleEndian

func cdbHash(key []byte) uint32 {
	h := uint32(5381)
	for _, c := range key {
		h = h*33 ^ uint32(c)
	}
	return h
}

// A cdbSlot leads from a hash to the position of a record, 0 if it is empty.
type cdbSlot struct{ hash, position uint32 }

// writeCDB writes in blocks of 2 MiB, as lancre does, so that both lie in large
// pages of the page cache.
func writeCDB(path string, entries []Entry) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 2<<20)
	head := make([]byte, cdbHead)
	w.Write(head) // to be known at the end; w remembers errors until Flush
	slots, size := writeRecords(w, entries)
	for i, list := range slots {
		le.PutUint32(head[8*i:], uint32(size))
		le.PutUint32(head[8*i+4:], uint32(2*len(list)))
		n, _ := w.Write(encodeSlots(list))
		size += uint64(n)
	}
	if size > math.MaxUint32 {
		return errTooLarge
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = f.WriteAt(head, 0)
	return err
}

// writeRecords returns the slots by the low octet of their hash, and where the
// records end.
func writeRecords(w *bufio.Writer, entries []Entry) (slots [256][]cdbSlot, size uint64) {
	size = cdbHead
	for _, e := range entries {
		h := cdbHash(e.Key)
		slots[h&255] = append(slots[h&255], cdbSlot{h, uint32(size)})
		sum := crc32.Update(crc32.Checksum(e.Key, castagnoli), castagnoli, e.Value)
		sizes := le.AppendUint32(le.AppendUint32(nil, uint32(len(e.Key))), uint32(len(e.Value)+sumSize))
		for _, part := range [][]byte{sizes, e.Key, e.Value, le.AppendUint32(nil, sum)} {
			w.Write(part)
			size += uint64(len(part))
		}
	}
	return slots, size
}

// encodeSlots spells a table of twice as many slots as are in list.
func encodeSlots(list []cdbSlot) []byte {
	n := uint32(2 * len(list))
	table := make([]byte, 8*n)
	for _, s := range list {
		at := (s.hash >> 8) % n
		for le.Uint32(table[8*at+4:]) != 0 {
			at = (at + 1) % n
		}
		le.PutUint32(table[8*at:], s.hash)
		le.PutUint32(table[8*at+4:], s.position)
	}
	return table
}

type cdb []byte

func openCDB(path string) (cdb, error) {
	data, err := mapping.Open(path, "cdb", cdbHead)
	if err != nil {
		return nil, err
	}
	return data, unix.Madvise(data, unix.MADV_POPULATE_READ)
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
		if record := c[position+8:][:keySize+size]; bytes.Equal(record[:keySize], key) {
			end := len(record) - sumSize
			if crc32.Checksum(record[:end], castagnoli) != le.Uint32(record[end:]) {
				return nil, false
			}
			return record[keySize:end], true
		}
	}
}

func (c cdb) Close() error { return unix.Munmap(c) }
