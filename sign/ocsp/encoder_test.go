package ocsp

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"lancre/index"
	"lancre/internal/programs"
)

var at = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// must is for what fails only if the test is wrong.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// fixedKey is the same in each run, and so are its signatures.
var fixedKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))

// certify issues a certificate: a CA's own if issuer is nil.
func certify(template, issuer *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	if issuer == nil {
		issuer = template
	}
	return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, template, issuer, public, key))))
}

func newCA(key crypto.Signer, now time.Time) *x509.Certificate {
	return certify(&x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, BasicConstraintsValid: true, IsCA: true,
		KeyUsage:  x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0),
	}, nil, key.Public(), key)
}

// delegateTemplate is a delegate's certificate as BR section 7.1.2.8 has it.
func delegateTemplate(now time.Time) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Responder"},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning},
		ExtraExtensions: []pkix.Extension{{Id: oidNoCheck, Value: asn1.NullBytes}},
		NotBefore:       now.AddDate(0, 0, -1), NotAfter: now.AddDate(0, 1, 0),
	}
}

// keys are one of each kind that signs.
func keys() map[string]crypto.Signer {
	return map[string]crypto.Signer{
		"RSA":   must(rsa.GenerateKey(rand.Reader, 2048)),
		"P-256": must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)),
		"P-384": must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)),
		"P-521": must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)),
	}
}

var hashes = index.HashAlgs()

func responder(t *testing.T, key crypto.Signer, now time.Time, delegated bool) *Responder {
	t.Helper()
	caKey := key
	var delegate *x509.Certificate
	if delegated {
		caKey = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	}
	issuer := newCA(caKey, now)
	if delegated {
		delegate = certify(delegateTemplate(now), issuer, key.Public(), caKey)
	}
	r, err := New(issuer, delegate, key, hashes)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// answers are all kinds, at a time.
func answers(now time.Time) (list []Answer) {
	unix := now.Unix()
	moment := index.Moment{ThisUpdate: unix, ProducedAt: unix + 60}
	long := append([]byte{0, 0xff}, bytes.Repeat([]byte{0xaa}, 19)...)
	for i, serial := range [][]byte{{1}, {0, 0x80}, long} {
		list = append(list,
			Answer{hashes[i], serial, index.CertStatus{Moment: moment, Status: index.Good, RevokedAt: index.NoTime, Reason: -1}, unix + 7*86400},
			Answer{hashes[i+1], serial, index.CertStatus{Moment: moment, Status: index.Revoked, RevokedAt: unix - 1, Reason: -1}, unix + 86400},
			Answer{hashes[i], serial, index.CertStatus{Moment: moment, Status: index.Revoked, RevokedAt: 0, Reason: 1}, unix + 86400})
	}
	return append(list, Answer{hashes[0], long[1:3], index.CertStatus{Moment: moment, Status: index.Unknown, RevokedAt: index.NoTime, Reason: -1}, unix + 86400})[:9]
}

// A whole response, octet by octet.
func TestGolden(t *testing.T) {
	r := responder(t, fixedKey, at, false)
	id := r.CertID(index.SHA1, nil)
	key := sha1.Sum(fixedKey.Public().(ed25519.PublicKey))
	der, err := NewEncoder(r).Append([]byte("before"), &Answer{index.SHA1, []byte{0x5e, 0x01},
		index.CertStatus{Moment: index.Moment{ThisUpdate: at.Unix() - 7, ProducedAt: at.Unix()}, Status: index.Revoked, RevokedAt: at.Unix() - 67, Reason: 4},
		at.Unix() - 7 + 7*86400})
	if err != nil {
		t.Fatal(err)
	}
	tbs := "3081a6" +
		"a216" + "0414" + hex.EncodeToString(key[:]) + // byKey
		"180f" + hex.EncodeToString([]byte("20260304050607Z")) + // producedAt
		"307b" + "3079" + // responses, SingleResponse
		"303b" + // CertID
		"3009" + "06052b0e03021a" + "0500" + // SHA-1
		"0414" + hex.EncodeToString(id.NameHash) +
		"0414" + hex.EncodeToString(id.KeyHash) +
		"02025e01" +
		"a116" + "180f" + hex.EncodeToString([]byte("20260304050500Z")) + "a003" + "0a0104" + // revoked: superseded
		"180f" + hex.EncodeToString([]byte("20260304050600Z")) + // thisUpdate
		"a011" + "180f" + hex.EncodeToString([]byte("20260311050600Z")) // nextUpdate
	signature := ed25519.Sign(fixedKey, must(hex.DecodeString(tbs)))
	want := hex.EncodeToString([]byte("before")) +
		"3082010f" + "0a0100" + "a0820108" + "30820104" + // successful, responseBytes
		"06092b0601050507300101" + "0481f6" + // id-pkix-ocsp-basic
		"3081f3" + tbs +
		"300506032b6570" + // Ed25519
		"034100" + hex.EncodeToString(signature)
	if got := hex.EncodeToString(der); got != want {
		t.Errorf("response\n%s, want\n%s", got, want)
	}
}

// x/crypto/ocsp reads and verifies each response on its own.
func TestXCryptoReadsResponses(t *testing.T) {
	for name, key := range keys() {
		for _, delegated := range []bool{false, true} {
			r := responder(t, key, at, delegated)
			e := NewEncoder(r)
			for _, a := range answers(at) {
				got, err := ocsp.ParseResponse(must(e.Append(nil, &a)), r.Issuer)
				if err != nil {
					t.Fatalf("%s, %+v: %v", name, a, err)
				}
				revoked, reason := time.Time{}, 0
				if a.Status == index.Revoked {
					revoked, reason = time.Unix(a.RevokedAt, 0), max(a.Reason, 0)
				}
				if got.Status != int(a.Status) || !got.RevokedAt.Equal(revoked) || got.RevocationReason != reason ||
					got.SerialNumber.Cmp(new(big.Int).SetBytes(a.Serial)) != 0 || got.IssuerHash != a.Alg.Hash() ||
					got.ThisUpdate.Unix() != a.ThisUpdate || got.NextUpdate.Unix() != a.NextUpdate || got.ProducedAt.Unix() != a.ProducedAt {
					t.Errorf("%s: %+v, want %+v", name, got, a)
				}
				if len(got.ResponderKeyHash) != sha1.Size || (got.Certificate != nil) != delegated || delegated && !got.Certificate.Equal(r.Cert) {
					t.Errorf("%s: key hash %x, certificate %v", name, got.ResponderKeyHash, got.Certificate)
				}
			}
		}
	}
}

// openssl finds them in order, and them to be about who asks.
func TestOpenSSLVerifiesResponses(t *testing.T) {
	programs.Need(t, "openssl")
	now := time.Now().Add(-time.Hour).Truncate(time.Second) // openssl checks times against the clock
	all := keys()
	all["Ed25519"] = fixedKey
	for name, key := range all {
		r := responder(t, key, now, name != "RSA")
		e := NewEncoder(r)
		dir := t.TempDir()
		issuer, file := filepath.Join(dir, "issuer.pem"), filepath.Join(dir, "response.der")
		write(t, issuer, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Issuer.Raw}))
		for _, a := range answers(now) {
			write(t, file, must(e.Append(nil, &a)))
			out, err := exec.Command("openssl", "ocsp", "-respin", file, "-issuer", issuer, "-CAfile", issuer,
				"-"+a.Alg.String(), "-serial", "0x"+hex.EncodeToString(a.Serial)).CombinedOutput()
			if err != nil || !strings.Contains(string(out), "Response verify OK") || !strings.Contains(string(out), ": "+a.Status.String()) {
				t.Errorf("%s, %+v: openssl ocsp: %v\n%s", name, a, err, out)
			}
		}
	}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAppendRefuses(t *testing.T) {
	good := answers(at)[0]
	with := func(change func(*Answer)) Answer { a := good; change(&a); return a }
	r := must(New(newCA(fixedKey, at), nil, fixedKey, []index.HashAlg{index.SHA1}))
	for want, a := range map[string]Answer{
		"hash algorithm sha256 is none":   with(func(a *Answer) { a.Alg = index.SHA256 }),
		"serial number of 0 octets":       with(func(a *Answer) { a.Serial = nil }),
		"serial number of 2 octets 0001":  with(func(a *Answer) { a.Serial = []byte{0, 1} }),
		"serial number of 22 octets":      with(func(a *Answer) { a.Serial = bytes.Repeat([]byte{1}, 22) }),
		"time of -1 Unix seconds":         with(func(a *Answer) { a.ThisUpdate = -1 }),
		"time of 4294967296 Unix seconds": with(func(a *Answer) { a.NextUpdate = 1 << 32 }),
		"want {":                          with(func(a *Answer) { a.Reason = 3 }), // of one that is good
	} {
		if der, err := NewEncoder(r).Append([]byte("kept"), &a); err == nil || !strings.Contains(err.Error(), want) || string(der) != "kept" {
			t.Errorf("%+v: %q, error %v, want %q in it", a, der, err, want)
		}
	}
}

