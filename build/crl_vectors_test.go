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
	"time"

	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/der"
	"lancre/build/internal/recipe"
	"lancre/index"
)

// A staticCase is the recipe of a vector: files to publish, and those published before.
type staticCase struct {
	name, check, rejects, warns string

	files   map[string][]byte
	before  map[string][]byte // nil for a new store
	issuers []recipe.Identity // beside the CA
	alone   bool              // no issuer but those

	inventory string   // of inventoryFile; none if empty
	maxCRL    int64    // Config.MaxCRLSize
	warn      []string // Config.Warn; its warnings are not looked at
	force     []string // Config.Force
}

func (tt staticCase) vector(ca recipe.Identity) vector {
	return vector{tt.name, tt.check, tt.rejects, tt.warns, judgeBuild(ca, tt.config(ca)).without(tt.warn)}
}

// config is that of the build, after the one before.
func (tt staticCase) config(ca recipe.Identity) func(t *testing.T) Config {
	var issuers [][]byte
	if !tt.alone {
		issuers = append(issuers, ca.Cert.Raw)
	}
	for _, is := range tt.issuers {
		issuers = append(issuers, is.Cert.Raw)
	}
	return func(t *testing.T) Config {
		c := Config{Out: t.TempDir(), Static: []string{recipe.Dir(t, tt.files)}, Issuers: []string{recipe.File(t, "issuers", issuers...)}, MaxCRLSize: tt.maxCRL}
		if tt.before != nil {
			before := c
			before.Static = []string{recipe.Dir(t, tt.before)}
			if _, err := run(t, ca, before); err != nil {
				t.Fatal(err)
			}
		}
		c.Warn, c.Force = tt.warn, tt.force
		if tt.inventory != "" {
			c.Inventory = inventoryFile(t, []string{tt.inventory})
		}
		return c
	}
}

// crlURL is where the CRL of a crlCase is published, at crlFile.
const crlURL, crlFile = "http://c.example/1.crl", "c.example/1.crl"

// crlVectors are for checks of CRLs.
func crlVectors(t *testing.T) []vector {
	ca := recipe.NewCA(t, "CA", recipe.P256(), func(c *x509.Certificate) { c.MaxPathLenZero = true })
	var list []vector
	for _, tt := range slices.Concat(crlFormCases(t, ca), crlSignerCases(t, ca), crlTimeCases(ca), crlExtensionCases(ca), crlPointCases(ca), crlEntryCases(ca), crlStrictCases(t, ca), crlKeyCases(t, ca)) {
		if tt.make.Issuer.Cert == nil {
			tt.make.Issuer = ca
		}
		der := tt.der
		if der == nil {
			der = tt.make.DER(t)
		}
		c := staticCase{name: tt.name, check: tt.check, rejects: tt.rejects, warns: tt.warns, files: map[string][]byte{crlFile: der}}
		if tt.make.Issuer.Cert != ca.Cert && tt.check != "crl.issuer" && tt.check != "crl.signature" {
			c.issuers, c.alone = []recipe.Identity{tt.make.Issuer}, true
		}
		if tt.check == "crl.size-max" {
			c.maxCRL = 1000
		}
		list = append(list, c.vector(ca))
	}
	for _, tt := range slices.Concat(crlSetCases(t, ca), crlScopeCases(t), crlHistoryCases(t, ca), crlDeltaCases(t, ca)) {
		list = append(list, tt.vector(ca))
	}
	return append(list, crlStillVectors(t, ca)...)
}

// A crlCase is the recipe of a vector: one CRL.
type crlCase struct {
	name, check, rejects, warns string

	make recipe.CRL
	der  []byte // in place of it
}

const longProfiles, public = "br moz cs", "br ms moz cs smime"

