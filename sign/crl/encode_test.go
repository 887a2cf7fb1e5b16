package crl

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/hex"
	"io"
	"math/big"
	"strings"
	"testing"

	"lancre/internal/signtest"
)

// Every octet of a shard: Ed25519 makes its signature the same each time.
func TestGolden(t *testing.T) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	ca := signtest.NewCA(t, key, func(c *x509.Certificate) { c.SubjectKeyId = []byte{0xaa, 0xbb} })
	tbs := unhex(
		"3081d9"+ // TBSCertList
			"020101"+ // version 2
			"300506032b6570"+ // Ed25519
			"3023"+"3114"+"3012"+"0603"+"55040a"+"130b"+"4c616e6372652074657374"+"310b"+"3009"+"0603"+"550403"+"1302"+"4341", // O=Lancre test, CN=CA
		"170d"+hex.EncodeToString([]byte("261120120000Z")),
		"170d"+hex.EncodeToString([]byte("261127120000Z")),
		"3039"+ // revokedCertificates
			"3013"+"020200ff"+"170d"+hex.EncodeToString([]byte("261101000000Z"))+
			"3022"+"020102"+"180f"+hex.EncodeToString([]byte("20500101000000Z"))+"300c"+"300a"+"0603551d15"+"0403"+"0a0104",
		"a04f"+"304d"+
			"300d"+"0603551d23"+"0406"+"3004"+"8002"+"aabb"+ // authorityKeyIdentifier
			"300b"+"0603551d14"+"0404"+"02020100"+ // cRLNumber
			"302f"+"0603551d1c"+"0101ff"+"0425"+ // issuingDistributionPoint, critical
			"3023"+"a01e"+"a01c"+"861a"+hex.EncodeToString([]byte("http://c.example.org/7.crl"))+"8101ff")
	signer := must(NewSigner(ca, key))
	list := new(Entries)
	defer list.Close()
	if _, err := list.Add([]byte{0, 0xff}, 1793491200, noReason); err != nil {
		t.Fatal(err)
	}
	if _, err := list.Add([]byte{2}, firstGeneralized, 4); err != nil {
		t.Fatal(err)
	}
	h := &Head{ThisUpdate: signtest.Now.Unix(), NextUpdate: signtest.Now.AddDate(0, 0, 7).Unix(), Number: big.NewInt(256), Scope: ForUsers, URL: "http://c.example.org/7.crl"}
	var got bytes.Buffer
	if err := must(signer.Sign(h, list)).Write(&got); err != nil {
		t.Fatal(err)
	}
	want := append(unhex("30820126"), tbs...)
	want = append(want, unhex("300506032b6570"+"034100"+hex.EncodeToString(ed25519.Sign(key, tbs)))...)
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("the CRL is\n%s, want\n%s", hex.Dump(got.Bytes()), hex.Dump(want))
	}
}

func unhex(digits ...string) []byte { return must(hex.DecodeString(strings.Join(digits, ""))) }

// Lengths of all sizes are those of DER.
func TestAppendHeader(t *testing.T) {
	for n, want := range map[int64]string{
		0: "3000", 0x7f: "307f", 0x80: "308180", 0xff: "3081ff", 0x100: "30820100", 0xffff: "3082ffff", 0x10000: "3083010000", 1 << 24: "308401000000", 1<<32 - 1: "3084ffffffff",
	} {
		if got := hex.EncodeToString(appendHeader(nil, tagSequence, n)); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// A CRL of any size is what crypto/x509 reads: the lengths cross every border.
func TestSizes(t *testing.T) {
	ca := signtest.NewCA(t, signtest.P256())
	signer := must(NewSigner(ca, signtest.P256()))
	list := new(Entries)
	defer list.Close()
	h := &Head{ThisUpdate: signtest.Now.Unix(), NextUpdate: signtest.Now.Unix() + 3600, Number: big.NewInt(1)}
	for n := range 2000 {
		if n < 10 || n%97 == 0 {
			var der bytes.Buffer
			if err := must(signer.Sign(h, list)).Write(&der); err != nil {
				t.Fatal(err)
			}
			c, err := x509.ParseRevocationList(der.Bytes())
			if err != nil || len(c.RevokedCertificateEntries) != n || c.CheckSignatureFrom(ca) != nil {
				t.Fatalf("%d entries: %v", n, err)
			}
		}
		if _, err := list.Add([]byte{1, byte(n >> 8), byte(n)}, int64(n), n%2*5-1); err != nil {
			t.Fatal(err)
		}
	}
}

// Serial numbers that are there twice are found, the same hash or not.
func TestTwice(t *testing.T) {
	list := new(Entries)
	defer list.Close()
	var hashes, collide Hashes
	add := func(serial []byte) {
		if _, err := list.Add(serial, 0, -1); err != nil {
			t.Fatal(err)
		}
		hashes.Add(serial)
		collide.Add(serial)
	}
	for n := range 1000 {
		add([]byte{1, byte(n >> 8), byte(n)})
	}
	collide.Add([]byte{1, 0, 5}) // as if another one had its hash
	if serial, err := list.Twice(&collide); serial != nil || err != nil {
		t.Errorf("%x, %v", serial, err)
	}
	add([]byte{1, 2, 3})
	if serial, err := list.Twice(&hashes); !bytes.Equal(serial, []byte{1, 2, 3}) || err != nil {
		t.Errorf("%x, %v; want 010203", serial, err)
	}
}

// BenchmarkMillion signs a CRL of a million entries, all but the reading of the list.
func BenchmarkMillion(b *testing.B) {
	signer := must(NewSigner(signtest.NewCA(b, signtest.P256()), signtest.P256()))
	h := &Head{ThisUpdate: signtest.Now.Unix(), NextUpdate: signtest.Now.Unix() + 3600, Number: big.NewInt(1)}
	b.ReportAllocs()
	for b.Loop() {
		list := new(Entries)
		hashes := new(Hashes)
		serial := make([]byte, 16)
		for n := range 1_000_000 {
			serial[0], serial[13], serial[14], serial[15] = 0x55, byte(n>>16), byte(n>>8), byte(n)
			if _, err := list.Add(serial, int64(n), n%2*5-1); err != nil {
				b.Fatal(err)
			}
			hashes.Add(serial)
		}
		if twice, err := list.Twice(hashes); twice != nil || err != nil {
			b.Fatal(twice, err)
		}
		if err := must(signer.Sign(h, list)).Write(io.Discard); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(list.size)
		list.Close()
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
