package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"lancre/build/certs"
	"lancre/build/demo"
	"lancre/index"
	"lancre/index/store"
	"lancre/internal/ocsptest"
	"lancre/internal/storetest"
)

// A corpus is a store with a response of every kind, and what the cases call
// its parts: NAME is the OCSPRequest for a certificate, NAME.id its CertID.
type corpus struct {
	dir    string
	names  map[string][]byte
	stored map[string][]byte // responses by name
	files  map[string][]byte // contents by host and path
	before []byte            // the response that renew replaced

	ca           *demo.CA
	older, newer []storetest.Entry // what goes into the two segments
	lines        []store.FileLine
	languages    map[string]string // of variants by host and path
}

// number is the serial most certificates of the corpus have; it is the issuer,
// the algorithm or the status that differ.
var number = []byte{0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0}

// newCorpus builds one. It does without lancre build, which would refuse half of it.
func newCorpus(t testing.TB) *corpus {
	t.Helper()
	c := &corpus{dir: t.TempDir(), names: map[string][]byte{"octets32": bytes.Repeat([]byte{0x5a}, 32)}, stored: map[string][]byte{}, files: map[string][]byte{}, languages: map[string]string{}}
	ca := newPlainCA(t)
	c.ca = ca
	c.addStatuses(t, ca)
	c.addSerials(t, ca)
	c.addTimes(t, ca)
	c.addIssuers(t, ca)
	c.addAbsent(t, ca)
	c.addFiles(t, ca)
	c.publish(t)
	return c
}

// newPlainCA makes a CA whose hashes, in the base64 of a request, have no two slashes
// in a row, as those of one in eighty do: what requests have of them is from their
// serials.
func newPlainCA(t testing.TB) *demo.CA {
	t.Helper()
	for {
		ca := newCA(t, demo.Options{Hashes: index.HashAlgs()})
		id, err := certs.ID(ca.Issuer, index.SHA1, number)
		check(t, err)
		if !strings.Contains(base64.StdEncoding.EncodeToString(id.Request(nil)), "//") {
			return ca
		}
	}
}