func crlFormCases(t *testing.T, ca recipe.Identity) []crlCase {
	good := recipe.CRL{Issuer: ca}.DER(t)
	rsaCA := recipe.NewCA(t, "RSA", recipe.RSA()) // whose signatures all have one size
	sized := func(size int) recipe.CRL {
		r := recipe.CRL{Issuer: rsaCA, Padding: size / 2}
		r.Padding += size - len(r.DER(t))
		return r
	}
	return []crlCase{
		{"good", "crl.der", nowhere, nowhere, recipe.CRL{}, good},
		{"with entries", "crl.der", nowhere, nowhere, recipe.CRL{Entries: []recipe.CRLEntry{{}, {Serial: "\x02"}}}, nil},
		{"more behind the extensions", "crl.der", everywhere, nowhere, recipe.CRL{AfterExtensions: []byte{5, 0}}, nil},
		{"version 2", "crl.version", nowhere, nowhere, recipe.CRL{}, nil},
		{"version 1", "crl.version", everywhere, nowhere, recipe.CRL{NoVersion: true}, nil},
		{"as large as can be", "crl.size", nowhere, nowhere, sized(10e6 - 1), nil},
		{"large", "crl.size", nowhere, "ms", sized(10e6), nil},
		{"as large as is wanted", "crl.size-max", nowhere, nowhere, sized(1000), nil},
		{"larger than is wanted", "crl.size-max", everywhere, nowhere, sized(1001), nil},
	}
}

func crlSignerCases(t *testing.T, ca recipe.Identity) []crlCase {
	noSign := recipe.NewCA(t, "CA", recipe.P256(), func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign })
	noUsage := recipe.NewCA(t, "CA", recipe.P256(), func(c *x509.Certificate) { c.KeyUsage = 0 })
	rsaCA, small := recipe.NewCA(t, "RSA", recipe.RSA()), recipe.NewCA(t, "RSA-1024", smallRSA(t))
	of := func(key crypto.Signer) recipe.CRL { return recipe.CRL{Issuer: recipe.NewCA(t, "CA of a key", key)} }
	sha1 := der.MustHex("300d06092a864886f70d0101050500")
	return []crlCase{
		{"the same inside and outside", "crl.algorithms-differ", nowhere, nowhere, recipe.CRL{Issuer: rsaCA}, nil},
		{"another inside", "crl.algorithms-differ", everywhere, nowhere, recipe.CRL{Inner: recipe.AlgorithmID(x509.ECDSAWithSHA384)}, nil},
		{"SHA-256", "crl.algorithm", nowhere, nowhere, recipe.CRL{Issuer: rsaCA}, nil},
		{"SHA-1", "crl.algorithm", everywhere, nowhere, recipe.CRL{Issuer: rsaCA, Algorithm: sha1}, nil},
		{"RSA-PSS with a long salt", "crl.algorithm-profile", public, nowhere, recipe.CRL{Issuer: rsaCA, Algorithm: recipe.PSS(index.SHA256, 200, "\x05\x00")}, nil},
		{"RSA-PSS with parameters of its hash left out", "crl.algorithm-form", "br", nowhere, recipe.CRL{Issuer: rsaCA, Algorithm: recipe.PSS(index.SHA512, 64, "")}, nil},
		{"P-384 with SHA-384", "crl.algorithm-profile", nowhere, nowhere, of(recipe.P384()), nil},
		{"Ed25519", "crl.algorithm-profile", public, nowhere, of(recipe.Ed25519()), nil},
		{"P-256 without parameters", "crl.algorithm-form", nowhere, nowhere, recipe.CRL{}, nil},
		{"P-256 with NULL parameters", "crl.algorithm-form", "br", nowhere, recipe.CRL{Algorithm: der.MustHex("300c06082a8648ce3d0403020500")}, nil},
		{"RSA-2048", "crl.key", nowhere, nowhere, recipe.CRL{Issuer: rsaCA}, nil},
		{"RSA-1024", "crl.key", everywhere, nowhere, recipe.CRL{Issuer: small}, nil},
		{"no key usage", "crl.issuer-key-usage", nowhere, nowhere, recipe.CRL{Issuer: noUsage}, nil},
		{"key usage without cRLSign", "crl.issuer-key-usage", everywhere, nowhere, recipe.CRL{Issuer: noSign}, nil},
		{"signed", "crl.signature", nowhere, nowhere, recipe.CRL{}, nil},
		{"by another key", "crl.signature", everywhere, nowhere, recipe.CRL{Issuer: recipe.NewCA(t, "CA", recipe.OtherP256())}, nil},
		{"spoilt", "crl.signature", everywhere, nowhere, recipe.CRL{Spoil: true}, nil},
		{"known", "crl.issuer", nowhere, nowhere, recipe.CRL{}, nil},
		{"unknown", "crl.issuer", public, "private", recipe.CRL{Issuer: recipe.NewCA(t, "stranger", recipe.OtherP256())}, nil},
	}
}

