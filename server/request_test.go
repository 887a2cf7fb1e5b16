package server

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"strings"
	"testing"

	"golang.org/x/crypto/ocsp"

	"lancre/index"
)

// der builds DER from nested parts: a tag in hexadecimal, then content that is
// hexadecimal or was built by der.
func der(tag string, content ...string) string {
	body := strings.Join(content, "")
	n := len(body) / 2
	switch {
	case n < 0x80:
		return tag + hex.EncodeToString([]byte{byte(n)}) + body
	case n < 0x100:
		return tag + "81" + hex.EncodeToString([]byte{byte(n)}) + body
	}
	return tag + "82" + hex.EncodeToString([]byte{byte(n >> 8), byte(n)}) + body
}

const (
	seq, octets, integer, oid = "30", "04", "02", "06"
	context0, context1        = "a0", "a1"
	context2                  = "a2"

	sha1OID, sha256OID, md5OID = "2b0e03021a", "608648016503040201", "2a864886f70d0205"
	nonceOID                   = "2b0601050507300102"
	locatorOID                 = "2b0601050507300107"
	archiveOID                 = "2b0601050507300106"
	otherOID                   = "2a030405"
	null, critical, uncritical = "0500", "0101ff", "010100"
)

var (
	name20, key20 = strings.Repeat("11", 20), strings.Repeat("22", 20)
	sha1Alg       = der(seq, der(oid, sha1OID), null)
	dirName       = der(context1, der("a4", der(seq)))
	dnsName       = der(context1, der("82", "6578616d706c65"))
	junkSignature = der(context0, der(seq, "0102030405"))
)

// reqFor is a Request for a serial under SHA-1, with more parts after the CertID.
func reqFor(serial string, more ...string) string {
	id := der(seq, sha1Alg, der(octets, name20), der(octets, key20), der(integer, serial))
	return der(seq, append([]string{id}, more...)...)
}

func withCertID(parts ...string) string {
	return der(seq, der(seq, der(seq, der(seq, der(seq, parts...)))))
}

func extension(parts ...string) string { return der(seq, parts...) }

func extensions(tag string, list ...string) string { return der(tag, der(seq, list...)) }

func plain(tbs ...string) string { return der(seq, der(seq, tbs...)) }

