package sign

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/index"
	"lancre/internal/durable"
)

// An output is a directory of chunks: files of responses, one after another in DER, each
// written whole before it has its name. Whoever takes a chunk into the store removes it
// then, or moves it away.
//
// Where a single file is wanted, the directory is beside it until the end of the run, or
// of the one that goes on after a crash.
type output struct {
	dir   string
	file  string   // what the chunks are joined to; "" if they stay
	lock  *os.File // on dir, against another run
	next  int      // number of the next chunk
	stamp string   // which chunks of this run have in their names
}

const (
	chunkPrefix = "signed-"
	chunkSuffix = ".der"
	chunksDir   = ".chunks" // behind the name of a file
)

// openOutput opens out, an existing directory or the name of a file, for a run that
// begins at that time.
func openOutput(out string, at time.Time) (*output, error) {
	o := &output{dir: out, stamp: at.Format("20060102T150405Z")}
	if info, err := os.Stat(out); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	} else if err != nil || !info.IsDir() {
		o.dir, o.file = out+chunksDir, out
		if err := durable.MakeDir(o.dir); err != nil {
			return nil, err
		}
	}
	var err error
	o.lock, err = durable.Claim(o.dir)
	return o, err
}

// list lists the files in dir with names that begin and end so, in order.
func list(dir, prefix, suffix string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) && strings.HasSuffix(e.Name(), suffix) {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	return names, err
}

// close gives the lock back, and removes the directory beside a file if there is nothing
// in it.
func (o *output) close() {
	if o.file != "" {
		os.Remove(o.dir) // which fails if there is something
	}
	o.lock.Close()
}

// chunks are the names of the chunks, in order.
func (o *output) chunks() ([]string, error) { return Chunks(o.dir) }

// Chunks are the names of the chunks in a directory, in the order in which they were
// signed.
func Chunks(dir string) ([]string, error) { return list(dir, chunkPrefix, chunkSuffix) }

// pending makes a segment of the chunks, so that they can be looked up in as the store
// is; nil if there is none.
func (o *output) pending() (*index.Segment, error) {
	list, err := o.chunks()
	if err != nil || len(list) == 0 {
		return nil, err
	}
	w, err := index.NewWriter(o.dir, index.Everything)
	if err != nil {
		return nil, err
	}
	for _, name := range list {
		if err := addChunk(w, name); err != nil {
			w.Abort()
			return nil, err
		}
	}
	path, _, err := w.Finish()
	if err != nil {
		return nil, err
	}
	defer os.Remove(path) // the mapping stays
	return index.Open(path)
}

// addChunk adds the responses of one chunk. One that is gone was taken into the store.
func addChunk(w *index.Writer, name string) error {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var parsed index.Response
	var e index.Entry
	for in := cryptobyte.String(data); !in.Empty(); {
		var der cryptobyte.String
		if !in.ReadASN1Element(&der, asn1.SEQUENCE) {
			return fmt.Errorf("%s: octet %d begins no response: it was not written by lancre sign, or is damaged; move it away, what it has is signed again", name, len(data)-len(in))
		}
		err := parsed.Parse(der)
		if err == nil {
			err = e.Set(&parsed)
		}
		if err == nil {
			err = w.Add(&e)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// errEmpty says that a chunk would have nothing in it.
var errEmpty = errors.New("nothing was signed")

// write writes a chunk by write, which may find that there is nothing to write.
func (o *output) write(write func(io.Writer) error) (name string, err error) {
	for {
		o.next++
		name = filepath.Join(o.dir, fmt.Sprintf("%s%s-%04d%s", chunkPrefix, o.stamp, o.next, chunkSuffix))
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			break
		} else if err != nil {
			return "", err
		}
	}
	return name, durable.WriteFile(name, write)
}

// join makes the file of all chunks, if a file is wanted and there are any. Then they go.
func (o *output) join() (joined bool, err error) {
	if o.file == "" {
		return false, nil
	}
	list, err := o.chunks()
	if err != nil || len(list) == 0 {
		return false, err
	}
	err = durable.WriteFile(o.file, func(w io.Writer) error {
		for _, name := range list {
			if err := copyFile(w, name); err != nil {
				return err
			}
		}
		return nil
	})
	for i := 0; i < len(list) && err == nil; i++ {
		err = os.Remove(list[i])
	}
	return err == nil, err
}

func copyFile(w io.Writer, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}