func crlTimeCases(ca recipe.Identity) []crlCase {
	this, next := recipe.Now.Add(-recipe.Hour).Format("060102150405Z"), recipe.Now.Add(7*recipe.Day).Format("060102150405Z")
	times := func(list ...[]byte) recipe.CRL { return recipe.CRL{Times: bytes.Join(list, nil)} }
	general := func(text string) []byte { return recipe.Element(asn1.GeneralizedTime, []byte(text)) }
	noEnd := recipe.CRL{ThisUpdate: recipe.Now, NextUpdate: recipe.Now.Add(10*recipe.Day - recipe.Second)}
	long := noEnd
	long.NextUpdate = recipe.Now.Add(10 * recipe.Day)
	forCAs := &recipe.CRLPoint{NotUser: true, Flags: []uint8{2}}
	year := recipe.CRL{ThisUpdate: recipe.Now, NextUpdate: recipe.Now.Add(366*recipe.Day - recipe.Second), Point: forCAs}
	overYear := year
	overYear.NextUpdate = recipe.Now.Add(366 * recipe.Day)
	return []crlCase{
		{"UTCTime", "crl.time-form", nowhere, nowhere, times(recipe.UTCTime(this), recipe.UTCTime(next)), nil},
		{"GeneralizedTime before 2050", "crl.time-form", everywhere, nowhere, times(recipe.UTCTime(this), general("20"+next)), nil},
		{"without seconds", "crl.time-form", everywhere, nowhere, times(recipe.UTCTime("2611201100Z"), recipe.UTCTime(next)), nil},
		{"with an offset", "crl.time-form", everywhere, nowhere, times(recipe.UTCTime("261120110000+0000"), recipe.UTCTime(next)), nil},
		{"with a fraction", "crl.time-form", everywhere, nowhere, times(recipe.UTCTime(this), general("20501120110000.5Z")), nil},
		{"300 s in the future", "crl.time-this-update", nowhere, nowhere, recipe.CRL{ThisUpdate: recipe.Now.Add(300 * recipe.Second)}, nil},
		{"301 s in the future", "crl.time-this-update", everywhere, nowhere, recipe.CRL{ThisUpdate: recipe.Now.Add(301 * recipe.Second)}, nil},
		{"nextUpdate in a minute", "crl.time-next-update", nowhere, nowhere, recipe.CRL{ThisUpdate: recipe.Now, NextUpdate: recipe.Now.Add(60 * recipe.Second)}, nil},
		{"no nextUpdate", "crl.time-next-update", everywhere, nowhere, recipe.CRL{NoNextUpdate: true}, nil},
		{"nextUpdate is thisUpdate", "crl.time-next-update", everywhere, nowhere, recipe.CRL{ThisUpdate: recipe.Now, NextUpdate: recipe.Now}, nil},
		{"expires in a second", "crl.time-expired", nowhere, nowhere, recipe.CRL{ThisUpdate: recipe.Now, NextUpdate: recipe.Now.Add(recipe.Second)}, nil},
		{"expired", "crl.time-expired", everywhere, nowhere, recipe.CRL{NextUpdate: recipe.Now}, nil},
		{"10 days", "crl.time-validity", nowhere, nowhere, noEnd, nil},
		{"10 days and a second", "crl.time-validity", longProfiles, nowhere, long, nil},
		{"366 days", "crl.time-validity", nowhere, nowhere, year, nil},
		{"366 days and a second", "crl.time-validity", longProfiles, nowhere, overYear, nil},
		{"4 days old", "crl.time-age", nowhere, nowhere, recipe.CRL{ThisUpdate: recipe.Now.Add(-4 * recipe.Day), NextUpdate: recipe.Now.Add(5 * recipe.Day)}, nil},
		{"4 days and a second old", "crl.time-age", nowhere, everywhere, recipe.CRL{ThisUpdate: recipe.Now.Add(-4*recipe.Day - recipe.Second), NextUpdate: recipe.Now.Add(5 * recipe.Day)}, nil},
		{"half of the time over", "crl.time-half", nowhere, nowhere, recipe.CRL{ThisUpdate: recipe.Now.Add(-3 * recipe.Day), NextUpdate: recipe.Now.Add(3 * recipe.Day)}, nil},
		{"more than half", "crl.time-half", nowhere, everywhere, recipe.CRL{ThisUpdate: recipe.Now.Add(-3*recipe.Day - recipe.Second), NextUpdate: recipe.Now.Add(3*recipe.Day - recipe.Second)}, nil},
	}
}

