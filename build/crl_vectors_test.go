package build

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	stdasn1 "encoding/asn1"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte/asn1"
)

// A staticCase is the recipe of a vector: files to publish, and those published before.
type staticCase struct {
	name, check, rejects, warns string

	files   map[string][]byte
	before  map[string][]byte // nil for a new store
	issuers []identity        // beside the CA
	alone   bool              // no issuer but those

	inventory string // of inventoryFile; none if empty
	maxCRL    int64  // Config.MaxCRLSize
}

func (tt staticCase) vector(ca identity) vector {
	return vector{tt.name, tt.check, tt.rejects, tt.warns, judgeBuild(ca, tt.config(ca))}
}

// config is that of the build, after the one before.
func (tt staticCase) config(ca identity) func(t *testing.T) Config {
	var issuers [][]byte
	if !tt.alone {
		issuers = append(issuers, ca.cert.Raw)
	}
	for _, is := range tt.issuers {
		issuers = append(issuers, is.cert.Raw)
	}
	return func(t *testing.T) Config {
		c := Config{Out: t.TempDir(), Static: []string{staticDir(t, tt.files)}, Issuers: []string{write(t, "issuers", issuers...)}, MaxCRLSize: tt.maxCRL}
		if tt.before != nil {
			before := c
			before.Static = []string{staticDir(t, tt.before)}
			if _, err := run(t, ca, before); err != nil {
				t.Fatal(err)
			}
		}
		if tt.inventory != "" {
			c.Inventory = inventoryFile(t, []string{tt.inventory})
		}
		return c
	}
}

// crlURL is where the CRL of a crlCase is published, at crlFile.
const crlURL, crlFile = "http://c.example/1.crl", "c.example/1.crl"

// crlVectors are for checks_crl.go.
func crlVectors(t *testing.T) []vector {
	ca := newCA(t, "CA", p256Key(), func(c *x509.Certificate) { c.MaxPathLenZero = true })
	var list []vector
	for _, tt := range slices.Concat(crlFormCases(t, ca), crlSignerCases(t, ca), crlTimeCases(ca), crlExtensionCases(ca), crlPointCases(ca), crlEntryCases(ca)) {
		if tt.make.issuer.cert == nil {
			tt.make.issuer = ca
		}
		der := tt.der
		if der == nil {
			der = tt.make.der(t)
		}
		c := staticCase{name: tt.name, check: tt.check, rejects: tt.rejects, warns: tt.warns, files: map[string][]byte{crlFile: der}}
		if tt.make.issuer.cert != ca.cert && tt.check != "crl.issuer" && tt.check != "crl.signature" {
			c.issuers, c.alone = []identity{tt.make.issuer}, true
		}
		if tt.check == "crl.size-max" {
			c.maxCRL = 1000
		}
		list = append(list, c.vector(ca))
	}
	for _, tt := range slices.Concat(crlSetCases(t, ca), crlHistoryCases(t, ca)) {
		list = append(list, tt.vector(ca))
	}
	return list
}

// A crlCase is the recipe of a vector: one CRL.
type crlCase struct {
	name, check, rejects, warns string

	make crlRecipe
	der  []byte // in place of it
}

const longProfiles, public = "br moz cs", "br ms moz cs smime"

func crlFormCases(t *testing.T, ca identity) []crlCase {
	good := crlRecipe{issuer: ca}.der(t)
	rsaCA := newCA(t, "RSA", rsaKey()) // whose signatures all have one size
	sized := func(size int) crlRecipe {
		r := crlRecipe{issuer: rsaCA, padding: size / 2}
		r.padding += size - len(r.der(t))
		return r
	}
	return []crlCase{
		{"good", "crl.der", nowhere, nowhere, crlRecipe{}, good},
		{"with entries", "crl.der", nowhere, nowhere, crlRecipe{entries: []entryRecipe{{}, {serial: "\x02"}}}, nil},
		{"more behind the extensions", "crl.der", everywhere, nowhere, crlRecipe{afterExtensions: []byte{5, 0}}, nil},
		{"version 2", "crl.version", nowhere, nowhere, crlRecipe{}, nil},
		{"version 1", "crl.version", everywhere, nowhere, crlRecipe{noVersion: true}, nil},
		{"as large as can be", "crl.size", nowhere, nowhere, sized(10e6 - 1), nil},
		{"large", "crl.size", nowhere, "ms", sized(10e6), nil},
		{"as large as is wanted", "crl.size-max", nowhere, nowhere, sized(1000), nil},
		{"larger than is wanted", "crl.size-max", everywhere, nowhere, sized(1001), nil},
	}
}

