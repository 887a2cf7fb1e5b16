// Package lancre_test holds what is true of the module as a whole.
package lancre_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestImportsPointOneWay keeps cmd → origin → {sign, build, fleet} → index, cmd → probe → {build, fleet} → index and cmd → {fleet, server} → index: the edge cannot
// come to depend on the parsing of certificates, nor the format on its users.
func TestImportsPointOneWay(t *testing.T) {
	x509 := []string{"crypto/x509", "golang.org/x/crypto/ocsp"}
	http := []string{"net/http", "github.com/valyala/fasthttp"}
	drivers := []string{"github.com/jackc/pgx/v5", "github.com/go-sql-driver/mysql", "modernc.org/sqlite"} // 14 MB
	for _, rule := range []struct {
		of      string   // this package and those of this module it reaches
		without []string // import none of these, nor what lies below them
	}{
		{"lancre/index", slices.Concat(x509, http, []string{"lancre/index/store", "lancre/build", "lancre/server"})},
		{"lancre/index/store", slices.Concat(x509, http, []string{"lancre/build", "lancre/server"})},
		{"lancre/build", slices.Concat(http, drivers, []string{"lancre/origin", "lancre/server", "lancre/sign"})},
		{"lancre/sign", slices.Concat(http, drivers, []string{"lancre/origin", "lancre/server", "lancre/build/input", "lancre/build/ocsp", "lancre/build/static"})},
		{"lancre/pages", slices.Concat(x509, http, []string{"lancre/index", "lancre/build", "lancre/server"})},
		{"lancre/fleet/publish", slices.Concat(x509, []string{"lancre/build", "lancre/origin", "lancre/server"})},
		{"lancre/fleet/pull", slices.Concat(x509, []string{"lancre/build", "lancre/origin", "lancre/sign", "lancre/server"})},
		{"lancre/fleet/announce", slices.Concat(x509, []string{"lancre/index", "lancre/build", "lancre/origin", "lancre/sign", "lancre/server"})},
		{"lancre/sign/child", slices.Concat(http, []string{"lancre/index", "lancre/build", "lancre/server"})}, // what programs that hold keys link
		{"lancre/sign/key", slices.Concat(http, drivers, []string{"lancre/server"})},
		{"lancre/sign/crls", slices.Concat(http, drivers, []string{"lancre/origin", "lancre/server", "lancre/build/input", "lancre/build/ocsp", "lancre/build/static"})},
		{"lancre/probe", slices.Concat(drivers, []string{"lancre/origin", "lancre/server", "lancre/sign", "github.com/valyala/fasthttp"})},
		{"lancre/origin", slices.Concat(drivers, []string{"lancre/server", "github.com/valyala/fasthttp"})},
		{"lancre/server", slices.Concat(x509, []string{"lancre/build", "lancre/fleet", "lancre/origin", "lancre/sign"})},
		{"lancre/cmd/lancred", slices.Concat(x509, []string{"lancre/build", "lancre/origin", "lancre/sign"})},
		{"lancre/cmd/lancre", []string{"lancre/server"}},
	} {
		for pkg, imports := range reached(t, rule.of) {
			for _, imp := range imports {
				if slices.ContainsFunc(rule.without, func(p string) bool { return imp == p || strings.HasPrefix(imp, p+"/") }) {
					t.Errorf("%s imports %s, which %s must do without", pkg, imp, rule.of)
				}
			}
		}
	}
}

// TestOneClientOfS3 keeps the client of S3, 19 modules, to the one package that is made
// for it, and off the edge.
func TestOneClientOfS3(t *testing.T) {
	const client = "github.com/minio/"
	for pkg, imports := range listed(t, "./...") {
		if slices.ContainsFunc(imports, func(p string) bool { return strings.HasPrefix(p, client) }) != (pkg == "lancre/fleet/publish") {
			t.Errorf("%s imports %s: only lancre/fleet/publish does, by a client of %s", pkg, imports, client)
		}
	}
	if reached(t, "lancre/cmd/lancred")["lancre/fleet/publish"] != nil {
		t.Error("lancred can publish: it must hold nothing but public keys")
	}
}

