package store

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// MaxManifestSize bounds a manifest in octets, with its signatures. Lines have about
// 200: this is room for MaxLines of segments and as many of everything else.
const MaxManifestSize = 4 << 20

// A Trust is the public keys by which a manifest must be signed, all of one origin.
// The nil Trust asks for no signature. It is immutable.
type Trust struct {
	verifiers []note.Verifier
}

// ReadTrust reads public keys from files, each of which has one a line, as lancre
// keygen writes it. There are two while one takes the place of the other.
func ReadTrust(files ...string) (*Trust, error) {
	t := new(Trust)
	for _, file := range files {
		lines, err := readKeyFile(file)
		if err != nil {
			return nil, fmt.Errorf("public key: %w", err)
		}
		for _, line := range lines {
			v, err := note.NewVerifier(line)
			if err != nil {
				return nil, fmt.Errorf("%s: %q is no public key (%w): want the file NAME+HASH.pub that lancre keygen wrote", file, abridged(line), err)
			}
			t.verifiers = append(t.verifiers, v)
		}
	}
	return t, checkOrigin(t.verifiers)
}

// Origin is the origin whose manifests t accepts; "" if t is nil.
func (t *Trust) Origin() string {
	if t == nil {
		return ""
	}
	return t.verifiers[0].Name()
}

// Open verifies a manifest, as it is in a store or comes from elsewhere, before it
// parses it, and returns what it says and one of the keys of t that signed it, as
// NAME+HASH. It refuses one without a good signature by any of them, with a bad one by
// any, or of another origin than theirs. If t is nil, signatures are not looked at,
// and key is "". Files of the result are those of its List, which is an object.
func (t *Trust) Open(signed []byte) (m *Manifest, key string, err error) {
	if len(signed) > MaxManifestSize {
		return nil, "", fmt.Errorf("manifest of more than %d octets", MaxManifestSize)
	}
	if t == nil {
		m, err = ParseManifest(signed)
		return m, "", err
	}
	n, err := note.Open(signed, note.VerifierList(t.verifiers...))
	if err != nil {
		return nil, "", t.explain(signed, err)
	}
	if m, err = parseText([]byte(n.Text)); err != nil {
		return nil, "", err
	}
	key = keyID(n.Sigs[0].Name, n.Sigs[0].Hash)
	m.signers = signersOf(n)
	if m.Origin != t.Origin() {
		return nil, "", fmt.Errorf("manifest of origin %s, signed by %s: a key is good for its own origin only", m.Origin, key)
	}
	return m, key, nil
}

// explain says for people why signed was not opened.
func (t *Trust) explain(signed []byte, err error) error {
	const remedy = "take it from the origin, or trust the key if it is one of the origin's"
	var keys []string
	for _, v := range t.verifiers {
		keys = append(keys, keyID(v.Name(), v.KeyHash()))
	}
	trusted := strings.Join(keys, ", ")
	var invalid *note.InvalidSignatureError
	var unverified *note.UnverifiedNoteError
	switch {
	case errors.As(err, &invalid):
		return fmt.Errorf("the signature by %s is not one of this manifest: it was changed after it was signed; %s", keyID(invalid.Name, invalid.Hash), remedy)
	case errors.As(err, &unverified):
		return fmt.Errorf("signed by %s, want one of %s: %s", strings.Join(signersOf(unverified.Note), ", "), trusted, remedy)
	case !isNote(signed):
		return fmt.Errorf("no signature, want one by %s: publish with --manifest-key", trusted)
	}
	return fmt.Errorf("%w: the signatures of this manifest are damaged; %s", err, remedy)
}

// Keys are the private keys that sign the manifests of one origin. They are immutable.
type Keys struct {
	signers []note.Signer
}

// ReadKeys reads private keys from files, each of which has one a line, as lancre
// keygen writes it, and can be read by its owner and group only.
func ReadKeys(files ...string) (*Keys, error) {
	k := new(Keys)
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && info.Mode()&0o007 != 0 {
			return nil, fmt.Errorf("%s has mode %#o, so that anybody on this host can sign with it: chmod 600", file, info.Mode().Perm())
		}
		lines, err := readKeyFile(file)
		if err != nil {
			return nil, fmt.Errorf("private key: %w", err)
		}
		for i, line := range lines {
			s, err := note.NewSigner(line)
			if err != nil { // which is not to show the key
				return nil, fmt.Errorf("%s: key %d of %d is no private key: want the file NAME+HASH.key that lancre keygen wrote", file, i+1, len(lines))
			}
			k.signers = append(k.signers, s)
		}
	}
	return k, checkOrigin(k.signers)
}

// Origin is the origin whose manifests k signs; "" if k is nil.
func (k *Keys) Origin() string {
	if k == nil {
		return ""
	}
	return k.signers[0].Name()
}

// sign returns text with a signature by each key; text itself if k is nil.
func (k *Keys) sign(text []byte) ([]byte, error) {
	if k == nil {
		return text, nil
	}
	return note.Sign(&note.Note{Text: string(text)}, k.signers...)
}

// Signing says how a manifest is made one of its origin. The zero value leaves it
// unsigned.
type Signing struct {
	Keys    *Keys         // that sign it; nil for none
	Expires time.Duration // after its creation it is stale; 0 for never
	Setting string        // that names Keys, for errors; "" for --manifest-key
}

// check finds what is wrong with s, and refuses to publish without a signature after a manifest that has one.
func (s *Signing) check(previous *Manifest) error {
	if s.Expires < 0 {
		return fmt.Errorf("expires %v after it was made: want 0s, for never, or more", s.Expires)
	}
	if previous == nil || s.Keys != nil || len(previous.signers) == 0 {
		return nil
	}
	return fmt.Errorf("generation %d is signed by %s, and edges that trust the key refuse one that is not: sign with %s",
		previous.Generation, strings.Join(previous.signers, ", "), cmp.Or(s.Setting, "--manifest-key"))
}

// apply has m say what s wants of it.
func (s *Signing) apply(m *Manifest) {
	if s.Keys != nil {
		m.Origin = s.Keys.Origin()
	}
	m.Expires = time.Time{}
	if s.Expires > 0 {
		m.Expires = m.Created.Add(s.Expires)
	}
}

// isNote reports whether a manifest has signatures: its own text has no empty line.
func isNote(text []byte) bool { return strings.Contains(string(text), "\n\n") }

// openUnverified takes the signatures off signed, and says who claims to have made
// them.
func openUnverified(signed []byte) (text []byte, signers []string, err error) {
	if !isNote(signed) {
		return signed, nil, nil
	}
	var unverified *note.UnverifiedNoteError
	if _, err := note.Open(signed, note.VerifierList()); !errors.As(err, &unverified) {
		return nil, nil, fmt.Errorf("what follows the empty line is no signature: %w", err)
	}
	return []byte(unverified.Note.Text), signersOf(unverified.Note), nil
}

// signersOf are the keys that n names, verified or not.
func signersOf(n *note.Note) (keys []string) {
	for _, sigs := range [][]note.Signature{n.Sigs, n.UnverifiedSigs} {
		for _, s := range sigs {
			keys = append(keys, keyID(s.Name, s.Hash))
		}
	}
	return keys
}

// keyID is how a key is named in logs and errors.
func keyID(name string, hash uint32) string { return fmt.Sprintf("%s+%08x", name, hash) }
