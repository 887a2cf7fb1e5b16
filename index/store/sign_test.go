package store

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const origin = "origin.example.org"

// newKeys makes a key and returns the names of its files.
func newKeys(t *testing.T, name string) *KeyPair {
	t.Helper()
	pair, err := GenerateKey(name, t.TempDir())
	check(t, err)
	return pair
}

// signedBy publishes a generation in dir that the keys of pairs sign, and returns its
// text.
func signedBy(t *testing.T, dir string, pairs ...*KeyPair) []byte {
	t.Helper()
	p, err := Begin(dir)
	check(t, err)
	defer p.Close()
	check(t, p.SignWith(Signing{Keys: keysOf(t, pairs...), Expires: time.Hour}))
	check(t, p.Commit(&Manifest{Origin: "another", Created: start}))
	return manifestText(dir)
}

func keysOf(t *testing.T, pairs ...*KeyPair) *Keys {
	t.Helper()
	var files []string
	for _, p := range pairs {
		files = append(files, p.Private)
	}
	k, err := ReadKeys(files...)
	check(t, err)
	return k
}

func trustOf(t *testing.T, pairs ...*KeyPair) *Trust {
	t.Helper()
	var files []string
	for _, p := range pairs {
		files = append(files, p.Public)
	}
	trust, err := ReadTrust(files...)
	check(t, err)
	return trust
}

// What a key signs is of its origin and expires when it is said to; the signature
// changes neither what is read without a Trust nor what the next one names as Parent.
func TestSignedManifest(t *testing.T) {
	dir, key := t.TempDir(), newKeys(t, origin)
	text := signedBy(t, dir, key)
	m, by, err := trustOf(t, key).Open(text)
	check(t, err)
	if want := filepath.Base(strings.TrimSuffix(key.Public, ".pub")); by != want || len(m.Signers()) != 1 || m.Signers()[0] != want {
		t.Errorf("signed by %q, %q, want %q", by, m.Signers(), want)
	}
	if m.Origin != origin || !m.Expires.Equal(start.Add(time.Hour)) {
		t.Errorf("of %s, expires %s; want that of the key, and an hour after %s", m.Origin, m.Expires, start)
	}
	untrusted, err := ReadManifest(dir)
	check(t, err)
	if !bytes.HasPrefix(text, untrusted.Encode()) || untrusted.Digest() != m.Digest() {
		t.Errorf("without a Trust it is\n%s", untrusted.Encode())
	}
	signedBy(t, dir, key)
	next, err := ReadManifest(dir)
	check(t, err)
	if next.Parent != m.Digest() {
		t.Errorf("the parent of the next is %s, want %s", next.Parent, m.Digest())
	}
}

// A Trust opens what one of its keys signed, as long as none of them signed something
// else: and says of everything else what is wrong with it.
func TestTrust(t *testing.T) {
	old, next, stranger, other := newKeys(t, origin), newKeys(t, origin), newKeys(t, origin), newKeys(t, "other.example.org")
	one, both := signedBy(t, t.TempDir(), old), signedBy(t, t.TempDir(), old, next)
	unsigned, _, _ := bytes.Cut(one, []byte("\n\n"))
	unsigned = append(unsigned, '\n')
	edited := bytes.Replace(one, []byte("held 0"), []byte("held 1"), 1)
	elsewhere := &Manifest{Origin: origin, Generation: 1, Created: start}
	foreign, err := keysOf(t, other).sign(elsewhere.Encode())
	check(t, err)
	for _, test := range []struct {
		name  string
		text  []byte
		trust []*KeyPair
		want  string // part of the error; empty for none
	}{
		{"the key", one, []*KeyPair{old}, ""},
		{"one of two keys", one, []*KeyPair{next, old}, ""},
		{"two signatures, the old key", both, []*KeyPair{old}, ""},
		{"two signatures, the new key", both, []*KeyPair{next}, ""},
		{"the other key", one, []*KeyPair{next}, "want one of " + origin},
		{"a stranger of the same name", both, []*KeyPair{stranger}, "want one of " + origin},
		{"edited", edited, []*KeyPair{old}, "it was changed after it was signed"},
		{"edited, by another key", edited, []*KeyPair{next}, "want one of " + origin},
		{"unsigned", unsigned, []*KeyPair{old}, "no signature, want one by " + origin},
		{"empty", nil, []*KeyPair{old}, "no signature, want one by " + origin},
		{"signature cut", one[:len(one)-5], []*KeyPair{old}, "damaged"},
		{"another origin", foreign, []*KeyPair{other}, "a key is good for its own origin only"},
		{"too long", make([]byte, MaxManifestSize+1), []*KeyPair{old}, "more than 4194304 octets"},
	} {
		m, key, err := trustOf(t, test.trust...).Open(test.text)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || m != nil || key != ""):
			t.Errorf("%s: %v, want one with %q", test.name, err, test.want)
		}
	}
	if _, key, err := (*Trust)(nil).Open(one); err != nil || key != "" {
		t.Errorf("no Trust: %q, %v, want it opened by no key", key, err)
	}
}

