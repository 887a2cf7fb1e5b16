package index

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"testing"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/ocsp"

	"lancre/internal/ocsptest"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReadCertID(t *testing.T) {
	const (
		sha1NULL   = "300906052b0e03021a0500"
		sha1Absent = "300706052b0e03021a"
		hash20     = "0414" + "000102030405060708090a0b0c0d0e0f10111213"
		hash19     = "0413" + "000102030405060708090a0b0c0d0e0f101112"
		md5        = "300c06082a864886f70d02050500"
		hash16     = "0410" + "000102030405060708090a0b0c0d0e0f"
	)
	seq := func(content string) string {
		b := cryptobyte.NewBuilder(nil)
		b.AddASN1(0x30, func(b *cryptobyte.Builder) { b.AddBytes(unhex(t, content)) })
		return hex.EncodeToString(b.BytesOrPanic())
	}
	for _, c := range []struct {
		name, der string
		ok        bool
		alg       HashAlg
		serial    string
	}{
		{"NULL parameters", seq(sha1NULL + hash20 + hash20 + "020112"), true, SHA1, "12"},
		{"absent parameters", seq(sha1Absent + hash20 + hash20 + "020112"), true, SHA1, "12"},
		{"other parameters", seq("300906052b0e03021a0101ff" + hash20 + hash20 + "020112"), false, 0, ""},
		{"unknown algorithm", seq(md5 + hash16 + hash16 + "020112"), true, UnknownAlg, "12"},
		{"short name hash", seq(sha1NULL + hash19 + hash20 + "020112"), false, 0, ""},
		{"short key hash", seq(sha1NULL + hash20 + hash19 + "020112"), false, 0, ""},
		{"negative serial", seq(sha1NULL + hash20 + hash20 + "0201ff"), true, SHA1, "ff"},
		{"serial 0", seq(sha1NULL + hash20 + hash20 + "020100"), true, SHA1, "00"},
		{"empty serial", seq(sha1NULL + hash20 + hash20 + "0200"), false, 0, ""},
		{"padded serial", seq(sha1NULL + hash20 + hash20 + "0202007f"), false, 0, ""},
		{"padded negative serial", seq(sha1NULL + hash20 + hash20 + "0202ff80"), false, 0, ""},
		{"sign octet", seq(sha1NULL + hash20 + hash20 + "02020080"), true, SHA1, "0080"},
		{"negative sign octet", seq(sha1NULL + hash20 + hash20 + "0202ff7f"), true, SHA1, "ff7f"},
		{"trailing octets", seq(sha1NULL + hash20 + hash20 + "0201120500"), false, 0, ""},
		{"no serial", seq(sha1NULL + hash20 + hash20), false, 0, ""},
		{"indefinite length", "3080" + sha1NULL + hash20 + hash20 + "0201120000", false, 0, ""},
		{"long form of a short length", "308136" + sha1NULL + hash20 + hash20 + "020112", false, 0, ""},
		{"length beyond the end", "3084ffffffff", false, 0, ""},
		{"empty", "", false, 0, ""},
	} {
		in := cryptobyte.String(unhex(t, c.der))
		var id CertID
		ok := ReadCertID(&in, &id)
		if ok != c.ok || ok && (id.Alg != c.alg || hex.EncodeToString(id.Serial) != c.serial || !in.Empty()) {
			t.Errorf("%s: %v, %s serial %x; want %v, %s serial %s", c.name, ok, id.Alg, id.Serial, c.ok, c.alg, c.serial)
		}
	}
}

// x/crypto/ocsp makes the same CertIDs, in all algorithms.
func TestReadCertIDAgreesWithXCrypto(t *testing.T) {
	ca := ocsptest.NewCA("CA", nil)
	for _, alg := range HashAlgs() {
		der := ca.Request(new(big.Int).Lsh(big.NewInt(0xfe), 100), alg.Hash())
		want, err := ocsp.ParseRequest(der)
		if err != nil {
			t.Fatal(err)
		}
		// OCSPRequest { TBSRequest { requestList { Request { CertID } } } }
		in := cryptobyte.String(der)
		for range 4 {
			var inner cryptobyte.String
			if !in.ReadASN1(&inner, 0x30) {
				t.Fatal("no request")
			}
			in = inner
		}
		var id CertID
		if !ReadCertID(&in, &id) || id.Alg != alg || !bytes.Equal(id.NameHash, want.IssuerNameHash) ||
			!bytes.Equal(id.KeyHash, want.IssuerKeyHash) || new(big.Int).SetBytes(id.Serial).Cmp(want.SerialNumber) != 0 {
			t.Errorf("%s: read %+v, want %+v", alg, id, want)
		}
	}
}

// The key is part of the file format.
func TestKeyIsXXHashOfTheCanonicalForm(t *testing.T) {
	id := testID(SHA256, 7, 1, 2, 3)
	canonical := append([]byte{2}, id.NameHash...)
	canonical = append(canonical, id.KeyHash...)
	canonical = append(canonical, 1, 2, 3)
	if got, want := id.Key(), xxhash.Sum64(canonical); got != want {
		t.Errorf("key %016x, want %016x", got, want)
	}
	fixed := CertID{SHA1, make([]byte, 20), make([]byte, 20), []byte{1}}
	if got := fixed.Key(); got != 0x32243aa88b196499 {
		t.Errorf("key of an all-zero issuer's certificate 1 is %016x: existing segments cannot be read any more", got)
	}
	long := testID(SHA512, 7, bytes.Repeat([]byte{9}, 5000)...)
	if allocs := testing.AllocsPerRun(10, func() { long.Key() }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestHashAlg(t *testing.T) {
	for _, alg := range HashAlgs() {
		got, err := ParseHashAlg(alg.String())
		if err != nil || got != alg || alg.Size() != alg.Hash().Size() || hashAlgOf(alg.OID()) != alg {
			t.Errorf("%s: %s, %v", alg, got, err)
		}
	}
	for _, name := range []string{"", "md5", "SHA1", "unknown"} {
		if alg, err := ParseHashAlg(name); err == nil {
			t.Errorf("%q is %s", name, alg)
		}
	}
	for _, none := range []HashAlg{UnknownAlg, SHA512 + 1, 200, 255} {
		if none.String() != "unknown" || none.Hash() != 0 || none.Size() != 0 {
			t.Errorf("algorithm %d, which is none, has the name %s, the number %d or the size %d", none, none, none.Hash(), none.Size())
		}
	}
	if SHA256.Hash() != crypto.SHA256 || SHA256.Hash().New().Size() != sha256.Size {
		t.Error("SHA256 is not SHA-256")
	}
}

// What Marshal writes is what other software writes and ReadCertID reads.
func TestCertIDMarshal(t *testing.T) {
	const want = "303b300906052b0e03021a0500" +
		"0414" + "0101010101010101010101010101010101010101" +
		"0414" + "0202020202020202020202020202020202020202" + "020200ff"
	id := CertID{SHA1, bytes.Repeat([]byte{1}, 20), bytes.Repeat([]byte{2}, 20), []byte{0, 0xff}}
	var b cryptobyte.Builder
	b.AddValue(&id)
	der, err := b.Bytes()
	if err != nil || hex.EncodeToString(der) != want {
		t.Errorf("%x, %v; want %s", der, err, want)
	}
	var back CertID
	in := cryptobyte.String(der)
	if !ReadCertID(&in, &back) || !in.Empty() || !back.Equal(&id) {
		t.Errorf("%s is read back as %s", &id, &back)
	}
}
