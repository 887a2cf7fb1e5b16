package store

import "lancre/index"

// A LineWriter makes a segment of records of others, which are copied octet for
// octet. It is ended by Finish or Abort; not safe for concurrent use.
type LineWriter struct {
	objects *Objects
	shard   index.Shard
	writer  *index.Writer // nil until there is a record
	entry   index.Entry
}

// NewLineWriter makes one for a line of shard. Nothing is written before the first
// record is added.
func NewLineWriter(objects *Objects, shard index.Shard) *LineWriter {
	return &LineWriter{objects: objects, shard: shard}
}

// Add copies rec, to be found under ids of its CertIDs, which no other record that
// was added is found under.
func (w *LineWriter) Add(rec index.Record, ids ...index.CertID) error {
	if err := w.entry.SetRecord(rec, ids); err != nil {
		return err
	}
	return w.addEntry()
}

// Bury adds the tombstone of what rec says of id.
func (w *LineWriter) Bury(rec index.Record, id *index.CertID) error {
	hidden, _ := rec.CertStatus(id) // rec has id
	if err := w.entry.SetTombstone(id, hidden); err != nil {
		return err
	}
	return w.addEntry()
}

func (w *LineWriter) addEntry() (err error) {
	if w.writer == nil {
		if w.writer, err = index.NewMergeWriter(w.objects.temp, w.shard); err != nil {
			return err
		}
	}
	return w.writer.Add(&w.entry)
}

// Finish makes what was added an object, and returns its line: one without records,
// and without an object, if nothing was.
func (w *LineWriter) Finish(role string) (line SegmentLine, err error) {
	if w.writer == nil && role != RoleBase { // a base says that there is nothing
		return line, nil
	}
	if w.writer == nil {
		if w.writer, err = index.NewMergeWriter(w.objects.temp, w.shard); err != nil {
			return line, err
		}
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
		w.writer.Abort()
		w.writer = nil
	}
}
