package build

import (
	"crypto/x509/pkix"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte/asn1"

	"lancre/build/internal/recipe"
	"lancre/build/rule"
	"lancre/index"
)

// certificateIssuer has e be the first entry of an indirect CRL that is for what is
// called name.
func certificateIssuer(e recipe.CRLEntry, critical bool, name []byte) recipe.CRLEntry {
	names := recipe.Element(asn1.SEQUENCE, recipe.Element(asn1.Tag(4).ContextSpecific().Constructed(), name))
	e.Extensions = append(slices.Clone(e.Extensions), pkix.Extension{Id: recipe.IDEntryIssuer, Critical: critical, Value: names})
	return e
}

// A private PKI publishes what RFC 5280 allows, though public CAs must not, and it is
// taken for what it is: a good response contradicts what a CRL says of that certificate,
// not what it says of another's with the same serial number.
func TestPrivatePKIsPublishWhatRFCsAllow(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	other := recipe.NewCA(t, "Other", recipe.OtherP256())
	one, two := recipe.CRLEntry{Reason: []byte{1}}, recipe.CRLEntry{Serial: "\x02", Reason: []byte{1}}
	indirect := func(entries ...recipe.CRLEntry) recipe.CRL {
		return recipe.CRL{Point: &recipe.CRLPoint{NotUser: true, Flags: []uint8{4}}, Entries: entries}
	}
	of := func(uris ...string) recipe.CRL { return recipe.CRL{Point: &recipe.CRLPoint{URIs: uris}} }
	attributes := recipe.CRL{Point: &recipe.CRLPoint{NotUser: true, Flags: []uint8{5}}, Entries: []recipe.CRLEntry{one}}
	for _, tt := range []struct {
		name     string
		crl      recipe.CRL
		rejected string // by the check, "" if it is published
	}{
		{"indirect, of another", indirect(certificateIssuer(one, true, other.Cert.RawSubject)), ""},
		{"indirect, of another as before", indirect(certificateIssuer(two, true, other.Cert.RawSubject), one), ""},
		{"indirect, its own", indirect(one), "ocsp.crl-good"},
		{"indirect, its own again", indirect(certificateIssuer(two, true, other.Cert.RawSubject), certificateIssuer(one, true, ca.Cert.RawSubject)), "ocsp.crl-good"},
		{"indirect, not critical", indirect(certificateIssuer(one, false, other.Cert.RawSubject)), "crl.entry-issuer"},
		{"of attribute certificates", attributes, ""},
		{"of LDAP", of("ldap://d.example/cn=CA"), ""},
		{"of LDAP and another", of("ldap://d.example/cn=CA", "http://d.example/"), "crl.idp-url"},
		{"of a protocol in upper case", of("HTTP://c.example/1.crl"), "crl.idp-url"},
		{"without a protocol", of("c.example/1.crl"), "crl.idp-url"},
	} {
		tt.crl.Issuer = ca
		report, err := run(t, ca, Config{
			Responses: []string{recipe.File(t, "r", recipe.Response{Issuer: ca, Algs: []index.HashAlg{index.SHA256}}.DER(t))},
			Static:    []string{recipe.Dir(t, map[string][]byte{crlFile: tt.crl.DER(t)})},
		})
		rejected := ""
		if len(report.Rejections) > 0 {
			rejected = report.Rejections[0].Check
		}
		if rejected != tt.rejected || (err == nil) != (rejected == "") {
			t.Errorf("%s: rejected by %q (%v), want %q", tt.name, rejected, err, tt.rejected)
		}
	}
}

// Whoever is refused something is told by which option it is published all the same.
func TestRejectionsNameTheOption(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	for check, made := range map[string]recipe.CRL{
		"crl.number":   {NoNumber: true},
		"crl.idp-only": {Point: &recipe.CRLPoint{Flags: []uint8{2}}},
	} {
		made.Issuer = ca
		_, err := run(t, ca, Config{Static: []string{recipe.Dir(t, map[string][]byte{crlFile: made.DER(t)})}})
		if want := "[" + check + "] (to publish it all the same: --warn " + check + ")"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q in it", err, want)
		}
	}
	ledger := rule.NewLedger(rule.Under([]rule.Profile{rule.Private}))
	for c := range rule.Describe() {
		ledger.Reject(&rule.Finding{Check: rule.Check(c + 1)})
	}
	for i, d := range rule.Describe() {
		option, said := "", ledger.Rejections()[i].String()
		if d.Lowered != "" {
			option = "--" + d.Lowered + " " + d.ID
		}
		if ledger.Rejections()[i].Option != option || !strings.Contains(said, option) || strings.Contains(said, "--") != (option != "") {
			t.Errorf("%s: %q, want %q in it", d.ID, said, option)
		}
	}
}