func crlSignerCases(t *testing.T, ca identity) []crlCase {
	noSign := newCA(t, "CA", p256Key(), func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign })
	noUsage := newCA(t, "CA", p256Key(), func(c *x509.Certificate) { c.KeyUsage = 0 })
	rsaCA, small := newCA(t, "RSA", rsaKey()), newCA(t, "RSA-1024", smallRSA(t))
	of := func(key crypto.Signer) crlRecipe { return crlRecipe{issuer: newCA(t, "CA of a key", key)} }
	sha1 := mustHex("300d06092a864886f70d0101050500")
	return []crlCase{
		{"the same inside and outside", "crl.algorithms-differ", nowhere, nowhere, crlRecipe{issuer: rsaCA}, nil},
		{"another inside", "crl.algorithms-differ", everywhere, nowhere, crlRecipe{signed: algorithmDER(x509.ECDSAWithSHA384)}, nil},
		{"SHA-256", "crl.algorithm", nowhere, nowhere, crlRecipe{issuer: rsaCA}, nil},
		{"SHA-1", "crl.algorithm", everywhere, nowhere, crlRecipe{issuer: rsaCA, algorithm: sha1}, nil},
		{"P-384 with SHA-384", "crl.algorithm-profile", nowhere, nowhere, of(p384Key()), nil},
		{"Ed25519", "crl.algorithm-profile", public, nowhere, of(edKey()), nil},
		{"P-256 without parameters", "crl.algorithm-form", nowhere, nowhere, crlRecipe{}, nil},
		{"P-256 with NULL parameters", "crl.algorithm-form", "br", nowhere, crlRecipe{algorithm: mustHex("300c06082a8648ce3d0403020500")}, nil},
		{"RSA-2048", "crl.key", nowhere, nowhere, crlRecipe{issuer: rsaCA}, nil},
		{"RSA-1024", "crl.key", everywhere, nowhere, crlRecipe{issuer: small}, nil},
		{"no key usage", "crl.issuer-key-usage", nowhere, nowhere, crlRecipe{issuer: noUsage}, nil},
		{"key usage without cRLSign", "crl.issuer-key-usage", everywhere, nowhere, crlRecipe{issuer: noSign}, nil},
		{"signed", "crl.signature", nowhere, nowhere, crlRecipe{}, nil},
		{"by another key", "crl.signature", everywhere, nowhere, crlRecipe{issuer: newCA(t, "CA", otherP256())}, nil},
		{"spoilt", "crl.signature", everywhere, nowhere, crlRecipe{spoil: true}, nil},
		{"known", "crl.issuer", nowhere, nowhere, crlRecipe{}, nil},
		{"unknown", "crl.issuer", public, "private", crlRecipe{issuer: newCA(t, "stranger", otherP256())}, nil},
	}
}