var requestCases = []struct {
	name     string
	der      string // hexadecimal
	ok       bool
	serials  string // of the certificates, with blanks between
	nonce    bool
	critical bool
}{
	{name: "one certificate", der: plain(der(seq, reqFor("05"))), ok: true, serials: "05"},
	{name: "version v1 spelled out", der: plain(der(context0, "020100"), der(seq, reqFor("05"))), ok: true, serials: "05"},
	{name: "version v2", der: plain(der(context0, "020101"), der(seq, reqFor("05")))},
	{name: "version with a second octet", der: plain(der(context0, "02020000"), der(seq, reqFor("05")))},
	{name: "requestorName directoryName", der: plain(dirName, der(seq, reqFor("05"))), ok: true, serials: "05"},
	{name: "requestorName dNSName", der: plain(dnsName, der(seq, reqFor("05"))), ok: true, serials: "05"},
	{name: "signature", der: der(seq, der(seq, der(seq, reqFor("05"))), junkSignature), ok: true, serials: "05"},
	{name: "version, name, extensions and signature",
		der: der(seq, der(seq, der(context0, "020100"), dirName, der(seq, reqFor("05")), extensions(context2)), junkSignature),
		ok:  true, serials: "05"},

	{name: "algorithm without parameters", ok: true, serials: "05",
		der: withCertID(der(seq, der(oid, sha1OID)), der(octets, name20), der(octets, key20), der(integer, "05"))},
	{name: "algorithm with other parameters",
		der: withCertID(der(seq, der(oid, sha1OID), der(seq)), der(octets, name20), der(octets, key20), der(integer, "05"))},
	{name: "algorithm of no store", ok: true, serials: "05",
		der: withCertID(der(seq, der(oid, md5OID), null), der(octets, "11"), der(octets, "22"), der(integer, "05"))},
	{name: "name hash of 19 octets",
		der: withCertID(sha1Alg, der(octets, name20[2:]), der(octets, key20), der(integer, "05"))},
	{name: "key hash of 21 octets",
		der: withCertID(sha1Alg, der(octets, name20), der(octets, key20+"22"), der(integer, "05"))},
	{name: "SHA-256 with the hashes of SHA-1",
		der: withCertID(der(seq, der(oid, sha256OID), null), der(octets, name20), der(octets, key20), der(integer, "05"))},
	{name: "CertID without serial", der: withCertID(sha1Alg, der(octets, name20), der(octets, key20))},
	{name: "CertID with more after the serial",
		der: withCertID(sha1Alg, der(octets, name20), der(octets, key20), der(integer, "05"), null)},

	{name: "serial zero", der: plain(der(seq, reqFor("00"))), ok: true, serials: "00"},
	{name: "serial negative", der: plain(der(seq, reqFor("ff"))), ok: true, serials: "ff"},
	{name: "serial empty", der: plain(der(seq, reqFor("")))},
	{name: "serial with a needless 00", der: plain(der(seq, reqFor("0005")))},
	{name: "serial with a needless ff", der: plain(der(seq, reqFor("ff80")))},
	{name: "serial of 21 octets", der: plain(der(seq, reqFor("00"+strings.Repeat("ff", 20)))), ok: true,
		serials: "00" + strings.Repeat("ff", 20)},
	{name: "serial of 200 octets", der: plain(der(seq, reqFor(strings.Repeat("7f", 200)))), ok: true,
		serials: strings.Repeat("7f", 200)},

	{name: "no certificate", der: plain(der(seq))},
	{name: "two certificates", der: plain(der(seq, reqFor("05"), reqFor("06"))), ok: true, serials: "05 06"},
	{name: "16 certificates", der: plain(der(seq, strings.Repeat(reqFor("05"), 16))), ok: true,
		serials: strings.TrimSpace(strings.Repeat("05 ", 16))},
	{name: "17 certificates", der: plain(der(seq, strings.Repeat(reqFor("05"), 17)))},

	{name: "nonce", ok: true, serials: "05", nonce: true,
		der: plain(der(seq, reqFor("05")), extensions(context2, extension(der(oid, nonceOID), der(octets, der(octets, "0102")))))},
	{name: "nonce, empty and critical", ok: true, serials: "05", nonce: true,
		der: plain(der(seq, reqFor("05")), extensions(context2, extension(der(oid, nonceOID), critical, der(octets))))},
	{name: "extensions empty", ok: true, serials: "05", der: plain(der(seq, reqFor("05")), extensions(context2))},
	{name: "extension unknown", ok: true, serials: "05",
		der: plain(der(seq, reqFor("05")), extensions(context2, extension(der(oid, otherOID), der(octets))))},
	{name: "extension unknown and critical", ok: true, serials: "05", critical: true,
		der: plain(der(seq, reqFor("05")), extensions(context2, extension(der(oid, otherOID), critical, der(octets))))},
	{name: "extension unknown, critical FALSE", ok: true, serials: "05",
		der: plain(der(seq, reqFor("05")), extensions(context2, extension(der(oid, otherOID), uncritical, der(octets))))},
	{name: "extension of OCSP that no request has, critical", ok: true, serials: "05", critical: true,
		der: plain(der(seq, reqFor("05")), extensions(context2, extension(der(oid, archiveOID), critical, der(octets))))},
	{name: "extension without value",
		der: plain(der(seq, reqFor("05")), extensions(context2, extension(der(oid, otherOID))))},
	{name: "serviceLocator for one certificate", ok: true, serials: "05",
		der: plain(der(seq, reqFor("05", extensions(context0, extension(der(oid, locatorOID), critical, der(octets))))))},
	{name: "unknown critical extension for one certificate", ok: true, serials: "05", critical: true,
		der: plain(der(seq, reqFor("05", extensions(context0, extension(der(oid, otherOID), critical, der(octets))))))},

	{name: "nothing", der: ""},
	{name: "not a SEQUENCE", der: der("31", der(seq, der(seq, reqFor("05"))))},
	{name: "trailing octet", der: plain(der(seq, reqFor("05"))) + "00"},
	{name: "trailing element in OCSPRequest", der: der(seq, der(seq, der(seq, reqFor("05"))), null)},
	{name: "trailing element in TBSRequest", der: plain(der(seq, reqFor("05")), null)},
	{name: "trailing element in Request", der: plain(der(seq, reqFor("05", null)))},
	{name: "indefinite length", der: "3080" + der(seq, der(seq, reqFor("05"))) + "0000"},
	{name: "length beyond the end", der: "3084ffffffff"},
	{name: "length longer than it need be", der: "308103" + der(seq, "05")},
}

