package demo

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"lancre/index"
)

func TestCertificatesAreAFunctionOfTheirNumber(t *testing.T) {
	const n = 5000
	ca, other := newCA(t, Options{}), newCA(t, Options{})
	seen := make(map[string]bool)
	lengths := make(map[int]int)
	revoked := 0
	for i := range uint64(n) {
		c := ca.Certificate(i)
		if !bytes.Equal(c.Serial, ca.Certificate(i).Serial) {
			t.Fatalf("certificate %d has two serials", i)
		}
		if bytes.Equal(c.Serial, other.Certificate(i).Serial) || seen[string(c.Serial)] {
			t.Fatalf("serial %x occurs twice", c.Serial)
		}
		seen[string(c.Serial)] = true
		lengths[len(c.Serial)]++
		if c.Serial[0] == 0 || c.Serial[0] >= 0x80 {
			t.Fatalf("serial %x is not positive and minimal", c.Serial)
		}
		if c.Status == index.Revoked {
			revoked++
		}
	}
	if revoked != n/revokedEvery {
		t.Errorf("%d of %d revoked, want 2 %%", revoked, n)
	}
	for size := 16; size <= 20; size++ {
		if lengths[size] < n/10 {
			t.Errorf("%d serials of %d octets: want about %d", lengths[size], size, n/5)
		}
	}
	if len(lengths) != 5 {
		t.Errorf("serial lengths %v, want 16 to 20", lengths)
	}
}

func TestRevocationsVary(t *testing.T) {
	ca := newCA(t, Options{})
	if c := ca.Certificate(0); c.Status != index.Good || c.Reason != -1 || !c.RevokedAt.IsZero() {
		t.Errorf("certificate 0 is %+v, want good", c)
	}
	var got []int
	times := make(map[int64]bool)
	for i := range uint64(len(reasons)) {
		c := ca.Certificate(1 + i*revokedEvery)
		if c.RevokedAt.After(ca.ThisUpdate) || c.RevokedAt.Before(ca.Issuer.NotBefore) {
			t.Errorf("revoked at %v: want between the CA's notBefore %v and thisUpdate %v", c.RevokedAt, ca.Issuer.NotBefore, ca.ThisUpdate)
		}
		got, times[c.RevokedAt.Unix()] = append(got, c.Reason), true
	}
	slices.Sort(got)
	if want := []int{-1, 1, 3, 4, 5, 9}; !slices.Equal(got, want) { // BR 7.2.2
		t.Errorf("reasons %v, want %v", got, want)
	}
	if len(times) != len(reasons) {
		t.Errorf("%d revocation times for %d revocations", len(times), len(reasons))
	}
}

func TestIssueMakesTheCertificate(t *testing.T) {
	ca := newCA(t, Options{})
	c := ca.Certificate(1)
	cert, err := ca.Issue(c)
	if err != nil {
		t.Fatal(err)
	}
	if cert.SerialNumber.Cmp(new(big.Int).SetBytes(c.Serial)) != 0 {
		t.Errorf("serial %x, want %x", cert.SerialNumber, c.Serial)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca.Issuer)
	if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: at, DNSName: "revoked.demo.test"}); err != nil {
		t.Error(err)
	}
	got := fmt.Sprint(cert.OCSPServer, cert.IssuingCertificateURL, cert.CRLDistributionPoints)
	if want := "[http://o.demo.test] [http://i.demo.test/] [http://c.demo.test/1.crl]"; got != want {
		t.Errorf("AIA and CRL distribution point are %s, want %s", got, want)
	}
}

func TestListHasALineForEachCertificate(t *testing.T) {
	ca := newCA(t, Options{})
	var got, want strings.Builder
	if err := ca.WriteList(&got, 60); err != nil {
		t.Fatal(err)
	}
	want.WriteString("serial,status,not_after,revoked_at,reason\n")
	for i := range uint64(60) {
		c := ca.Certificate(i)
		fmt.Fprintf(&want, "%x,%s,2026-06-02T05:00:00Z,", c.Serial, c.Status)
		if c.Status == index.Revoked {
			fmt.Fprintf(&want, "%s,%d\n", c.RevokedAt.Format(time.RFC3339), max(c.Reason, 0))
		} else {
			want.WriteString(",\n")
		}
	}
	if got.String() != want.String() {
		t.Errorf("list is\n%s\nwant\n%s", &got, &want)
	}
}

func TestListReportsAFullDisk(t *testing.T) {
	ca := newCA(t, Options{})
	for _, n := range []uint64{1, 1000} { // less and more than the buffer holds
		if err := ca.WriteList(&fullDisk{}, n); err != errFull {
			t.Errorf("%d lines: error %v, want %v", n, err, errFull)
		}
	}
}
