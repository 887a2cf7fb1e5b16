package e2e

import (
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"lancre/internal/programs"
)

// commandLine is a line of a document that runs one of the programs, or makes what they
// need, with those that a backslash adds to it.
var commandLine = regexp.MustCompile(`(?m)^    ((?:lancred?|openssl|printf) (?:.*\\\n)*.*)$`)

// TestDocumentedCommands runs what the documents tell people to type, in a directory
// that holds what those lines name.
func TestDocumentedCommands(t *testing.T) {
	programs.Need(t, "openssl")
	for _, document := range []string{"README.md", "docs/BUILD.md", "docs/PAGES.md", "docs/SIGNING.md"} {
		t.Run(document, func(t *testing.T) {
			dir, serial := whatDocumentsName(t)
			// Of the examples only what differs from machine to machine.
			local := strings.NewReplacer("/var/lib/lancre", "store", " :80", " 127.0.0.1:0", "127.0.0.1:9090", "127.0.0.1:0", "1a2b3c", serial)
			lines := commandLine.FindAllStringSubmatch(string(readFile(t, "../../"+document)), -1)
			if len(lines) < 2 {
				t.Fatalf("%d lines run a program: has the form of the document changed?", len(lines))
			}
			for _, line := range lines {
				switch line := local.Replace(line[1]); {
				case strings.Contains(line, "mysql://"): // a database that is not here: package build tests them
				case strings.HasPrefix(line, "lancred"):
					serveAndStop(t, dir, line)
				default:
					sh(t, dir, line)
				}
			}
		})
	}
}

// whatDocumentsName makes the files that the documents name, and returns the directory
// that holds them and the serial number, in hexadecimal, of its leaf.pem.
func whatDocumentsName(t *testing.T) (dir, serial string) {
	t.Helper()
	root := t.TempDir()
	newRoot(t, root)
	a := newAuthority(t, root, "documented", p256, direct)
	a.issue(t, "leaf", "leaf")
	a.respond(t, "leaf")
	a.publish(t, "www")
	serial = strings.TrimSpace(a.sh(t, `
		cat leaf.*.resp >responses.der
		serial=$(openssl x509 -in leaf.pem -noout -serial | cut -d= -f2)
		{
			echo serial,notAfter,issuer
			echo $serial,$(date -u -d "$(openssl x509 -in leaf.pem -noout -enddate | cut -d= -f2)" +%FT%TZ),
		} >all.csv
		echo $serial
	`))
	a.fillDatabase(t, "leaf", serial)
	return a.dir, serial
}

// fillDatabase makes a database of cfssl's, certs.db, that holds a certificate and the
// responses for it.
func (a *authority) fillDatabase(t *testing.T, cert, serial string) {
	t.Helper()
	file := filepath.Join(a.dir, "certs.db")
	makeCfsslDatabase(t, file)
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	leaf := a.keyPair(t, cert).Leaf
	if _, err := db.Exec(`INSERT INTO certificates (serial_number, authority_key_identifier, status, expiry, pem) VALUES (?, ?, 'good', ?, '')`,
		leaf.SerialNumber.String(), hex.EncodeToString(leaf.AuthorityKeyId), leaf.NotAfter.Format("2006-01-02 15:04:05-07:00")); err != nil {
		t.Fatal(err)
	}
	for _, hash := range hashes { // in the place of the issuer's key, for the primary key to be one
		body := base64.StdEncoding.EncodeToString(readFile(t, filepath.Join(a.dir, cert+"."+hash+".resp")))
		if _, err := db.Exec(`INSERT INTO ocsp_responses VALUES (?, ?, ?, datetime('now', '+2 days'))`, serial, hash, body); err != nil {
			t.Fatal(err)
		}
	}
}

// serveAndStop runs a lancred until it serves.
func serveAndStop(t *testing.T, dir, line string) {
	t.Helper()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.CommandContext(t.Context(), "sh", "-euc", "exec "+line)
	cmd.Dir, cmd.Stderr = dir, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	await(t, dir, "cat log", nil, `"msg":"generation served"`, `"msg":"listening"`)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("%s: %v\n%s", line, err, readFile(t, log.Name()))
	}
}