// streets are the rooms of packages build and origin, from the ground up: each with those of this
// module that it may import. What is not listed is not there.
var streets = map[string][]string{
	"lancre/build/rule":      {"lancre/internal/legible"},
	"lancre/build/der":       {"lancre/index"},
	"lancre/build/certs":     {"lancre/build/der", "lancre/index"},
	"lancre/build/web":       {"lancre/index/store"},
	"lancre/build/input":     {"lancre/build/der", "lancre/build/rule", "lancre/internal/database", "lancre/internal/durable"},
	"lancre/build/crl":       {"lancre/build/der", "lancre/build/rule", "lancre/index"},
	"lancre/build/ca":        {"lancre/build/certs", "lancre/build/der", "lancre/index"},
	"lancre/build/inventory": {"lancre/build/ca", "lancre/build/rule", "lancre/index", "lancre/internal/csvfile"},
	"lancre/build/held":      {"lancre/internal/durable"},
	"lancre/build/ocsp": {"lancre/build/ca", "lancre/build/certs", "lancre/build/crl", "lancre/build/der", "lancre/build/inventory", "lancre/build/rule",
		"lancre/index", "lancre/index/store"},
	"lancre/build/static": {"lancre/build/ca", "lancre/build/certs", "lancre/build/crl", "lancre/build/der", "lancre/build/input",
		"lancre/build/inventory", "lancre/build/rule", "lancre/build/web", "lancre/index", "lancre/index/store", "lancre/internal/durable"},
	"lancre/build": {"lancre/build/ca", "lancre/build/crl", "lancre/build/held", "lancre/build/input", "lancre/build/inventory", "lancre/build/ocsp",
		"lancre/build/rule", "lancre/build/static", "lancre/index", "lancre/index/store", "lancre/internal/durable", "lancre/internal/interrupt", "lancre/internal/legible",
		"lancre/internal/parallel"},

	"lancre/sign/signature":    {},
	"lancre/sign/child":        {"lancre/sign/signature"},
	"lancre/sign/key":          {"lancre/build/certs", "lancre/build/der", "lancre/internal/secret", "lancre/sign/child"},
	"lancre/sign/ocsp":         {"lancre/build/certs", "lancre/index", "lancre/sign/key"},
	"lancre/sign/certificates": {"lancre/build/certs", "lancre/index", "lancre/internal/csvfile", "lancre/internal/database"},
	"lancre/sign/crl":          {"lancre/build/certs", "lancre/build/crl", "lancre/build/der", "lancre/index", "lancre/internal/parallel", "lancre/sign/key", "lancre/sign/signature"},
	"lancre/sign/safeguard":    {},
	"lancre/sign/crls": {"lancre/build/ca", "lancre/build/certs", "lancre/build/crl", "lancre/build/rule", "lancre/index", "lancre/internal/durable", "lancre/internal/mapping", "lancre/internal/sigbus",
		"lancre/sign/certificates", "lancre/sign/crl", "lancre/sign/key", "lancre/sign/safeguard"},
	"lancre/sign": {"lancre/build/certs", "lancre/build/rule", "lancre/index", "lancre/index/store", "lancre/internal/durable", "lancre/internal/spill",
		"lancre/sign/certificates", "lancre/sign/ocsp", "lancre/sign/safeguard"},

	"lancre/origin/source": {"lancre/build/input", "lancre/build/rule", "lancre/index", "lancre/index/store", "lancre/internal/database", "lancre/internal/durable",
		"lancre/internal/secret", "lancre/sign", "lancre/sign/certificates", "lancre/sign/crls", "lancre/sign/key"},
	"lancre/origin": {"lancre/build", "lancre/build/ca", "lancre/build/input", "lancre/build/rule", "lancre/fleet/publish", "lancre/index/store",
		"lancre/internal/admin", "lancre/internal/durable", "lancre/internal/status", "lancre/internal/version", "lancre/origin/source"},

	// What tests and demonstrations are made of, on which nothing above rests.
	"lancre/build/demo":            {"lancre/index", "lancre/sign/crl", "lancre/sign/ocsp"},
	"lancre/build/internal/recipe": {"lancre/build/ca", "lancre/build/certs", "lancre/build/der", "lancre/index"},
}

// TestStreetsOfBuildPointOneWay keeps the rooms of the builder apart: a rule knows no
// input, a parser no issuer, the checks of responses none of files.
func TestStreetsOfBuildPointOneWay(t *testing.T) {
	for pkg, imports := range listed(t, "./build/...", "./sign/...", "./origin/...") {
		may, known := streets[pkg]
		if !known {
			t.Errorf("%s is no street: say what it may import", pkg)
		}
		for _, imp := range imports {
			if strings.HasPrefix(imp, "lancre/") && !slices.Contains(may, imp) {
				t.Errorf("%s imports %s, want of this module only %s", pkg, imp, may)
			}
		}
	}
}

// TestOnlyPKCS11NeedsCgo keeps all programs but one free of C: they link anywhere, and what
// holds a vendor's library is a process of its own.
func TestOnlyPKCS11NeedsCgo(t *testing.T) {
	for program, free := range map[string]bool{"lancre/cmd/lancre": true, "lancre/cmd/lancred": true, "lancre/cmd/lancre-pkcs11": false} {
		cmd := exec.Command("go", "list", "-deps", program)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); (err == nil) != free {
			t.Errorf("%s without cgo: %v, want an error: %v\n%s", program, err, !free, out)
		}
	}
}

// reached maps each package of this module that pkg depends on, pkg included, to
// what it imports. Tests do not count.
func reached(t *testing.T, pkg string) map[string][]string {
	t.Helper()
	imports := listed(t, "-deps", pkg)
	if imports[pkg] == nil {
		t.Fatalf("go list -deps %s does not list %[1]s itself", pkg)
	}
	return imports
}

// listed maps each package of this module that go list names to what it imports.
func listed(t *testing.T, args ...string) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list %s: %v", args, err)
	}
	imports := make(map[string][]string)
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("go list %s: %v", args, err)
		}
		if strings.HasPrefix(p.ImportPath, "lancre/") {
			imports[p.ImportPath] = p.Imports
		}
	}
	return imports
}
