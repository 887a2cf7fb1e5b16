package source

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lancre/build/demo"
	"lancre/build/rule"
	"lancre/index/store"
)

// newSign has a CA with a list of n certificates, a key, and a store that has nothing.
func newSign(t *testing.T, n uint64) *Sign {
	t.Helper()
	base := t.TempDir()
	ca, err := demo.New(demo.Options{CAKey: writeKey(t, filepath.Join(base, "ca.key"))})
	check(t, err)
	written(t, filepath.Join(base, "ca.der"), ca.Issuer.Raw)
	list, err := os.Create(filepath.Join(base, "all.csv"))
	check(t, err)
	check(t, errors.Join(ca.WriteList(list, n), list.Close()))
	check(t, os.Mkdir(filepath.Join(base, "store"), 0o755))
	p, err := store.Begin(filepath.Join(base, "store"))
	check(t, err)
	defer p.Close()
	check(t, p.Commit(&store.Manifest{Origin: "test", Created: time.Now()}))
	s := &Sign{
		Signer: Signer{Key: "ca.key", Certificates: "all.csv", Serial: "hex", Issuers: []string{filepath.Join(base, "ca.der")}, Profiles: []rule.Profile{rule.Private}},
		Store:  filepath.Join(base, "store"),
	}
	check(t, s.Prepare(base))
	t.Cleanup(s.Close)
	return s
}

// A round publishes what it signs, chunk by chunk, and removes it then.
func TestSignPublishes(t *testing.T) {
	s, p := newSign(t, 60), new(publisher)
	check(t, s.Read(context.Background(), p))
	if len(p.batches) != 2 || len(p.batches[0]) != 4 || len(p.batches[1]) != 116 {
		t.Errorf("%d changes, want the revocations of 2 certificates first, then 58 others", len(p.batches))
	}
	if left := names(t, s.Dir); len(left) > 0 {
		t.Errorf("%q is left", left)
	}
}

// What could not be published stays, is not signed again, and is published by the next
// round.
func TestSignKeepsWhatIsNotPublished(t *testing.T) {
	s, p := newSign(t, 60), &publisher{fail: errors.New("disk full")}
	if err := s.Read(context.Background(), p); !errors.Is(err, p.fail) {
		t.Errorf("error %v, want %v", err, p.fail)
	}
	left := names(t, s.Dir)
	if len(left) != 1 {
		t.Fatalf("%q is left, want one chunk", left)
	}
	chunk, err := os.ReadFile(filepath.Join(s.Dir, left[0]))
	check(t, err)
	if err := s.Read(context.Background(), p); !errors.Is(err, p.fail) {
		t.Errorf("again: error %v, want %v", err, p.fail)
	}
	again, err := os.ReadFile(filepath.Join(s.Dir, left[0]))
	if err != nil || string(again) != string(chunk) || len(names(t, s.Dir)) != 1 {
		t.Errorf("%q is left, error %v; want the chunk as it was", names(t, s.Dir), err)
	}
	p.fail = nil
	check(t, s.Read(context.Background(), p))
	if len(p.batches) < 2 || len(p.batches[0]) != 4 {
		t.Errorf("%d changes, want the chunk that was left first", len(p.batches))
	}
}

func TestSignTellsOfItsKey(t *testing.T) {
	s := newSign(t, 1)
	s.Key += ".gone"
	if err := s.Read(context.Background(), new(publisher)); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), s.Key) {
		t.Errorf("error %v, want that there is no %s", err, s.Key)
	}
}

// A change of the list is told at once.
func TestSignWatchesTheList(t *testing.T) {
	s := newSign(t, 1)
	check(t, s.Read(context.Background(), new(publisher)))
	list := s.list.Source
	text, err := os.ReadFile(list)
	check(t, err)
	moved(t, list, text)
	<-s.changes
}

// writeKey makes a key and writes it.
func writeKey(t *testing.T, name string) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	check(t, err)
	check(t, os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	return key
}

// Every list that is a file is relative to the configuration.
func TestListIsRelativeToTheConfiguration(t *testing.T) {
	for list, want := range map[string]string{
		"all.csv":                    "/etc/ca/all.csv",
		"/srv/all.csv":               "/srv/all.csv",
		"openssl:index.txt":          "openssl:/etc/ca/index.txt",
		"sqlite:certs.db":            "sqlite:/etc/ca/certs.db",
		"sqlite:/srv/certs.db":       "sqlite:/srv/certs.db",
		"postgres://lancre@db/ejbca": "postgres://lancre@db/ejbca",
		"":                           "",
	} {
		if got := (&Signer{Certificates: list}).listIn("/etc/ca"); got != want {
			t.Errorf("%q is at %q, want %q", list, got, want)
		}
	}
}