func crlExtensionCases(ca recipe.Identity) []crlCase {
	with := func(id stdasn1.ObjectIdentifier, critical bool, times int) recipe.CRL {
		return recipe.CRL{Extensions: slices.Repeat([]pkix.Extension{{Id: id, Critical: critical, Value: []byte{2, 1, 1}}}, times)}
	}
	largest := append([]byte{0x7f}, bytes.Repeat([]byte{0xff}, 19)...)
	return []crlCase{
		{"2^159-1", "crl.number", nowhere, nowhere, recipe.CRL{Number: largest}, nil},
		{"2^159", "crl.number", everywhere, nowhere, recipe.CRL{Number: append([]byte{0x00, 0x80}, make([]byte, 19)...)}, nil},
		{"absent", "crl.number", everywhere, nowhere, recipe.CRL{NoNumber: true}, nil},
		{"critical", "crl.number", everywhere, nowhere, recipe.CRL{CriticalNumber: true}, nil},
		{"negative", "crl.number", everywhere, nowhere, recipe.CRL{Number: []byte{0xff}}, nil},
		{"not DER", "crl.der", everywhere, nowhere, recipe.CRL{Number: []byte{0, 1}}, nil},
		{"present", "crl.authority-key-id", nowhere, nowhere, recipe.CRL{}, nil},
		{"absent", "crl.authority-key-id", public, "private", recipe.CRL{NoKeyID: true}, nil},
		{"another", "crl.authority-key-id", public, "private", recipe.CRL{KeyID: []byte("another")}, nil},
		{"complete", "crl.delta", nowhere, nowhere, recipe.CRL{}, nil},
		{"present", "crl.next-publish", nowhere, nowhere, recipe.CRL{}, nil},
		{"absent", "crl.next-publish", nowhere, "ms", recipe.CRL{NoNextPublish: true}, nil},
		{"unknown", "crl.extension-critical", nowhere, nowhere, with(recipe.IDUnknown, false, 1), nil},
		{"unknown and critical", "crl.extension-critical", everywhere, nowhere, with(recipe.IDUnknown, true, 1), nil},
		{"once", "crl.extension-twice", nowhere, nowhere, with(recipe.IDUnknown, false, 1), nil},
		{"twice", "crl.extension-twice", everywhere, nowhere, with(recipe.IDUnknown, false, 2), nil},
		{"too many", "crl.der", everywhere, nowhere, with(recipe.IDUnknown, false, 64), nil},
	}
}