func crlTimeCases(ca identity) []crlCase {
	this, next := now.Add(-hour).Format("060102150405Z"), now.Add(7*day).Format("060102150405Z")
	times := func(list ...[]byte) crlRecipe { return crlRecipe{times: bytes.Join(list, nil)} }
	general := func(text string) []byte { return element(asn1.GeneralizedTime, []byte(text)) }
	noEnd := crlRecipe{thisUpdate: now, nextUpdate: now.Add(10*day - second)}
	long := noEnd
	long.nextUpdate = now.Add(10 * day)
	forCAs := &pointRecipe{notUser: true, flags: []uint8{2}}
	year := crlRecipe{thisUpdate: now, nextUpdate: now.Add(366*day - second), point: forCAs}
	overYear := year
	overYear.nextUpdate = now.Add(366 * day)
	return []crlCase{
		{"UTCTime", "crl.time-form", nowhere, nowhere, times(utcElement(this), utcElement(next)), nil},
		{"GeneralizedTime before 2050", "crl.time-form", everywhere, nowhere, times(utcElement(this), general("20"+next)), nil},
		{"without seconds", "crl.time-form", everywhere, nowhere, times(utcElement("2611201100Z"), utcElement(next)), nil},
		{"with an offset", "crl.time-form", everywhere, nowhere, times(utcElement("261120110000+0000"), utcElement(next)), nil},
		{"with a fraction", "crl.time-form", everywhere, nowhere, times(utcElement(this), general("20501120110000.5Z")), nil},
		{"300 s in the future", "crl.time-this-update", nowhere, nowhere, crlRecipe{thisUpdate: now.Add(300 * second)}, nil},
		{"301 s in the future", "crl.time-this-update", everywhere, nowhere, crlRecipe{thisUpdate: now.Add(301 * second)}, nil},
		{"nextUpdate in a minute", "crl.time-next-update", nowhere, nowhere, crlRecipe{thisUpdate: now, nextUpdate: now.Add(60 * second)}, nil},
		{"no nextUpdate", "crl.time-next-update", everywhere, nowhere, crlRecipe{noNextUpdate: true}, nil},
		{"nextUpdate is thisUpdate", "crl.time-next-update", everywhere, nowhere, crlRecipe{thisUpdate: now, nextUpdate: now}, nil},
		{"expires in a second", "crl.time-expired", nowhere, nowhere, crlRecipe{thisUpdate: now, nextUpdate: now.Add(second)}, nil},
		{"expired", "crl.time-expired", everywhere, nowhere, crlRecipe{nextUpdate: now}, nil},
		{"10 days", "crl.time-validity", nowhere, nowhere, noEnd, nil},
		{"10 days and a second", "crl.time-validity", longProfiles, nowhere, long, nil},
		{"366 days", "crl.time-validity", nowhere, nowhere, year, nil},
		{"366 days and a second", "crl.time-validity", longProfiles, nowhere, overYear, nil},
		{"4 days old", "crl.time-age", nowhere, nowhere, crlRecipe{thisUpdate: now.Add(-4 * day), nextUpdate: now.Add(5 * day)}, nil},
		{"4 days and a second old", "crl.time-age", nowhere, everywhere, crlRecipe{thisUpdate: now.Add(-4*day - second), nextUpdate: now.Add(5 * day)}, nil},
		{"half of the time over", "crl.time-half", nowhere, nowhere, crlRecipe{thisUpdate: now.Add(-3 * day), nextUpdate: now.Add(3 * day)}, nil},
		{"more than half", "crl.time-half", nowhere, everywhere, crlRecipe{thisUpdate: now.Add(-3*day - second), nextUpdate: now.Add(3*day - second)}, nil},
	}
}

