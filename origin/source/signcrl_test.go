package source

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"lancre/build/crl"
)

// newSignCRL is newSign for CRLs.
func newSignCRL(t *testing.T, n uint64) *SignCRL {
	t.Helper()
	responses := newSign(t, n)
	s := &SignCRL{Signer: responses.Signer, URL: "http://c.example.org/ca.crl"}
	check(t, s.Prepare(filepath.Dir(responses.Dir)))
	t.Cleanup(s.Close)
	return s
}

func (s *SignCRL) file() string { return filepath.Join(s.tree.Dir, "c.example.org", "ca.crl") }

// listedBy is how many certificates the CRL lists.
func (s *SignCRL) listedBy(t *testing.T) int {
	t.Helper()
	data, err := os.ReadFile(s.file())
	check(t, err)
	c, broken := crl.Parse(data)
	if broken != nil {
		t.Fatal(broken.Reason)
	}
	return c.Count
}

// A round signs a CRL and publishes the tree that has it; the next, where nothing has
// changed, does neither.
func TestSignCRLPublishes(t *testing.T) {
	s, p := newSignCRL(t, 60), new(publisher)
	check(t, s.Read(context.Background(), p))
	if len(p.trees) != 1 || s.listedBy(t) != 2 {
		t.Errorf("%d trees were published, %d certificates are listed; want 1 and 2", len(p.trees), s.listedBy(t))
	}
	first, err := os.ReadFile(s.file())
	check(t, err)
	check(t, s.Read(context.Background(), p))
	again, err := os.ReadFile(s.file())
	check(t, err)
	if len(p.trees) != 1 || !bytes.Equal(first, again) {
		t.Errorf("%d trees were published, and signed again, or not: want the one of before", len(p.trees))
	}
}

// A CRL that could not be published is published by the next round, as it is.
func TestSignCRLKeepsWhatIsNotPublished(t *testing.T) {
	s, p := newSignCRL(t, 60), &publisher{fail: errors.New("disk full")}
	if err := s.Read(context.Background(), p); !errors.Is(err, p.fail) {
		t.Errorf("error %v, want %v", err, p.fail)
	}
	p.fail = nil
	check(t, s.Read(context.Background(), p))
	if len(p.trees) != 1 {
		t.Errorf("%d trees were published, want 1", len(p.trees))
	}
}