func crlPointCases(ca recipe.Identity) []crlCase {
	point := func(p recipe.CRLPoint) recipe.CRL { return recipe.CRL{Point: &p} }
	here, path := []string{crlURL}, strings.Replace(crlURL, "http", "https", 1)
	directory := recipe.Element(der.Tag0, recipe.Element(asn1.Tag(4).ContextSpecific().Constructed(), ca.Cert.RawSubject))
	return []crlCase{
		{"critical", "crl.idp-critical", nowhere, nowhere, point(recipe.CRLPoint{URIs: here}), nil},
		{"not critical", "crl.idp-critical", everywhere, nowhere, point(recipe.CRLPoint{URIs: here, NotCritical: true}), nil},
		{"one element", "crl.idp-empty", nowhere, nowhere, point(recipe.CRLPoint{}), nil},
		{"not indirect", "crl.idp-indirect", nowhere, nowhere, point(recipe.CRLPoint{}), nil},
		{"indirect", "crl.idp-indirect", public, "private", point(recipe.CRLPoint{Flags: []uint8{4}}), nil},
		{"for user certificates", "crl.idp-attribute", nowhere, nowhere, point(recipe.CRLPoint{}), nil},
		{"for attribute certificates", "crl.idp-attribute", public, "private", point(recipe.CRLPoint{NotUser: true, Flags: []uint8{5}}), nil},
		{"for CA certificates", "crl.idp-only", nowhere, nowhere, point(recipe.CRLPoint{NotUser: true, Flags: []uint8{2}}), nil},
		{"for both alone", "crl.idp-only", everywhere, nowhere, point(recipe.CRLPoint{Flags: []uint8{2}}), nil},
		{"for all reasons", "crl.idp-reasons", nowhere, nowhere, point(recipe.CRLPoint{}), nil},
		{"for some reasons", "crl.idp-reasons", nowhere, everywhere, point(recipe.CRLPoint{Flags: []uint8{3}}), nil},
		{"a URI", "crl.idp-name", nowhere, nowhere, point(recipe.CRLPoint{URIs: here}), nil},
		{"a directory name", "crl.idp-name", public, "private", point(recipe.CRLPoint{Name: directory}), nil},
		{"relative to the issuer", "crl.idp-name", public, "private", point(recipe.CRLPoint{Name: recipe.Element(der.Tag1, nil)}), nil},
		{"http", "crl.idp-scheme", nowhere, nowhere, point(recipe.CRLPoint{URIs: here}), nil},
		{"https too", "crl.idp-scheme", "br", nowhere, point(recipe.CRLPoint{URIs: []string{crlURL, path}}), nil},
		{"where it is published, among others", "crl.idp-url", nowhere, nowhere, point(recipe.CRLPoint{URIs: []string{crlURL + ".old", crlURL}}), nil},
		{"with a port", "crl.idp-url", everywhere, nowhere, point(recipe.CRLPoint{URIs: []string{"http://c.example:80/1.crl"}}), nil},
		{"in upper case", "crl.idp-url", everywhere, nowhere, point(recipe.CRLPoint{URIs: []string{"http://C.example/1.crl"}}), nil},
		{"escaped otherwise", "crl.idp-url", everywhere, nowhere, point(recipe.CRLPoint{URIs: []string{"http://c.example/%31.crl"}}), nil},
		{"scope of its own", "crl.full-idp", nowhere, nowhere, point(recipe.CRLPoint{URIs: here}), nil},
		{"full", "crl.full-idp", nowhere, public, point(recipe.CRLPoint{URIs: here, NotUser: true}), nil},
	}
}