func crlExtensionCases(ca identity) []crlCase {
	with := func(id stdasn1.ObjectIdentifier, critical bool, times int) crlRecipe {
		return crlRecipe{extensions: slices.Repeat([]pkix.Extension{{Id: id, Critical: critical, Value: []byte{2, 1, 1}}}, times)}
	}
	largest := append([]byte{0x7f}, bytes.Repeat([]byte{0xff}, 19)...)
	return []crlCase{
		{"2^159-1", "crl.number", nowhere, nowhere, crlRecipe{number: largest}, nil},
		{"2^159", "crl.number", everywhere, nowhere, crlRecipe{number: append([]byte{0x00, 0x80}, make([]byte, 19)...)}, nil},
		{"absent", "crl.number", everywhere, nowhere, crlRecipe{noNumber: true}, nil},
		{"critical", "crl.number", everywhere, nowhere, crlRecipe{criticalNumber: true}, nil},
		{"negative", "crl.number", everywhere, nowhere, crlRecipe{number: []byte{0xff}}, nil},
		{"not DER", "crl.der", everywhere, nowhere, crlRecipe{number: []byte{0, 1}}, nil},
		{"present", "crl.authority-key-id", nowhere, nowhere, crlRecipe{}, nil},
		{"absent", "crl.authority-key-id", public, "private", crlRecipe{noKeyID: true}, nil},
		{"another", "crl.authority-key-id", public, "private", crlRecipe{keyID: []byte("another")}, nil},
		{"complete", "crl.delta", nowhere, nowhere, crlRecipe{}, nil},
		{"delta", "crl.delta", "br", "private ms moz cs smime", with(idDelta, true, 1), nil},
		{"present", "crl.next-publish", nowhere, nowhere, crlRecipe{}, nil},
		{"absent", "crl.next-publish", nowhere, "ms", crlRecipe{noNextPublish: true}, nil},
		{"unknown", "crl.extension-critical", nowhere, nowhere, with(idUnknown, false, 1), nil},
		{"unknown and critical", "crl.extension-critical", everywhere, nowhere, with(idUnknown, true, 1), nil},
		{"once", "crl.extension-twice", nowhere, nowhere, with(idUnknown, false, 1), nil},
		{"twice", "crl.extension-twice", everywhere, nowhere, with(idUnknown, false, 2), nil},
		{"too many", "crl.der", everywhere, nowhere, with(idUnknown, false, maxExtensions), nil},
	}
}

func crlPointCases(ca identity) []crlCase {
	point := func(p pointRecipe) crlRecipe { return crlRecipe{point: &p} }
	here, path := []string{crlURL}, strings.Replace(crlURL, "http", "https", 1)
	directory := element(tag0, element(asn1.Tag(4).ContextSpecific().Constructed(), ca.cert.RawSubject))
	return []crlCase{
		{"critical", "crl.idp-critical", nowhere, nowhere, point(pointRecipe{uris: here}), nil},
		{"not critical", "crl.idp-critical", everywhere, nowhere, point(pointRecipe{uris: here, notCritical: true}), nil},
		{"one element", "crl.idp-empty", nowhere, nowhere, point(pointRecipe{}), nil},
		{"not indirect", "crl.idp-indirect", nowhere, nowhere, point(pointRecipe{}), nil},
		{"indirect", "crl.idp-indirect", everywhere, nowhere, point(pointRecipe{flags: []uint8{4}}), nil},
		{"for user certificates", "crl.idp-attribute", nowhere, nowhere, point(pointRecipe{}), nil},
		{"for attribute certificates", "crl.idp-attribute", everywhere, nowhere, point(pointRecipe{flags: []uint8{5}}), nil},
		{"for CA certificates", "crl.idp-only", nowhere, nowhere, point(pointRecipe{notUser: true, flags: []uint8{2}}), nil},
		{"for both alone", "crl.idp-only", everywhere, nowhere, point(pointRecipe{flags: []uint8{2}}), nil},
		{"for all reasons", "crl.idp-reasons", nowhere, nowhere, point(pointRecipe{}), nil},
		{"for some reasons", "crl.idp-reasons", nowhere, everywhere, point(pointRecipe{flags: []uint8{3}}), nil},
		{"a URI", "crl.idp-name", nowhere, nowhere, point(pointRecipe{uris: here}), nil},
		{"a directory name", "crl.idp-name", everywhere, nowhere, point(pointRecipe{name: directory}), nil},
		{"relative to the issuer", "crl.idp-name", everywhere, nowhere, point(pointRecipe{name: element(tag1, nil)}), nil},
		{"http", "crl.idp-scheme", nowhere, nowhere, point(pointRecipe{uris: here}), nil},
		{"https too", "crl.idp-scheme", "br", nowhere, point(pointRecipe{uris: []string{crlURL, path}}), nil},
		{"where it is published, among others", "crl.idp-url", nowhere, nowhere, point(pointRecipe{uris: []string{crlURL + ".old", crlURL}}), nil},
		{"with a port", "crl.idp-url", everywhere, nowhere, point(pointRecipe{uris: []string{"http://c.example:80/1.crl"}}), nil},
		{"in upper case", "crl.idp-url", everywhere, nowhere, point(pointRecipe{uris: []string{"http://C.example/1.crl"}}), nil},
		{"escaped otherwise", "crl.idp-url", everywhere, nowhere, point(pointRecipe{uris: []string{"http://c.example/%31.crl"}}), nil},
		{"scope of its own", "crl.full-idp", nowhere, nowhere, point(pointRecipe{uris: here}), nil},
		{"full", "crl.full-idp", nowhere, public, point(pointRecipe{uris: here, notUser: true}), nil},
	}
}

