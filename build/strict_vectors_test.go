package build

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"maps"
	"slices"
	"testing"

	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/crl"
	"lancre/build/der"
	"lancre/build/internal/recipe"
)

// Extensions that nobody knows, in DER, and what is wrong with them.
var (
	unknownOID = "\x2a\x03"
	plain      = recipe.RawExtension(unknownOID, []byte{5, 0})
	explicit   = recipe.RawExtension(unknownOID, []byte{5, 0}, 0x00)
	malformed  = map[string][]byte{ // by what is
		"OID empty":               recipe.RawExtension("", []byte{5, 0}),
		"OID cut":                 recipe.RawExtension("\x2a\x80", []byte{5, 0}),
		"OID cut after an arc":    recipe.RawExtension("\x2a\x03\x81", []byte{5, 0}),
		"OID padded":              recipe.RawExtension("\x80\x2a\x03", []byte{5, 0}),
		"OID padded inside":       recipe.RawExtension("\x2a\x80\x03", []byte{5, 0}),
		"critical neither":        recipe.RawExtension(unknownOID, []byte{5, 0}, 0x01),
		"critical of two octets":  recipe.RawExtension(unknownOID, []byte{5, 0}, 0xff, 0xff),
		"critical without octets": recipe.RawExtension(unknownOID, []byte{5, 0}, []byte{}...),
		"no value":                recipe.Element(asn1.SEQUENCE, recipe.Element(asn1.OBJECT_IDENTIFIER, []byte(unknownOID))),
		"no SEQUENCE":             {5, 0},
		"no extension":            {},
	}
)

// strictCases are responses and certificates in them whose DER parsers refuse, or would.
func strictCases(t *testing.T, ca recipe.Identity) (list []checkCase) {
	whole := func(content []byte) recipe.Response { return recipe.Response{Issuer: ca, ExtensionsDER: content} }
	single := func(content []byte) recipe.Response {
		return recipe.Response{Issuer: ca, SingleExtensionsDER: content}
	}
	responder := recipe.NewResponder(t, ca, recipe.OtherP256())
	extensions := recipe.ExtensionsOf(responder.Cert)
	delegated := func(content []byte, behind ...byte) recipe.Response {
		r := recipe.WithExtensions(t, responder, ca, content, behind...)
		return recipe.Response{Issuer: ca, Signer: r, Certs: []recipe.Identity{r}}
	}
	for _, name := range slices.Sorted(maps.Keys(malformed)) {
		list = append(list,
			checkCase{"responseExtensions, " + name, whole(malformed[name]), "ocsp.der", everywhere, nowhere},
			checkCase{"singleExtensions, " + name, single(malformed[name]), "ocsp.der", everywhere, nowhere})
	}
	trailing := recipe.RawExtension("\x55\x1d\x0f", []byte{3, 2, 7, 0x80, 0})
	direct := func(certs []byte) recipe.Response { return recipe.Response{Issuer: ca, CertsDER: certs} }
	none := recipe.WithExtensions(t, ca, ca, nil)
	return append(list, []checkCase{
		{"a certificate with empty Extensions", direct(none.Cert.Raw), "ocsp.der", everywhere, nowhere},
		{"a delegate with octets behind Extensions", delegated(extensions, 5, 0), "ocsp.der", everywhere, nowhere},
		{"a delegate with octets behind keyUsage", delegated(withoutKeyUsage(extensions, trailing)), "ocsp.der", everywhere, nowhere},
		{"direct, certs a certificate", direct(ca.Cert.Raw), "ocsp.der", nowhere, nowhere},
		{"direct, certs no SEQUENCE", direct([]byte{4, 0}), "ocsp.der", everywhere, nowhere},
		{"direct, certs an empty SEQUENCE", direct([]byte{0x30, 0}), "ocsp.der", everywhere, nowhere},
		{"direct, certs cut", direct(ca.Cert.Raw[:100]), "ocsp.der", everywhere, nowhere},
		{"direct, certs a certificate and junk", direct(append(slices.Clone(ca.Cert.Raw), 0x30, 0)), "ocsp.der", everywhere, nowhere},

		{"once in each", recipe.Response{Issuer: ca, ExtensionsDER: plain, SingleExtensionsDER: plain}, "ocsp.extension-twice", nowhere, nowhere},
		{"twice in responseExtensions", whole(slices.Concat(plain, plain)), "ocsp.extension-twice", everywhere, nowhere},
		{"twice in singleExtensions", single(slices.Concat(plain, plain)), "ocsp.extension-twice", everywhere, nowhere},
		{"critical left out", single(recipe.RawExtension(archiveCutoff, general)), "ocsp.critical-explicit", nowhere, nowhere},
		{"FALSE in singleExtensions", single(recipe.RawExtension(archiveCutoff, general, 0)), "ocsp.critical-explicit", nowhere, everywhere},
		{"FALSE in a delegate", delegated(withoutKeyUsage(extensions, recipe.RawExtension("\x55\x1d\x0f", []byte{3, 2, 7, 0x80}, 0))), "ocsp.critical-explicit", nowhere, everywhere},
	}...)
}

