package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lancre/internal/databasetest"
	"lancre/internal/programs"
)

// A stepCA is a step-ca that has the key of an authority, and its database in MariaDB.
type stepCA struct {
	*authority
	key    *ecdsa.PrivateKey // of its provisioner "tests"
	secure string            // host:port of its API
	crl    string            // URL
	source string            // its database, as lancre names it
}

// startStepCA runs one until the end of the test.
func startStepCA(t *testing.T, a *authority) *stepCA {
	t.Helper()
	addInstalled(t)
	programs.Need(t, "step-ca", "curl", "jq")
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	socket := databasetest.StartMySQL(t).Dir + "/sock"
	insecure := "127.0.0.1:" + freePort(t)
	s := &stepCA{a, key, "127.0.0.1:" + freePort(t), "http://" + insecure + "/crl", "mysql://root@/stepca?socket=" + url.QueryEscape(socket)}
	config, err := json.Marshal(map[string]any{
		"root": "../root.pem", "crt": "ca.pem", "key": "ca.key", "address": s.secure, "insecureAddress": insecure, "dnsNames": []string{"127.0.0.1"},
		"db":  map[string]any{"type": "mysql", "dataSource": "root@unix(" + socket + ")/", "database": "stepca"},
		"crl": map[string]any{"enabled": true, "generateOnRevoke": true, "idpURL": "http://c.example.org/ca.crl"},
		"authority": map[string]any{"provisioners": []any{map[string]any{"type": "JWK", "name": "tests", "key": s.jwk(),
			"claims": map[string]string{"maxTLSCertDuration": "2000h", "defaultTLSCertDuration": "1000h"}}}},
	})
	check(t, err)
	write(t, filepath.Join(a.dir, "ca.json"), string(config))
	start(t, a.dir, `exec step-ca ca.json`)
	await(t, a.dir, `curl -sS --cacert ../root.pem https://$CA/health`, []string{"CA=" + s.secure}, "ok")
	return s
}

// jwk is the public key of the provisioner (RFC 7517).
func (s *stepCA) jwk() map[string]string {
	point, err := s.key.PublicKey.Bytes() // 4, then both coordinates
	if err != nil {
		panic(err)
	}
	b := base64.RawURLEncoding
	return map[string]string{"use": "sig", "kty": "EC", "kid": "tests", "crv": "P-256", "alg": "ES256", "x": b.EncodeToString(point[1:33]), "y": b.EncodeToString(point[33:])}
}

// token is one of the provisioner's, by which a certificate of that name is issued (RFC
// 7519).
func (s *stepCA) token(t *testing.T, name string) string {
	t.Helper()
	now := time.Now().Unix()
	var parts []string
	for _, part := range []map[string]any{
		{"alg": "ES256", "kid": "tests", "typ": "JWT"},
		{"iss": "tests", "sub": name, "sans": []string{name}, "aud": "https://" + s.secure + "/1.0/sign", "nbf": now, "exp": now + 300, "jti": rand.Text()},
	} {
		text, err := json.Marshal(part)
		check(t, err)
		parts = append(parts, base64.RawURLEncoding.EncodeToString(text))
	}
	signed := strings.Join(parts, ".")
	digest := sha256.Sum256([]byte(signed))
	r, v, err := ecdsa.Sign(rand.Reader, s.key, digest[:])
	check(t, err)
	signature := append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...)
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// issue has step-ca issue a certificate.
func (s *stepCA) issue(t *testing.T, cert string) {
	t.Helper()
	s.sh(t, `
		openssl req -newkey $KEY -nodes -keyout $CERT.key -out $CERT.csr -subj /CN=$CERT
		jq -n --rawfile csr $CERT.csr --arg ott $TOKEN '{csr: $csr, ott: $ott}' |
			curl -sS --cacert ../root.pem -H 'Content-Type: application/json' --data-binary @- https://$CA/1.0/sign >$CERT.json
		jq -er .crt $CERT.json >$CERT.pem || { cat $CERT.json; exit 1; }
	`, "CERT="+cert, "TOKEN="+s.token(t, cert), "CA="+s.secure)
}

// TestFromStepCA has a real step-ca issue and revoke.
func TestFromStepCA(t *testing.T) {
	programs.Need(t, "openssl", "curl")
	dir := t.TempDir()
	newRoot(t, dir)
	s := startStepCA(t, newAuthority(t, dir, "ca", p256, delegated))
	s.issue(t, "leaf")
	s.issue(t, "rehearsal")
	s.sh(t, `cp ../root.pem .`)
	m := newMove(t, s.dir)
	write(t, s.dir+"/step-ca.sql", recipe(t, "### step-ca", "```sql\n", "```"))
	t.Setenv("SERIAL", s.serial(t, "rehearsal"))
	m.names["mysql://lancre@db/stepca"] = s.source
	m.names["http://step-ca.internal/crl"] = s.crl
	m.names["step-ca.internal"] = s.secure
	m.do("step-ca.md")
}