// brokenKey is a key that is out of reach.
type brokenKey struct{ crypto.Signer }

var errBroken = errors.New("the token is gone")

func (brokenKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errBroken }

func TestAppendReturnsTheErrorOfTheKey(t *testing.T) {
	r := must(New(newCA(fixedKey, at), nil, brokenKey{fixedKey}, hashes))
	a := answers(at)[0]
	if _, err := NewEncoder(r).Append(nil, &a); !errors.Is(err, errBroken) || !errors.Is(err, ErrKey) || !strings.Contains(err.Error(), "serial 01") {
		t.Errorf("error %v, want that of the key, with the serial", err)
	}
}

// All but the signature is done without allocating.
func TestAppendAllocatesNothing(t *testing.T) {
	e := NewEncoder(must(New(newCA(fixedKey, at), nil, constantKey{fixedKey}, hashes)))
	a := answers(at)[2]
	dst := make([]byte, 0, 1000)
	if n := testing.AllocsPerRun(100, func() { must(e.Append(dst, &a)) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// constantKey signs everything the same.
type constantKey struct{ crypto.Signer }

var constant = make([]byte, ed25519.SignatureSize)

func (constantKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return constant, nil }

// BenchmarkConstruction is what a response costs besides its signature; its digest is
// included.
func BenchmarkConstruction(b *testing.B) {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	e := NewEncoder(must(New(newCA(key, at), nil, constantKey{key}, hashes)))
	a := answers(at)[0]
	dst := make([]byte, 0, 1000)
	b.ReportAllocs()
	for b.Loop() {
		must(e.Append(dst, &a))
	}
}
