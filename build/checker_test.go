package build

import (
	"crypto"
	"crypto/x509"
	"testing"

	"lancre/build/ca"
	"lancre/build/internal/recipe"
	"lancre/build/inventory"
	"lancre/build/ocsp"
	"lancre/build/rule"
	"lancre/index"
)

// judge has a checker look at one response under one profile.
func judge(t *testing.T, der []byte, p rule.Profile, cas ...recipe.Identity) (broken rule.Finding, warnings []string) {
	t.Helper()
	ledger := rule.NewLedger(rule.Under([]rule.Profile{p}))
	it := &ocsp.Item{Place: rule.Place{Source: "test"}, DER: der}
	ocsp.NewChecker(ocsp.Config{At: recipe.Now, Issuers: loaded(t, cas...)}).Check(it, ledger)
	for _, w := range ledger.Warnings() {
		warnings = append(warnings, w.Check)
	}
	return it.Broken, warnings
}

// loaded are these CAs as a build has them.
func loaded(t testing.TB, cas ...recipe.Identity) *ca.Issuers {
	t.Helper()
	var ders []byte
	for _, id := range cas {
		ders = append(ders, id.Cert.Raw...)
	}
	all, err := ca.Load([]string{recipe.File(t, "ca", ders)})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// The Go client looks at the first certificate only.
func TestDelegateMustBeFirst(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	r := recipe.NewResponder(t, ca, recipe.OtherP256())
	broken, _ := judge(t, recipe.Response{Issuer: ca, Signer: r, Certs: []recipe.Identity{ca, r}}.DER(t), rule.Private, ca)
	if broken.Check != rule.OCSPDelegateFirst {
		t.Errorf("got %s (%s), want %s", broken.Check, broken.Reason, rule.OCSPDelegateFirst)
	}
}

func TestEveryAllowedAlgorithmVerifies(t *testing.T) {
	rsa, ed := []crypto.Signer{recipe.RSA()}, []crypto.Signer{recipe.Ed25519()}
	ecdsa := []crypto.Signer{recipe.P256(), recipe.P384(), recipe.P521()}
	for alg, keys := range map[x509.SignatureAlgorithm][]crypto.Signer{
		x509.SHA256WithRSA: rsa, x509.SHA384WithRSA: rsa, x509.SHA512WithRSA: rsa,
		x509.SHA256WithRSAPSS: rsa, x509.SHA384WithRSAPSS: rsa, x509.SHA512WithRSAPSS: rsa,
		x509.ECDSAWithSHA256: ecdsa, x509.ECDSAWithSHA384: ecdsa, x509.ECDSAWithSHA512: ecdsa,
		x509.PureEd25519: ed,
	} {
		for _, key := range keys {
			ca := recipe.NewCA(t, "CA", key)
			r := recipe.Response{Issuer: ca, Algorithm: recipe.AlgorithmID(alg)}
			if broken, _ := judge(t, r.DER(t), rule.Private, ca); broken.Check != rule.None {
				t.Errorf("%s: %s: %s", alg, broken.Check, broken.Reason)
			}
			r.Spoil = true
			if broken, _ := judge(t, r.DER(t), rule.Private, ca); broken.Check != rule.OCSPSignature {
				t.Errorf("%s, spoilt: %s: %s", alg, broken.Check, broken.Reason)
			}
		}
	}
}

// Checking makes no garbage, not even against an inventory and a previous
// generation; what Entry.Set makes is package index's affair.
func TestGoodResponsesMakeNoGarbage(t *testing.T) {
	ca := recipe.NewCA(t, "CA", recipe.P256())
	r := recipe.NewResponder(t, ca, recipe.OtherP256())
	all := loaded(t, ca)
	report, err := run(t, ca, Config{Responses: []string{recipe.File(t, "r", recipe.Response{Issuer: ca}.DER(t))}})
	if err != nil {
		t.Fatal(err)
	}
	known := recipe.Must(inventory.Load(inventoryFile(t, []string{"01 2027-01-01"}), recipe.Now, all))
	for name, made := range map[string]recipe.Response{
		"direct":       {Issuer: ca},
		"delegated":    {Issuer: ca, Signer: r, Certs: []recipe.Identity{r}},
		"with warning": {Issuer: ca, ByName: true, Version: true},
	} {
		der := made.DER(t)
		ledger := rule.NewLedger(rule.Under([]rule.Profile{rule.Private}))
		c := ocsp.NewChecker(ocsp.Config{At: recipe.Now, Issuers: all, Previous: published(t, report), Inventory: known, SkipSignatures: true})
		it := &ocsp.Item{DER: der}
		c.Check(it, ledger) // makes room, fills the cache, words the warnings
		var parsed index.Response
		if err := parsed.Parse(der); err != nil {
			t.Fatal(err)
		}
		set := testing.AllocsPerRun(100, func() { it.Entry.Set(&parsed) })
		if n := testing.AllocsPerRun(100, func() { it.Reset(rule.Place{}); it.DER = der; c.Check(it, ledger) }); n > set {
			t.Errorf("%s: %v allocations a response, %v of them in Entry.Set", name, n, set)
		}
		if it.Rejected() {
			t.Errorf("%s: %s", name, it.Broken.Reason)
		}
	}
}
