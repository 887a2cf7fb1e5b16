package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lancre/internal/databasetest"
	"lancre/internal/programs"
)

// recipe is what docs/SIGNING.md has in the section of a CA.
func recipe(t *testing.T, section string) string {
	t.Helper()
	_, text, found := strings.Cut(string(readFile(t, "../../docs/SIGNING.md")), "\n### "+section+"\n")
	if !found {
		t.Fatalf("docs/SIGNING.md has no section %s", section)
	}
	text, _, _ = strings.Cut(text, "\n##")
	return text
}

// recipeQuery is the query of such a section.
func recipeQuery(t *testing.T, section string) string {
	t.Helper()
	_, query, _ := strings.Cut(recipe(t, section), "```sql\n")
	query, _, _ = strings.Cut(query, "```")
	return query
}

// recipeCommands are the commands of such a section.
func recipeCommands(t *testing.T, section string) string {
	t.Helper()
	var commands strings.Builder
	for line := range strings.Lines(recipe(t, section)) {
		if rest, indented := strings.CutPrefix(line, "    "); indented {
			commands.WriteString(rest)
		}
	}
	return commands.String()
}

// signsBy signs by the query that docs/SIGNING.md has for a CA, and asks the edge about the
// certificates good and revoked.
func (a *authority) signsBy(t *testing.T, source, section, options string) {
	t.Helper()
	name := strings.ToLower(section)
	a.sh(t, `lancre sign ocsp --issuer ca.pem --key ca.key --certificates "$SOURCE" --query "$QUERY" $OPTIONS --no-store --store $STORE --out $STORE.der`,
		"SOURCE="+source, "QUERY="+recipeQuery(t, section), "OPTIONS="+options, "STORE="+name)
	a.served(t, name)
}

// TestSignStepCA has step-ca issue two certificates and revoke one, with MariaDB for its
// database, and signs by the query of docs/SIGNING.md.
func TestSignStepCA(t *testing.T) {
	addInstalled(t)
	programs.Need(t, "openssl", "ocsptool", "step-ca")
	dir := t.TempDir()
	newRoot(t, dir)
	a := newAuthority(t, dir, "ca", p256, byCA)
	socket := databasetest.StartMySQL(t).Dir + "/sock"
	s := a.startStepCA(t, "root@unix("+socket+")/")
	s.issue(t, "good")
	s.issue(t, "revoked")
	serial := decimal(a.serial(t, "revoked"))
	s.post(t, "revoke", serial, map[string]any{"serial": serial, "reasonCode": 1, "passive": true})
	a.signsBy(t, "mysql://root@/stepca?socket="+url.QueryEscape(socket), "step-ca", "")
}

// A stepCA is a step-ca that runs with the certificate and key of an authority.
type stepCA struct {
	*authority
	addr   string
	crl    string            // URL of its CRL
	key    *ecdsa.PrivateKey // of its provisioner
	client *http.Client
}

