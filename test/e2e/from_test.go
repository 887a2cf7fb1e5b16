package e2e

import (
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"lancre/internal/databasetest"
	"lancre/internal/programs"
	"lancre/internal/versity"
)

// A move does what a page of docs/from says, in the order of the page, in a directory that
// has what the page begins with.
type move struct {
	*testing.T
	dir   string
	names map[string]string // what stands here for what the page names
	does  map[string]func() // what commands do that are not here, by how they begin
	flags []string          // more of lancred
}

// Addresses of pages: of lancred, and of the old responder beside it.
const (
	edgeAddress  = "127.0.0.1:8080"
	adminAddress = "127.0.0.1:9090"
	oldAddress   = "127.0.0.1:2560"
)

var (
	// A step is a block of TOML, for the end of the configuration, or a line that is typed.
	step = regexp.MustCompile("(?ms)^```toml\n(.*?)^```$|^    (\\S[^\n]*)$")
	// What follows a # is what the command prints.
	expectation = regexp.MustCompile(`^(.*?)    # (.*)$`)
)

func newMove(t *testing.T, dir string) *move {
	return &move{T: t, dir: dir, names: make(map[string]string), does: make(map[string]func())}
}

// do takes all steps of a page.
func (m *move) do(page string) {
	steps := step.FindAllStringSubmatch(string(readFile(m.T, "../../docs/from/"+page)), -1)
	if len(steps) < 6 {
		m.Fatalf("%s has %d steps: has its form changed?", page, len(steps))
	}
	m.Chdir(m.dir)
	for _, s := range steps {
		if s[2] == "" {
			m.configure(m.here(s[1]))
			continue
		}
		m.typed(m.here(s[2]))
	}
}

