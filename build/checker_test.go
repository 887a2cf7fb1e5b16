package build

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"math/big"
	"testing"
)

// judge has a checker look at one response under one profile.
func judge(t *testing.T, der []byte, p Profile, cas ...identity) (broken finding, warnings []string) {
	t.Helper()
	all := &issuers{byHash: make(map[string]*issuer)}
	for _, ca := range cas {
		if err := all.add(ca.cert); err != nil {
			t.Fatal(err)
		}
	}
	all.findSubordinates()
	b := newBatch()
	b.add(Place{Source: "test"}).der = b.copy(der)
	newChecker(&builder{config: &Config{At: now}, severity: severities([]Profile{p}), issuers: all}).checkBatch(b)
	for i := range b.warnings {
		if b.warnings[i].count > 0 {
			warnings = append(warnings, check(i).String())
		}
	}
	return b.items[0].broken, warnings
}

// The Go client looks at the first certificate only.
func TestDelegateMustBeFirst(t *testing.T) {
	ca := newCA(t, "CA", p256Key())
	r := newResponder(t, ca, otherP256())
	broken, _ := judge(t, response{issuer: ca, signer: r, certs: []identity{ca, r}}.der(t), ProfilePrivate, ca)
	if broken.check != checkDelegateFirst {
		t.Errorf("got %s (%s), want %s", broken.check, broken.reason, checkDelegateFirst)
	}
}

func TestEveryAllowedAlgorithmVerifies(t *testing.T) {
	keys := map[x509.PublicKeyAlgorithm][]crypto.Signer{
		x509.RSA: {rsaKey()}, x509.ECDSA: {p256Key(), p384Key(), p521Key()}, x509.Ed25519: {edKey()},
	}
	for der, a := range algorithms {
		kind := x509.RSA
		switch {
		case a.curve != nil:
			kind = x509.ECDSA
		case a.x509 == x509.PureEd25519:
			kind = x509.Ed25519
		}
		for _, key := range keys[kind] {
			ca := newCA(t, "CA", key)
			r := response{issuer: ca, algorithm: der}
			if broken, _ := judge(t, r.der(t), ProfilePrivate, ca); broken.check != passed {
				t.Errorf("%s: %s: %s", a.x509, broken.check, broken.reason)
			}
			r.spoil = true
			if broken, _ := judge(t, r.der(t), ProfilePrivate, ca); broken.check != checkSignature {
				t.Errorf("%s, spoilt: %s: %s", a.x509, broken.check, broken.reason)
			}
		}
	}
}

// Cross-certificates are one issuer, whichever comes first.
func TestCertificatesOfOneKeyAreOneIssuer(t *testing.T) {
	root := newCA(t, "Root", otherP256())
	self := newCA(t, "CA", p256Key())
	cross := *self.cert
	cross.SerialNumber = big.NewInt(77)
	crossed := issue(t, &cross, root, p256Key())
	all := &issuers{byHash: make(map[string]*issuer)}
	for _, id := range []identity{self, crossed, root} {
		if err := all.add(id.cert); err != nil {
			t.Fatal(err)
		}
	}
	if len(all.list) != 2 || len(all.list[0].certs) != 2 {
		t.Errorf("%d issuers, the first with %d certificates; want 2 and 2", len(all.list), len(all.list[0].certs))
	}
}

// Checking makes no garbage, not even against an inventory and a previous
// generation; what Entry.Set makes is package index's affair.
func TestGoodResponsesMakeNoGarbage(t *testing.T) {
	ca := newCA(t, "CA", p256Key())
	r := newResponder(t, ca, otherP256())
	all := &issuers{byHash: make(map[string]*issuer)}
	if err := all.add(ca.cert); err != nil {
		t.Fatal(err)
	}
	report, err := run(t, ca, Config{Responses: []string{write(t, "r", response{issuer: ca}.der(t))}})
	if err != nil {
		t.Fatal(err)
	}
	known := made(loadInventory(inventoryFile(t, []string{"01 2027-01-01"}), now, all))
	for name, made := range map[string]response{
		"direct":       {issuer: ca},
		"delegated":    {issuer: ca, signer: r, certs: []identity{r}},
		"with warning": {issuer: ca, byName: true, version: true},
	} {
		b := newBatch()
		for range 2 {
			b.add(Place{}).der = b.copy(made.der(t))
		}
		c := newChecker(&builder{config: &Config{At: now, SkipSignatures: true}, severity: severities([]Profile{ProfilePrivate}), issuers: all,
			previous: published(t, report), inventory: known})
		c.checkBatch(b) // makes room, fills the cache, words the warnings
		set := testing.AllocsPerRun(100, func() { b.items[1].entry.Set(&c.response) })
		if n := testing.AllocsPerRun(100, func() { c.checkItem(&b.items[1]) }); n > set {
			t.Errorf("%s: %v allocations a response, %v of them in Entry.Set", name, n, set)
		}
		if broken := b.items[1].broken; broken.check != passed {
			t.Errorf("%s: %s", name, broken.reason)
		}
	}
}

func TestIssuerFiles(t *testing.T) {
	a, b := newCA(t, "A", p256Key()), newCA(t, "B", otherP256())
	pemA, pemB := pemBlock("CERTIFICATE", a.cert.Raw), pemBlock("CERTIFICATE", b.cert.Raw)
	tests := []struct {
		name string
		data []byte
		want int // issuers; -1 an error
	}{
		{"one DER", a.cert.Raw, 1},
		{"two DER", bytes.Join([][]byte{a.cert.Raw, b.cert.Raw}, nil), 2},
		{"one PEM", pemA, 1},
		{"two PEM with words", bytes.Join([][]byte{[]byte("the A\n"), pemA, []byte("the B\n"), pemB}, nil), 2},
		{"the same twice", bytes.Join([][]byte{pemA, pemA}, nil), 1},
		{"empty", nil, -1},
		{"a key", pemBlock("PRIVATE KEY", []byte{0x30, 0x00}), -1},
		{"PEM cut", pemA[:len(pemA)-30], -1},
		{"second PEM cut", bytes.Join([][]byte{pemA, pemB[:len(pemB)-30]}, nil), -1},
		{"DER cut", a.cert.Raw[:100], -1},
		{"words", []byte("hello"), -1},
	}
	for _, tt := range tests {
		all, err := loadIssuers([]string{write(t, "ca", tt.data)})
		got := -1
		if err == nil {
			got = len(all.list)
		}
		if got != tt.want {
			t.Errorf("%s: %d issuers (%v), want %d", tt.name, got, err, tt.want)
		}
	}
}