func crlEntryCases(ca identity) []crlCase {
	entries := func(list ...entryRecipe) crlRecipe { return crlRecipe{entries: list} }
	reason := func(code byte) crlRecipe { return entries(entryRecipe{reason: []byte{code}}) }
	with := func(id stdasn1.ObjectIdentifier, critical bool, value ...[]byte) crlRecipe {
		var list []pkix.Extension
		for _, v := range value {
			list = append(list, pkix.Extension{Id: id, Critical: critical, Value: v})
		}
		return entries(entryRecipe{extensions: list})
	}
	general := func(text string) []byte { return element(asn1.GeneralizedTime, []byte(text)) }
	serial := strings.Repeat("\x7f", 20)
	ofCA := func(code ...byte) crlRecipe {
		r := entries(entryRecipe{reason: code})
		r.point = &pointRecipe{notUser: true, flags: []uint8{2}}
		return r
	}
	names := element(asn1.SEQUENCE, element(asn1.Tag(4).ContextSpecific().Constructed(), ca.cert.RawSubject))
	return []crlCase{
		{"absent", "crl.entries-empty", nowhere, nowhere, crlRecipe{}, nil},
		{"an empty SEQUENCE", "crl.entries-empty", everywhere, nowhere, crlRecipe{noEntries: true}, nil},
		{"20 octets", "crl.entry-serial", nowhere, nowhere, entries(entryRecipe{serial: serial}), nil},
		{"21 octets", "crl.entry-serial", everywhere, nowhere, entries(entryRecipe{serial: "\x01" + serial}), nil},
		{"0", "crl.entry-serial", everywhere, nowhere, entries(entryRecipe{serial: "\x00"}), nil},
		{"-1", "crl.entry-serial", everywhere, nowhere, entries(entryRecipe{serial: "\xff"}), nil},
		{"20 octets", "crl.entry-serial-sign", nowhere, nowhere, entries(entryRecipe{serial: serial}), nil},
		{"20 octets and a sign", "crl.entry-serial-sign", nowhere, everywhere, entries(entryRecipe{serial: "\x00\xff" + serial[1:]}), nil},
		{"not DER", "crl.der", everywhere, nowhere, entries(entryRecipe{serial: "\x00\x01"}), nil},
		{"two", "crl.entry-duplicate", nowhere, nowhere, entries(entryRecipe{}, entryRecipe{serial: "\x02"}), nil},
		{"the same twice", "crl.entry-duplicate", everywhere, nowhere, entries(entryRecipe{}, entryRecipe{serial: "\x02"}, entryRecipe{}), nil},
		{"at thisUpdate", "crl.entry-date", nowhere, nowhere, entries(entryRecipe{revoked: now.Add(-hour)}), nil},
		{"after thisUpdate", "crl.entry-date", everywhere, nowhere, entries(entryRecipe{revoked: now.Add(-hour + second)}), nil},
		{"when the issuer began", "crl.entry-date-early", nowhere, nowhere, entries(entryRecipe{revoked: now.Add(-1000 * day)}), nil},
		{"before the issuer was", "crl.entry-date-early", nowhere, everywhere, entries(entryRecipe{revoked: now.Add(-1000*day - second)}), nil},
		{"not critical", "crl.entry-reason-critical", nowhere, nowhere, reason(1), nil},
		{"critical", "crl.entry-reason-critical", everywhere, nowhere, with(idReasonCode, true, []byte{10, 1, 1}), nil},
		{"privilegeWithdrawn", "crl.entry-reason", nowhere, nowhere, reason(9), nil},
		{"unspecified", "crl.entry-reason", everywhere, nowhere, reason(0), nil},
		{"7", "crl.entry-reason", everywhere, nowhere, reason(7), nil},
		{"removeFromCRL", "crl.entry-reason", everywhere, nowhere, reason(8), nil},
		{"11", "crl.entry-reason", everywhere, nowhere, reason(11), nil},
		{"superseded", "crl.entry-reason-profile", nowhere, nowhere, reason(4), nil},
		{"cACompromise", "crl.entry-reason-profile", "br", "private ms moz cs smime", reason(2), nil},
		{"certificateHold", "crl.entry-reason-profile", "br", "private ms moz cs smime", reason(6), nil},
		{"aACompromise", "crl.entry-reason-profile", "br", "private ms moz cs smime", reason(10), nil},
		{"subscriber without", "crl.entry-reason-missing", nowhere, nowhere, entries(entryRecipe{}), nil},
		{"CA with", "crl.entry-reason-missing", nowhere, nowhere, ofCA(5), nil},
		{"CA without", "crl.entry-reason-missing", "br", "private ms moz cs smime", ofCA(), nil},
		{"revocationDate", "crl.entry-invalidity", nowhere, nowhere, with(idInvalidity, false, general(now.Add(-day).Format("20060102150405Z"))), nil},
		{"earlier", "crl.entry-invalidity", "cs", nowhere, with(idInvalidity, false, general("20260101000000Z")), nil},
		{"none", "crl.entry-issuer", nowhere, nowhere, entries(entryRecipe{}), nil},
		{"certificateIssuer", "crl.entry-issuer", everywhere, nowhere, with(idEntryIssuer, true, names), nil},
		{"unknown", "crl.entry-extension-critical", nowhere, nowhere, with(idUnknown, false, []byte{5, 0}), nil},
		{"unknown and critical", "crl.entry-extension-critical", everywhere, nowhere, with(idUnknown, true, []byte{5, 0}), nil},
		{"once", "crl.entry-extension-twice", nowhere, nowhere, with(idUnknown, false, []byte{5, 0}), nil},
		{"twice", "crl.entry-extension-twice", everywhere, nowhere, with(idUnknown, false, []byte{5, 0}, []byte{5, 0}), nil},
	}
}