// here is what the page says, with the names of here.
func (m *move) here(text string) string {
	var pairs []string
	for name, is := range m.names {
		pairs = append(pairs, name, is)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// configure adds to the configuration of lancre follow.
func (m *move) configure(toml string) {
	m.Helper()
	const path = "origin/lancre.toml"
	write(m.T, path, string(readFile(m.T, path))+"\n"+toml)
}

// typed does a line: a daemon then runs until the end of the test, and a line that says
// what it prints is tried until it does.
func (m *move) typed(line string) {
	m.Helper()
	for begins, do := range m.does {
		if strings.HasPrefix(line, begins) {
			do()
			return
		}
	}
	words := strings.Fields(line)
	switch {
	case strings.HasPrefix(line, "lancred --store "):
		d := programs.Start(m.T, words[2], m.flags...)
		m.names[edgeAddress], m.names[adminAddress] = d.Addr, d.Admin
	case strings.HasPrefix(line, "lancred pull "):
		programs.StartBeside(m.T, "pull", words[2:]...)
	case strings.HasPrefix(line, "lancre follow ") && !strings.HasSuffix(line, " --check"):
		sh(m.T, ".", `sed -i 's/^admin = .*/admin = "127.0.0.1:0"/' `+words[3])
		follow := programs.Follow(m.T, words[3])
		m.Cleanup(func() {
			if m.Failed() {
				m.Logf("lancre follow logs\n%v", follow.Log())
			}
		})
	default:
		if said := expectation.FindStringSubmatch(line); said != nil {
			await(m.T, ".", said[1]+" 2>&1", nil, said[2])
			return
		}
		sh(m.T, ".", line)
	}
}

// newCA is an authority with a responder and two certificates, leaf and rehearsal, and the
// move that begins in its directory.
func newCA(t *testing.T) (*authority, *move) {
	t.Helper()
	programs.Need(t, "openssl", "curl")
	dir := t.TempDir()
	newRoot(t, dir)
	a := newAuthority(t, dir, "ca", p256, delegated)
	a.issue(t, "leaf", "leaf")
	a.issue(t, "rehearsal", "leaf")
	return a, newMove(t, a.dir)
}

func TestFromOpenSSL(t *testing.T) {
	a, m := newCA(t)
	a.configureOpenSSL(t)
	a.sh(t, `
		sed -i '/^issuingDistributionPoint/d' openssl.cnf # which few have
		cp responder.pem ocsp.pem
		cp -p responder.key ocsp.key
		openssl ca -config openssl.cnf -gencrl -out crl.pem
	`)
	address := freeAddr(t)
	start(t, a.dir, `exec openssl ocsp -index index.txt -CA ca.pem -rsigner ocsp.pem -rkey ocsp.key -port ${ADDR#*:}`, "ADDR="+address)
	t.Setenv("NAME", "ca") // of openssl.cnf
	m.names[oldAddress] = address
	m.names["c.example.org"] = "ca.c.example.test" // as in the certificates
	m.do("openssl-ca.md")
}

func TestFromCfssl(t *testing.T) {
	addInstalled(t)
	programs.Need(t, "cfssl", "cfssljson", "openssl", "curl")
	dir := t.TempDir()
	makeCfsslDatabase(t, filepath.Join(dir, "certs.db"))
	makeCfsslCA(t, dir)
	address := freeAddr(t)
	sh(t, dir, cfsslFunctions+`
		issue rehearsal server -db-config db.json
		cfssl ocsprefresh -loglevel 3 -ca ca.pem -responder responder.pem -responder-key responder-key.pem -interval 96h -db-config db.json
		cfssl ocspdump -loglevel 3 -db-config db.json >old
	`)
	start(t, dir, `exec cfssl ocspserve -loglevel 3 -address 127.0.0.1 -port ${ADDR#*:} -responses old`, "ADDR="+address)
	m := newMove(t, dir)
	block, _ := pem.Decode(readFile(t, filepath.Join(dir, "rehearsal.pem")))
	cert, err := x509.ParseCertificate(block.Bytes)
	check(t, err)
	t.Setenv("SERIAL", cert.SerialNumber.String())
	t.Setenv("AKI", hex.EncodeToString(cert.AuthorityKeyId))
	m.names[oldAddress] = address
	m.do("cfssl.md")
}

// Not Boulder, but its table in its database.
func TestFromBoulder(t *testing.T) {
	a, m := newCA(t)
	socket := databasetest.StartMySQL(t).Dir + "/sock"
	address := "root@unix(" + socket + ")/test"
	serial := strings.ToLower(a.serial(t, "rehearsal"))
	execute(t, "mysql", address, boulderTable,
		a.boulderRow(t, strings.ToLower(a.serial(t, "leaf")), "good", time.Unix(0, 0), 0),
		a.boulderRow(t, serial, "good", time.Unix(0, 0), 0))
	t.Setenv("SERIAL", serial)
	m.does["admin -config admin.json -dry-run=false revoke-cert -serial $SERIAL"] = func() {
		execute(t, "mysql", address, fmt.Sprintf("UPDATE certificateStatus SET status = 'revoked', revokedReason = 4, revokedDate = '%s' WHERE serial = '%s'",
			time.Now().UTC().Format(time.DateTime), serial))
	}
	m.names["mysql://lancre@db/boulder_sa"] = "mysql://root@/test?socket=" + url.QueryEscape(socket)
	m.names["seq 1 128"] = "seq 1 3"
	m.names["http://crls.internal"] = serveDir(t, a.dir+"/storer/c.example.org")
	a.sh(t, `lancre sign crl --issuer ca.pem --key ca.key --certificates openssl:index.txt --static storer --url http://c.example.org/{shard}.crl --crl-shards serial-mod:3`)
	m.do("boulder.md")
}

// Not EJBCA, but its table in its database.
func TestFromEJBCA(t *testing.T) {
	a, m := newCA(t)
	postgres := "postgres://postgres@/postgres?host=" + url.QueryEscape(databasetest.StartPostgres(t).Dir)
	serial := decimal(a.serial(t, "rehearsal"))
	fingerprint := sha1.Sum(a.keyPair(t, "ca").Leaf.Raw)
	by := hex.EncodeToString(fingerprint[:])
	notAfter := a.keyPair(t, "leaf").Leaf.NotAfter
	execute(t, "pgx", postgres, ejbcaTable,
		ejbcaRow(1, by, decimal(a.serial(t, "leaf")), 20, notAfter, -1, -1),
		ejbcaRow(2, by, serial, 20, notAfter, -1, -1),
		ejbcaRow(3, strings.Repeat("0", 40), "7", 20, notAfter, -1, -1)) // of another CA
	m.does["ejbca.sh ra revokecert"] = func() {
		execute(t, "pgx", postgres, fmt.Sprintf("UPDATE CertificateData SET status = 40, revocationReason = 4, revocationDate = %d WHERE serialNumber = '%s'", time.Now().UnixMilli(), serial))
	}
	write(t, a.dir+"/ejbca.sql", recipeQuery(t, "EJBCA"))
	a.publish(t, "ejbca")
	m.names["postgres://lancre@db/ejbca"] = postgres
	m.names["http://ejbca.internal/crl"] = serveDir(t, a.dir+"/ejbca/ca.c.example.test") + "/1.crl"
	m.names["c.example.org"], m.names["/ca.crl"] = "ca.c.example.test", "/1.crl" // as it says itself
	m.do("ejbca.md")
}

// Neither Vault nor OpenBao, but what they answer.
func TestFromVault(t *testing.T) {
	a, m := newCA(t)
	programs.Need(t, "jq")
	write(t, a.dir+"/certificates.sh", recipeCommands(t, "Vault and OpenBao"))
	t.Setenv("NAME", "ca") // of openssl.cnf
	a.configureOpenSSL(t)
	a.fillVault(t, "ca", "leaf", "rehearsal")
	t.Setenv("SERIAL", strings.TrimSpace(a.sh(t, `vault serial rehearsal.pem`)))
	a.sh(t, `
		sed -i '/^issuingDistributionPoint/d' openssl.cnf
		vault rotate
	`)
	m.names["http://vault.internal/v1/pki/crl"] = serveDir(t, a.dir) + "/crl.der"
	m.do("vault.md")
}

// configureOpenSSL writes openssl.cnf, by which openssl ca works as most have it: without
// options for certificate and key.
func (a *authority) configureOpenSSL(t *testing.T) {
	t.Helper()
	a.sh(t, `sed '/^\[authority\]/a certificate = ca.pem\nprivate_key = ca.key' $CNF >openssl.cnf`)
}

// The S3-compatible storage is real, nginx stands for the CDN, and what the CA's job fills is
// a directory.
func TestFromS3AndCDN(t *testing.T) {
	a, m := newCA(t)
	g := versity.Start(t)
	for _, pair := range g.Env() {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv(name, value)
	}
	g.LetAnybodyRead(t, "../../deploy/bucket/policy.json")
	a.respond(t, "leaf")
	a.publish(t, "old")
	a.sh(t, `
		cat leaf.*.resp >responses.der
		mkdir bin
		printf '#!/bin/sh\nexec cat >>%s/purged\n' $PWD >bin/purge-cdn
		chmod +x bin/purge-cdn
	`)
	t.Setenv("PATH", a.dir+"/bin:"+os.Getenv("PATH"))
	edge, cdn := freeAddr(t), freeAddr(t)
	m.flags = []string{"--listen", edge}
	startNginx(t, t.TempDir(), testdata(t, "../../../docs/nginx.conf"), `
		s|127.0.0.1:8080|`+edge+`|
		s|listen  *80 |listen `+cdn+` |
		s|/var/cache/nginx/|cache.|
	`)
	m.names["http://old.internal"] = serveDir(t, a.dir+"/old/ca.c.example.test")
	m.names["http://s3.internal"] = g.URL
	m.names["127.0.0.1:8000"] = cdn
	m.names["c.example.org"] = "ca.c.example.test"
	m.does["aws s3 cp next.crl"] = func() {
		a.publish(t, "old")
		a.sh(t, `cp old/ca.c.example.test/1.crl next.crl`)
	}
	m.do("s3-cdn.md")
	await(t, a.dir, `cat purged`, nil, "url ca.c.example.test/1.crl\n")
}

// TestFromStepCA has a real step-ca issue and revoke.
func TestFromStepCA(t *testing.T) {
	addInstalled(t)
	programs.Need(t, "openssl", "curl", "step-ca")
	dir := t.TempDir()
	newRoot(t, dir)
	a := newAuthority(t, dir, "ca", p256, delegated)
	socket := databasetest.StartMySQL(t).Dir + "/sock"
	s := a.startStepCA(t, "root@unix("+socket+")/")
	s.issue(t, "leaf")
	s.issue(t, "rehearsal")
	a.sh(t, `cp ../root.pem .`)
	write(t, a.dir+"/step-ca.sql", recipeQuery(t, "step-ca"))
	t.Setenv("SERIAL", a.serial(t, "rehearsal"))
	m := newMove(t, a.dir)
	m.names["mysql://lancre@db/stepca"] = "mysql://root@/stepca?socket=" + url.QueryEscape(socket)
	m.names["http://step-ca.internal/crl"] = s.crl
	m.names["step-ca.internal"] = s.addr
	m.do("step-ca.md")
}

// serveDir serves the files of a directory, and is its URL.
func serveDir(t *testing.T, dir string) string {
	t.Helper()
	s := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(s.Close)
	return s.URL
}