// startStepCA runs step-ca until the end of the test.
func (a *authority) startStepCA(t *testing.T, database string) *stepCA {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(readFile(t, filepath.Join(a.dir, "../root.pem")))
	insecure := freeAddr(t)
	s := &stepCA{a, freeAddr(t), "http://" + insecure + "/crl", key, &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}}
	point, err := key.PublicKey.Bytes() // 04, x, y
	check(t, err)
	public := map[string]string{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "test", "x": base64url(point[1:33]), "y": base64url(point[33:])}
	config, err := json.Marshal(map[string]any{
		"root": "../root.pem", "crt": "ca.pem", "key": "ca.key", "address": s.addr, "insecureAddress": insecure, "dnsNames": []string{"127.0.0.1"},
		"db":        map[string]string{"type": "mysql", "dataSource": database, "database": "stepca"},
		"crl":       map[string]any{"enabled": true, "generateOnRevoke": true, "idpURL": "http://c.example.org/ca.crl"},
		"authority": map[string]any{"provisioners": []any{map[string]any{"type": "JWK", "name": "test", "key": public}}},
	})
	check(t, err)
	check(t, os.WriteFile(filepath.Join(a.dir, "step.json"), config, 0o600))
	start(t, a.dir, `exec step-ca step.json`)
	await(t, a.dir, `curl -sS --cacert ../root.pem https://$ADDR/health 2>&1`, []string{"ADDR=" + s.addr}, `"status":"ok"`)
	return s
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// issue has it issue a certificate.
func (s *stepCA) issue(t *testing.T, cert string) {
	t.Helper()
	csr := s.sh(t, `openssl req -newkey $KEY -nodes -keyout $CERT.key -subj /CN=$CERT -addext subjectAltName=DNS:$CERT 2>/dev/null`, "CERT="+cert)
	var answer struct {
		Cert string `json:"crt"`
	}
	check(t, json.Unmarshal(s.post(t, "sign", cert, map[string]any{"csr": csr}), &answer))
	check(t, os.WriteFile(filepath.Join(s.dir, cert+".pem"), []byte(answer.Cert), 0o644))
}

// post asks it to do something about a subject, with a token of its provisioner.
func (s *stepCA) post(t *testing.T, what, subject string, request map[string]any) []byte {
	t.Helper()
	request["ott"] = s.token(t, what, subject)
	body, err := json.Marshal(request)
	check(t, err)
	answer, err := s.client.Post("https://"+s.addr+"/1.0/"+what, "application/json", bytes.NewReader(body))
	check(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	check(t, err)
	if answer.StatusCode/100 != 2 {
		t.Fatalf("step-ca says %s: %s", answer.Status, text)
	}
	return text
}

// token is a JSON Web Token that is good once (RFC 7519), signed by ES256.
func (s *stepCA) token(t *testing.T, what, subject string) string {
	t.Helper()
	now := time.Now()
	claims, err := json.Marshal(map[string]any{
		"iss": "test", "aud": "https://127.0.0.1/1.0/" + what, "sub": subject, "sans": []string{subject}, "jti": rand.Text(),
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
	})
	check(t, err)
	signed := base64url([]byte(`{"alg":"ES256","kid":"test","typ":"JWT"}`)) + "." + base64url(claims)
	digest := sha256.Sum256([]byte(signed))
	r, v, err := ecdsa.Sign(rand.Reader, s.key, digest[:])
	check(t, err)
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	v.FillBytes(signature[32:])
	return signed + "." + base64url(signature)
}

// TestSignVault runs the commands of docs/SIGNING.md on what the API documentation of Vault
// and OpenBao has them print.
func TestSignVault(t *testing.T) {
	programs.Need(t, "openssl", "ocsptool", "jq")
	dir := t.TempDir()
	newRoot(t, dir)
	a := newAuthority(t, dir, "ca", p256, byCA)
	a.issue(t, "good", "leaf")
	a.issue(t, "revoked", "leaf")
	a.fillVault(t, "good", "revoked")
	a.sh(t, `date -d '1 hour ago' +%s >certs/$(vault serial revoked.pem).revoked`)
	a.sh(t, recipeCommands(t, "Vault and OpenBao"))
	a.sh(t, `lancre sign ocsp --issuer ca.pem --key ca.key --certificates all.csv --no-store --store vault --out vault.der`)
	a.served(t, "vault")
}

// fillVault makes a vault in PATH that has issued these certificates. It is a stand-in, and
// works in the authority's directory.
func (a *authority) fillVault(t *testing.T, certs ...string) {
	t.Helper()
	t.Setenv("PATH", a.dir+"/bin:"+os.Getenv("PATH"))
	a.sh(t, `
		mkdir bin certs
		cp $VAULT bin/vault
		for cert in $CERTS; do cp $cert.pem certs/$(vault serial $cert.pem).pem; done
	`, "VAULT="+testdata(t, "vault"), "CERTS="+strings.Join(certs, " "))
}
