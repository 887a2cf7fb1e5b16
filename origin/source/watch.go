package source

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// A watch tells of files that are complete: because they were renamed into a directory,
// or because whoever wrote them has closed them. It is inotify(7) itself, for fsnotify
// does not tell when a file is closed. Where the kernel refuses, or a file system does
// not notify, nothing is told, and sources find out in their next round.
type watch struct {
	mu       sync.Mutex
	changes  []chan struct{} // each holds one element when something was told
	file     *os.File        // nil before the first directory
	dirs     map[int32]string
	watched  map[string]bool
	complete map[string]bool // files that were told of and not asked for yet
}

func newWatch() *watch {
	return &watch{dirs: make(map[int32]string), watched: make(map[string]bool), complete: make(map[string]bool)}
}

// subscribe returns a channel that holds an element when something was told.
func (w *watch) subscribe() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := make(chan struct{}, 1)
	w.changes = append(w.changes, c)
	return c
}

// signal leaves an element for everybody who subscribed.
func (w *watch) signal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.changes {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// interest is what a directory is watched for.
const interest = unix.IN_MOVED_TO | unix.IN_CLOSE_WRITE | unix.IN_CREATE | unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR

// add watches a directory, unless it is watched.
func (w *watch) add(dir string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.watched[dir] {
		return nil
	}
	if w.file == nil {
		fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
		if err != nil {
			return os.NewSyscallError("inotify_init1", err)
		}
		w.file = os.NewFile(uintptr(fd), "inotify")
		go w.listen(w.file)
	}
	conn, err := w.file.SyscallConn()
	if err != nil {
		return err
	}
	var wd int
	if controlErr := conn.Control(func(fd uintptr) { wd, err = unix.InotifyAddWatch(int(fd), dir, interest) }); controlErr != nil {
		return controlErr
	}
	if err != nil {
		return &fs.PathError{Op: "inotify_add_watch", Path: dir, Err: err}
	}
	w.dirs[int32(wd)], w.watched[dir] = dir, true
	return nil
}

// addTree watches a directory and all below it.
func (w *watch) addTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path != dir:
			return nil // it has just gone
		case err != nil || !e.IsDir():
			return err
		}
		return w.add(path)
	})
}

// listen takes what the kernel tells, until the watch is closed.
func (w *watch) listen(f *os.File) {
	buf := make([]byte, 64<<10)
	for {
		n, err := f.Read(buf)
		if err != nil {
			return
		}
		for events := buf[:n]; len(events) >= unix.SizeofInotifyEvent; {
			size := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(events[12:]))
			w.told(events[:size])
			events = events[size:]
		}
		w.signal()
	}
}

// told takes one event: struct inotify_event, and the name in the directory.
func (w *watch) told(event []byte) {
	wd, mask := int32(binary.NativeEndian.Uint32(event)), binary.NativeEndian.Uint32(event[4:])
	name := string(bytes.TrimRight(event[unix.SizeofInotifyEvent:], "\x00"))
	w.mu.Lock()
	defer w.mu.Unlock()
	dir, known := w.dirs[wd]
	switch {
	case !known:
	case mask&(unix.IN_IGNORED|unix.IN_DELETE_SELF|unix.IN_MOVE_SELF) != 0: // another one may take its place
		delete(w.dirs, wd)
		delete(w.watched, dir)
	case mask&unix.IN_ISDIR == 0 && mask&(unix.IN_MOVED_TO|unix.IN_CLOSE_WRITE) != 0:
		w.complete[filepath.Join(dir, name)] = true
	}
}

// isComplete reports whether a file was told of since that was asked last.
func (w *watch) isComplete(path string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	told := w.complete[path]
	delete(w.complete, path)
	return told
}

// forget drops what was told of files that nobody will ask for.
func (w *watch) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.complete)
}

func (w *watch) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file != nil {
		w.file.Close()
		w.file, w.dirs, w.watched = nil, make(map[int32]string), make(map[string]bool)
	}
}

// beingWritten reports whether somebody has a file open for writing, where that can be
// told: a read lease is not given then (fcntl(2)). Who may not take one, for a file of
// somebody else's or on a network, is told something else.
func beingWritten(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false // as reading it will tell
	}
	defer f.Close()
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	return errors.Is(err, unix.EAGAIN)
}