func crlEntryCases(ca recipe.Identity) []crlCase {
	entries := func(list ...recipe.CRLEntry) recipe.CRL { return recipe.CRL{Entries: list} }
	reason := func(code byte) recipe.CRL { return entries(recipe.CRLEntry{Reason: []byte{code}}) }
	with := func(id stdasn1.ObjectIdentifier, critical bool, value ...[]byte) recipe.CRL {
		var list []pkix.Extension
		for _, v := range value {
			list = append(list, pkix.Extension{Id: id, Critical: critical, Value: v})
		}
		return entries(recipe.CRLEntry{Extensions: list})
	}
	general := func(text string) []byte { return recipe.Element(asn1.GeneralizedTime, []byte(text)) }
	serial := strings.Repeat("\x7f", 20)
	ofCA := func(code ...byte) recipe.CRL {
		r := entries(recipe.CRLEntry{Reason: code})
		r.Point = &recipe.CRLPoint{NotUser: true, Flags: []uint8{2}}
		return r
	}
	names := recipe.Element(asn1.SEQUENCE, recipe.Element(asn1.Tag(4).ContextSpecific().Constructed(), ca.Cert.RawSubject))
	return []crlCase{
		{"absent", "crl.entries-empty", nowhere, nowhere, recipe.CRL{}, nil},
		{"an empty SEQUENCE", "crl.entries-empty", everywhere, nowhere, recipe.CRL{NoEntries: true}, nil},
		{"20 octets", "crl.entry-serial", nowhere, nowhere, entries(recipe.CRLEntry{Serial: serial}), nil},
		{"21 octets", "crl.entry-serial", everywhere, nowhere, entries(recipe.CRLEntry{Serial: "\x01" + serial}), nil},
		{"0", "crl.entry-serial", everywhere, nowhere, entries(recipe.CRLEntry{Serial: "\x00"}), nil},
		{"-1", "crl.entry-serial", everywhere, nowhere, entries(recipe.CRLEntry{Serial: "\xff"}), nil},
		{"20 octets", "crl.entry-serial-sign", nowhere, nowhere, entries(recipe.CRLEntry{Serial: serial}), nil},
		{"20 octets and a sign", "crl.entry-serial-sign", nowhere, everywhere, entries(recipe.CRLEntry{Serial: "\x00\xff" + serial[1:]}), nil},
		{"not DER", "crl.der", everywhere, nowhere, entries(recipe.CRLEntry{Serial: "\x00\x01"}), nil},
		{"two", "crl.entry-duplicate", nowhere, nowhere, entries(recipe.CRLEntry{}, recipe.CRLEntry{Serial: "\x02"}), nil},
		{"the same twice", "crl.entry-duplicate", everywhere, nowhere, entries(recipe.CRLEntry{}, recipe.CRLEntry{Serial: "\x02"}, recipe.CRLEntry{}), nil},
		{"at thisUpdate", "crl.entry-date", nowhere, nowhere, entries(recipe.CRLEntry{Revoked: recipe.Now.Add(-recipe.Hour)}), nil},
		{"10 minutes after thisUpdate", "crl.entry-date", nowhere, nowhere, entries(recipe.CRLEntry{Revoked: recipe.Now.Add(-recipe.Hour + 600*recipe.Second)}), nil},
		{"10 minutes and a second after thisUpdate", "crl.entry-date", public, "private", entries(recipe.CRLEntry{Revoked: recipe.Now.Add(-recipe.Hour + 601*recipe.Second)}), nil},
		{"when the issuer began", "crl.entry-date-early", nowhere, nowhere, entries(recipe.CRLEntry{Revoked: recipe.Now.Add(-1000 * recipe.Day)}), nil},
		{"before the issuer was", "crl.entry-date-early", nowhere, everywhere, entries(recipe.CRLEntry{Revoked: recipe.Now.Add(-1000*recipe.Day - recipe.Second)}), nil},
		{"not critical", "crl.entry-reason-critical", nowhere, nowhere, reason(1), nil},
		{"critical", "crl.entry-reason-critical", everywhere, nowhere, with(recipe.IDReasonCode, true, []byte{10, 1, 1}), nil},
		{"privilegeWithdrawn", "crl.entry-reason", nowhere, nowhere, reason(9), nil},
		{"superseded", "crl.entry-reason-unspecified", nowhere, nowhere, reason(4), nil},
		{"unspecified", "crl.entry-reason-unspecified", public, "private", reason(0), nil},
		{"7", "crl.entry-reason", everywhere, nowhere, reason(7), nil},
		{"removeFromCRL", "crl.entry-reason", everywhere, nowhere, reason(8), nil},
		{"11", "crl.entry-reason", everywhere, nowhere, reason(11), nil},
		{"superseded", "crl.entry-reason-profile", nowhere, nowhere, reason(4), nil},
		{"cACompromise", "crl.entry-reason-profile", "br", "private ms moz cs smime", reason(2), nil},
		{"certificateHold", "crl.entry-reason-profile", "br", "private ms moz cs smime", reason(6), nil},
		{"aACompromise", "crl.entry-reason-profile", "br", "private ms moz cs smime", reason(10), nil},
		{"subscriber without", "crl.entry-reason-missing", nowhere, nowhere, entries(recipe.CRLEntry{}), nil},
		{"CA with", "crl.entry-reason-missing", nowhere, nowhere, ofCA(5), nil},
		{"CA without", "crl.entry-reason-missing", "br", "private ms moz cs smime", ofCA(), nil},
		{"revocationDate", "crl.entry-invalidity", nowhere, nowhere, with(recipe.IDInvalidity, false, general(recipe.Now.Add(-recipe.Day).Format("20060102150405Z"))), nil},
		{"earlier", "crl.entry-invalidity", "cs", nowhere, with(recipe.IDInvalidity, false, general("20260101000000Z")), nil},
		{"none", "crl.entry-issuer", nowhere, nowhere, entries(recipe.CRLEntry{}), nil},
		{"certificateIssuer", "crl.entry-issuer", everywhere, nowhere, with(recipe.IDEntryIssuer, true, names), nil},
		{"unknown", "crl.entry-extension-critical", nowhere, nowhere, with(recipe.IDUnknown, false, []byte{5, 0}), nil},
		{"unknown and critical", "crl.entry-extension-critical", everywhere, nowhere, with(recipe.IDUnknown, true, []byte{5, 0}), nil},
		{"once", "crl.entry-extension-twice", nowhere, nowhere, with(recipe.IDUnknown, false, []byte{5, 0}), nil},
		{"twice", "crl.entry-extension-twice", everywhere, nowhere, with(recipe.IDUnknown, false, []byte{5, 0}, []byte{5, 0}), nil},
	}
}

