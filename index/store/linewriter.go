package store

import (
	"cmp"

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
	batch   *entryBatch      // being filled
	full    chan *entryBatch // to be written, each when it is made
	free    chan *entryBatch // written; closed when the goroutine has ended
}

// An entryBatch is entries that change hands together.
type entryBatch struct {
	sources []source // of the entries
	ids     []index.CertID
	entries [128]index.Entry
	made    chan error // what came of making the entries
	err     error      // of making or writing, these or others before
}

// A source is what an entry is made of.
type source struct {
	rec  index.Record
	ids  []index.CertID // none for all of rec's
	bury bool
}

// batches is how many there are: one is filled, one is written, and the others are made,
// for which more than one processor has time.
const batches = 6

// NewLineWriter makes one for a line of shard. Nothing is written before the first
// record is added.
func NewLineWriter(objects *Objects, shard index.Shard) *LineWriter {
	return &LineWriter{objects: objects, shard: shard}
}

// Add copies rec, to be found under ids, one or more of its CertIDs, which no other record that was
// added is found under; of ids, what they point to stays as it is until Finish. That rec cannot be copied or
// written may be the error of a later call.
func (w *LineWriter) Add(rec index.Record, ids ...index.CertID) error {
	return w.add(rec, ids, false)
}

// Bury adds the tombstone of what rec says of id, as Add does.
func (w *LineWriter) Bury(rec index.Record, id *index.CertID) error {
	return w.add(rec, []index.CertID{*id}, true)
}

func (w *LineWriter) add(rec index.Record, ids []index.CertID, bury bool) error {
	if w.writer == nil {
		if err := w.start(); err != nil {
			return err
		}
	}
	b := w.batch
	if len(ids) == rec.NumCertIDs() && !bury {
		ids = nil // all of them, as for nearly every record
	}
	first := len(b.ids)
	b.ids = append(b.ids, ids...)
	b.sources = append(b.sources, source{rec, b.ids[first:], bury})
	if len(b.sources) < len(b.entries) {
		return nil
	}
	w.pass()
	w.batch = <-w.free
	return w.batch.err
}

// pass has the batch made and written.
func (w *LineWriter) pass() {
	go w.batch.make()
	w.full <- w.batch
}

// make makes the entries, up to the first error.
func (b *entryBatch) make() {
	var err error
	for i := range b.sources {
		if err = b.sources[i].set(&b.entries[i]); err != nil {
			break
		}
	}
	b.made <- err
}

func (s *source) set(e *index.Entry) error {
	if !s.bury {
		return e.SetRecord(s.rec, s.ids)
	}
	hidden, _ := s.rec.CertStatus(&s.ids[0]) // rec has it
	return e.SetTombstone(&s.ids[0], hidden)
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
	w.batch = <-w.free
	go write(w.writer, w.full, w.free)
	return nil
}

// write writes what is full until that is closed, up to the first error.
func write(to *index.Writer, full <-chan *entryBatch, free chan<- *entryBatch) {
	var err error
	for b := range full {
		err = cmp.Or(err, <-b.made)
		for i := range b.sources {
			if err == nil {
				err = to.Add(&b.entries[i])
			}
		}
		b.sources, b.ids, b.err = b.sources[:0], b.ids[:0], err
		free <- b
	}
	close(free)
}

// stop has the goroutine write the rest, and waits until it has ended.
func (w *LineWriter) stop() (err error) {
	w.pass()
	close(w.full)
	for b := range w.free {
		if b.err != nil {
			err = b.err
		}
	}
	return err
}

// Finish makes what was added an object, and returns its line: one without records,
// and without an object, if nothing was.
func (w *LineWriter) Finish(role string) (line SegmentLine, err error) {
	if w.writer == nil {
		if role != RoleBase { // a base says that there is nothing
			return line, nil
		}
		if err := w.start(); err != nil {
			return line, err
		}
	}
	if err := w.stop(); err != nil {
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
	if w.writer != nil {
		w.stop()
		w.writer.Abort()
		w.writer = nil
	}
}