func crlSetCases(t *testing.T, ca identity) []staticCase {
	crl := func(serials string, uris ...string) []byte {
		r := crlRecipe{issuer: ca}
		for i := range len(serials) {
			r.entries = append(r.entries, entryRecipe{serial: serials[i : i+1]})
		}
		if uris != nil {
			r.point = &pointRecipe{uris: uris, notUser: true}
		}
		return r.der(t)
	}
	const one, two = "http://c.example/1.crl", "http://c.example/2.crl"
	empty := crlRecipe{issuer: ca, point: &pointRecipe{notUser: true}}.der(t)
	first, full := crl("\x01", one), crl("\x01\x02")
	return []staticCase{
		{name: "empty", check: "crl.idp-empty", rejects: everywhere,
			files: map[string][]byte{crlFile: empty, "c.example/2.crl": crl("\x02", two)}},
		{name: "two shards", check: "crl.idp-differs",
			files: map[string][]byte{crlFile: first, "c.example/2.crl": crl("\x02", two)}},
		{name: "a URI of the other", check: "crl.idp-differs", rejects: everywhere,
			files: map[string][]byte{crlFile: first, "c.example/2.crl": crl("\x02", two, one)}},
		{name: "shards and a full CRL", check: "crl.shard-idp",
			files: map[string][]byte{crlFile: first, "c.example/2.crl": crl("\x02", two), "c.example/all.crl": full}},
		{name: "shard without", check: "crl.shard-idp", rejects: "br",
			files: map[string][]byte{crlFile: first, "c.example/2.crl": crl("\x02")}},
		{name: "one at two URLs", check: "crl.full-differs",
			files: map[string][]byte{crlFile: full, "_/all.crl": full}},
		{name: "two", check: "crl.full-differs", rejects: everywhere,
			files: map[string][]byte{crlFile: full, "_/all.crl": crl("\x01\x02\x03")}},
		{name: "at any host", check: "crl.idp-url",
			files: map[string][]byte{"_/1.crl": first, "c.example/2.crl": crl("\x02", two)}},
	}
}