// archiveCutoff is the OID of that extension, general a value that it can have.
const archiveCutoff = "\x2b\x06\x01\x05\x05\x07\x30\x01\x06"

var general = recipe.Element(asn1.GeneralizedTime, []byte("20200101000000Z"))

// withoutKeyUsage is the content of Extensions with another one in place of keyUsage,
// which is the first.
func withoutKeyUsage(extensions, with []byte) []byte {
	return append(slices.Clone(with), extensions[2+int(extensions[1]):]...)
}

// valueCases are responses with extensions whose value is of their type, and not.
func valueCases(ca recipe.Identity) (list []checkCase) {
	single := func(oid string, value []byte) recipe.Response {
		return recipe.Response{Issuer: ca, SingleExtensionsDER: recipe.RawExtension(oid, value)}
	}
	whole := func(oid string, value []byte, critical ...byte) recipe.Response {
		return recipe.Response{Issuer: ca, ExtensionsDER: recipe.RawExtension(oid, value, critical...)}
	}
	crlID, scts, certHash := der.MustHex("2b0601050507300103"), der.MustHex("2b06010401d679020405"), der.MustHex("2b2408030d")
	for _, tt := range []struct {
		name, oid string
		value     []byte
		rejects   string
	}{
		{"archiveCutoff", archiveCutoff, general, nowhere},
		{"archiveCutoff NULL", archiveCutoff, []byte{5, 0}, everywhere},
		{"archiveCutoff with more behind", archiveCutoff, append(slices.Clone(general), 5, 0), everywhere},
		{"archiveCutoff without seconds", archiveCutoff, recipe.Element(asn1.GeneralizedTime, []byte("202001010000Z")), everywhere},
		{"no value", archiveCutoff, nil, everywhere},
		{"CrlID", crlID, recipe.Element(asn1.SEQUENCE, recipe.Element(asn1.Tag(0xa1), []byte{2, 1, 7})), nowhere},
		{"CrlID with a padded number", crlID, recipe.Element(asn1.SEQUENCE, recipe.Element(asn1.Tag(0xa1), []byte{2, 2, 0, 7})), everywhere},
		{"CrlID cut", crlID, []byte{0x30, 5, 0xa1}, everywhere},
		{"SCTs", scts, []byte{4, 2, 0, 0}, nowhere},
		{"SCTs without OCTET STRING", scts, []byte{0, 0}, everywhere},
		{"certHash a NULL", certHash, []byte{5, 0}, everywhere},
		{"invalidityDate a UTCTime", "\x55\x1d\x18", recipe.UTCTime("200101000000Z"), everywhere},
	} {
		list = append(list, checkCase{tt.name, single(tt.oid, tt.value), "ocsp.extension-value", tt.rejects, nowhere})
	}
	return append(list, []checkCase{
		{"NULL", whole(extendedRevoke, []byte{5, 0}), "ocsp.extended-revoke-form", nowhere, nowhere},
		{"critical", whole(extendedRevoke, []byte{5, 0}, 0xff), "ocsp.extended-revoke-form", everywhere, nowhere},
		{"an empty SEQUENCE", whole(extendedRevoke, []byte{0x30, 0}), "ocsp.extended-revoke-form", everywhere, nowhere},
		{"no octet", whole(extendedRevoke, nil), "ocsp.extended-revoke-form", everywhere, nowhere},
		{"NULL and more", whole(extendedRevoke, []byte{5, 0, 5, 0}), "ocsp.extended-revoke-form", everywhere, nowhere},
		{"in singleExtensions", single(extendedRevoke, []byte{5, 0}), "ocsp.extended-revoke-form", everywhere, nowhere},
	}...)
}

