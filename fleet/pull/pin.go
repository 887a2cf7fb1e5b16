package pull

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"lancre/index/store"
	"lancre/internal/durable"
)

// A pin remembers a generation that lancred did not serve, so that it is not taken again
// after it was put back, nor a later one that has any of what was new in it. It is the
// file STORE/pinned, which lasts until a later generation is installed or someone
// removes it:
//
//	generation N
//	object SHA256              any number
type pin struct {
	generation uint64          // 0 for none
	objects    map[string]bool // what it had, and the one that was put back has not
}

func pinPath(dir string) string { return filepath.Join(dir, "pinned") }

// newPin is the pin of bad, in whose place good is put.
func newPin(bad, good *store.Manifest) pin {
	p := pin{bad.Generation, make(map[string]bool)}
	for sum := range contents(bad) {
		p.objects[sum] = true
	}
	for sum := range contents(good) {
		delete(p.objects, sum)
	}
	return p
}

// contents yields the names of segments and of the list of files, by which files are
// known.
func contents(m *store.Manifest) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, s := range m.Segments {
			if !yield(s.SHA256) {
				return
			}
		}
		if m.List.Count > 0 {
			yield(m.List.SHA256)
		}
	}
}

// judge says why m may not be taken.
func (p pin) judge(m *store.Manifest) error {
	if m.Generation <= p.generation {
		return refuse("pinned", "generation %d was put back, for lancred did not serve %d: publish a better one, or remove STORE/pinned", m.Generation, p.generation)
	}
	for sum := range contents(m) {
		if p.objects[sum] {
			return refuse("pinned", "generation %d has object %s, which was new in generation %d, which lancred did not serve: publish one without it, or remove STORE/pinned",
				m.Generation, sum, p.generation)
		}
	}
	return nil
}

// write makes p last.
func (p pin) write(dir string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "generation %d\n", p.generation)
	for sum := range p.objects {
		fmt.Fprintf(&b, "object %s\n", sum)
	}
	return durable.WriteBytes(pinPath(dir), []byte(b.String()))
}

// readPin reads the pin of the store dir, the zero value if it has none.
func readPin(dir string) (pin, error) {
	text, err := os.ReadFile(pinPath(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return pin{}, nil
	}
	if err != nil {
		return pin{}, err
	}
	p := pin{objects: make(map[string]bool)}
	for line := range strings.Lines(string(text)) {
		kind, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch {
		case kind == "object":
			p.objects[value] = true
		case kind == "generation":
			p.generation, err = strconv.ParseUint(value, 10, 64)
		default:
			err = errors.New("want generation or object")
		}
		if err != nil {
			return pin{}, fmt.Errorf("%s: %q: %w; remove it to take any generation", pinPath(dir), line, err)
		}
	}
	return p, nil
}

// lookAtPin forgets the pin if somebody has removed its file.
func (p *Puller) lookAtPin() {
	if p.pin.generation == 0 {
		return
	}
	if _, err := os.Lstat(pinPath(p.cfg.Store)); errors.Is(err, fs.ErrNotExist) {
		p.log.Info("what was put back may come again, for its file was removed", "generation", p.pin.generation)
		p.setPin(pin{})
	}
}

// removePin forgets the pin of the store dir.
func removePin(dir string) error {
	err := os.Remove(pinPath(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