func newCA(t testing.TB, o demo.Options) *demo.CA {
	t.Helper()
	ca, err := demo.New(o)
	check(t, err)
	return ca
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// certificate is a good one with a serial of its own for each kind.
func certificate(kind byte) demo.Certificate {
	serial := bytes.Clone(number)
	serial[15] = kind
	return demo.Certificate{Serial: serial, Status: index.Good, Reason: -1}
}

func (c *corpus) addStatuses(t testing.TB, ca *demo.CA) {
	t.Helper()
	c.sign(t, "good", ca, certificate(1), index.SHA1)
	revoked := certificate(2)
	revoked.Status, revoked.RevokedAt, revoked.Reason = index.Revoked, ca.ThisUpdate.Add(-time.Hour), 1
	c.sign(t, "revoked", ca, revoked, index.SHA1)
	revoked = certificate(3)
	revoked.Status, revoked.RevokedAt = index.Revoked, ca.ThisUpdate.Add(-time.Hour)
	c.sign(t, "revokedWithoutReason", ca, revoked, index.SHA1)
	unknown := certificate(4)
	unknown.Status = index.Unknown
	c.sign(t, "unknown", ca, unknown, index.SHA1)
	for i, alg := range index.HashAlgs()[1:] {
		c.sign(t, alg.String(), ca, certificate(byte(5+i)), alg)
	}
}

// addSerials adds serials that make base64 awkward, and long ones.
func (c *corpus) addSerials(t testing.TB, ca *demo.CA) {
	t.Helper()
	c.sign(t, "slashes", ca, findSerial(t, ca, func(b64 string) bool {
		return strings.Count(b64, "//") == 1 && !strings.Contains(b64, "///")
	}), index.SHA1)
	c.sign(t, "slashes3", ca, findSerial(t, ca, func(b64 string) bool {
		return strings.Count(b64, "///") == 1 && !strings.Contains(b64, "////") && strings.Count(b64, "//") == 1
	}), index.SHA1)
	c.sign(t, "plus", ca, findSerial(t, ca, func(b64 string) bool {
		return strings.Contains(b64, "+") && strings.Contains(b64, "/") && strings.HasSuffix(b64, "==")
	}), index.SHA1)
	longest := certificate(0)
	longest.Serial = append([]byte{0x7f}, bytes.Repeat([]byte{0xff}, 19)...)
	c.sign(t, "octets20", ca, longest, index.SHA1)
	longest.Serial = append([]byte{0x00}, bytes.Repeat([]byte{0xff}, 20)...)
	c.sign(t, "octets21", ca, longest, index.SHA1)
}

// findSerial finds a certificate whose request is such in base64. The issuer's
// hashes are others in each run.
func findSerial(t testing.TB, ca *demo.CA, such func(b64 string) bool) demo.Certificate {
	t.Helper()
	for i := range uint64(1_000_000) {
		cert := ca.Certificate(2 * i) // 0 and even ones are good but for one in 25
		id, err := certs.ID(ca.Issuer, index.SHA1, cert.Serial)
		check(t, err)
		if such(base64.StdEncoding.EncodeToString(id.Request(nil))) {
			return cert
		}
	}
	t.Fatal("no such serial")
	return demo.Certificate{}
}

// addTimes adds responses that are not valid now, or hardly.
func (c *corpus) addTimes(t testing.TB, ca *demo.CA) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	at := func(name string, kind byte, from, until time.Time) {
		moved := *ca
		moved.ThisUpdate, moved.ProducedAt, moved.NextUpdate = from, from, until
		c.sign(t, name, &moved, certificate(kind), index.SHA1)
	}
	at("expired", 0x10, now.Add(-96*time.Hour), now.Add(-time.Hour))
	at("future", 0x11, now.Add(time.Hour), now.Add(96*time.Hour))
	at("soon", 0x12, now.Add(4*time.Minute), now.Add(96*time.Hour)) // within the skew that is allowed
	at("overdue", 0x13, now.Add(-50*time.Hour), now.Add(40*time.Hour))
	at("ending", 0x14, now.Add(-90*time.Hour), now.Add(2*time.Minute))
	c.sign(t, "withdrawn", ca, certificate(0x15), index.SHA1)
	c.newer = append(c.newer, storetest.Entry{DER: c.stored["withdrawn"], Tombstone: true})
}

// addIssuers adds the same serial under issuers that are nearly the same.
func (c *corpus) addIssuers(t testing.TB, ca *demo.CA) {
	t.Helper()
	same := certificate(0x20)
	c.sign(t, "keyedFirst", ca, same, index.SHA1)
	c.sign(t, "keyedAgain", newCA(t, demo.Options{}), same, index.SHA1) // demo CAs have one name
	c.sign(t, "delegated", newCA(t, demo.Options{Delegated: true}), certificate(0x21), index.SHA1)

	one := ocsptest.NewCA("namedOne", nil)
	two := ocsptest.NewCA("namedTwo", one.Key)
	response := ocsp.Response{SerialNumber: new(big.Int).SetBytes(number), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: ca.NextUpdate}
	c.add(t, "namedOne", one.Sign(response))
	c.add(t, "namedTwo", two.Sign(response))
}

// addAbsent names requests that the store has nothing for, each by what is wrong.
func (c *corpus) addAbsent(t testing.TB, ca *demo.CA) {
	t.Helper()
	add := func(name string, alg index.HashAlg, kind byte, change func(*index.CertID)) {
		id, err := certs.ID(ca.Issuer, alg, certificate(kind).Serial)
		check(t, err)
		change(&id)
		c.name(t, name, &id)
	}
	add("noSuchSerial", index.SHA1, 0xee, func(*index.CertID) {})
	add("goodUnderSHA256", index.SHA256, 1, func(*index.CertID) {})
	add("sha256UnderSHA1", index.SHA1, 5, func(*index.CertID) {})
	add("otherName", index.SHA1, 1, func(id *index.CertID) { id.NameHash[0] ^= 1 })
	add("otherKey", index.SHA1, 1, func(id *index.CertID) { id.KeyHash[0] ^= 1 })
	add("zero", index.SHA1, 0, func(id *index.CertID) { id.Serial = []byte{0} })
	add("negative", index.SHA1, 0, func(id *index.CertID) { id.Serial = []byte{0xff} })
	add("padded", index.SHA1, 0, func(id *index.CertID) { id.Serial = append([]byte{0}, certificate(1).Serial...) })
	add("octets200", index.SHA1, 0, func(id *index.CertID) { id.Serial = bytes.Repeat([]byte{0x7f}, 200) })
	add("delegatedBySame", index.SHA1, 0x21, func(*index.CertID) {}) // whose issuer is another
	add("empty", index.SHA1, 0, func(id *index.CertID) { id.Serial = nil })
}

