package crls

import (
	"crypto/x509"
	"fmt"
	"maps"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"lancre/internal/programs"
	"lancre/internal/signtest"
	"lancre/sign/certificates"
)

// A varied world has revocations of all reasons, serial numbers of all forms, and times
// in both encodings.
func newVariedWorld(t *testing.T, sharded bool) *world {
	w := newWorld(t, signtest.P256(), 300)
	for i, reason := range []string{"", "1", "2", "3", "4", "5", "6", "9", "10"} {
		for _, serial := range []int{i + 1, 0x80 + i, 0x100 + i} {
			w.revokeAt(serial, w.now.Add(-time.Duration(serial)*time.Hour), reason)
		}
	}
	if sharded {
		w.sharded()
	}
	w.mustRun()
	return w
}

// lines are what all CRLs list, a sorted line each: serial number in hex, time, reason.
func (w *world) lines() string {
	var lines []string
	for serial, e := range w.listed() {
		lines = append(lines, fmt.Sprintf("%x %d %d", serial, e.revoked, e.reason))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestX509ReadsCRLs(t *testing.T) {
	for name, key := range keys() {
		w := newWorld(t, key, 5)
		w.revoke(2, "4")
		w.revoke(3, "")
		w.mustRun()
		list := must(x509.ParseRevocationList(must(os.ReadFile(w.file("ca")))))
		if err := list.CheckSignatureFrom(w.ca); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := list.RevokedCertificateEntries; len(got) != 2 || got[0].SerialNumber.Cmp(big.NewInt(2)) != 0 || got[0].ReasonCode != 4 || got[1].ReasonCode != 0 {
			t.Errorf("%s: entries %+v", name, got)
		}
		if list.Number.Int64() != w.now.Unix() || !list.ThisUpdate.Equal(w.now) || list.NextUpdate.Sub(w.now) != 7*24*time.Hour {
			t.Errorf("%s: number %s, from %s to %s", name, list.Number, list.ThisUpdate, list.NextUpdate)
		}
	}
}

func TestOpenSSLReadsCRLs(t *testing.T) {
	programs.Need(t, "openssl")
	w := newVariedWorld(t, false)
	out, err := exec.Command("openssl", "crl", "-inform", "DER", "-in", w.file("ca"), "-CAfile", w.config.Issuer, "-noout", "-text").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "verify OK") {
		t.Fatalf("%v\n%s", err, out)
	}
	var serials []int
	for _, line := range strings.Split(string(out), "\n") {
		if digits, ok := strings.CutPrefix(strings.TrimSpace(line), "Serial Number: "); ok {
			serials = append(serials, int(must(strconv.ParseInt(digits, 16, 64))))
		}
	}
	slices.Sort(serials)
	if want := slices.Sorted(maps.Keys(w.listed())); !slices.Equal(serials, want) {
		t.Errorf("openssl reads %x, want %x", serials, want)
	}
}

// Java verifies CRLs and reads all that they say; Sun's reasons are in the order of the
// standard.
func TestJavaReadsCRLs(t *testing.T) {
	programs.Need(t, "java", "javac")
	w := newVariedWorld(t, true)
	out, err := exec.Command("java", "testdata/ReadCRL.java", w.config.Issuer, w.file("1"), w.file("2"), w.file("3"), w.file("4")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var got []string
	valid := 0
	for line := range strings.Lines(string(out)) {
		switch line = strings.TrimSpace(line); line {
		case "valid for 604800 [2.5.29.28]": // 7 days; issuingDistributionPoint is critical
			valid++
		default:
			got = append(got, line)
		}
	}
	if valid != 4 {
		t.Errorf("%d of 4 CRLs are read as they should be", valid)
	}
	slices.Sort(got)
	if want := w.lines(); strings.Join(got, "\n") != want {
		t.Errorf("Java reads\n%s, want\n%s", strings.Join(got, "\n"), want)
	}
}

// The list of openssl ca, with all the forms that it has of a revocation, becomes the CRL
// that openssl makes of it.
func TestCRLIsThatOfOpenSSL(t *testing.T) {
	programs.Need(t, "openssl")
	w := newWorld(t, signtest.P256(), 0)
	index := filepath.Join(w.dir, "index.txt")
	lines := ""
	for i, revocation := range []string{"", "261101000000Z", "261102000000Z,unspecified", "261103000000Z,keyCompromise", "261104000000Z,superseded", "261105000000Z,cessationOfOperation"} {
		letter := "R"
		if revocation == "" {
			letter = "V"
		}
		lines += fmt.Sprintf("%s\t301230000000Z\t%s\t%02X\tunknown\t/CN=%d\n", letter, revocation, i+0x7e, i)
	}
	config := "[ca]\ndefault_ca=d\n[d]\ndatabase=" + index + "\ndefault_md=sha256\ndefault_crl_days=7\nunique_subject=no\n"
	keyFile := signtest.WriteKey(t, w.key)
	for name, content := range map[string]string{index: lines, filepath.Join(w.dir, "ca.cnf"): config} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	theirs := filepath.Join(w.dir, "theirs.pem")
	out, err := exec.Command("openssl", "ca", "-config", filepath.Join(w.dir, "ca.cnf"), "-gencrl", "-keyfile", keyFile, "-cert", w.config.Issuer, "-out", theirs).CombinedOutput()
	if err == nil {
		out, err = exec.Command("openssl", "crl", "-in", theirs, "-outform", "DER", "-out", theirs).CombinedOutput()
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	w.config.List = certificates.List{Source: "openssl:" + index}
	if _, err := Run(t.Context(), w.config); err != nil {
		t.Fatal(err)
	}
	ours, want := must(x509.ParseRevocationList(must(os.ReadFile(w.file("ca"))))), must(x509.ParseRevocationList(must(os.ReadFile(theirs))))
	text := func(l *x509.RevocationList) (s string) {
		for _, e := range l.RevokedCertificateEntries {
			s += fmt.Sprintf("%x %s %d\n", e.SerialNumber, e.RevocationTime, e.ReasonCode)
		}
		return s
	}
	if got, want := text(ours), text(want); got != want || got == "" {
		t.Errorf("the CRL lists\n%s, that of openssl\n%s", got, want)
	}
}
