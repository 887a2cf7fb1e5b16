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
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
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

// signsBy signs by the query that docs/SIGNING.md has for a CA, and asks the edge about the
// certificates good and revoked.
func (a *authority) signsBy(t *testing.T, source, section, options string) {
	t.Helper()
	_, query, _ := strings.Cut(recipe(t, section), "```sql\n")
	query, _, _ = strings.Cut(query, "```")
	name := strings.ToLower(section)
	a.sh(t, `lancre sign ocsp --issuer ca.pem --key ca.key --certificates "$SOURCE" --query "$QUERY" $OPTIONS --no-store --store $STORE --out $STORE.der`,
		"SOURCE="+source, "QUERY="+query, "OPTIONS="+options, "STORE="+name)
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
	s := &stepCA{a, freeAddr(t), key, &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}}
	point, err := key.PublicKey.Bytes() // 04, x, y
	check(t, err)
	public := map[string]string{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "test", "x": base64url(point[1:33]), "y": base64url(point[33:])}
	config, err := json.Marshal(map[string]any{
		"root": "../root.pem", "crt": "ca.pem", "key": "ca.key", "address": s.addr, "dnsNames": []string{"127.0.0.1"},
		"db":        map[string]string{"type": "mysql", "dataSource": database, "database": "stepca"},
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
// and OpenBao has them print: vault here is a script that prints it of two certificates.
func TestSignVault(t *testing.T) {
	programs.Need(t, "openssl", "ocsptool", "jq")
	dir := t.TempDir()
	newRoot(t, dir)
	a := newAuthority(t, dir, "ca", p256, byCA)
	bin := t.TempDir()
	printed := make(map[string]string)
	for _, cert := range []string{"good", "revoked"} {
		a.issue(t, cert, "leaf")
		data := map[string]any{"certificate": string(readFile(t, filepath.Join(a.dir, cert+".pem"))), "revocation_time": 0, "revocation_time_rfc3339": ""}
		if cert == "revoked" {
			at := time.Now().Add(-time.Hour).UTC()
			data["revocation_time"], data["revocation_time_rfc3339"] = at.Unix(), at.Format(time.RFC3339Nano)
		}
		text, err := json.Marshal(map[string]any{"request_id": "1", "lease_id": "", "data": data})
		check(t, err)
		name := strings.ToLower(regexp.MustCompile(`(..)`).ReplaceAllString(a.serial(t, cert), "$1-"))
		printed[strings.TrimSuffix(name, "-")] = string(text)
	}
	script := "#!/bin/sh\ncase $* in\n"
	var serials []string
	for serial, text := range printed {
		check(t, os.WriteFile(filepath.Join(bin, serial), []byte(text), 0o644))
		serials = append(serials, fmt.Sprintf("%q", serial))
		script += fmt.Sprintf("'read -format=json pki/cert/%s') cat %s ;;\n", serial, filepath.Join(bin, serial))
	}
	script += fmt.Sprintf("'list -format=json pki/certs') echo '[%s]' ;;\n*) exit 2 ;;\nesac\n", strings.Join(serials, ", "))
	check(t, os.WriteFile(filepath.Join(bin, "vault"), []byte(script), 0o755))
	var commands strings.Builder
	for line := range strings.Lines(recipe(t, "Vault and OpenBao")) {
		if rest, indented := strings.CutPrefix(line, "    "); indented {
			commands.WriteString(rest)
		}
	}
	a.sh(t, "PATH=$BIN:$PATH\n"+commands.String(), "BIN="+bin)
	a.sh(t, `lancre sign ocsp --issuer ca.pem --key ca.key --certificates all.csv --no-store --store vault --out vault.der`)
	a.served(t, "vault")
}
