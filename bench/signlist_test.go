package bench

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"database/sql"
	"encoding/csv"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"lancre/bench/proc"
)

// BenchmarkSignList is lancre sign ocsp with a list of LANCRE_BENCH_RECORDS certificates,
// none of which was signed for, until 100,000 are: anon is the most anonymous memory it has.
func BenchmarkSignList(b *testing.B) {
	dir := b.TempDir()
	list := writeCertificates(b, dir, int(records()), 50)
	database := filepath.Join(dir, "all.db")
	fillDatabase(b, database, list)
	lancre := filepath.Join(built(b), "lancre")
	args := append([]string{"sign", "ocsp", "--serial", "hex", "--no-store", "--store", filepath.Join(dir, "none"), "--hash", "sha1", "--max", "100000"}, newIssuer(b, dir)...)
	for _, from := range []struct {
		name string
		list []string
	}{
		{"csv", []string{"--certificates", list}},
		{"sqlite", []string{"--certificates", "sqlite:" + database, "--query", "SELECT serial, status, not_after, revoked_at, reason FROM certificates"}},
	} {
		b.Run(from.name, func(b *testing.B) {
			var anon int64
			for b.Loop() {
				_, held := run(b, lancre, slices.Concat(args, from.list, []string{"--out", filepath.Join(b.TempDir(), "new.der")})...)
				anon = max(anon, held)
			}
			b.ReportMetric(float64(anon), "anon-B")
		})
	}
}

// run runs a program, and says how much processor time it used, and how much anonymous
// memory it had at most.
func run(b *testing.B, name string, args ...string) (cpu time.Duration, anon int64) {
	b.Helper()
	var out strings.Builder
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	stop, peak := make(chan struct{}), make(chan int64)
	go func() { peak <- proc.PeakAnon(cmd.Process.Pid, 10*time.Millisecond, stop) }()
	err := cmd.Wait()
	close(stop)
	if anon = <-peak; err != nil {
		b.Fatalf("%s: %v\n%s", name, err, out.String())
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), anon
}

// newIssuer makes a CA with a P-256 key, as ca.pem and ca.key in dir, and returns the
// options that name them.
func newIssuer(b *testing.B, dir string) []string {
	b.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		b.Fatal(err)
	}
	certificate, private := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca.key")
	for name, block := range map[string]*pem.Block{
		certificate: {Type: "CERTIFICATE", Bytes: readFile(b, writeIssuer(b, dir, key))},
		private:     {Type: "PRIVATE KEY", Bytes: der},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return []string{"--issuer", certificate, "--key", private}
}

func readFile(b *testing.B, name string) []byte {
	b.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		b.Fatal(err)
	}
	return data
}

// fillDatabase makes an SQLite database of a list.
func fillDatabase(b *testing.B, name, list string) {
	b.Helper()
	db, err := sql.Open("sqlite", name)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE certificates (serial TEXT, status TEXT, not_after TEXT, revoked_at TEXT, reason TEXT)"); err != nil {
		b.Fatal(err)
	}
	if err := fill(db, list); err != nil {
		b.Fatal(err)
	}
}

// fill inserts the rows of a list in one transaction.
func fill(db *sql.DB, list string) error {
	f, err := os.Open(list)
	if err != nil {
		return err
	}
	defer f.Close()
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	insert, err := tx.Prepare("INSERT INTO certificates VALUES (?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	rows := csv.NewReader(f)
	if _, err := rows.Read(); err != nil { // the header
		return err
	}
	for {
		row, err := rows.Read()
		if err == io.EOF {
			return tx.Commit()
		}
		if err == nil {
			_, err = insert.Exec(row[0], row[1], row[2], row[3], row[4])
		}
		if err != nil {
			return fmt.Errorf("%s: %w", list, err)
		}
	}
}