func TestParseRequest(t *testing.T) {
	for _, c := range requestCases {
		t.Run(c.name, func(t *testing.T) {
			var r Request
			r.nonce, r.critical = true, true // what the request before left
			if ok := r.Parse(unhexString(t, c.der)); ok != c.ok {
				t.Fatalf("accepted is %v, want %v", ok, c.ok)
			}
			if !c.ok {
				return
			}
			var serials []string
			for _, id := range r.CertIDs() {
				serials = append(serials, hex.EncodeToString(id.Serial))
			}
			if got := strings.Join(serials, " "); got != c.serials || r.nonce != c.nonce || r.critical != c.critical {
				t.Errorf("serials %s, nonce %v, critical %v; want %s, %v, %v", got, r.nonce, r.critical, c.serials, c.nonce, c.critical)
			}
		})
	}
}

func unhexString(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A canary must be a request that this and any other responder reads.
func TestEncodeRequest(t *testing.T) {
	for _, alg := range index.HashAlgs() {
		want := index.CertID{Alg: alg, NameHash: make([]byte, alg.Size()), KeyHash: make([]byte, alg.Size()), Serial: []byte{0x12, 0x34}}
		der, err := encodeRequest(&want)
		if err != nil {
			t.Fatal(err)
		}
		var r Request
		if !r.Parse(der) || len(r.CertIDs()) != 1 || !r.ids[0].Equal(&want) {
			t.Errorf("%s: parsed as %v, want %v", alg, r.CertIDs(), &want)
		}
		parsed, err := ocsp.ParseRequest(der)
		if err != nil || parsed.SerialNumber.Int64() != 0x1234 || parsed.HashAlgorithm != alg.Hash() {
			t.Errorf("%s: x/crypto reads %v, %v", alg, parsed, err)
		}
	}
}

// Whatever both read, both read alike; and what x/crypto writes is accepted.
func FuzzParseRequest(f *testing.F) {
	for _, c := range requestCases {
		f.Add(unhexString(f, c.der))
	}
	for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		f.Add(ask("1234567890abcdef", h))
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		var r Request
		ok := r.Parse(der)
		if ok && (r.count < 1 || r.count > index.MaxCertIDs) {
			t.Fatalf("%d certificates", r.count)
		}
		theirs, err := ocsp.ParseRequest(der)
		if err != nil {
			return // they know no requestorName and fewer algorithms
		}
		if !ok {
			// They do not look at what we refuse; what they read themselves we do not.
			if der, err = theirs.Marshal(); err != nil || theirs.SerialNumber.Sign() < 0 {
				return
			}
			if len(theirs.IssuerNameHash) == theirs.HashAlgorithm.Size() &&
				len(theirs.IssuerKeyHash) == theirs.HashAlgorithm.Size() && !r.Parse(der) {
				t.Fatalf("what x/crypto makes of it is refused: %x", der)
			}
			return
		}
		id := &r.ids[0]
		if id.Alg.Hash() != theirs.HashAlgorithm || !bytes.Equal(id.NameHash, theirs.IssuerNameHash) ||
			!bytes.Equal(id.KeyHash, theirs.IssuerKeyHash) ||
			(theirs.SerialNumber.Sign() >= 0 && !bytes.Equal(bytes.TrimLeft(id.Serial, "\x00"), theirs.SerialNumber.Bytes())) {
			t.Fatalf("read as %v, by x/crypto as %+v", id, theirs)
		}
	})
}