func crlSetCases(t *testing.T, ca recipe.Identity) []staticCase {
	crl := func(serials string, uris ...string) []byte {
		r := recipe.CRL{Issuer: ca}
		for i := range len(serials) {
			r.Entries = append(r.Entries, recipe.CRLEntry{Serial: serials[i : i+1]})
		}
		if uris != nil {
			r.Point = &recipe.CRLPoint{URIs: uris, NotUser: true}
		}
		return r.DER(t)
	}
	const one, two = "http://c.example/1.crl", "http://c.example/2.crl"
	named := []byte("url,file\nhttp://c.example:8080/%7Ex?y=%c3%bc,c.example/x.crl\n")
	empty := recipe.CRL{Issuer: ca, Point: &recipe.CRLPoint{NotUser: true}}.DER(t)
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
		{name: "two", check: "crl.full-differs", rejects: public, warns: "private",
			files: map[string][]byte{crlFile: full, "_/all.crl": crl("\x01\x02\x03")}},
		{name: "a URL that was named", check: "crl.idp-url",
			files: map[string][]byte{"urls.csv": named, "c.example/x.crl": crl("\x01", "http://c.example:8080/%7Ex?y=%c3%bc"), "c.example/2.crl": crl("\x02", two)}},
		{name: "one that was named otherwise", check: "crl.idp-url", rejects: everywhere,
			files: map[string][]byte{"urls.csv": named, "c.example/x.crl": crl("\x01", "http://c.example:8080/~x?y=%c3%bc"), "c.example/2.crl": crl("\x02", two)}},
		{name: "a query in the name of the file", check: "crl.idp-url",
			files: map[string][]byte{"c.example/search.cgi?iHash=AbC": crl("\x01", "http://c.example/search.cgi?iHash=AbC"), "c.example/2.crl": crl("\x02", two)}},
		{name: "another query", check: "crl.idp-url", rejects: everywhere,
			files: map[string][]byte{"c.example/search.cgi?iHash=AbC": crl("\x01", "http://c.example/search.cgi?iHash=abc"), "c.example/2.crl": crl("\x02", two)}},
		{name: "https that was named", check: "crl.idp-scheme", rejects: "br",
			files: map[string][]byte{"urls.csv": []byte("\ufeffurl,file\nhttps://c.example/x.crl,c.example/x.crl\n"), "c.example/x.crl": crl("\x01", "https://c.example/x.crl"), "c.example/2.crl": crl("\x02", two)}},
		{name: "at any host", check: "crl.idp-url",
			files: map[string][]byte{"_/1.crl": first, "c.example/2.crl": crl("\x02", two)}},
	}
}

// crlStillVectors are a CRL that expires an hour after now, published then and once
// again, an hour later.
func crlStillVectors(t *testing.T, ca recipe.Identity) []vector {
	ends := recipe.CRL{Issuer: ca, NextUpdate: recipe.Now.Add(recipe.Hour)}.DER(t)
	build := func(at time.Duration) judgement {
		return judgeBuild(ca, func(t *testing.T) Config {
			c := Config{Out: t.TempDir(), Static: []string{recipe.Dir(t, map[string][]byte{crlFile: ends})}}
			if _, err := run(t, ca, c); err != nil {
				t.Fatal(err)
			}
			c.At = recipe.Now.Add(at)
			return c
		}).without([]string{"build.rhythm"}) // by then the other is an hour old
	}
	return []vector{
		{"a second before", "crl.time-expired-still", nowhere, nowhere, build(recipe.Hour - recipe.Second)},
		{"expired since", "crl.time-expired-still", nowhere, everywhere, build(recipe.Hour)},
	}
}

