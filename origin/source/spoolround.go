package source

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"lancre/build/input"
	"lancre/build/rule"
	"lancre/internal/durable"
)

// A spoolRound is one round of a spool: the files of which something was read and not
// published yet, and which are to be moved then.
type spoolRound struct {
	publishing
	spool *Spool
	files map[string]*spooled // by path
	ended []*spooled          // those that were read to their end
}

func newSpoolRound(ctx context.Context, s *Spool, to Publisher) *spoolRound {
	r := &spoolRound{spool: s, files: make(map[string]*spooled)}
	r.publishing = publishing{ctx: ctx, to: to, batch: new(input.Batch), settle: r.settle}
	return r
}

// A spooled is a file of a spool that is being read.
type spooled struct {
	name    string
	refused *os.File // what was refused of it; nil while nothing was
	foreign bool     // there is something in it that is no response
}

// read reads one file, and publishes when there is enough.
func (r *spoolRound) read(name string) error {
	path := r.spool.path(name)
	info, err := os.Lstat(path)
	if err != nil {
		return gone(err)
	}
	f := &spooled{name: name}
	r.files[path] = f
	if !info.Mode().IsRegular() {
		err = r.Reject(rule.Whole(path), rule.Broken(rule.SourceForm, "%s", input.NotRegular(info.Mode())))
	} else {
		err = newScanner().Scan(r.ctx, []string{path}, r)
	}
	if err != nil {
		return gone(err)
	}
	r.ended = append(r.ended, f)
	return nil
}

// gone is nil for what somebody has taken away again: it is theirs.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// settle moves the files that end in what was published.
func (r *spoolRound) settle(batch *input.Batch, outcome Outcome) error {
	for i := range outcome.Refused {
		if err := r.refuse(batch, &outcome.Refused[i]); err != nil {
			return err
		}
	}
	for len(r.ended) > 0 {
		f := r.ended[0]
		if err := r.spool.move(f, outcome.Sequence); err != nil {
			return err
		}
		r.ended = r.ended[1:]
		delete(r.files, r.spool.path(f.name))
	}
	return nil
}

// refuse writes down what was refused of a file.
func (r *spoolRound) refuse(batch *input.Batch, x *rule.Rejection) (err error) {
	f := r.files[x.Place.Source]
	if f == nil {
		return nil // of what was put aside earlier
	}
	if f.refused == nil {
		if f.refused, err = os.CreateTemp(r.spool.path(rejectedName), durable.TempPrefix); err != nil {
			return err
		}
	}
	der := batch.At(x.Place)
	if der == nil {
		f.foreign = true
	}
	return writeRefused(f.refused, x, der)
}

// writeRefused writes a response in PEM, below a line that says why it was refused:
// text between blocks is passed over (RFC 7468 section 2), so that the file can be
// spooled again.
func writeRefused(f *os.File, x *rule.Rejection, der []byte) error {
	if _, err := fmt.Fprintf(f, "%q\n", x.String()); err != nil || der == nil {
		return err
	}
	return pem.Encode(f, &pem.Block{Type: "OCSP RESPONSE", Bytes: der})
}

// move moves a file that was read to its end and published.
func (s *Spool) move(f *spooled, sequence uint64) error {
	if f.refused != nil {
		if err := s.keepRefused(f); err != nil {
			return err
		}
	}
	to := s.path(rejectedName, f.name)
	if !f.foreign {
		to = s.path(doneName, strconv.FormatUint(sequence, 10)+"-"+f.name)
		for i := 2; exists(to); i++ {
			to = s.path(doneName, fmt.Sprintf("%d.%d-%s", sequence, i, f.name))
		}
	}
	return gone(os.Rename(s.path(f.name), to))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// keepRefused gives the file of what was refused its name, durably.
func (s *Spool) keepRefused(f *spooled) error {
	defer f.refused.Close()
	if err := durable.Finish(f.refused, 0o644); err != nil {
		return err
	}
	if err := os.Rename(f.refused.Name(), s.path(rejectedName, f.name+".pem")); err != nil {
		return err
	}
	f.refused = nil
	return durable.SyncDir(s.path(rejectedName))
}

// abandon removes what is half written of files that were not moved.
func (r *spoolRound) abandon() {
	for _, f := range r.files {
		if f.refused != nil {
			f.refused.Close()
			os.Remove(f.refused.Name())
		}
	}
}
