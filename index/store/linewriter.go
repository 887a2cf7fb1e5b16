package store

import "lancre/index"

// A LineWriter makes a segment of records of others, which are copied octet for
// octet. It is ended by Finish or Abort; not safe for concurrent use. The segments that
// records are of stay open until then.
//
// Whoever adds records makes entries of them, and a goroutine writes these: on two cores
// a merge takes two thirds of the time.
type LineWriter struct {
	objects *Objects
	shard   index.Shard
	writer  *index.Writer    // nil until there is a record; the goroutine's until that has ended
	batch   *entryBatch      // being filled
	full    chan *entryBatch // to be written
	free    chan *entryBatch // written; closed when the goroutine has ended
}

// An entryBatch is entries that change hands together.
type entryBatch struct {
	entries [128]index.Entry
	count   int
	err     error // of writing, these or others before
}

// batches is how many there are: one is filled, one written, one waits.
const batches = 3

// NewLineWriter makes one for a line of shard. Nothing is written before the first
// record is added.
func NewLineWriter(objects *Objects, shard index.Shard) *LineWriter {
	return &LineWriter{objects: objects, shard: shard}
}

// Add copies rec, to be found under ids of its CertIDs, which no other record that
// was added is found under. That it cannot be written may be the error of a later call.
func (w *LineWriter) Add(rec index.Record, ids ...index.CertID) error {
	return w.add(func(e *index.Entry) error { return e.SetRecord(rec, ids) })
}

// Bury adds the tombstone of what rec says of id.
func (w *LineWriter) Bury(rec index.Record, id *index.CertID) error {
	return w.add(func(e *index.Entry) error {
		hidden, _ := rec.CertStatus(id) // rec has id
		return e.SetTombstone(id, hidden)
	})
}

// add has set make the next entry.
func (w *LineWriter) add(set func(*index.Entry) error) error {
	if w.writer == nil {
		if err := w.start(); err != nil {
			return err
		}
	}
	if err := set(&w.batch.entries[w.batch.count]); err != nil {
		return err
	}
	if w.batch.count++; w.batch.count < len(w.batch.entries) {
		return nil
	}
	w.full <- w.batch
	w.batch = <-w.free
	return w.batch.err
}

// start begins the segment.
func (w *LineWriter) start() (err error) {
	if w.writer, err = index.NewMergeWriter(w.objects.temp, w.shard); err != nil {
		return err
	}
	w.full, w.free = make(chan *entryBatch, batches), make(chan *entryBatch, batches)
	w.batch = new(entryBatch)
	for range batches - 1 {
		w.free <- new(entryBatch)
	}
	go write(w.writer, w.full, w.free)
	return nil
}

// write writes what is full until that is closed, up to the first error.
func write(to *index.Writer, full <-chan *entryBatch, free chan<- *entryBatch) {
	var err error
	for b := range full {
		for i := range b.count {
			if err == nil {
				err = to.Add(&b.entries[i])
			}
		}
		b.count, b.err = 0, err
		free <- b
	}
	close(free)
}

// stop has the goroutine write the rest, and waits until it has ended.
func (w *LineWriter) stop() (err error) {
	w.full <- w.batch
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
