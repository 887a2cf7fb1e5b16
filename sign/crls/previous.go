package crls

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"math"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/sys/unix"

	"lancre/build/ca"
	"lancre/build/crl"
	"lancre/internal/mapping"
)

// readPrevious maps and reads the CRL in a file; nil if there is none. What it lists is
// signed again: it must be by the same key.
func readPrevious(name string, by *ca.Signer) (*crl.CRL, error) {
	data, err := mapping.Open(name, "CRL", 1)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the CRL before, %w", err)
	}
	c, err := parsePrevious(data, by)
	if err != nil {
		unix.Munmap(data)
		return nil, fmt.Errorf("the CRL before, %s: %w", name, err)
	}
	return c, nil
}

func parsePrevious(data []byte, by *ca.Signer) (*crl.CRL, error) {
	if len(data) > math.MaxUint32 {
		return nil, fmt.Errorf("it has %d octets, want at most %d", len(data), uint32(math.MaxUint32))
	}
	c, broken := crl.Parse(data)
	if broken != nil {
		return nil, errors.New(broken.Reason)
	}
	algorithm, err := ca.ParseAlgorithm(c.Algorithm)
	if err == nil && !bytes.Equal(c.Issuer, by.Cert.RawSubject) {
		err = errors.New("it has another issuer")
	}
	if err == nil {
		err = by.Verify(algorithm, c.TBS, c.Signature)
	}
	if err != nil {
		return nil, fmt.Errorf("it is not signed by %s: %w (to begin anew, move it away)", by.Cert.Subject, err)
	}
	return c, nil
}

// A listed is an entry of a CRL before, and whether the list of certificates has been
// found to have it.
type listed struct {
	offset uint32 // in the CRL, where no entry is at 0; 0: this slot is free
	target uint16
	hash   uint8 // the lowest octet of that of the serial number
	seen   bool
}

// A memory finds what the CRLs before list by serial number. It is a hash table with
// linear probing, three quarters full: 11 octets an entry beside the CRLs themselves.
type memory struct {
	targets []*target
	slots   []listed
	count   int
}

func newMemory(targets []*target) *memory {
	m := &memory{targets: targets}
	for _, t := range targets {
		if t.before != nil {
			m.count += t.before.Count
		}
	}
	m.slots = make([]listed, m.count*4/3+1)
	for i, t := range targets {
		if t.before != nil {
			t.before.WalkSerials(func(serial []byte, offset int64) {
				hash := xxhash.Sum64(serial)
				at := m.first(hash)
				for m.slots[at].offset != 0 {
					at = m.next(at)
				}
				m.slots[at] = listed{offset: uint32(offset), target: uint16(i), hash: uint8(hash)}
			})
		}
	}
	return m
}

// first is the slot at which the search for a hash begins, by its upper half, and next the
// one that follows.
func (m *memory) first(hash uint64) int { return int(hash >> 32 * uint64(len(m.slots)) >> 32) }

func (m *memory) next(at int) int {
	if at++; at < len(m.slots) {
		return at
	}
	return 0
}

// entry is what the CRL before says.
func (m *memory) entry(l *listed) crl.Entry {
	return m.targets[l.target].before.EntryAt(int64(l.offset))
}

// says reports whether the CRL before has an entry of those very octets.
func (m *memory) says(l *listed, entry []byte) bool {
	return bytes.HasPrefix(m.targets[l.target].before.DER[l.offset:], entry)
}

// find returns what is listed of a serial number, nil if nothing is.
func (m *memory) find(serial []byte) *listed {
	hash := xxhash.Sum64(serial)
	for at := m.first(hash); m.slots[at].offset != 0; at = m.next(at) {
		if l := &m.slots[at]; l.hash == uint8(hash) && bytes.Equal(m.targets[l.target].before.SerialAt(int64(l.offset)), serial) {
			return l
		}
	}
	return nil
}

// checkIssuer checks that the certificate is that of a CA that signs CRLs now.
func checkIssuer(cert *x509.Certificate, at int64) error {
	if cert.KeyUsage != 0 && cert.KeyUsage&x509.KeyUsageCRLSign == 0 {
		return fmt.Errorf("the key usage of %s lacks cRLSign: clients refuse its CRLs", cert.Subject)
	}
	if from, to := cert.NotBefore.Unix(), cert.NotAfter.Unix(); at < from || at > to {
		return fmt.Errorf("the certificate of %s is valid from %s to %s, and it is %s", cert.Subject, utc(from), utc(to), utc(at))
	}
	return nil
}
