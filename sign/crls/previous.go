package crls

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/cespare/xxhash/v2"

	"lancre/build/ca"
	"lancre/build/crl"
)

// readPrevious reads the CRL in a file; nil if there is none. What it lists is signed
// again: it must be by the same key.
func readPrevious(name string, by *ca.Signer) (*crl.CRL, error) {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c, broken := crl.Parse(data)
	if broken != nil {
		return nil, fmt.Errorf("the CRL before, %s: %s", name, broken.Reason)
	}
	algorithm, err := ca.ParseAlgorithm(c.Algorithm)
	if err == nil && !bytes.Equal(c.Issuer, by.Cert.RawSubject) {
		err = errors.New("it has another issuer")
	}
	if err == nil {
		err = by.Verify(algorithm, c.TBS, c.Signature)
	}
	if err != nil {
		return nil, fmt.Errorf("the CRL before, %s, is not signed by %s: %w (to begin anew, move it away)", name, by.Cert.Subject, err)
	}
	return c, nil
}

// A listed is an entry of a CRL before, and whether the list of certificates has been
// found to have it.
type listed struct {
	hash   uint64 // of the serial number
	offset uint32 // in the CRL; a file has less than 4 GiB
	target uint16
	seen   bool
}

// A memory is what the CRLs before list, by serial number: 16 octets an entry beside the
// CRLs themselves.
type memory struct {
	targets []*target
	list    []listed // sorted by hash
}

func newMemory(targets []*target) *memory {
	m := &memory{targets: targets}
	total := 0
	for _, t := range targets {
		if t.before != nil {
			total += t.before.Count
		}
	}
	m.list = make([]listed, 0, total)
	for i, t := range targets {
		if t.before != nil {
			t.before.Walk(func(e *crl.Entry) {
				m.list = append(m.list, listed{hash: xxhash.Sum64(e.Serial), offset: uint32(e.Offset), target: uint16(i)})
			})
		}
	}
	slices.SortFunc(m.list, func(a, b listed) int { return cmp.Compare(a.hash, b.hash) })
	return m
}

// entry is what the CRL before says.
func (m *memory) entry(l *listed) crl.Entry {
	return m.targets[l.target].before.EntryAt(int64(l.offset))
}

// find returns what is listed of a serial number, nil if nothing is.
func (m *memory) find(serial []byte) *listed {
	hash := xxhash.Sum64(serial)
	i, _ := slices.BinarySearchFunc(m.list, hash, func(l listed, hash uint64) int { return cmp.Compare(l.hash, hash) })
	for ; i < len(m.list) && m.list[i].hash == hash; i++ {
		if e := m.entry(&m.list[i]); bytes.Equal(e.Serial, serial) {
			return &m.list[i]
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
