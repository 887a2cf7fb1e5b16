package main

import (
	"encoding/hex"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"lancre/build/certs"
	"lancre/index"
	"lancre/internal/ocsptest"
	"lancre/internal/storetest"
)

// A handmadeStore holds what lancre build does not make (yet): tombstones,
// several segments, and responses of x/crypto/ocsp, which are byName.
type handmadeStore struct {
	dir        string
	ca         ocsptest.CA
	issuerFile string
}

var thisUpdate = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newHandmadeStore(t *testing.T) *handmadeStore {
	t.Helper()
	s := &handmadeStore{dir: t.TempDir(), ca: ocsptest.NewCA("Handmade CA", nil)}
	s.issuerFile = filepath.Join(t.TempDir(), "issuer.pem")
	if err := os.WriteFile(s.issuerFile, encodePEM(s.ca.Raw), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

type entries = []storetest.Entry

// response makes an entry of a response that is valid for days from thisUpdate.
func (s *handmadeStore) response(serial int64, status int, days int) storetest.Entry {
	return storetest.Entry{DER: s.ca.Sign(ocsp.Response{
		SerialNumber: big.NewInt(serial),
		Status:       status,
		RevokedAt:    thisUpdate.Add(-time.Hour),
		ThisUpdate:   thisUpdate,
		NextUpdate:   thisUpdate.AddDate(0, 0, days),
	})}
}

func (s *handmadeStore) tombstone(serial int64) storetest.Entry {
	return storetest.Entry{DER: s.response(serial, ocsp.Good, 1).DER, Tombstone: true}
}

// publish publishes the segments, newest first.
func (s *handmadeStore) publish(t *testing.T, segments ...entries) {
	t.Helper()
	storetest.Publish(t, s.dir, thisUpdate, segments, nil)
}

func TestInspectAnswersAsAnEdgeDoes(t *testing.T) {
	s := newHandmadeStore(t)
	s.publish(t,
		entries{s.tombstone(0x21), s.response(0x22, ocsp.Revoked, 2)},
		entries{s.response(0x21, ocsp.Good, 4), s.response(0x22, ocsp.Good, 4), s.response(0x23, ocsp.Unknown, 4)},
	)
	for _, tt := range []struct {
		serial string
		status int
		want   []string
	}{
		{"21", exitProblem, []string{"sha1 serial 21", "a tombstone", "tryLater"}}, // hides the older response
		{"22", exitDone, []string{"status      revoked 2026-03-01T11:00:00Z, no reason\n", "nextUpdate  2026-03-03T12:00:00Z (in 24h0m0s)\n"}},
		{"23", exitDone, []string{"status      unknown\n", "signer      byName CN=Handmade CA\n", "thisUpdate  2026-03-01T12:00:00Z (24h0m0s ago)\n"}},
		{"24", exitProblem, []string{"no response for sha1 serial 24", "[sha1 sha256 sha384 sha512]", "unauthorized"}},
	} {
		status, stdout, stderr := execute(t, "inspect", s.dir, "--issuer", s.issuerFile, "--serial", tt.serial, "--at", "2026-03-02T12:00:00Z")
		if status != tt.status {
			t.Errorf("serial %s: exit status %d, want %d", tt.serial, status, tt.status)
		}
		for _, want := range tt.want {
			if !strings.Contains(stdout+stderr, want) {
				t.Errorf("serial %s: printed\n%s%s\nwant %q in it", tt.serial, stdout, stderr, want)
			}
		}
	}
}

// The octets that go out are those that came in, and openssl's or x/crypto's
// reader finds them valid.
func TestInspectWritesTheResponse(t *testing.T) {
	s := newHandmadeStore(t)
	s.publish(t, entries{s.response(0x80, ocsp.Good, 4)})
	status, der, stderr := execute(t, "inspect", s.dir, "--issuer", s.issuerFile, "--serial", "80", "--out", "-")
	if status != exitDone {
		t.Fatal(stderr)
	}
	r, err := ocsp.ParseResponse([]byte(der), s.ca.Certificate)
	if err != nil || r.SerialNumber.Int64() != 0x80 {
		t.Errorf("response %x: error %v, want a good signature and serial 80", der, err)
	}
}

func TestOverviewCountsWhatAnswers(t *testing.T) {
	s := newHandmadeStore(t)
	s.publish(t,
		entries{s.tombstone(0x21)},
		entries{s.response(0x21, ocsp.Good, 4), s.response(0x22, ocsp.Revoked, 2), s.response(0x23, ocsp.Unknown, 4)},
	)
	status, stdout, stderr := execute(t, "inspect", s.dir, "--at", "2026-03-02T12:00:00Z")
	if status != exitDone {
		t.Fatal(stderr)
	}
	id, err := certs.ID(s.ca.Certificate, index.SHA1, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"origin        test\n",
		"  records     1, of them tombstones: 1; CertIDs: 1\n",
		"  records     3, of them tombstones: 0; CertIDs: 3\n",
		"  nextUpdate  earliest 2026-03-03T12:00:00Z (in 24h0m0s)\n",
		"issuer        name hash " + hex.EncodeToString(id.NameHash) + ", key hash " + hex.EncodeToString(id.KeyHash) + "\n",
		"  sha1        good: 0, revoked: 1, unknown: 1, tombstones: 1\n", // what is hidden is not counted,
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("printed\n%s\nwant %q in it", stdout, want)
		}
	}
}

func TestOverviewOfAnEmptyStore(t *testing.T) {
	s := newHandmadeStore(t)
	s.publish(t)
	status, stdout, stderr := execute(t, "inspect", s.dir)
	if status != exitDone || strings.Contains(stdout, "issuer") || !strings.Contains(stdout, "generation  1\n") {
		t.Errorf("exit status %d, printed\n%s%s", status, stdout, stderr)
	}
}