// crlStrictCases are CRLs whose DER parsers refuse, or would.
func crlStrictCases(t *testing.T, ca recipe.Identity) (list []crlCase) {
	with := func(content ...[]byte) recipe.CRL {
		return recipe.CRL{ExtensionsDER: append([]byte{}, slices.Concat(content...)...)}
	}
	entry := func(content []byte) recipe.CRL {
		return recipe.CRL{Entries: []recipe.CRLEntry{{ExtensionsDER: content}}}
	}
	usual := usualCRLExtensions(t, ca)
	for _, name := range slices.Sorted(maps.Keys(malformed)) {
		if name != "no extension" {
			list = append(list, crlCase{"extension, " + name, "crl.der", everywhere, nowhere, with(usual, malformed[name]), nil})
		}
		list = append(list, crlCase{"extension of an entry, " + name, "crl.der", everywhere, nowhere, entry(malformed[name]), nil})
	}
	value := func(oid string, value ...byte) []byte { return recipe.RawExtension(oid, value) }
	const freshest, nextPublish, number, invalidity, issuer = "\x55\x1d\x2e", crl.OIDNextPublish, "\x55\x1d\x14", "\x55\x1d\x18", "\x55\x1d\x1d"
	return append(list, []crlCase{
		{"no extension", "crl.der", everywhere, nowhere, with([]byte{}), nil},
		{"freshestCRL an INTEGER", "crl.der", everywhere, nowhere, with(usual, value(freshest, 2, 1, 1)), nil},
		{"freshestCRL cut", "crl.der", everywhere, nowhere, with(usual, value(freshest, 0x30, 3, 0x30)), nil},
		{"NextCRLPublish with more behind", "crl.der", everywhere, nowhere, with(value(nextPublish, append(recipe.UTCTime("261121120000Z"), 5, 0)...)), nil},
		{"cRLNumber with more behind", "crl.der", everywhere, nowhere, with(value(number, 2, 1, 7, 5, 0)), nil},
		{"invalidityDate with more behind", "crl.der", everywhere, nowhere, entry(value(invalidity, append(slices.Clone(general), 5, 0)...)), nil},
		{"certificateIssuer a NULL", "crl.der", everywhere, nowhere, entry(value(issuer, 5, 0)), nil},
		{"critical left out", "crl.critical-explicit", nowhere, nowhere, with(usual, plain), nil},
		{"FALSE", "crl.critical-explicit", nowhere, everywhere, with(usual, explicit), nil},
		{"FALSE in an entry", "crl.critical-explicit", nowhere, everywhere, entry(explicit), nil},
	}...)
}

// crlKeyCases are of what a CRL says of its issuer's key.
func crlKeyCases(t *testing.T, ca recipe.Identity) []crlCase {
	made := func(aki pkix.Extension) recipe.CRL { return recipe.CRL{AuthorityKey: &aki} }
	with := func(keyID, issuer, serial []byte) recipe.CRL { return made(recipe.AuthorityKey(keyID, issuer, serial)) }
	id, name, serial := ca.Cert.SubjectKeyId, ca.Cert.RawIssuer, []byte{1}
	otherName := recipe.NewCA(t, "Other", recipe.P384()).Cert.RawSubject
	critical, junk := recipe.AuthorityKey(id, nil, nil), recipe.AuthorityKey(id, nil, nil)
	critical.Critical = true
	junk.Value = recipe.Element(asn1.SEQUENCE, append(slices.Clone(junk.Value[2:]), 5, 0))
	padded, noName := recipe.AuthorityKey(id, name, []byte{0, 1}), recipe.AuthorityKey(id, nil, nil)
	noName.Value = recipe.Element(asn1.SEQUENCE, slices.Concat(noName.Value[2:], []byte{0xa1, 0, 0x82, 1, 1}))
	return []crlCase{
		{"neither", "crl.authority-key-issuer", nowhere, nowhere, recipe.CRL{}, nil},
		{"a serial number alone", "crl.authority-key-issuer", everywhere, nowhere, with(id, nil, serial), nil},
		{"a name alone", "crl.authority-key-issuer", everywhere, nowhere, with(id, name, nil), nil},
		{"another serial number", "crl.authority-key-issuer", everywhere, nowhere, with(id, name, []byte{2}), nil},
		{"another name", "crl.authority-key-issuer", everywhere, nowhere, with(id, otherName, serial), nil},
		{"key alone", "crl.authority-key-alone", nowhere, nowhere, recipe.CRL{}, nil},
		{"the certificate, too", "crl.authority-key-alone", "br", nowhere, with(id, name, serial), nil},
		{"not critical", "crl.authority-key-critical", nowhere, nowhere, recipe.CRL{}, nil},
		{"critical", "crl.authority-key-critical", "br", "private ms moz cs smime", made(critical), nil},
		{"more in authorityKeyIdentifier", "crl.der", everywhere, nowhere, made(junk), nil},
		{"a padded number in authorityKeyIdentifier", "crl.der", everywhere, nowhere, made(padded), nil},
		{"names without one in authorityKeyIdentifier", "crl.der", everywhere, nowhere, made(noName), nil},
	}
}

// usualCRLExtensions are those of a CRL that breaks no rule.
func usualCRLExtensions(t *testing.T, ca recipe.Identity) []byte {
	list, err := x509.ParseRevocationList(recipe.CRL{Issuer: ca}.DER(t))
	if err != nil {
		t.Fatal(err)
	}
	return recipe.ExtensionsOf(&x509.Certificate{Extensions: list.Extensions})
}