// The largest manifest that can be published can be read, and none that is larger is
// published.
func TestLargestManifest(t *testing.T) {
	dir := t.TempDir()
	publish := func(origin int) error {
		p, err := Begin(dir)
		check(t, err)
		defer p.Close()
		return p.Commit(&Manifest{Origin: strings.Repeat("x", origin), Generation: 7, Created: start})
	}
	rest := len((&Manifest{Generation: 7, Created: start}).Encode())
	if err := publish(MaxManifestSize - rest + 1); err == nil || !strings.Contains(err.Error(), "new manifest has 4194305 octets") {
		t.Errorf("an octet more than can be read: %v, want an error that says so", err)
	}
	check(t, publish(MaxManifestSize-rest))
	if text := manifestText(dir); len(text) != MaxManifestSize {
		t.Errorf("published %d octets, want %d", len(text), MaxManifestSize)
	}
	_, err := ReadManifest(dir)
	check(t, err)
}

// Nothing is parsed before it is verified: what is no manifest is not said to be none.
func TestTrustVerifiesFirst(t *testing.T) {
	key, stranger := newKeys(t, origin), newKeys(t, origin)
	text, err := keysOf(t, stranger).sign([]byte("no manifest\n"))
	check(t, err)
	if _, _, err := trustOf(t, key).Open(text); err == nil || strings.Contains(err.Error(), "line 1") {
		t.Errorf("error is %v, want one of the signature", err)
	}
	if _, _, err := trustOf(t, stranger).Open(text); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("error is %v, want one of line 1", err)
	}
}

// After a signed manifest an unsigned one is not published: edges would refuse it.
func TestSignatureIsNotForgotten(t *testing.T) {
	dir := t.TempDir()
	before := signedBy(t, dir, newKeys(t, origin))
	p, err := Begin(dir)
	check(t, err)
	defer p.Close()
	want := "sign with --manifest-key"
	if err := p.SignWith(Signing{}); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("SignWith: %v, want one with %q", err, want)
	}
	if err := p.Commit(&Manifest{Origin: origin, Created: start}); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Commit: %v, want one with %q", err, want)
	}
	if !bytes.Equal(manifestText(dir), before) {
		t.Error("the manifest is another")
	}
}

// Key files that are not what they should be are named, and their content is not shown.
func TestKeyFiles(t *testing.T) {
	pair, other := newKeys(t, origin), newKeys(t, "other.example.org")
	private, err := os.ReadFile(pair.Private)
	check(t, err)
	file := func(text string, mode os.FileMode) string {
		path := filepath.Join(t.TempDir(), "key")
		check(t, os.WriteFile(path, []byte(text), mode))
		check(t, os.Chmod(path, mode))
		return path
	}
	for _, test := range []struct {
		name string
		err  func() error
		want string
	}{
		{"private for public", func() error { _, err := ReadTrust(pair.Private); return err }, "is no public key"},
		{"public for private", func() error { _, err := ReadKeys(file(pair.Key, 0o600)); return err }, "key 1 of 1 is no private key"},
		{"open to all", func() error { _, err := ReadKeys(file(string(private), 0o604)); return err }, "chmod 600"},
		{"empty", func() error { _, err := ReadTrust(file("\n", 0o644)); return err }, "is empty"},
		{"absent", func() error { _, err := ReadTrust(pair.Public + "x"); return err }, "no such file"},
		{"long", func() error { _, err := ReadTrust(file(strings.Repeat("x", maxKeyFile+1), 0o644)); return err }, "more than 4096 octets"},
		{"two origins", func() error { _, err := ReadTrust(pair.Public, other.Public); return err }, "want those of one origin"},
		{"twice", func() error { _, err := ReadTrust(pair.Public, pair.Public); return err }, "is named twice"},
		{"none", func() error { _, err := ReadTrust(); return err }, "no keys"},
	} {
		err := test.err()
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), strings.Fields(string(private))[0]) {
			t.Errorf("%s: error is %v, want one with %q and without the key", test.name, err, test.want)
		}
	}
	for _, name := range []string{"", "a+b", "a/b", "A", "a b"} {
		if pair, err := GenerateKey(name, t.TempDir()); err == nil {
			t.Errorf("name %q: made %s", name, pair.Private)
		}
	}
	for path, want := range map[string]os.FileMode{pair.Private: 0o600, pair.Public: 0o644} {
		info, err := os.Stat(path)
		check(t, err)
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode(), want)
		}
	}
}

// FuzzTrust looks for a text that is opened although it is not what was signed.
func FuzzTrust(f *testing.F) {
	dir := f.TempDir()
	pair, err := GenerateKey(origin, dir)
	check(f, err)
	keys, err := ReadKeys(pair.Private)
	check(f, err)
	trust, err := ReadTrust(pair.Public)
	check(f, err)
	m := &Manifest{Origin: origin, Generation: 1, Created: start}
	signed, err := keys.sign(m.Encode())
	check(f, err)
	f.Add(signed)
	f.Add(m.Encode())
	f.Add(append(signed, signed...))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, _, err := trust.Open(text)
		if err == nil && !bytes.Equal(got.Encode(), m.Encode()) {
			t.Errorf("opened\n%s", text)
		}
	})
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
