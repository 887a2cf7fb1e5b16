package store

import (
	"cmp"
	"slices"

	"lancre/index"
)

// A LineWriter makes a segment of records of others, which are copied octet for
// octet. It is ended by Finish or Abort; not safe for concurrent use. The segments that
// records are of stay open until then.
//
// Whoever adds records goes on while others make entries of them, a batch at a time, and
// one goroutine writes these in the order in which they were added.
type LineWriter struct {
	objects *Objects
	shard   index.Shard
	writer  *index.Writer    // nil until there is a record; the goroutine's until that has ended
	added   []source         // and not in a batch yet
	full    chan *entryBatch // to be written, each when it is made
	free    chan *entryBatch // written; closed when the goroutine has ended
}

// A source is what an entry is made of.
type source struct {
	rec  index.Record
	ids  []index.CertID // at least one
	bury bool
}

// An entryBatch is entries that change hands together.
type entryBatch struct {
	entries []*index.Entry
	count   int        // of the entries that were made
	made    chan error // what came of making them
	err     error      // of making or writing, these or others before
}

const (
	// batches is how many there are: one is filled, one is written, and the others are
	// made, for which more than one processor has time.
	batches = 6

	// batchSize is how many records that are added one by one make a batch.
	batchSize = 128
)

// NewLineWriter makes one for a line of shard. Nothing is written before the first
// record is added.
func NewLineWriter(objects *Objects, shard index.Shard) *LineWriter {
	return &LineWriter{objects: objects, shard: shard}
}

// Add copies rec, to be found under ids, one or more of its CertIDs, which no other record
// that was added is found under; of ids, what they point to stays as it is until Finish.
// That rec cannot be copied or written may be the error of a later call.
func (w *LineWriter) Add(rec index.Record, ids ...index.CertID) error {
	return w.add(source{rec, slices.Clone(ids), false})
}

// Bury adds the tombstone of what rec says of id, as Add does.
func (w *LineWriter) Bury(rec index.Record, id *index.CertID) error {
	return w.add(source{rec, []index.CertID{*id}, true})
}

func (w *LineWriter) add(s source) error {
	if w.added = append(w.added, s); len(w.added) < batchSize {
		return nil
	}
	return w.passAdded()
}

// passAdded has a batch made of what was added.
func (w *LineWriter) passAdded() error {
	added := w.added
	w.added = nil
	return w.pass(func(b *entryBatch) error {
		for i := range added {
			if err := b.make(&added[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// pass has fill make the next batch, in a goroutine of its own. What comes of it may be
// the error of a later call.
func (w *LineWriter) pass(fill func(*entryBatch) error) error {
	if w.writer == nil {
		if err := w.start(); err != nil {
			return err
		}
	}
	b := <-w.free
	if b.err != nil {
		w.free <- b
		return b.err
	}
	b.count = 0
	go func() { b.made <- fill(b) }()
	w.full <- b
	return nil
}

// copy makes an entry of a record, under ids.
func (b *entryBatch) copy(rec index.Record, ids []index.CertID) error {
	return b.make(&source{rec, ids, false})
}

// bury makes an entry of the tombstone of what rec says of id.
func (b *entryBatch) bury(rec index.Record, id *index.CertID) error {
	return b.make(&source{rec, []index.CertID{*id}, true})
}

func (b *entryBatch) make(s *source) error {
	if b.count == len(b.entries) {
		b.entries = append(b.entries, new(index.Entry))
	}
	err := s.set(b.entries[b.count])
	if err == nil {
		b.count++
	}
	return err
}

func (s *source) set(e *index.Entry) error {
	switch {
	case s.bury:
		hidden, _ := s.rec.CertStatus(&s.ids[0]) // rec has it
		return e.SetTombstone(&s.ids[0], hidden)
	case len(s.ids) == s.rec.NumCertIDs():
		return e.SetRecord(s.rec, nil) // all of them, as nearly always
	}
	return e.SetRecord(s.rec, s.ids)
}

// start begins the segment.
func (w *LineWriter) start() (err error) {
	if w.writer, err = index.NewMergeWriter(w.objects.temp, w.shard); err != nil {
		return err
	}
	w.full, w.free = make(chan *entryBatch, batches), make(chan *entryBatch, batches)
	for range batches {
		w.free <- &entryBatch{made: make(chan error, 1)}
	}
	go write(w.writer, w.full, w.free)
	return nil
}

// write writes what is full until that is closed, up to the first error.
func write(to *index.Writer, full <-chan *entryBatch, free chan<- *entryBatch) {
	var err error
	for b := range full {
		err = cmp.Or(err, <-b.made)
		for _, e := range b.entries[:b.count] {
			if err == nil {
				err = to.Add(e)
			}
		}
		b.err = err
		free <- b
	}
	close(free)
}

// stop waits until the goroutine has written all that was passed to it.
func (w *LineWriter) stop() (err error) {
	close(w.full)
	for b := range w.free {
		err = cmp.Or(err, b.err)
	}
	return err
}

// Finish makes what was added an object, and returns its line: one without records,
// and without an object, if nothing was.
func (w *LineWriter) Finish(role string) (line SegmentLine, err error) {
	if len(w.added) > 0 || role == RoleBase { // a base says that there is nothing
		err = w.passAdded()
	}
	if w.writer == nil {
		return line, err
	}
	if err := cmp.Or(w.stop(), err); err != nil {
		w.writer.Abort()
		w.writer = nil
		return line, err
	}
	path, stats, err := w.writer.Finish()
	w.writer = nil
	if err != nil {
		return line, err
	}
	return w.objects.AddSegment(path, role, w.shard, stats.Info)
}

// Abort gives up what was not finished.
func (w *LineWriter) Abort() {
	w.added = nil
	if w.writer != nil {
		w.stop()
		w.writer.Abort()
		w.writer = nil
	}
}