func crlHistoryCases(t *testing.T, ca recipe.Identity) []staticCase {
	at := func(r recipe.CRL) map[string][]byte { r.Issuer = ca; return map[string][]byte{crlFile: r.DER(t)} }
	number := func(n byte) recipe.CRL { return recipe.CRL{Number: []byte{n}} }
	old := at(number(6))
	of := func(n byte, uris ...string) map[string][]byte {
		return at(recipe.CRL{Number: []byte{n}, Point: &recipe.CRLPoint{URIs: uris}})
	}
	listing := func(n byte, list ...recipe.CRLEntry) map[string][]byte {
		return at(recipe.CRL{Number: []byte{n}, Entries: list})
	}
	earlier := recipe.CRL{ThisUpdate: recipe.Now.Add(-recipe.Hour - recipe.Second)}
	return []staticCase{
		{name: "greater", check: "crl.previous-number", before: old, files: at(number(7))},
		{name: "the same CRL", check: "crl.previous-number", before: old, files: old},
		{name: "the same number", check: "crl.previous-number", rejects: everywhere, before: old, files: listing(6, recipe.CRLEntry{})},
		{name: "smaller", check: "crl.previous-number", rejects: everywhere, before: at(recipe.CRL{Number: []byte{1, 0}}), files: at(recipe.CRL{Number: []byte{0, 0xff}})},
		{name: "the same time", check: "crl.previous-this-update", before: old, files: at(recipe.CRL{})},
		{name: "earlier", check: "crl.previous-this-update", rejects: everywhere, before: old, files: at(earlier)},
		{name: "one in common", check: "crl.previous-idp", before: of(6, crlURL), files: of(7, crlURL+".new", crlURL)},
		{name: "another", check: "crl.previous-idp", rejects: everywhere, before: of(6, crlURL+".old", crlURL), files: at(recipe.CRL{Point: &recipe.CRLPoint{}})},
		{name: "still listed", check: "crl.previous-entry-unknown", before: listing(6, recipe.CRLEntry{}), files: listing(7, recipe.CRLEntry{}, recipe.CRLEntry{Serial: "\x02"})},
		{name: "hold lifted", check: "crl.previous-entry-unknown", before: listing(6, recipe.CRLEntry{Reason: []byte{6}}), files: listing(7)},
		{name: "not listed", check: "crl.previous-entry-unknown", warns: everywhere, before: listing(6, recipe.CRLEntry{}, recipe.CRLEntry{Serial: "\x02"}), files: listing(7, recipe.CRLEntry{})},
		{name: "unexpired and listed", check: "crl.previous-entry", inventory: "01 2026-11-21", before: listing(6, recipe.CRLEntry{}), files: listing(7, recipe.CRLEntry{})},
		{name: "unexpired", check: "crl.previous-entry", rejects: everywhere, inventory: "01 2026-11-21", before: listing(6, recipe.CRLEntry{}), files: listing(7)},
		{name: "expired ten years ago", check: "crl.previous-entry-early", inventory: "01 2016-11-19", before: listing(6, recipe.CRLEntry{}), files: listing(7)},
		{name: "expired less than ten years ago", check: "crl.previous-entry-early", rejects: "cs", inventory: "01 2016-11-21", before: listing(6, recipe.CRLEntry{}), files: listing(7)},
		{name: "still there", check: "crl.previous-url", before: old, files: old},
		{name: "at any host", check: "crl.previous-url", before: old, files: map[string][]byte{"_/1.crl": old[crlFile]}},
		{name: "the same number, at any host", check: "crl.previous-number", rejects: everywhere, before: old, files: map[string][]byte{"_/1.crl": listing(6, recipe.CRLEntry{})[crlFile]}},
		{name: "moved", check: "crl.previous-url", rejects: everywhere, before: old, files: map[string][]byte{"c.example/2.crl": old[crlFile]}},
	}
}