func crlHistoryCases(t *testing.T, ca identity) []staticCase {
	at := func(r crlRecipe) map[string][]byte { r.issuer = ca; return map[string][]byte{crlFile: r.der(t)} }
	number := func(n byte) crlRecipe { return crlRecipe{number: []byte{n}} }
	old := at(number(6))
	of := func(n byte, uris ...string) map[string][]byte {
		return at(crlRecipe{number: []byte{n}, point: &pointRecipe{uris: uris}})
	}
	listing := func(n byte, list ...entryRecipe) map[string][]byte {
		return at(crlRecipe{number: []byte{n}, entries: list})
	}
	earlier := crlRecipe{thisUpdate: now.Add(-hour - second)}
	return []staticCase{
		{name: "greater", check: "crl.previous-number", before: old, files: at(number(7))},
		{name: "the same CRL", check: "crl.previous-number", before: old, files: old},
		{name: "the same number", check: "crl.previous-number", rejects: everywhere, before: old, files: listing(6, entryRecipe{})},
		{name: "smaller", check: "crl.previous-number", rejects: everywhere, before: at(crlRecipe{number: []byte{1, 0}}), files: at(crlRecipe{number: []byte{0, 0xff}})},
		{name: "the same time", check: "crl.previous-this-update", before: old, files: at(crlRecipe{})},
		{name: "earlier", check: "crl.previous-this-update", rejects: everywhere, before: old, files: at(earlier)},
		{name: "one in common", check: "crl.previous-idp", before: of(6, crlURL), files: of(7, crlURL+".new", crlURL)},
		{name: "another", check: "crl.previous-idp", rejects: everywhere, before: of(6, crlURL+".old", crlURL), files: at(crlRecipe{point: &pointRecipe{}})},
		{name: "still listed", check: "crl.previous-entry-unknown", before: listing(6, entryRecipe{}), files: listing(7, entryRecipe{}, entryRecipe{serial: "\x02"})},
		{name: "hold lifted", check: "crl.previous-entry-unknown", before: listing(6, entryRecipe{reason: []byte{6}}), files: listing(7)},
		{name: "not listed", check: "crl.previous-entry-unknown", warns: everywhere, before: listing(6, entryRecipe{}, entryRecipe{serial: "\x02"}), files: listing(7, entryRecipe{})},
		{name: "unexpired and listed", check: "crl.previous-entry", inventory: "01 2026-11-21", before: listing(6, entryRecipe{}), files: listing(7, entryRecipe{})},
		{name: "unexpired", check: "crl.previous-entry", rejects: everywhere, inventory: "01 2026-11-21", before: listing(6, entryRecipe{}), files: listing(7)},
		{name: "expired ten years ago", check: "crl.previous-entry-early", inventory: "01 2016-11-19", before: listing(6, entryRecipe{}), files: listing(7)},
		{name: "expired less than ten years ago", check: "crl.previous-entry-early", rejects: "cs", inventory: "01 2016-11-21", before: listing(6, entryRecipe{}), files: listing(7)},
		{name: "still there", check: "crl.previous-url", before: old, files: old},
		{name: "at any host", check: "crl.previous-url", before: old, files: map[string][]byte{"_/1.crl": old[crlFile]}},
		{name: "the same number, at any host", check: "crl.previous-number", rejects: everywhere, before: old, files: map[string][]byte{"_/1.crl": listing(6, entryRecipe{})[crlFile]}},
		{name: "moved", check: "crl.previous-url", rejects: everywhere, before: old, files: map[string][]byte{"c.example/2.crl": old[crlFile]}},
	}
}
