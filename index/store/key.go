package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"lancre/internal/durable"
)

// maxKeyFile bounds a file of keys, in octets. A key has about 100, and a name.
const maxKeyFile = 4 << 10

// A KeyPair is what GenerateKey made.
type KeyPair struct {
	Private string // path of the private key, of mode 0600
	Public  string // path of the public key
	Key     string // the public key
}

// GenerateKey makes an Ed25519 key that signs the manifests of the given origin, and
// writes it below the directory dir, to NAME+HASH.key and NAME+HASH.pub. HASH is that
// of the key: files that are there are never the same.
func GenerateKey(origin, dir string) (*KeyPair, error) {
	if origin == "" || !consistsOf(origin, "abcdefghijklmnopqrstuvwxyz0123456789.-") {
		return nil, fmt.Errorf("name %q: want one of a-z 0-9 . - such as origin.example.org", origin)
	}
	private, public, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return nil, err
	}
	v, err := note.NewVerifier(public)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, keyID(v.Name(), v.KeyHash()))
	pair := &KeyPair{Private: path + ".key", Public: path + ".pub", Key: public}
	if err := writeNew(pair.Private, private, 0o600); err != nil {
		return nil, err
	}
	return pair, writeNew(pair.Public, public, 0o644)
}

// writeNew makes a file of one line, which must not be there.
func writeNew(path, line string, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := fmt.Fprintln(f, line); err != nil {
		return err
	}
	if err := durable.Finish(f, mode); err != nil {
		return err
	}
	return durable.SyncDir(filepath.Dir(path))
}

// readKeyFile returns the lines of a file of keys, of which it has one at least.
func readKeyFile(file string) ([]string, error) {
	text, err := readAtMost(file, maxKeyFile)
	if err != nil {
		return nil, err
	}
	lines := strings.Fields(string(text)) // no key has spaces
	if len(lines) == 0 {
		return nil, fmt.Errorf("%s is empty", file)
	}
	return lines, nil
}

// checkOrigin wants keys, of which there must be some, to be of one origin and none
// of them there twice.
func checkOrigin[K interface {
	Name() string
	KeyHash() uint32
}](keys []K) error {
	if len(keys) == 0 {
		return errors.New("no keys")
	}
	seen := make(map[uint32]bool)
	for _, k := range keys {
		if k.Name() != keys[0].Name() {
			return fmt.Errorf("keys of %s and of %s: want those of one origin", keys[0].Name(), k.Name())
		}
		if seen[k.KeyHash()] {
			return fmt.Errorf("key %s is named twice", keyID(k.Name(), k.KeyHash()))
		}
		seen[k.KeyHash()] = true
	}
	return nil
}

// abridged is the beginning of what should be a public key, and may be something else.
func abridged(line string) string {
	if strings.HasPrefix(line, "PRIVATE") {
		return "PRIVATE+…"
	}
	return line[:min(len(line), 80)]
}
