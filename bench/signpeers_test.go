package bench

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkSignPeers has lancre sign ocsp, cfssl ocsprefresh and openssl ocsp sign for the
// certificates of one database of cfssl, with one P-256 key, in turns: responses for each
// second of processor time, and x/cfssl and x/openssl, how many times those of the other.
// openssl makes one response a run, and so is asked for a few.
func BenchmarkSignPeers(b *testing.B) {
	const n, few = 2_000, 40
	cfssl := installed(b, "cfssl")
	dir := b.TempDir()
	issuer := newIssuer(b, dir)
	serials := makeCfsslDatabase(b, dir, n)
	lancre := filepath.Join(built(b), "lancre")
	var ours, cfssls, openssls time.Duration
	for i := 0; b.Loop(); i++ {
		took, _ := run(b, lancre, append([]string{"sign", "ocsp", "--certificates", "sqlite:" + filepath.Join(dir, "certs.db"), "--schema", "cfssl",
			"--hash", "sha1", "--no-store", "--store", filepath.Join(dir, "none"), "--out", filepath.Join(dir, fmt.Sprint(i, ".der"))}, issuer...)...)
		ours += took
		took, _ = run(b, cfssl, "ocsprefresh", "-loglevel", "3", "-ca", filepath.Join(dir, "ca.pem"), "-responder", filepath.Join(dir, "ca.pem"),
			"-responder-key", filepath.Join(dir, "ca.key"), "-db-config", filepath.Join(dir, "db.json"), "-interval", "168h")
		cfssls += took
		for _, serial := range serials[:few] {
			took, _ := run(b, "openssl", "ocsp", "-index", filepath.Join(dir, "index.txt"), "-CA", filepath.Join(dir, "ca.pem"), "-rsigner", filepath.Join(dir, "ca.pem"),
				"-rkey", filepath.Join(dir, "ca.key"), "-issuer", filepath.Join(dir, "ca.pem"), "-serial", "0x"+serial, "-ndays", "7", "-respout", filepath.Join(dir, "openssl.der"))
			openssls += took
		}
	}
	each := func(took time.Duration, n int) float64 { return float64(b.N*n) / took.Seconds() }
	b.ReportMetric(each(ours, n), "lancre/core-s")
	b.ReportMetric(each(cfssls, n), "cfssl/core-s")
	b.ReportMetric(each(openssls, few), "openssl/core-s")
	b.ReportMetric(each(ours, n)/each(cfssls, n), "x/cfssl")
	b.ReportMetric(each(ours, n)/each(openssls, few), "x/openssl")
}

// installed finds a program in PATH, or where scripts/setup installs it.
func installed(b *testing.B, name string) string {
	b.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(cache, "lancre", "bin", name)
	if _, err := os.Stat(path); err != nil {
		b.Skipf("%s is not installed: run scripts/setup", name)
	}
	return path
}

// makeCfsslDatabase issues n certificates by the CA in dir, and writes them to certs.db, as
// cfssl has them, with db.json beside it, and to index.txt, as openssl has them. It returns
// their serial numbers in hex.
func makeCfsslDatabase(b *testing.B, dir string, n int) (serials []string) {
	b.Helper()
	block, _ := pem.Decode(readFile(b, filepath.Join(dir, "ca.pem")))
	ca, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		b.Fatal(err)
	}
	block, _ = pem.Decode(readFile(b, filepath.Join(dir, "ca.key")))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		b.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "certs.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(string(readFile(b, "../test/e2e/testdata/cfssl.sql"))); err != nil {
		b.Fatal(err)
	}
	index, err := os.Create(filepath.Join(dir, "index.txt"))
	if err != nil {
		b.Fatal(err)
	}
	defer index.Close()
	config := fmt.Sprintf(`{"driver": "sqlite3", "data_source": %q}`, filepath.Join(dir, "certs.db"))
	if err := os.WriteFile(filepath.Join(dir, "db.json"), []byte(config), 0o644); err != nil {
		b.Fatal(err)
	}
	aki := fmt.Sprintf("%x", ca.SubjectKeyId)
	for i := range n {
		template := &x509.Certificate{SerialNumber: new(big.Int).Add(big.NewInt(1<<62), big.NewInt(int64(i))), NotBefore: time.Now(), NotAfter: ca.NotAfter}
		der, err := x509.CreateCertificate(rand.Reader, template, ca, key.(*ecdsa.PrivateKey).Public(), key)
		if err != nil {
			b.Fatal(err)
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		if _, err := db.Exec("INSERT INTO certificates (serial_number, authority_key_identifier, ca_label, status, reason, expiry, revoked_at, pem) VALUES (?, ?, '', 'good', 0, ?, '0001-01-01 00:00:00+00:00', ?)",
			template.SerialNumber.String(), aki, ca.NotAfter.UTC().Format("2006-01-02 15:04:05+00:00"), string(text)); err != nil {
			b.Fatal(err)
		}
		serial := fmt.Sprintf("%X", template.SerialNumber)
		serials = append(serials, serial)
		fmt.Fprintf(index, "V\t%sZ\t\t%s\tunknown\t/CN=%d\n", ca.NotAfter.UTC().Format("060102150405"), serial, i)
	}
	return serials
}
