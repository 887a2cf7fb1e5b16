package index

import (
	"errors"
	"io"
	"os"
	"slices"

	"lancre/internal/spill"
)

// An indexEntry says that the record at offset is reachable under key.
type indexEntry struct{ key, offset uint64 }

const indexEntrySize = 16

// sortMemory is how many entries all sorters of a build hold together before they write
// them out, and how many are sorted at a time in the end: 64 MiB of them, and as much to
// sort them into. 500 million records make 120 runs.
const sortMemory = 64 << 20 / indexEntrySize

// A sorter sorts any number of entries in bounded memory. What memory does not hold waits
// in a temporary file in dir, in runs that are cut into parts by key; in the end some
// parts at a time are read back, of all runs, and sorted together.
type sorter struct {
	dir     string
	limit   int    // entries held before some are written
	memory  int    // entries sorted at a time in the end
	count   uint64 // entries added
	entries []indexEntry
	spare   []indexEntry // to sort into
	file    *os.File     // nil while memory holds all
	runs    []sorterRun
	buf     []byte
}

// A sorterRun is entries that were written at a time.
type sorterRun struct {
	begin int64 // in the file, octets
	ends  [sortParts]int
}

// sorterBuffer is how much is read and written at a time.
const sorterBuffer = 256 << 10

// newSorter makes a sorter whose temporary file is in dir, one of so many that hold entries
// at a time.
func newSorter(dir string, of uint32) sorter {
	return sorter{dir: dir, limit: max(sortMemory/int(of), sorterBuffer/indexEntrySize), memory: sortMemory}
}

func (s *sorter) add(e indexEntry) error {
	if len(s.entries) == s.limit {
		if err := s.spill(); err != nil {
			return err
		}
	}
	if len(s.entries) == cap(s.entries) && len(s.entries) >= manyEntries {
		// All of the memory at once, which costs nothing before it is used: to copy to
		// twice as much, again and again, would be a tenth of a merge. slices.Grow would
		// clear it.
		s.entries = append(make([]indexEntry, 0, s.limit), s.entries...)
	}
	s.entries = append(s.entries, e)
	s.count++
	return nil
}

// manyEntries are so many that the limit is likely to be reached.
const manyEntries = 1 << 16

// makeSpare makes spare as long as there are entries.
func (s *sorter) makeSpare() {
	if cap(s.spare) < len(s.entries) {
		s.spare = make([]indexEntry, len(s.entries))
	}
	s.spare = s.spare[:len(s.entries)]
}

// spill writes the entries held as a run.
func (s *sorter) spill() (err error) {
	if s.file == nil {
		if s.file, err = spill.Create(s.dir); err != nil {
			return err
		}
	}
	run := sorterRun{begin: int64(s.count-uint64(len(s.entries))) * indexEntrySize}
	s.makeSpare()
	run.ends = cutEntries(s.spare, s.entries, 0)
	s.runs = append(s.runs, run)
	s.entries = s.entries[:0]
	for some := range slices.Chunk(s.spare, sorterBuffer/indexEntrySize) {
		s.buf = s.buf[:0]
		for _, e := range some {
			s.buf = le.AppendUint64(le.AppendUint64(s.buf, e.key), e.offset)
		}
		if _, err := s.file.Write(s.buf); err != nil {
			return err
		}
	}
	return nil
}

// each calls yield for every entry, in order, and stops at its first error.
func (s *sorter) each(yield func(indexEntry) error) error {
	if s.file == nil {
		return s.eachHeld(0, yield)
	}
	if err := s.spill(); err != nil {
		return err
	}
	shared := s.groupBits()
	for group := range 1 << shared {
		if err := s.load(group, shared); err != nil {
			return err
		}
		if err := s.eachHeld(shared, yield); err != nil {
			return err
		}
	}
	return nil
}

// eachHeld is each for the entries held, whose keys share their first bits.
func (s *sorter) eachHeld(shared int, yield func(indexEntry) error) error {
	s.makeSpare()
	sortEntries(s.spare, s.entries, shared)
	for _, e := range s.spare {
		if err := yield(e); err != nil {
			return err
		}
	}
	return nil
}

// groupBits is by how many first bits of their keys entries fall into groups of which
// memory holds each.
func (s *sorter) groupBits() int {
	for bits := range partBits {
		if s.largestGroup(bits) <= s.memory {
			return bits
		}
	}
	return partBits
}

func (s *sorter) largestGroup(bits int) (size int) {
	for number := range 1 << bits {
		size = max(size, s.groupSize(number, bits))
	}
	return size
}

func (s *sorter) groupSize(number, bits int) (size int) {
	for i := range s.runs {
		begin, end := s.runs[i].group(number, bits)
		size += end - begin
	}
	return size
}

// group is where the entries of a group begin and end in the run.
func (r *sorterRun) group(number, bits int) (begin, end int) {
	parts := sortParts >> bits
	return partBegin(&r.ends, number*parts), r.ends[(number+1)*parts-1]
}

// load reads a group into the entries held.
func (s *sorter) load(number, bits int) error {
	s.entries = slices.Grow(s.entries[:0], s.groupSize(number, bits))
	s.buf = slices.Grow(s.buf[:0], sorterBuffer)[:sorterBuffer]
	for i := range s.runs {
		begin, end := s.runs[i].group(number, bits)
		for at, to := s.runs[i].octets(begin), s.runs[i].octets(end); at < to; at += sorterBuffer {
			some := s.buf[:min(sorterBuffer, to-at)]
			if _, err := s.file.ReadAt(some, at); errors.Is(err, io.EOF) {
				return io.ErrUnexpectedEOF
			} else if err != nil {
				return err
			}
			for ; len(some) > 0; some = some[indexEntrySize:] {
				s.entries = append(s.entries, indexEntry{le.Uint64(some), le.Uint64(some[8:])})
			}
		}
	}
	return nil
}

// octets is where in the file the n-th entry of the run lies.
func (r *sorterRun) octets(n int) int64 { return r.begin + int64(n)*indexEntrySize }

func (s *sorter) close() {
	if s.file != nil {
		s.file.Close()
	}
	s.file, s.runs, s.entries, s.spare, s.buf = nil, nil, nil, nil, nil
}