const bigCRL = 5 << 20

func (c *corpus) addFiles(t testing.TB, ca *demo.CA) {
	t.Helper()
	crl, err := ca.CRL(1000)
	check(t, err)
	big := make([]byte, bigCRL)
	_, err = rand.Read(big)
	check(t, err)
	add := func(host, path, contentType string, body []byte, expires time.Time) {
		c.files[host+path] = body
		c.lines = append(c.lines, store.FileLine{
			Host: host, Path: path, ContentType: contentType, LastModified: ca.ThisUpdate, Expires: expires,
		})
	}
	add("r10.c.test", "/1.crl", "application/pkix-crl", crl, ca.NextUpdate)
	add("r10.c.test", "/2.crl", "application/pkix-crl", big, ca.NextUpdate)
	add("r10.c.test", "/past.crl", "application/pkix-crl", crl, ca.ThisUpdate)
	add("r10.i.test", "/", "application/pkix-cert", ca.Issuer.Raw, time.Time{})
	add("r10.i.test", "/ca.p7c", "application/pkcs7-mime", []byte("certificates"), time.Time{})
	add("test", "/", "text/html", []byte("<p>what these hosts are for"), time.Time{})
	for _, path := range []string{"/%C3%BC~CA.crl", "/%28x%29.crl", "/search.cgi%3FiHash=AbC", "/search.cgi%3FiHash=DeF"} {
		add("r10.c.test", path, "application/pkix-crl", crl, ca.NextUpdate)
	}
	for _, tag := range []string{"en", "fr", "pt", "zh-Hant"} {
		paths := []string{"/index." + tag + ".html", "/" + tag + "/", "/" + tag + "/index.html"}
		if tag == "en" {
			paths = append(paths, "/", "/index.html")
		}
		for _, path := range paths {
			c.languages["domain.test"+path] = tag
			add("domain.test", path, "text/html", []byte("<html lang="+tag+">"), time.Time{})
		}
	}
	add("c.domain.test", "/1.crl", "application/pkix-crl", crl, ca.NextUpdate)
	add("i.domain.test", "/", "application/pkix-cert", ca.Issuer.Raw, time.Time{})
}

func (c *corpus) sign(t testing.TB, name string, ca *demo.CA, cert demo.Certificate, alg index.HashAlg) {
	t.Helper()
	der, err := ca.Sign(cert, alg)
	check(t, err)
	c.add(t, name, der)
}

func (c *corpus) add(t testing.TB, name string, response []byte) {
	t.Helper()
	var r index.Response
	check(t, r.Parse(response))
	c.older = append(c.older, storetest.Entry{DER: response})
	c.stored[name] = response
	c.name(t, name, &r.Singles[0].CertID)
}

// name gives the CertID its names.
func (c *corpus) name(t testing.TB, name string, id *index.CertID) {
	t.Helper()
	der, err := encode(fmt.Sprintf("30(30(06(%x)0500) 04(%x) 04(%x) 02(%x))", id.Alg.OID(), id.NameHash, id.KeyHash, id.Serial), nil)
	check(t, err)
	c.names[name+".id"] = der
	c.names[name+".hashes"] = der[2+11:] // and its serial: what follows the algorithm, SHA-1
	c.names[name], err = encode("30(30(30(30("+hex.EncodeToString(der)+"))))", nil)
	check(t, err)
}

func (c *corpus) publish(t testing.TB) {
	t.Helper()
	var files []storetest.File
	for _, line := range c.lines {
		files = append(files, storetest.File{FileLine: line, Body: string(c.files[line.Host+line.Path])})
	}
	storetest.Publish(t, c.dir, time.Now(), [][]storetest.Entry{c.newer, c.older}, files)
}
