package publish

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"lancre/internal/durable"
)

// A dirBucket is a directory, from which rsync or a web server takes it. The tag of an
// object is the SHA-256 of its content.
type dirBucket struct{ path string }

// make makes the directory unless it is there.
func (d dirBucket) make() error {
	for _, dir := range []string{"", objectsDir, historyDir} {
		if err := durable.MakeDir(d.at(dir)); err != nil {
			return err
		}
	}
	return nil
}

func (d dirBucket) at(name string) string { return filepath.Join(d.path, filepath.FromSlash(name)) }

// Open implements Bucket.
func (d dirBucket) Open(_ context.Context, name string) (io.ReadCloser, string, error) {
	f, err := os.Open(d.at(name))
	if err != nil {
		return nil, "", err
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, "", err
	}
	return f, hex.EncodeToString(h.Sum(nil)), nil
}

// Put implements Bucket.
func (d dirBucket) Put(ctx context.Context, name string, content io.Reader, size int64) error {
	return durable.WriteFile(d.at(name), func(w io.Writer) error {
		n, err := io.Copy(w, readerOf(ctx, content))
		if err == nil && n != size {
			err = fmt.Errorf("%d octets, want %d", n, size)
		}
		return err
	})
}

// readerOf is r until ctx is over.
func readerOf(ctx context.Context, r io.Reader) io.Reader {
	return readFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return r.Read(p)
	})
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// Swap implements Bucket. Whoever swaps holds a lock on the directory.
func (d dirBucket) Swap(_ context.Context, name string, content []byte, tag string) error {
	lock, err := os.Open(d.path)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("%s: flock: %w", d.path, err)
	}
	now := ""
	there, err := os.ReadFile(d.at(name))
	switch {
	case err == nil:
		sum := sha256.Sum256(there)
		now = hex.EncodeToString(sum[:])
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if now != tag {
		return ErrChanged
	}
	return durable.WriteBytes(d.at(name), content)
}

// Stat implements Bucket.
func (d dirBucket) Stat(_ context.Context, name string) (Entry, error) {
	info, err := os.Stat(d.at(name))
	if err != nil {
		return Entry{}, err
	}
	return Entry{name, info.Size(), info.ModTime()}, nil
}

// List implements Bucket. What a crash left unfinished is listed as well.
func (d dirBucket) List(_ context.Context, dir string) (list []Entry, err error) {
	entries, err := os.ReadDir(d.at(dir))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) { // gone since
			continue
		}
		if err != nil {
			return nil, err
		}
		if e.Type().IsRegular() {
			list = append(list, Entry{dir + "/" + e.Name(), info.Size(), info.ModTime()})
		}
	}
	return list, nil
}

// Remove implements Bucket.
func (d dirBucket) Remove(_ context.Context, name string) error {
	err := os.Remove(d.at(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
