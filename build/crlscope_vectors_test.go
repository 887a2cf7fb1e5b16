package build

import (
	"crypto/x509"
	"math/big"
	"testing"

	"lancre/build/internal/recipe"
)

// crlScopeCases are CRLs for certificates of one kind, and what several say of one
// certificate.
func crlScopeCases(t *testing.T) []staticCase {
	ca := recipe.NewCA(t, "CA", recipe.P256()) // one that may issue CA certificates
	sub := func(serial int64) recipe.Identity {
		return recipe.Issue(t, &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: recipe.Name("Sub"), NotBefore: recipe.Now, NotAfter: recipe.Now.Add(100 * recipe.Day),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		}, ca, recipe.OtherP256())
	}
	crl := func(p *recipe.CRLPoint, entries ...recipe.CRLEntry) []byte {
		return recipe.CRL{Issuer: ca, Point: p, Entries: entries}.DER(t)
	}
	users := func(uris ...string) *recipe.CRLPoint { return &recipe.CRLPoint{URIs: uris} }
	cas := func() *recipe.CRLPoint { return &recipe.CRLPoint{NotUser: true, Flags: []uint8{2}} }
	one, two := recipe.CRLEntry{Serial: "\x01", Reason: []byte{1}}, recipe.CRLEntry{Serial: "\x02", Reason: []byte{1}}
	at := func(data ...[]byte) map[string][]byte {
		files := make(map[string][]byte)
		for i, d := range data {
			files["c.example/"+string(rune('1'+i))+".crl"] = d
		}
		return files
	}
	with := func(files map[string][]byte, name string, data []byte) map[string][]byte {
		files[name] = data
		return files
	}
	urls := []string{"http://c.example/1.crl", "http://c.example/2.crl"}
	later := two
	later.Revoked = recipe.Now.Add(-2 * recipe.Hour)
	other := two
	other.Reason = []byte{4}
	of := func(list ...staticCase) []staticCase {
		for i := range list {
			list[i].alone, list[i].issuers = true, append(list[i].issuers, ca)
		}
		return list
	}
	return of([]staticCase{
		{name: "a user's on that of users", check: "crl.scope", files: at(crl(users(), one)), issuers: []recipe.Identity{sub(2)}},
		{name: "a CA's, of --issuer, on that of users", check: "crl.scope", rejects: everywhere, files: at(crl(users(), one, two)), issuers: []recipe.Identity{sub(2)}},
		{name: "a CA's, published, on that of users", check: "crl.scope", rejects: everywhere, files: with(at(crl(users(), two)), "i.example/sub.der", sub(2).Cert.Raw)},
		{name: "a CA's, of the inventory, on that of users", check: "crl.scope", rejects: everywhere, inventory: "02 2027-01-01 ||true", files: at(crl(users(), two))},
		{name: "a user's, of the inventory, on that of users", check: "crl.scope", inventory: "02 2027-01-01 ||false", files: at(crl(users(), two))},
		{name: "one that nobody knows, on that of users", check: "crl.scope", inventory: "02 2027-01-01", files: at(crl(users(), two))},
		{name: "a CA's on that of all", check: "crl.scope", files: at(crl(nil, two)), issuers: []recipe.Identity{sub(2)}},
		{name: "a CA's on that of CAs", check: "crl.scope", inventory: "02 2027-01-01 ||true", files: at(crl(cas(), two)), issuers: []recipe.Identity{sub(2)}},
		{name: "a user's on that of CAs", check: "crl.scope", rejects: everywhere, inventory: "02 2027-01-01 ||false", files: at(crl(cas(), two))},

		{name: "one of users and one of CAs, without names", check: "crl.shard-idp", files: at(crl(users(), one), crl(cas(), two))},
		{name: "two of users, without names", check: "crl.shard-idp", rejects: "br", files: at(crl(users(), one), crl(users(), two))},
		{name: "two of users, with names", check: "crl.shard-idp", files: at(crl(users(urls[0]), one), crl(users(urls[1]), two))},
		{name: "all of users, and a shard", check: "crl.shard-idp", files: at(crl(users(), one, two), crl(users(urls[1]), two))},
		{name: "two of users, one with a name", check: "crl.shard-idp", rejects: "br", files: at(crl(users(), one), crl(users(urls[1]), two))},

		{name: "the same on two", check: "crl.entry-differs", files: at(crl(users(urls[0]), one, two), crl(users(urls[1]), two))},
		{name: "at another time", check: "crl.entry-differs", warns: everywhere, files: at(crl(users(urls[0]), one, two), crl(users(urls[1]), later))},
		{name: "for another reason", check: "crl.entry-differs", warns: everywhere, files: at(crl(users(urls[0]), two, one), crl(users(urls[1]), other))},
	}...)
}
